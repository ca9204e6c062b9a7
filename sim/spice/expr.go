package spice

// opcode names what an expression node, and later one instruction of a
// Program, computes.
type opcode uint8

const (
	opNum  opcode = iota // num
	opName               // parameter, constant or function argument; or time
	opCall               // name(args), before it is known which
	opVolt               // v(node) or v(node,node)
	opCurr               // i(device)
	opNeg                // from here on: arithmetic
	opNot
	opAdd
	opSub
	opMul
	opDiv
	opPow // |x|^y, as ngspice has it for ^, ** and pow
	opPwr // sgn(x) |x|^y
	opLT
	opLE
	opGT
	opGE
	opEQ
	opNE
	opAnd
	opOr
	opSelect // cond ? a : b
	opMin
	opMax
	opAtan2
	opHypot
	opLimit // limit(x, lo, hi)
	opAbs
	opSgn
	opStep  // u(x): 0, 1/2, 1
	opRamp  // uramp(x): max(x, 0)
	opClip1 // u2(x): 0, x, 1
	opSqrt
	opExp
	opLn
	opLog10
	opSin
	opCos
	opTan
	opAsin
	opAcos
	opAtan
	opSinh
	opCosh
	opTanh
	opAsinh
	opAcosh
	opAtanh
	opFloor
	opCeil
	opNint
	opTrunc
	opPwl      // pwl(x, x1, y1, …): kept whole, its table must be constant
	opSoftplus // ln(1+exp(x)), found by the compiler
)

// An expr is a node of an expression as it stands in the text.
type expr struct {
	op   opcode
	pos  pos
	num  float64
	name string // opName, opCall, opCurr; opVolt: first node
	ref  string // opVolt: second node, or empty
	args []*expr
}

// functions lists what may be called, with the least and largest number of
// arguments. "log" is natural, as in ngspice.
var functions = map[string]struct {
	op       opcode
	min, max int
}{
	"abs": {opAbs, 1, 1}, "sgn": {opSgn, 1, 1}, "u": {opStep, 1, 1}, "uramp": {opRamp, 1, 1}, "u2": {opClip1, 1, 1},
	"sqrt": {opSqrt, 1, 1}, "exp": {opExp, 1, 1}, "ln": {opLn, 1, 1}, "log": {opLn, 1, 1}, "log10": {opLog10, 1, 1},
	"sin": {opSin, 1, 1}, "cos": {opCos, 1, 1}, "tan": {opTan, 1, 1},
	"asin": {opAsin, 1, 1}, "acos": {opAcos, 1, 1}, "atan": {opAtan, 1, 1}, "arctan": {opAtan, 1, 1},
	"sinh": {opSinh, 1, 1}, "cosh": {opCosh, 1, 1}, "tanh": {opTanh, 1, 1},
	"asinh": {opAsinh, 1, 1}, "acosh": {opAcosh, 1, 1}, "atanh": {opAtanh, 1, 1},
	"floor": {opFloor, 1, 1}, "ceil": {opCeil, 1, 1}, "nint": {opNint, 1, 1}, "int": {opTrunc, 1, 1},
	"min": {opMin, 2, 2}, "max": {opMax, 2, 2}, "pow": {opPow, 2, 2}, "pwr": {opPwr, 2, 2},
	"atan2": {opAtan2, 2, 2}, "hypot": {opHypot, 2, 2},
	"limit": {opLimit, 3, 3}, "if": {opSelect, 3, 3}, "ternary_fcn": {opSelect, 3, 3},
	"pwl": {opPwl, 5, 1 << 16}, "table": {opPwl, 5, 1 << 16},
}

// hints for functions that other simulators have.
var functionHints = map[string]string{
	"ddt":   "a lead is a weighted sum of a state and its input; differentiate with a capacitor, never numerically",
	"idt":   "integrate with a current into a capacitor",
	"sdt":   "integrate with a current into a capacitor",
	"gauss": "draw mismatch before simulating and write the values into the netlist", "agauss": "draw mismatch before simulating and write the values into the netlist",
	"unif": "draw mismatch before simulating and write the values into the netlist", "aunif": "draw mismatch before simulating and write the values into the netlist",
	"rnd": "draw mismatch before simulating and write the values into the netlist", "rand": "draw mismatch before simulating and write the values into the netlist",
}

// maxExprDepth bounds how deep expressions nest, so that no input can exhaust
// the stack.
const maxExprDepth = 400

// An exprParser is a Pratt parser over a stretch of a logical line.
type exprParser struct {
	l        *logicalLine
	off, end int
	depth    int
	failed   bool
	report   func(p pos, hint, msg string)
	slab     *[]expr
}

func (p *exprParser) fail(off int, hint, msg string) *expr {
	if !p.failed { // one complaint an expression: what follows is guesswork
		p.failed = true
		p.report(p.l.at(off), hint, msg)
	}
	p.off = p.end
	return p.node(opNum, off)
}

func (p *exprParser) node(op opcode, off int, args ...*expr) *expr {
	if len(*p.slab) == 0 {
		*p.slab = make([]expr, 256)
	}
	e := &(*p.slab)[0]
	*p.slab = (*p.slab)[1:]
	*e = expr{op: op, pos: p.l.at(off)}
	if len(args) > 0 {
		e.args = args
	}
	return e
}

func (p *exprParser) space() {
	for p.off < p.end && isSpace(p.l.text[p.off]) {
		p.off++
	}
}

func (p *exprParser) peekByte() byte {
	p.space()
	if p.off < p.end {
		return p.l.text[p.off]
	}
	return 0
}

