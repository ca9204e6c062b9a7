package spice

import "math"

// A bodyShape is the compiled form of one behavioural element's definition; all
// its instances share it.
type bodyShape struct {
	prog   *program
	index  int32   // of prog in the circuit
	consts []*expr // evaluated in the scope of each instance
	inputs []bodyRef
}

// A bodyRef is an unknown that an expression names.
type bodyRef struct {
	op   opcode // opVolt, opCurr; opName is time
	slot int32  // opVolt: node of the definition, or -1 when name is hierarchical
	name string
	pos  pos
}

// maxExprNodes bounds what functions may expand to.
const maxExprNodes = 200_000

// A compiler turns one expression into code.
type compiler struct {
	sub    *subckt
	report func(p pos, hint, msg string)
	root   pos // of the whole expression
	nodes  int
	failed bool

	inputs []bodyRef
	inputN map[bodyRef]int32
	consts []*expr
	constN map[constKey]int32
	code   []instr
	codeN  map[instr]int32 // instructions, but for dst: equal terms are computed once
}

type constKey struct {
	num  float64
	name string
}

// Registers are numbered by kind while compiling and renumbered at the end.
const (
	constBase = 1 << 20
	tempBase  = 2 << 20
)

// compile returns nil after reporting what is wrong.
func (c *compiler) compile(e *expr) *bodyShape {
	c.root = e.pos
	c.inputN, c.constN, c.codeN = map[bodyRef]int32{}, map[constKey]int32{}, map[instr]int32{}
	e = c.expand(e, nil, 0)
	if c.failed {
		return nil
	}
	out := c.emit(e)
	if c.failed {
		return nil
	}
	p := &program{code: c.code, inputs: len(c.inputs), timeIn: -1, consts: len(c.consts)}
	p.regs = p.inputs + p.consts + len(c.code)
	for k, in := range c.inputs {
		if in.op == opName {
			p.timeIn = k
		}
	}
	renumber := func(r int32) int32 {
		switch {
		case r >= tempBase:
			return r - tempBase + int32(p.inputs+p.consts)
		case r >= constBase:
			return r - constBase + int32(p.inputs)
		}
		return r
	}
	for k := range p.code {
		in := &p.code[k]
		in.dst, in.a, in.b = renumber(in.dst), renumber(in.a), renumber(in.b)
		if in.op != opPwl {
			in.c = renumber(in.c)
		}
	}
	p.out = renumber(out)
	for k := range p.code {
		if in := &p.code[k]; in.op == opSoftplus { // a place for the slope
			in.b = int32(p.regs)
			p.regs++
		}
	}
	p.analyse()
	return &bodyShape{prog: p, consts: c.consts, inputs: c.inputs}
}

func (c *compiler) fail(at pos, hint, msg string) {
	c.failed = true
	c.report(at, hint, msg)
}

// expand replaces calls of .func by their bodies and checks the rest.
func (c *compiler) expand(e *expr, args map[string]*expr, depth int) *expr {
	if c.failed {
		return e
	}
	if c.nodes++; c.nodes > maxExprNodes || depth > maxExprDepth {
		c.fail(c.root, "does a .func call itself?", "the expression grows without end")
		return e
	}
	switch e.op {
	case opNum, opCurr:
		return e
	case opVolt:
		// A function may take a node: .func d(a) {v(a)*2}.
		a, b := args[e.name], args[e.ref]
		if a == nil && b == nil {
			return e
		}
		n := *e
		if a != nil && a.op == opName {
			n.name = a.name
		}
		if b != nil && b.op == opName {
			n.ref = b.name
		}
		return &n
	case opName:
		if a, ok := args[e.name]; ok {
			return a
		}
		return e
	case opCall:
		if fn := c.sub.function(e.name); fn != nil {
			if len(fn.params) != len(e.args) {
				c.fail(e.pos, "", "function "+e.name+" takes a different number of arguments")
				return e
			}
			bound := make(map[string]*expr, len(e.args))
			for i, a := range e.args {
				bound[fn.params[i]] = c.expand(a, args, depth+1)
			}
			return c.expand(fn.body, bound, depth+1)
		}
		f, ok := functions[e.name]
		if !ok {
			hint := functionHints[e.name]
			if hint == "" {
				hint = "define it with .func"
				if near := nearest(e.name, sortedKeys(functions)); near != "" {
					hint = "did you mean " + near + "?"
				}
			}
			c.fail(e.pos, hint, "unknown function "+e.name)
			return e
		}
		if len(e.args) < f.min || len(e.args) > f.max {
			c.fail(e.pos, "", "function "+e.name+" takes a different number of arguments")
			return e
		}
		n := *e
		n.op = f.op
		n.args = c.expandAll(e.args, args, depth)
		return &n
	}
	n := *e
	n.args = c.expandAll(e.args, args, depth)
	return &n
}

