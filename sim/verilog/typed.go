package verilog

import "vlec/model/diag"

// A Signal is a net, a variable or, with Depth > 0, a memory of the elaborated
// design. Ports that connect whole signals of one type are one Signal under
// two names.
type Signal struct {
	Name   string // hierarchical: top.core.acc
	Width  int
	Signed bool
	Depth  int // words of a memory, else 0
	Pos    diag.Pos

	msb, lsb int  // as declared
	scalar   bool // without a range: it has no parts
	first    int  // lowest address of a memory
	net      bool // else a variable
	event    bool
	local    bool // of a function: not visible from outside
	external bool // input of the top module
	driven   []driver
	procs    bool // assigned by a process

	slot    uint32 // first word of the storage, or number of the memory
	hidden  bool
	watched bool  // somebody waits for its edges
	wire    *unit // computes it on demand: it stands in its reader's expression
}

type driver struct {
	lo, w int
	pos   diag.Pos
}

// A node of the typed tree has a settled type; see opcode.
type node struct {
	op     opcode
	w      int
	signed bool
	a      []*node
	sig    *Signal
	val    Value
	fill   byte // of an unsized constant: the digit to its left
	lo, k  int
	pre    []st   // of a call: the body, which leaves its result in sig
	sys    string // of a system function
	pos    diag.Pos
}

// An lval is the target of an assignment: parts of it in a concatenation,
// else a signal, a memory word or some bits of one.
type lval struct {
	parts []*lval // highest first
	sig   *Signal
	addr  *node // offset of the word in a memory
	lo, w int   // bits within; lo counts from the lowest when base is nil
	base  *node // dynamic: the bits from k*base + lo on
	k     int
	whole bool
	pos   diag.Pos
}

func (l *lval) width() int {
	if l.parts == nil {
		return l.w
	}
	w := 0
	for _, p := range l.parts {
		w += p.width()
	}
	return w
}

// st is a statement of the typed tree.
type st interface{}

type (
	sBlock struct{ list []st }
	sIf    struct {
		c         *node
		then, els st
	}
	sCase struct {
		op   opcode // opCeq, opCaseZ or opCaseX
		x    *node
		arms []sArm
		def  st
	}
	sArm struct {
		match []*node
		body  st
	}
	sLoop struct {
		c          *node // nil for forever
		body, step st
		pos        diag.Pos
	}
	sRepeat struct {
		n    *node
		body st
	}
	sAssign struct {
		lv     *lval
		rhs    *node
		nb     bool
		delay  *node     // in ticks
		event  []trigger // intra-assignment
		repeat *node
		pos    diag.Pos
	}
	sDelay struct{ d *node } // in ticks
	sEvent struct{ ev []trigger }
	sWait  struct {
		c    *node
		wake []*Signal
	}
	sSys struct {
		name  string
		args  []sysArg
		scope *scope
		pos   diag.Pos
	}
	sysArg struct {
		x   *node
		str string
		lit bool    // a string literal
		sig *Signal // a memory or signal by name
		lv  *lval
	}
	// sCall is the body of a task in the place of its call.
	sCall    struct{ list []st }
	sDisable struct{ target *sBlock }
	sTrigger struct{ sig *Signal }
)

type edge uint8

const (
	anyEdge edge = iota
	posEdge
	negEdge
)

type trigger struct {
	sig  *Signal
	edge edge
}

type unitKind uint8

const (
	unitComb    unitKind = iota // runs when something that it reads changes
	unitClocked                 // runs at an edge, without waiting inside
	unitProc                    // waits inside: a testbench
)

// A unit is one process of the elaborated design.
type unit struct {
	kind   unitKind
	assign bool // a continuous assignment
	body   st
	trig   []trigger
	pos    diag.Pos
	scope  *scope
	name   string

	reads, writes []*Signal
	later         []*Signal // of writes, those assigned with <=
	index         int
}

// walkNode calls f for n and everything below it, bodies of calls included.
func walkNode(n *node, fn func(*node), fs func(st)) {
	if n == nil {
		return
	}
	fn(n)
	for _, a := range n.a {
		walkNode(a, fn, fs)
	}
	for _, s := range n.pre {
		walk(s, fn, fs)
	}
}

func walkLval(l *lval, fn func(*node), fs func(st)) {
	for _, p := range l.parts {
		walkLval(p, fn, fs)
	}
	walkNode(l.addr, fn, fs)
	walkNode(l.base, fn, fs)
}

// walk calls fs for every statement and fn for every expression below s.
func walk(s st, fn func(*node), fs func(st)) {
	if s == nil {
		return
	}
	fs(s)
	switch s := s.(type) {
	case *sBlock:
		for _, x := range s.list {
			walk(x, fn, fs)
		}
	case *sCall:
		for _, x := range s.list {
			walk(x, fn, fs)
		}
	case *sIf:
		walkNode(s.c, fn, fs)
		walk(s.then, fn, fs)
		walk(s.els, fn, fs)
	case *sCase:
		walkNode(s.x, fn, fs)
		for _, a := range s.arms {
			for _, m := range a.match {
				walkNode(m, fn, fs)
			}
			walk(a.body, fn, fs)
		}
		walk(s.def, fn, fs)
	case *sLoop:
		walkNode(s.c, fn, fs)
		walk(s.body, fn, fs)
		walk(s.step, fn, fs)
	case *sRepeat:
		walkNode(s.n, fn, fs)
		walk(s.body, fn, fs)
	case *sAssign:
		walkLval(s.lv, fn, fs)
		walkNode(s.rhs, fn, fs)
		walkNode(s.delay, fn, fs)
		walkNode(s.repeat, fn, fs)
	case *sDelay:
		walkNode(s.d, fn, fs)
	case *sWait:
		walkNode(s.c, fn, fs)
	case *sSys:
		for _, a := range s.args {
			walkNode(a.x, fn, fs)
			if a.lv != nil {
				walkLval(a.lv, fn, fs)
			}
		}
	}
}
