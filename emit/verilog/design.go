package verilog

import (
	"fmt"
	"math/bits"
	"strings"

	"vlec/emit/verilog/device"
	"vlec/emit/verilog/format"
	"vlec/emit/verilog/tree"
)

// A design is a core in the making: the plan, the schedule, and the modules that
// exist so far. Modules of equal content exist once.
type design struct {
	p       *format.Plan
	s       *Schedule
	t       *timing
	top     string
	family  *device.Family
	modules []*tree.Module
	known   map[string]*tree.Module

	index, page     tree.Type // an address of a sender; with its page
	neuron, group   tree.Type // an address of a neuron, of a row group
	word            tree.Type // an address of a weight
	stored, operand tree.Type
	backStored      tree.Type // weights of the way back that learn
	backWord        *tree.Net // such a weight in a lane
	port            tree.Type // words of the register port
	rate, err       tree.Type
	state, out      tree.Type // of the neuron unit: the wider one of u and v
	stream          tree.Type // words of the streams
	outputs         map[int]bool
	in, outs        []Vector
	tables          bool
	clips           [][2]int64 // pairs of bounds of stored weights

	scaledNet             *tree.Net // s on its way to the lanes
	done                  *tree.Net // the sum of w r of a row is complete
	backWE, backAt, backC *tree.Net // complete sums of w e
}

// addressBits is the width of an address below n.
func addressBits(n int) int { return max(bits.Len(uint(n-1)), 1) }

func newDesign(p *format.Plan, s *Schedule, top string) *design {
	d := &design{p: p, s: s, t: &s.t, top: top, known: map[string]*tree.Module{}, family: device.FamilyOf(p.Device), outputs: map[int]bool{}}
	d.index = tree.U(addressBits(s.Senders))
	d.page = tree.U(d.index.Width + 1)
	d.neuron, d.group, d.word = tree.U(addressBits(s.Neurons)), tree.U(addressBits(s.Groups)), tree.U(addressBits(s.Words))
	d.stored, d.operand = tree.S(p.Weight.Bits), tree.S(p.Operand.Bits)
	d.port = d.stored
	if d.t.rule {
		d.backStored = tree.S(p.Rule.Weight.Bits)
		d.port.Width = max(d.port.Width, d.backStored.Width)
	}
	d.rate, d.err = tree.S(p.Rate.Bits), tree.S(p.Error.Bits)
	d.state, d.out = tree.S(p.Membrane.State.Bits), tree.S(p.Membrane.Out.Bits)
	if d.t.backward {
		d.state.Width = max(d.state.Width, p.Neuron.State.Bits)
		d.out.Width = max(d.out.Width, p.Neuron.Out.Bits)
	}
	d.stream = tree.S((p.Rate.Bits + 7) / 8 * 8)
	d.in, d.outs = s.StreamIn(), s.StreamOut()
	for _, v := range d.outs {
		d.outputs[v.Population] = true
	}
	d.tables = len(p.Tables) > 0
	return d
}

// module starts a module of the design, named after the top.
func (d *design) module(suffix string, doc ...string) *tree.Module {
	m := tree.NewModule(d.top+"_"+suffix, doc...)
	d.modules = append(d.modules, m)
	return m
}

// ram is a memory with one port to read and one to write.
func (d *design) ram(t tree.Type, depth int, initial map[int]int64, name string) *tree.Module {
	suffix := fmt.Sprintf("ram_%dx%d", depth, t.Width)
	if !t.Signed {
		suffix += "u"
	}
	if initial != nil {
		suffix = name
	}
	if m := d.known[suffix]; m != nil {
		return m
	}
	m := d.bank(t, depth, initial, suffix, true)
	m.Doc = append(m.Doc, "The schedule never reads a word in the cycle in which it is written.")
	d.noCollision(m)
	d.known[suffix] = m
	return m
}

// distributed is the number of words up to which a memory is made of lookup tables
// where they can be written.
const distributed = 64

// bank is a memory as it is inferred. Without an enable it is written in every
// cycle.
func (d *design) bank(t tree.Type, depth int, initial map[int]int64, suffix string, enabled bool) *tree.Module {
	m := d.module(suffix, fmt.Sprintf("A memory of %d words of %d bits: read in one cycle, written in another.", depth, t.Width))
	a := tree.U(addressBits(depth))
	m.Clock()
	re, ra := m.Input("re_i", tree.U(1), ""), m.Input("raddr_i", a, "")
	var we *tree.Net
	if enabled {
		we = m.Input("we_i", tree.U(1), "")
	}
	wa, data := m.Input("waddr_i", a, ""), m.Input("data_i", t, "")
	q := m.OutputReg("data_o", t, "one cycle after re_i")
	attrs := "no_rw_check"
	switch {
	case d.family.OnlyBlocks || strings.Contains(suffix, "weights") || d.family.Tables && depth > distributed:
		attrs += `, ram_style = "block"`
	case d.family.Tables:
		attrs += `, ram_style = "distributed"`
	}
	mem := m.Memory("mem", t, depth, attrs, initial)
	write := tree.Stmt(tree.Store{To: mem, At: wa, From: data})
	if enabled {
		write = tree.If{Cond: we, Then: []tree.Stmt{write}}
	}
	m.At(write, tree.If{Cond: re, Then: []tree.Stmt{tree.Load{To: q, From: mem, At: ra}}})
	return m
}

// rom is a memory that is only read.
func (d *design) rom(name string, t tree.Type, words []int64, doc ...string) *tree.Module {
	initial := map[int]int64{}
	for i, w := range words {
		initial[i] = w
	}
	m := d.module(name, doc...)
	m.Clock()
	a := m.Input("addr_i", tree.U(addressBits(len(words))), "")
	q := m.OutputReg("data_o", t, "one cycle after addr_i")
	mem := m.Memory("mem", t, len(words), "", initial)
	m.At(tree.Load{To: q, From: mem, At: a})
	return m
}

