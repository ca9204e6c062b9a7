// Package tree is a small syntax tree for Verilog-2005: modules of wires,
// registers, memories and instances, whose widths and signs are stated. It is
// built by the generator of cores, linted, and printed.
//
// # For maintainers
//
// Types are Verilog's own (IEEE 1364-2005, 5.4 and 5.5): an operator on a signed
// and an unsigned operand is unsigned, a part or a concatenation always is. The
// tree does not repair that, it tells (Type), and Lint refuses what a reader
// would have to look up. Generators put every operation into a wire of its own;
// that costs names and gives text in which each width stands where it is used.
//
// The tree knows nothing of networks or formats.
package tree

import "fmt"

// A Type is the width of a value in bits, and whether it is signed.
type Type struct {
	Width  int
	Signed bool
}

// U is an unsigned type of w bits.
func U(w int) Type { return Type{Width: w} }

// S is a signed type of w bits.
func S(w int) Type { return Type{Width: w, Signed: true} }

func (t Type) String() string {
	if t.Signed {
		return fmt.Sprintf("signed %d bits", t.Width)
	}
	return fmt.Sprintf("%d bits", t.Width)
}

// An Expr is an expression.
type Expr interface{ Type() Type }

// A Net is a wire, a register or a port. It is an expression.
type Net struct {
	Name string
	T    Type
	Kind NetKind
	Doc  string // for ports: what it carries
}

// A NetKind tells how a net is declared.
type NetKind int

// The kinds of nets.
const (
	Wire NetKind = iota
	Reg
	Input
	Output    // driven by an assignment or an instance
	OutputReg // driven by a process
)

// Type is the net's own.
func (n *Net) Type() Type { return n.T }

// A Const is a number with a width.
type Const struct {
	T     Type
	Value int64
}

// Type is as stated.
func (c Const) Type() Type { return c.T }

// An Op is an operator as it is written.
type Op string

// A Unary is an operator on one operand: ~, !, - or a reduction.
type Unary struct {
	Op Op
	X  Expr
}

// Type follows the standard: reductions and ! have one bit.
func (u Unary) Type() Type {
	if u.Op == "~" || u.Op == "-" {
		return u.X.Type()
	}
	return U(1)
}

// A Binary is an operator on two operands.
type Binary struct {
	Op   Op
	X, Y Expr
}

// comparison tells whether the result of an operator is one bit.
func (o Op) comparison() bool {
	switch o {
	case "==", "!=", "===", "<", "<=", ">", ">=", "&&", "||":
		return true
	}
	return false
}

// arithmetic tells whether an operator gives the wrong number when signs mix.
func (o Op) arithmetic() bool {
	switch o {
	case "+", "-", "*", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// Type follows the standard.
func (b Binary) Type() Type {
	x, y := b.X.Type(), b.Y.Type()
	switch {
	case b.Op.comparison():
		return U(1)
	case b.Op == ">>>" || b.Op == ">>" || b.Op == "<<<" || b.Op == "<<":
		return x
	}
	return Type{max(x.Width, y.Width), x.Signed && y.Signed}
}

// A Cond is If ? Then : Else.
type Cond struct{ If, Then, Else Expr }

// Type follows the standard.
func (c Cond) Type() Type {
	x, y := c.Then.Type(), c.Else.Type()
	return Type{max(x.Width, y.Width), x.Signed && y.Signed}
}

// A Part is bits High down to Low of a net, always unsigned.
type Part struct {
	X         *Net
	High, Low int
}

// Type is unsigned.
func (p Part) Type() Type { return U(p.High - p.Low + 1) }

// A Cat is a concatenation, the most significant part first; always unsigned.
type Cat []Expr

// Type is unsigned.
func (c Cat) Type() Type {
	w := 0
	for _, x := range c {
		w += x.Type().Width
	}
	return U(w)
}

// A Repeat is {N{X}}; always unsigned.
type Repeat struct {
	N int
	X Expr
}

// Type is unsigned.
func (r Repeat) Type() Type { return U(r.N * r.X.Type().Width) }

// A Cast is $signed(X), or $unsigned(X).
type Cast struct {
	Signed bool
	X      Expr
}

// Type has the width of X.
func (c Cast) Type() Type { return Type{c.X.Type().Width, c.Signed} }

// A Stmt is a statement of a clocked process.
type Stmt interface{ stmt() }

// A Set is a nonblocking assignment to a register.
type Set struct {
	To   *Net
	From Expr
}

// An If runs Then where Cond is true, and Else where it is not.
type If struct {
	Cond       Expr
	Then, Else []Stmt
}

// A Store writes a word of a memory.
type Store struct {
	To       *Memory
	At, From Expr
}

// A Load reads a word of a memory into a register.
type Load struct {
	To   *Net
	From *Memory
	At   Expr
}

func (Set) stmt()   {}
func (If) stmt()    {}
func (Store) stmt() {}
func (Load) stmt()  {}

// A Memory is an array of words. Initial words stand in the text, at their index;
// words that are not there have none.
type Memory struct {
	Name    string
	T       Type
	Depth   int
	Attrs   string // "no_rw_check"
	Initial map[int]int64
}

// An Item is what a module contains.
type Item interface{ item() }

// A Comment stands on lines of its own.
type Comment string

// A Decl declares a net; a wire with its expression.
type Decl struct {
	Net  *Net
	From Expr // nil: driven elsewhere
}

// An Assign drives a net that is declared elsewhere.
type Assign struct {
	To   *Net
	From Expr
}

// A Process is statements at the rising edge of Clock.
type Process struct {
	Clock *Net
	Body  []Stmt
}

// A Table is a combinational lookup: To takes the value at the index At, and the
// last one beyond.
type Table struct {
	To     *Net
	At     *Net
	Values []int64
}

// An Instance is a module inside another one. Connections are by name.
type Instance struct {
	Of    *Module
	Name  string
	Ports []Connection
}

// A Connection joins a port and an expression; nil leaves an output open.
type Connection struct {
	Port string
	To   Expr
}

// Raw is text that no generator can be wrong about: properties for a formal tool.
type Raw []string

func (Comment) item()  {}
func (Decl) item()     {}
func (Assign) item()   {}
func (Process) item()  {}
func (Table) item()    {}
func (Instance) item() {}
func (Raw) item()      {}
func (*Memory) item()  {}

// A Module is a module, and the file that holds it.
type Module struct {
	Name  string
	Doc   []string // equation, format and latency, one line each
	Attrs string   // "keep_hierarchy"
	Ports []*Net
	Items []Item

	taken    map[string]bool
	extended map[extension]*Net
	delayed  map[*Net][]*Net
	control  map[*Net]*Net // nets of control state, with their reset
	clock    *Net

	pipe    []Stmt // of the process for all that follows or is delayed
	rst     *Net
	cleared []Stmt // what the reset does to the pipe
}
