package verilog

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"vlec/emit/verilog/device"
	"vlec/emit/verilog/tree"
)

// An Estimate is what a core takes of a device, before synthesis. The counts are
// those of Yosys 0.23 (synth_ice40 -dsp), before placement; how far they are off is
// in docs/rtl-simulation.md.
type Estimate struct {
	Family string `json:"family"`        // "ice40"
	LUT    int    `json:"lut,omitempty"` // 0: not known
	FF     int    `json:"ff,omitempty"`
	RAM    int    `json:"block_ram"`
	DSP    int    `json:"dsp"`
	LC     int    `json:"logic_cells,omitempty"` // of iCE40, where a LUT and the register behind it share one
	Mega   int    `json:"mhz,omitempty"`         // clock after placement; 0: not known
	Cycles int    `json:"cycles_per_step"`       // exact
}

// Estimate counts the cells of a core. Without a device it takes iCE40's UP5K.
// LUT, FF and LC are 0 where they are not known: ECP5 makes logic of small memories.
func (c *Core) Estimate() (*Estimate, error) {
	d := device.Of(c.Plan.Device)
	if c.Plan.Device == "" {
		d = device.Of("up5k")
	}
	if d.Cells == nil {
		return nil, fmt.Errorf("there are no estimates for the device %s; up5k has some", c.Plan.Device)
	}
	s := c.Structure()
	e := &Estimate{Family: d.Cells.Name, Mega: d.Cells.Mega, Cycles: c.Schedule.Period}
	if shares := d.Cells.Shares; shares != nil {
		k, lut := 0, 0.0
		if c.Plan.Learning {
			k = 1
		}
		for i, x := range s.Features() {
			lut += shares.LUT[i] * x
		}
		ff := shares.FF[k] * s.FF
		for _, m := range s.Factors {
			if d.DSP == 0 {
				lut += d.Cells.Product * float64(m[0]*m[1])
				ff += float64(m[0] + m[1])
			}
		}
		e.LUT, e.FF = int(lut), int(ff)
		e.LC = e.LUT + int(d.Cells.Alone*float64(e.FF))
	}
	for _, m := range s.Memory {
		e.RAM += m.blocks(d.Family.Blocks)
	}
	if most := d.Factor(); most > 0 {
		for _, m := range s.Factors {
			e.DSP += ceil(m[0], most) * ceil(m[1], most)
		}
	}
	return e, nil
}

// Table is the estimate for people.
func (e *Estimate) Table() [][]string {
	rows := [][]string{{"of " + e.Family, "about"}}
	if e.LUT > 0 {
		rows = append(rows, []string{"LUT", fmt.Sprint(e.LUT)}, []string{"FF", fmt.Sprint(e.FF)}, []string{"logic cells", fmt.Sprint(e.LC)})
	} else {
		rows = append(rows, []string{"LUT, FF", "not estimated"})
	}
	if e.Mega > 0 {
		rows = append(rows, []string{"MHz", fmt.Sprint(e.Mega)})
	}
	return append(rows, []string{"block RAM", fmt.Sprint(e.RAM)}, []string{"DSP", fmt.Sprint(e.DSP)}, []string{"cycles a step", fmt.Sprintf("%d, exactly", e.Cycles)})
}

func ceil(a, b int) int { return (a + b - 1) / b }

// blocks is how many block RAMs a memory takes. Constants for few neurons are logic.
func (m Shape) blocks(forms []device.Block) int {
	if m.small() || m.Distributed {
		return 0
	}
	best := math.MaxInt
	for _, b := range forms {
		best = min(best, ceil(m.Words, b.Words)*ceil(m.Bits, b.Bits))
	}
	return best
}

// A Structure counts what the text of a core is made of, in bits, over all
// instances.
type Structure struct {
	Add     float64 // results of + and -
	Mux     float64 // results of ?: and of branches in processes
	Compare float64 // operands of comparisons with more than a constant, and of reductions
	Logic   float64 // results of &, | and ^
	Lookup  float64 // entries of tables in logic, times bits, over 16
	FF      float64 // registers that are not those of memories and multipliers
	Lanes   float64
	Memory  []Shape // of each memory
	Factors [][2]int
}

// Features are what lookup tables come from: all that is computed, and lanes, which
// have more of their own than that tells.
func (s *Structure) Features() []float64 {
	return []float64{s.Add + s.Mux + s.Compare + s.Logic + s.Lookup, s.Lanes}
}

// A Shape is the size of a memory.
type Shape struct {
	Words, Bits int
	Constant    bool // never written
	Distributed bool // made of lookup tables
}

// small tells whether a memory of constants is logic.
func (m Shape) small() bool { return m.Constant && m.Words <= 64 }

// varying is in how many bits the words of a memory of constants differ.
func varying(m *tree.Memory) float64 {
	differ := int64(0)
	for a := range m.Depth {
		differ |= m.Initial[a] ^ m.Initial[0]
	}
	return float64(bits.OnesCount64(uint64(differ) & (1<<min(m.T.Width, 63) - 1)))
}