func (c *compiler) expandAll(in []*expr, args map[string]*expr, depth int) []*expr {
	out := make([]*expr, len(in))
	for i, a := range in {
		out[i] = c.expand(a, args, depth+1)
	}
	return out
}

// varies tells whether an expanded expression depends on the circuit or time.
func varies(e *expr) bool {
	switch e.op {
	case opVolt, opCurr:
		return true
	case opName:
		return e.name == "time"
	}
	for _, a := range e.args {
		if varies(a) {
			return true
		}
	}
	return false
}

func (c *compiler) input(r bodyRef) int32 {
	key := r
	key.pos = pos{}
	if k, ok := c.inputN[key]; ok {
		return k
	}
	k := int32(len(c.inputs))
	c.inputN[key] = k
	c.inputs = append(c.inputs, r)
	return k
}

func (c *compiler) constant(e *expr) int32 {
	key := constKey{name: "\x00"}
	switch e.op {
	case opNum:
		key = constKey{num: e.num}
	case opName:
		key = constKey{name: e.name}
	}
	if key.name != "\x00" {
		if k, ok := c.constN[key]; ok {
			return k
		}
		c.constN[key] = constBase + int32(len(c.consts))
	}
	c.consts = append(c.consts, e)
	return constBase + int32(len(c.consts)) - 1
}

func (c *compiler) voltage(name string, at pos) int32 {
	if slot, ok := c.sub.slot[name]; ok {
		if slot == 0 {
			return c.constant(&expr{op: opNum, pos: at})
		}
		return c.input(bodyRef{op: opVolt, slot: slot, pos: at})
	}
	return c.input(bodyRef{op: opVolt, slot: -1, name: name, pos: at})
}

func (c *compiler) temp(op opcode, a, b, d int32) int32 {
	key := instr{op: op, a: a, b: b, c: d}
	dst, known := c.codeN[key]
	if !known {
		dst = tempBase + int32(len(c.code))
		c.codeN[key] = dst
		c.code = append(c.code, instr{op: op, dst: dst, a: a, b: b, c: d})
	}
	return dst
}

// emit generates code for an expanded expression and returns its register.
func (c *compiler) emit(e *expr) int32 {
	if !varies(e) {
		return c.constant(e)
	}
	switch e.op {
	case opVolt:
		a := c.voltage(e.name, e.pos)
		if e.ref == "" {
			return a
		}
		b := c.voltage(e.ref, e.pos)
		return c.temp(opSub, a, b, a)
	case opCurr:
		return c.input(bodyRef{op: opCurr, name: e.name, pos: e.pos})
	case opName:
		return c.input(bodyRef{op: opName, name: "time"})
	case opPwl:
		return c.emitTable(e)
	case opLn:
		if x := softplusOf(e.args[0]); x != nil {
			r := c.emit(x)
			return c.temp(opSoftplus, r, r, r)
		}
	}
	var r [3]int32
	for i, a := range e.args {
		r[i] = c.emit(a)
	}
	for i := len(e.args); i < 3; i++ {
		r[i] = r[0] // unused operands point at something harmless
	}
	return c.temp(e.op, r[0], r[1], r[2])
}

// softplusOf returns x where e is 1+exp(x), else nil.
func softplusOf(e *expr) *expr {
	if e.op != opAdd {
		return nil
	}
	for k, one := range e.args {
		if x := e.args[1-k]; one.op == opNum && one.num == 1 && x.op == opExp && varies(x) {
			return x.args[0]
		}
	}
	return nil
}

func (c *compiler) emitTable(e *expr) int32 {
	points := e.args[1:]
	if len(points)%2 != 0 {
		c.fail(e.pos, "write pwl(x, x1, y1, x2, y2)", "pwl needs pairs of x and y")
		return 0
	}
	x := c.emit(e.args[0])
	first := int32(len(c.consts))
	for i, a := range points {
		if varies(a) {
			c.fail(a.pos, "", "the table of pwl must be constant")
			return 0
		}
		if i >= 2 && i%2 == 0 && a.op == opNum && points[i-2].op == opNum && a.num <= points[i-2].num {
			c.fail(a.pos, "", "the x of a pwl table must ascend")
			return 0
		}
		c.consts = append(c.consts, a)
	}
	return c.temp(opPwl, x, constBase+first, int32(len(points)))
}

// builtinConstants may be used like parameters; a parameter of the same name
// goes first.
var builtinConstants = map[string]float64{
	"pi": math.Pi, "e": math.E, "echarge": 1.602176634e-19, "boltz": 1.380649e-23, "kelvin": -273.15, "planck": 6.62607015e-34,
	"true": 1, "false": 0, "yes": 1, "no": 0,
}
