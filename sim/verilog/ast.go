package verilog

import "vlec/model/diag"

// The syntax tree. Nodes say what was written and where; names are resolved
// and widths decided only by the elaborator, because both depend on
// parameters.

type expr interface{ pos() diag.Pos }

type at diag.Pos

func (a at) pos() diag.Pos { return diag.Pos(a) }

type (
	number struct {
		at
		val   Value
		sized bool // a width was written
		based bool // a base was written
		fill  byte // '0', 'x' or 'z' to the left of an unsized literal
	}
	strLit struct {
		at
		s string
	}
	realLit struct { // in delays and formats only
		at
		v float64
	}
	// ident is a.b[2].c; index belongs to the instance or generate block it follows.
	ident struct {
		at
		path []pathElem
	}
	pathElem struct {
		name  string
		index expr
	}
	indexExpr struct {
		at
		x, i expr
	}
	// partExpr is x[l:r] with mode ':', x[l+:r] with '+', x[l-:r] with '-'.
	partExpr struct {
		at
		x, l, r expr
		mode    byte
	}
	unary struct {
		at
		op string
		x  expr
	}
	binary struct {
		at
		op   string
		x, y expr
	}
	ternary struct {
		at
		c, x, y expr
	}
	concat struct {
		at
		parts []expr
	}
	repl struct {
		at
		n     expr
		parts []expr
	}
	// call is f(args) or $f(args).
	call struct {
		at
		fn   *ident // nil for a system function
		sys  string
		args []expr
	}
)

type stmt interface{ pos() diag.Pos }

type (
	blockStmt struct {
		at
		name  string
		items []item // declarations
		body  []stmt
	}
	ifStmt struct {
		at
		cond      expr
		then, els stmt
	}
	caseStmt struct {
		at
		kind  string // case, casez, casex
		x     expr
		items []caseItem
	}
	caseItem struct {
		at
		match []expr // nil for default
		body  stmt
	}
	forStmt struct {
		at
		init, step *assignStmt
		cond       expr
		body       stmt
	}
	loopStmt struct { // while (x), repeat (x), forever
		at
		kind string
		x    expr
		body stmt
	}
	assignStmt struct {
		at
		lhs, rhs expr
		nb       bool
		delay    expr       // = #d rhs
		event    *eventCtrl // = @(e) rhs
		repeat   expr       // = repeat (n) @(e) rhs
	}
	delayStmt struct {
		at
		d    expr
		body stmt
	}
	eventStmt struct {
		at
		ev   *eventCtrl
		body stmt
	}
	waitStmt struct {
		at
		cond expr
		body stmt
	}
	sysStmt struct {
		at
		name string
		args []expr
	}
	taskStmt struct {
		at
		fn   *ident
		args []expr
	}
	disableStmt struct {
		at
		fn *ident
	}
	triggerStmt struct {
		at
		ev *ident
	}
	nullStmt struct{ at }
)

// An eventCtrl is what stands behind @; star is @*.
type eventCtrl struct {
	at
	star  bool
	terms []eventTerm
}

type eventTerm struct {
	edge string // "", posedge, negedge
	x    expr
}

type item interface{ pos() diag.Pos }

type rangeAST struct{ l, r expr }

type (
	// declItem declares nets, variables, genvars, events and the directions of ports.
	declItem struct {
		at
		dir    string // input, output, inout or ""
		kind   string // wire, reg, integer, time, genvar, event, or "" behind a bare direction
		signed bool
		rng    *rangeAST
		names  []declName
		ansi   bool // from the header of a module or function
	}
	declName struct {
		at
		name string
		dims []rangeAST
		init expr
	}
	paramItem struct {
		at
		local  bool
		signed bool
		typ    string // integer, time or ""
		rng    *rangeAST
		name   string
		val    expr
	}
	assignItem struct {
		at
		lhs, rhs expr
		delay    expr
	}
	procItem struct { // always, initial
		at
		kind string
		body stmt
	}
	instItem struct {
		at
		module string
		name   string
		rng    *rangeAST
		params []connection
		conns  []connection
		gate   bool // a primitive such as and or not
	}
	connection struct {
		at
		name string // "" when by position
		x    expr   // nil when left open
	}
	funcItem struct {
		at
		task      bool
		automatic bool
		signed    bool
		typ       string // integer, time or ""
		rng       *rangeAST
		name      string
		items     []item
		body      []stmt
	}
	genFor struct {
		at
		init, step *assignStmt
		cond       expr
		body       *genBlock
	}
	genIf struct {
		at
		cond      expr
		then, els *genBlock
	}
	genCase struct {
		at
		x     expr
		items []genCaseItem
	}
	genCaseItem struct {
		match []expr
		body  *genBlock
	}
	genBlock struct {
		at
		name   string
		scoped bool // begin … end
		items  []item
	}
)

type moduleAST struct {
	at
	name     string
	ports    []portAST
	params   []*paramItem // of the header
	items    []item
	implicit bool // undeclared names become wires
	scale    timescale
	attrs    []string
}

type portAST struct {
	at
	name string
}