// Structure walks over the modules.
func (c *Core) Structure() *Structure {
	s := &Structure{Lanes: float64(c.Schedule.Lanes)}
	copies := c.copies()
	for _, m := range c.Modules {
		one, n := &Structure{}, copies[m]
		one.module(m)
		k := float64(n)
		s.Add += k * one.Add
		s.Mux += k * one.Mux
		s.Compare += k * one.Compare
		s.Logic += k * one.Logic
		s.Lookup += k * one.Lookup
		s.FF += k * one.FF
		for _, p := range constantProducts(m) {
			sum := &Structure{}
			sum.module(p.of)
			s.Add -= k * sum.Add * p.gone()
			s.Mux -= k * sum.Mux
		}
		for range n {
			s.Memory = append(s.Memory, one.Memory...)
			s.Factors = append(s.Factors, one.Factors...)
		}
	}
	return s
}

// A constantProduct is a product as sums (design.soft) over the bits of a constant,
// of which the sums stay that join two of its ones.
type constantProduct struct {
	of    *tree.Module
	width int
	ones  int
}

// gone is the share of its sums that do not stay.
func (p *constantProduct) gone() float64 {
	return 1 - float64(max(p.ones-1, 0))/float64(p.width-1)
}

func constantProducts(m *tree.Module) []constantProduct {
	constant := map[*tree.Net]int64{}
	var list []constantProduct
	for _, it := range m.Items {
		switch it := it.(type) {
		case tree.Decl:
			if c, ok := it.From.(tree.Const); ok {
				constant[it.Net] = c.Value
			}
		case tree.Instance:
			for _, p := range it.Ports {
				n, _ := p.To.(*tree.Net)
				v, ok := constant[n]
				if ok && p.Port == "b_i" && it.Of.Attrs == "" {
					list = append(list, constantProduct{it.Of, n.T.Width, bits.OnesCount64(uint64(v) & (1<<n.T.Width - 1))})
				}
			}
		}
	}
	return list
}

func (s *Structure) module(m *tree.Module) {
	multiplier := m.Attrs == "keep_hierarchy"
	if multiplier { // p = a b; what is multiplied stands there extended
		var factors []int
		for _, p := range m.Ports {
			if p.Kind == tree.Input && p.T.Signed {
				factors = append(factors, p.T.Width)
			}
		}
		if len(factors) == 2 {
			s.Factors = append(s.Factors, [2]int{factors[0], factors[1]})
		}
	}
	for _, it := range m.Items {
		switch it := it.(type) {
		case tree.Decl:
			if it.From != nil && it.Net.Name != "unused" {
				s.expr(it.From)
			}
		case tree.Assign:
			s.expr(it.From)
		case tree.Table:
			s.Lookup += math.Ceil(float64(len(it.Values))/16) * float64(it.To.T.Width)
		case *tree.Memory:
			shape := Shape{it.Depth, it.T.Width, !stored(m, it), strings.Contains(it.Attrs, "distributed")}
			s.Memory = append(s.Memory, shape)
			if shape.small() {
				n := varying(it)
				s.Lookup += math.Ceil(float64(it.Depth)/16) * n
				s.FF += n
			}
		case tree.Process:
			set := map[*tree.Net]int{}
			s.stmts(it.Body, set)
			for n, times := range set {
				if times < 0 || multiplier {
					continue // the register is that of a memory, or of a multiplier
				}
				s.FF += float64(n.T.Width)
				s.Mux += float64((times - 1) * n.T.Width)
			}
		}
	}
}

func (s *Structure) stmts(list []tree.Stmt, set map[*tree.Net]int) {
	for _, st := range list {
		switch st := st.(type) {
		case tree.Set:
			s.expr(st.From)
			set[st.To]++
		case tree.If:
			s.expr(st.Cond)
			s.stmts(st.Then, set)
			s.stmts(st.Else, set)
		case tree.Load:
			set[st.To] = -1 << 20
		}
	}
}

func (s *Structure) expr(e tree.Expr) {
	switch e := e.(type) {
	case tree.Unary:
		if e.Op != "~" && e.Op != "!" && e.Op != "-" {
			s.Compare += float64(e.X.Type().Width)
		}
		s.expr(e.X)
	case tree.Binary:
		w := float64(e.Type().Width)
		in := float64(max(e.X.Type().Width, e.Y.Type().Width))
		switch e.Op {
		case "+", "-":
			s.Add += w
		case "*":
		case "&", "|", "^":
			s.Logic += w
		default:
			s.Compare += in
		}
		s.expr(e.X)
		s.expr(e.Y)
	case tree.Cond:
		s.Mux += float64(e.Type().Width)
		s.expr(e.If)
		s.expr(e.Then)
		s.expr(e.Else)
	case tree.Cat:
		for _, x := range e {
			s.expr(x)
		}
	case tree.Cast:
		s.expr(e.X)
	}
}

// stored tells whether a module writes a memory.
func stored(m *tree.Module, mem *tree.Memory) bool {
	found := false
	var look func(list []tree.Stmt)
	look = func(list []tree.Stmt) {
		for _, st := range list {
			switch st := st.(type) {
			case tree.Store:
				found = found || st.To == mem
			case tree.If:
				look(st.Then)
				look(st.Else)
			}
		}
	}
	for _, it := range m.Items {
		if p, ok := it.(tree.Process); ok {
			look(p.Body)
		}
	}
	return found
}