// Binding powers, weakest first. Unary minus binds weaker than a power, and
// powers associate to the left, both as in ngspice: -2^2 is -4, 2^3^2 is 64.
const (
	bindSelect = 1
	bindOr     = 2
	bindAnd    = 3
	bindEqual  = 4
	bindOrder  = 5
	bindSum    = 6
	bindProd   = 7
	bindUnary  = 8
	bindPower  = 9
)

// operator looks at the infix operator under the cursor.
func (p *exprParser) operator() (op opcode, bind, width int) {
	c := p.peekByte()
	next := byte(0)
	if p.off+1 < p.end {
		next = p.l.text[p.off+1]
	}
	switch c {
	case '+':
		return opAdd, bindSum, 1
	case '-':
		return opSub, bindSum, 1
	case '*':
		if next == '*' {
			return opPow, bindPower, 2
		}
		return opMul, bindProd, 1
	case '/':
		return opDiv, bindProd, 1
	case '^':
		return opPow, bindPower, 1
	case '?':
		return opSelect, bindSelect, 1
	case '<':
		if next == '=' {
			return opLE, bindOrder, 2
		}
		if next == '>' {
			return opNE, bindEqual, 2
		}
		return opLT, bindOrder, 1
	case '>':
		if next == '=' {
			return opGE, bindOrder, 2
		}
		return opGT, bindOrder, 1
	case '=':
		if next == '=' {
			return opEQ, bindEqual, 2
		}
	case '!':
		if next == '=' {
			return opNE, bindEqual, 2
		}
	case '&':
		if next == '&' {
			return opAnd, bindAnd, 2
		}
		return opAnd, bindAnd, 1
	case '|':
		if next == '|' {
			return opOr, bindOr, 2
		}
		return opOr, bindOr, 1
	}
	return 0, 0, 0
}

// parse reads an expression whose operators bind at least as strongly as bind
// and stops before what cannot continue it.
func (p *exprParser) parse(bind int) *expr {
	if p.depth++; p.depth > maxExprDepth {
		return p.fail(p.off, "split it with parameters or helper nodes", "the expression nests too deeply")
	}
	defer func() { p.depth-- }()
	left := p.primary()
	for !p.failed {
		op, b, width := p.operator()
		if width == 0 || b < bind {
			break
		}
		at := p.off
		p.off += width
		if op == opSelect {
			a := p.parse(bindSelect)
			if p.peekByte() != ':' {
				return p.fail(p.off, "write condition ? a : b", "':' expected")
			}
			p.off++
			left = p.node(opSelect, at, left, a, p.parse(bindSelect))
			continue
		}
		left = p.node(op, at, left, p.parse(b+1))
	}
	return left
}

func (p *exprParser) primary() *expr {
	c := p.peekByte()
	at := p.off
	switch {
	case c == 0:
		return p.fail(at, "", "the expression ends where a value should stand")
	case c == '(' || c == '{':
		p.off++
		e := p.parse(0)
		closing := byte(')')
		if c == '{' {
			closing = '}'
		}
		if p.failed {
			return e
		}
		if p.peekByte() != closing {
			return p.fail(p.off, "", "'"+string(closing)+"' expected")
		}
		p.off++
		return e
	case c == '-':
		p.off++
		return p.node(opNeg, at, p.parse(bindUnary))
	case c == '+':
		p.off++
		return p.parse(bindUnary)
	case c == '!' || c == '~':
		p.off++
		return p.node(opNot, at, p.parse(bindUnary))
	case isDigit(c) || c == '.':
		v, n, ambiguous := parseNumber(p.l.text[p.off:p.end])
		if n == 0 {
			return p.fail(at, "", "a number needs digits")
		}
		if ambiguous {
			return p.fail(at, "write 1e-18 for atto", "the suffix 'a' means different things to different simulators")
		}
		p.off += n
		e := p.node(opNum, at)
		e.num = v
		return e
	case isLetter(c) || c == '_':
		return p.name()
	}
	return p.fail(at, "", "unexpected '"+p.l.raw[at:at+1]+"' in an expression")
}

func isNameByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '.' || c == '#' }

func (p *exprParser) name() *expr {
	at := p.off
	for p.off < p.end && isNameByte(p.l.text[p.off]) {
		p.off++
	}
	name := p.l.text[at:p.off]
	if p.peekByte() != '(' {
		e := p.node(opName, at)
		e.name = name
		return e
	}
	p.off++
	switch name {
	case "v":
		e := p.node(opVolt, at)
		if e.name = p.reference(); e.name == "" {
			return p.fail(p.off, "write v(node) or v(node,node)", "node name expected")
		}
		if p.peekByte() == ',' {
			p.off++
			if e.ref = p.reference(); e.ref == "" {
				return p.fail(p.off, "write v(node,node)", "node name expected")
			}
		}
		return p.closeCall(e)
	case "i":
		e := p.node(opCurr, at)
		if e.name = p.reference(); e.name == "" {
			return p.fail(p.off, "write i(vname)", "device name expected")
		}
		return p.closeCall(e)
	}
	e := p.node(opCall, at)
	e.name = name
	for p.peekByte() != ')' {
		e.args = append(e.args, p.parse(0))
		if p.failed {
			return e
		}
		if p.peekByte() == ',' {
			p.off++
			continue
		}
		break
	}
	return p.closeCall(e)
}

func (p *exprParser) closeCall(e *expr) *expr {
	if p.peekByte() != ')' {
		return p.fail(p.off, "", "')' expected")
	}
	p.off++
	return e
}

// reference reads a node or device name, which may hold any byte that does not
// end it.
func (p *exprParser) reference() string {
	p.space()
	at := p.off
	for p.off < p.end {
		switch c := p.l.text[p.off]; {
		case isSpace(c), c == ',', c == '(', c == ')', c == '=', c == '{', c == '}':
			return p.l.text[at:p.off]
		}
		p.off++
	}
	return p.l.text[at:p.off]
}