// mul is a multiplier with a register behind it, one for each pair of widths.
// Yosys 0.23 joins products and accumulators across a design when it maps to
// iCE40 multipliers, and gets it wrong; it keeps out of kept modules.
func (d *design) mul(a, b int) *tree.Module {
	suffix := fmt.Sprintf("mul_%dx%d", a, b)
	if m := d.known[suffix]; m != nil {
		return m
	}
	m := d.module(suffix, "p = a b, one cycle later.")
	d.known[suffix] = m
	m.Attrs = "keep_hierarchy"
	m.Clock()
	x, y := m.Input("a_i", tree.S(a), ""), m.Input("b_i", tree.S(b), "")
	p := m.OutputReg("p_o", tree.S(a+b), "")
	m.At(tree.Set{To: p, From: m.Wire("product", tree.Binary{Op: "*", X: m.Ext(x, a+b), Y: m.Ext(y, a+b)})})
	return m
}

// soft is mul as a tree of sums, for parts with few multipliers, in one cycle or
// two. It is not kept apart, so that a factor that is a number leaves little of it.
func (d *design) soft(a, b, cycles int) *tree.Module {
	suffix := fmt.Sprintf("sums_%dx%d_%d", a, b, cycles)
	if m := d.known[suffix]; m != nil {
		return m
	}
	m := d.module(suffix, "p = a b as a sum over the bits of b.", fmt.Sprintf("Latency: %d.", cycles))
	d.known[suffix] = m
	m.Clock()
	x, y := m.Input("a_i", tree.S(a), ""), m.Input("b_i", tree.S(b), "")
	p := m.OutputReg("p_o", tree.S(a+b), "")
	var level []*tree.Net // a times a run of bits, at the first of them
	for i := range b {
		on := m.Wire(fmt.Sprintf("bit_%d", i), tree.Part{X: y, High: i, Low: i})
		level = append(level, m.Wire(fmt.Sprintf("part_%d", i), tree.Cond{If: on, Then: x, Else: num(x.T, 0)}))
	}
	sign := true // the last of the level is that of b, which counts down
	for step := 1; len(level) > 1; step *= 2 {
		var next []*tree.Net
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				next = append(next, level[i])
				continue
			}
			low, high := level[i], m.Left(level[i+1], step)
			name, width := fmt.Sprintf("sum_%d_%d", step, i/2), max(low.T.Width, high.T.Width)+1
			if sign && i+2 == len(level) {
				next, sign = append(next, m.Difference(name, low, high, width)), false
			} else {
				next = append(next, m.Sum(name, low, high, width))
			}
		}
		if level = next; cycles == 2 && step == 2 {
			for i := range level {
				level[i] = m.Follow(level[i].Name+"_r", level[i])
			}
		}
	}
	m.At(tree.Set{To: p, From: m.Ext(level[0], a+b)})
	return m
}

// small tells whether a part has so few multipliers that those of a rule of
// backward weights, but for one in each lane, are left to logic. The UP5K has
// eight: four for the neurons, four for a lane.
func (d *design) small() bool { return d.t.slow > 0 }

// ruled places a multiplier of the rule of backward weights, with timing.slow more
// cycles.
func (d *design) ruled(m *tree.Module, name string, a, b *tree.Net) *tree.Net {
	if !d.small() {
		return d.product(m, name, a, b)
	}
	return d.bySum(m, name, a, b, 1+d.t.slow)
}

// bySum is product as a sum over the bits of b, in one cycle or two.
func (d *design) bySum(m *tree.Module, name string, a, b *tree.Net, cycles int) *tree.Net {
	return multiply(m, d.soft(a.T.Width, b.T.Width, cycles), name, a, b)
}

// product places a multiplier in a module: name is a b, one cycle later.
func (d *design) product(m *tree.Module, name string, a, b *tree.Net) *tree.Net {
	return multiply(m, d.mul(a.T.Width, b.T.Width), name, a, b)
}

// multiply places a multiplier, of either kind.
func multiply(m, of *tree.Module, name string, a, b *tree.Net) *tree.Net {
	p := m.Bare(name, tree.S(a.T.Width+b.T.Width))
	m.Place(of, "mul_"+name, tree.To("clk_i", clockOf(m)), tree.To("a_i", a), tree.To("b_i", b), tree.To("p_o", p))
	return p
}

func clockOf(m *tree.Module) *tree.Net { return m.Ports[0] }

// memory places a memory in a module and returns what is read; we is nil for one
// that has no enable.
func (d *design) memory(m *tree.Module, name string, of *tree.Module, re, ra, we, wa, data tree.Expr) *tree.Net {
	q := m.Bare(name, of.Ports[len(of.Ports)-1].T)
	ports := []tree.Connection{tree.To("clk_i", clockOf(m)), tree.To("re_i", re), tree.To("raddr_i", ra)}
	if we != nil {
		ports = append(ports, tree.To("we_i", we))
	}
	m.Place(of, "ram_"+name, append(ports, tree.To("waddr_i", wa), tree.To("data_i", data), tree.To("data_o", q))...)
	return q
}

// num is a number of a type.
func num(t tree.Type, v int) tree.Const { return tree.Const{T: t, Value: int64(v)} }

// ints makes the values of a table.
func ints[T any](list []T, f func(T) int) []int64 {
	v := make([]int64, len(list))
	for i, x := range list {
		v[i] = int64(f(x))
	}
	return v
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
