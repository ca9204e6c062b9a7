package spice

import (
	"strconv"
	"strings"

	"vlec/model/diag"
	"vlec/sim"
)

// A probe is a saved vector: x[a] - x[b].
type probe struct {
	name string
	unit string
	a, b int32
}

// probes resolves what is to be saved.
func (c *Circuit) probes(o Options) ([]probe, error) {
	items := c.saves
	if o.Save != nil {
		items = make([]saveItem, len(o.Save))
		for k, name := range o.Save {
			items[k] = saveItem{name: foldCase(strings.ReplaceAll(name, " ", "")), pos: pos{file: -1}}
		}
	}
	var out []probe
	var errs diag.List
	seen := map[string]bool{}
	add := func(p probe) {
		if !seen[p.name] {
			seen[p.name] = true
			out = append(out, p)
		}
	}
	all := func() {
		for k := range c.unknowns() {
			unit := "V"
			if k >= len(c.nodes)-1 {
				unit = "A"
			}
			add(probe{c.unknownName(k), unit, int32(k), int32(c.unknowns())})
		}
	}
	if len(items) == 0 {
		all()
	}
	for _, it := range items {
		if it.name == "all" || it.name == "allv" || it.name == "alli" {
			all()
			continue
		}
		p, hint, ok := c.probe(it.name)
		if !ok {
			errs.Add(c.net.toPos(it.pos), hint, "there is no vector %s to save", it.name)
			continue
		}
		add(p)
	}
	return out, errs.Err()
}

// probe resolves v(a), v(a,b), i(v1), v1#branch or a bare node name.
func (c *Circuit) probe(name string) (p probe, hint string, ok bool) {
	ground := int32(c.unknowns())
	node := func(n string) (int32, bool) {
		k, ok := c.findNode(n)
		return c.unknown(ref(k)), ok
	}
	inner, isCall := strings.CutSuffix(name, ")")
	switch {
	case isCall && strings.HasPrefix(inner, "v("):
		a, b, two := strings.Cut(inner[2:], ",")
		p = probe{name: name, unit: "V", b: ground}
		if p.a, ok = node(a); ok && two {
			p.b, ok = node(b)
		}
	case isCall && strings.HasPrefix(inner, "i("):
		br, _, found := c.findBranch(inner[2:])
		if !found {
			return p, "currents of v, e, h, l and of b with v= are saved; put a voltage source of 0 V in series", false
		}
		return probe{"i(" + c.deviceName(c.branches[br]) + ")", "A", c.unknown(branchRef(br)), ground}, "", true
	case strings.HasSuffix(name, "#branch"):
		return c.probe("i(" + strings.TrimSuffix(name, "#branch") + ")")
	case strings.HasPrefix(name, "@"):
		return p, "device parameters are not saved; put a voltage source of 0 V in series for a current", false
	default:
		p = probe{name: "v(" + name + ")", unit: "V", b: ground}
		p.a, ok = node(name)
	}
	return p, "check the name", ok
}

// A recorder gathers samples into a trace or hands them to a sink.
type recorder struct {
	probes []probe
	values []float64
	every  int
	count  int
	sink   Sink
	times  []float64
	data   [][]float64
}

func newRecorder(c *Circuit, o Options) (*recorder, error) {
	probes, err := c.probes(o)
	if err != nil {
		return nil, err
	}
	r := &recorder{probes: probes, values: make([]float64, len(probes)), every: max(1, o.Every), sink: o.Sink}
	if r.sink != nil {
		names, units := make([]string, len(probes)), make([]string, len(probes))
		for k, p := range probes {
			names[k], units[k] = p.name, p.unit
		}
		return r, r.sink.Begin(names, units)
	}
	r.data = make([][]float64, len(probes))
	if n := len(o.Times); n > 0 {
		r.times = make([]float64, 0, n)
		for k := range r.data {
			r.data[k] = make([]float64, 0, n)
		}
	}
	return r, nil
}

// sample takes a solution; x has ground behind the last unknown. One that must
// be kept does not count for decimation.
func (r *recorder) sample(t float64, x []float64, keep bool) error {
	if !keep {
		r.count++
		if r.count%r.every != 0 {
			return nil
		}
	}
	if r.sink != nil {
		for k, p := range r.probes {
			r.values[k] = x[p.a] - x[p.b]
		}
		return r.sink.Sample(t, r.values)
	}
	r.times = append(r.times, t)
	for k, p := range r.probes {
		r.data[k] = append(r.data[k], x[p.a]-x[p.b])
	}
	return nil
}

func (r *recorder) end() error {
	if r.sink != nil {
		return r.sink.End()
	}
	return nil
}

func (r *recorder) trace() *sim.Trace {
	if r.sink != nil {
		return nil
	}
	tr := &sim.Trace{}
	for k, p := range r.probes {
		tr.Signals = append(tr.Signals, &sim.Signal{Name: p.name, Unit: p.unit, Time: r.times, Data: r.data[k]})
	}
	return tr
}

func formatSI(t float64) string { return strconv.FormatFloat(t, 'g', 6, 64) + " s" }
