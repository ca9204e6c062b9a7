package tree

import "fmt"

// extension is a key of the wires that are wider copies of others.
type extension struct {
	net   *Net
	width int
}

// NewModule starts a module.
func NewModule(name string, doc ...string) *Module {
	return &Module{Name: name, Doc: doc, taken: map[string]bool{}, extended: map[extension]*Net{}, delayed: map[*Net][]*Net{}, control: map[*Net]*Net{}}
}

// fresh makes a name that is not taken yet.
func (m *Module) fresh(name string) string {
	for i := 2; m.taken[name]; i++ {
		if next := fmt.Sprintf("%s_%d", name, i); !m.taken[next] {
			name = next
		}
	}
	m.taken[name] = true
	return name
}

func (m *Module) port(name string, t Type, kind NetKind, doc string) *Net {
	n := &Net{Name: m.fresh(name), T: t, Kind: kind, Doc: doc}
	m.Ports = append(m.Ports, n)
	return n
}

// Clock adds the port clk_i, which processes use.
func (m *Module) Clock() *Net {
	m.clock = m.port("clk_i", U(1), Input, "")
	return m.clock
}

// Input adds a port.
func (m *Module) Input(name string, t Type, doc string) *Net { return m.port(name, t, Input, doc) }

// Output adds a port that Drive or an instance drives.
func (m *Module) Output(name string, t Type, doc string) *Net { return m.port(name, t, Output, doc) }

// OutputReg adds a port that is a register.
func (m *Module) OutputReg(name string, t Type, doc string) *Net {
	return m.port(name, t, OutputReg, doc)
}

// Drive assigns to an output or a wire.
func (m *Module) Drive(n *Net, from Expr) { m.Items = append(m.Items, Assign{n, from}) }

// Say adds a comment.
func (m *Module) Say(format string, args ...any) {
	m.Items = append(m.Items, Comment(fmt.Sprintf(format, args...)))
}

// Wire declares a wire of the expression's type.
func (m *Module) Wire(name string, from Expr) *Net {
	n := &Net{Name: m.fresh(name), T: from.Type()}
	m.Items = append(m.Items, Decl{n, from})
	return n
}

// Bare declares a wire that an instance or Drive drives.
func (m *Module) Bare(name string, t Type) *Net {
	n := &Net{Name: m.fresh(name), T: t}
	m.Items = append(m.Items, Decl{Net: n})
	return n
}

// Reg declares a register.
func (m *Module) Reg(name string, t Type) *Net {
	n := &Net{Name: m.fresh(name), T: t, Kind: Reg}
	m.Items = append(m.Items, Decl{Net: n})
	return n
}

// At adds a process at the clock's rising edge.
func (m *Module) At(body ...Stmt) { m.Items = append(m.Items, Process{m.clock, body}) }

// Follow declares a register that takes an expression at every clock.
func (m *Module) Follow(name string, from Expr) *Net {
	n := m.Reg(name, from.Type())
	m.pipe = append(m.pipe, Set{n, from})
	return n
}

// Control marks a net as control state: unlike those of data, its delays are zero
// while rst is one.
func (m *Module) Control(n, rst *Net) *Net {
	m.control[n] = rst
	return n
}

// Delay is a net k clocks later, as itself for k = 0.
func (m *Module) Delay(n *Net, k int) *Net {
	if k < 0 {
		panic(fmt.Sprintf("%s.%s: delayed by %d clocks", m.Name, n.Name, k))
	}
	for len(m.delayed[n]) < k {
		last := n
		if d := m.delayed[n]; len(d) > 0 {
			last = d[len(d)-1]
		}
		next := m.Reg(fmt.Sprintf("%s_d%d", n.Name, len(m.delayed[n])+1), n.T)
		m.pipe = append(m.pipe, Set{next, last})
		if rst := m.control[n]; rst != nil {
			m.rst = rst
			m.cleared = append(m.cleared, Set{next, Const{n.T, 0}})
		}
		m.delayed[n] = append(m.delayed[n], next)
	}
	if k == 0 {
		return n
	}
	return m.delayed[n][k-1]
}

// Finish completes a module: one process for all that follows or is delayed, and
// a sink for bits that nothing reads.
func (m *Module) Finish() {
	if len(m.pipe) > 0 {
		m.Say("The pipe moves on.")
		if len(m.cleared) > 0 {
			m.pipe = append(m.pipe, If{Cond: m.rst, Then: m.cleared})
		}
		m.At(m.pipe...)
		m.pipe = nil
	}
	m.sink()
}

// Memory declares a memory.
func (m *Module) Memory(name string, t Type, depth int, attrs string, initial map[int]int64) *Memory {
	mem := &Memory{Name: m.fresh(name), T: t, Depth: depth, Attrs: attrs, Initial: initial}
	m.Items = append(m.Items, mem)
	return mem
}

// Lookup declares a net that takes values[at].
func (m *Module) Lookup(name string, t Type, at *Net, values []int64) *Net {
	same := true
	for _, v := range values {
		same = same && v == values[0]
	}
	if same {
		return m.Wire(name, Const{t, values[0]})
	}
	n := m.Reg(name, t)
	m.Items = append(m.Items, Table{n, at, values})
	return n
}

// Place adds an instance.
func (m *Module) Place(of *Module, name string, ports ...Connection) {
	m.Items = append(m.Items, Instance{of, m.fresh(name), ports})
}

// To is a connection.
func To(port string, to Expr) Connection { return Connection{port, to} }

// Ext is a signed or unsigned net in more bits, in a wire of its own; also an
// exact cut for fewer.
func (m *Module) Ext(n *Net, width int) *Net {
	w := n.T.Width
	if w == width {
		return n
	}
	key := extension{n, width}
	if x := m.extended[key]; x != nil {
		return x
	}
	var from Expr
	switch {
	case width < w:
		from = Part{n, width - 1, 0}
	case n.T.Signed && w == 1:
		from = Repeat{width, n}
	case n.T.Signed:
		from = Cat{Repeat{width - w, Part{n, w - 1, w - 1}}, n}
	default:
		from = Cat{Const{U(width - w), 0}, n}
	}
	if n.T.Signed {
		from = Cast{true, from}
	}
	x := m.Wire(fmt.Sprintf("%s_w%d", n.Name, width), from)
	m.extended[key] = x
	return x
}

// Sum is x + y in the given width.
func (m *Module) Sum(name string, x, y *Net, width int) *Net {
	return m.Wire(name, Binary{"+", m.Ext(x, width), m.Ext(y, width)})
}

// Difference is x - y in the given width.
func (m *Module) Difference(name string, x, y *Net, width int) *Net {
	return m.Wire(name, Binary{"-", m.Ext(x, width), m.Ext(y, width)})
}

// Left is a signed net times 2^k, exact.
func (m *Module) Left(n *Net, k int) *Net {
	if k == 0 {
		return n
	}
	return m.Wire(n.Name+"_l", Cast{true, Cat{n, Const{U(k), 0}}})
}

// Floor is a signed net times 2^-k, rounded down: the upper bits, without those
// that only repeat the sign. For k < 0 it is exact.
func (m *Module) Floor(name string, n *Net, k int) *Net {
	switch w := n.T.Width; {
	case k < 0:
		return m.Left(n, -k)
	case k == 0:
		return n
	case k >= w:
		return m.Wire(name, Cast{true, Part{n, w - 1, w - 1}})
	default:
		return m.Wire(name, Cast{true, Part{n, w - 1, k}})
	}
}

// Near is a signed net times 2^-k, rounded to the nearest, halves up.
func (m *Module) Near(name string, n *Net, k int) *Net {
	if k <= 0 {
		return m.Floor(name, n, k)
	}
	// floor(x, k) + bit k-1, which needs one adder of the upper bits only.
	f := m.Floor(name+"_floor", n, k)
	half := m.HalfBit(name+"_half", n, k)
	return m.Sum(name, f, half, f.T.Width+1)
}

// HalfBit is bit k-1 of a signed net as a number, 0 or 1: what Near adds to
// Floor.
func (m *Module) HalfBit(name string, n *Net, k int) *Net {
	bit := min(k, n.T.Width) - 1
	return m.Wire(name, Cast{true, Cat{Const{U(1), 0}, Part{n, bit, bit}}})
}

// Saturate holds a signed net within [-(2^(bits-1)-1), 2^(bits-1)-1].
func (m *Module) Saturate(name string, n *Net, bits int) *Net {
	w := n.T.Width
	most := int64(1)<<(bits-1) - 1
	if w < bits {
		return m.Ext(n, bits)
	}
	lowest := m.Wire(name+"_lowest", Unary{"!", Unary{"|", Part{n, bits - 2, 0}}})
	sign := m.Wire(name+"_sign", Part{n, w - 1, w - 1})
	var over *Net // too large for the width, or the word that symmetry leaves out
	if w == bits {
		over = m.Wire(name+"_over", Binary{"&", sign, lowest})
	} else {
		upper := m.Wire(name+"_upper", Part{n, w - 1, bits - 1})
		same := m.Wire(name+"_same", Binary{"|", Unary{"&", upper}, Unary{"!", Unary{"|", upper}}})
		over = m.Wire(name+"_over", Binary{"|", Unary{"!", same}, Binary{"&", sign, lowest}})
	}
	end := m.Wire(name+"_end", Cond{sign, Const{S(bits), -most}, Const{S(bits), most}})
	return m.Wire(name, Cond{over, end, m.Ext(n, bits)})
}

// Not is the complement of one bit.
func Not(x Expr) Expr { return Unary{"!", x} }

// And joins single bits.
func And(x Expr, more ...Expr) Expr {
	for _, y := range more {
		x = Binary{"&", x, y}
	}
	return x
}

// Or joins single bits.
func Or(x Expr, more ...Expr) Expr {
	for _, y := range more {
		x = Binary{"|", x, y}
	}
	return x
}

// Equal compares with a number.
func Equal(n *Net, value int64) Expr { return Binary{"==", n, Const{n.T, value}} }

// Inc is an unsigned net plus one, in its own width.
func Inc(n *Net) Expr { return Binary{"+", n, Const{n.T, 1}} }

// Bit is a number of one bit.
func Bit(v bool) Const {
	if v {
		return Const{U(1), 1}
	}
	return Const{U(1), 0}
}
