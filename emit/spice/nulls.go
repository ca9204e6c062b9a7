package spice

import (
	"cmp"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"vlec/circuit"
	"vlec/emit"
)

// A NullBench is a netlist in which instances of a circuit stand alone, each beside
// its ideal twin, without input: what then differs between their outputs is the
// offset of the cell. Instances that differ in nothing that is seen at dc share a
// place in it.
type NullBench struct {
	Twins []NullTwin
	place map[string]int // of an instance of the circuit, in Twins
}

// A NullTwin names the nodes that tell the offset of a cell.
type NullTwin struct{ Out, Twin string }

// Share gives every instance the null [V] of its place.
func (b *NullBench) Share(nulls []float64) map[string]float64 {
	shared := map[string]float64{}
	for name, k := range b.place {
		if nulls[k] != 0 {
			shared[name] = nulls[k]
		}
	}
	return shared
}

// Instance is the name of an instance at a place.
func (b *NullBench) Instance(place int) string {
	name := ""
	for n, k := range b.place {
		if n = strings.TrimSuffix(n, trimOf("")); k == place && (name == "" || n < name) {
			name = n
		}
	}
	return name
}

// unseen are parameters that make no difference at dc, where a weight does not leak.
var unseen = []string{"p_init", "p_rate", "p_hold"}

// Nulls writes the bench of the cells of a circuit, with the nulls [V] that are
// known so far, one for each place; nil for none. Options.Start is where to look for
// its operating point, nil for anywhere. It is of the words that the built-in simulator
// reads, unless Options.MOS holds others.
func Nulls(c *circuit.Circuit, o Options, nulls []float64, files *emit.Artifacts) (*NullBench, error) {
	level, err := findLevel(o.Level)
	if err != nil {
		return nil, err
	}
	o.Process = o.Process.known(c.Units)
	if err := o.fitsMOS(); err != nil {
		return nil, err
	}
	o.Nulls = nil
	d := prepare(c, o, &dialects[0], level)
	bench := &NullBench{place: map[string]int{}}
	var rows []nullRow
	known := map[string]int{}
	for _, e := range c.Elements {
		if e.Testbench() {
			continue
		}
		var list []instance
		d.expand(e, func(x instance) { list = append(list, x) })
		for k, x := range list {
			b, ok := benches[x.cell]
			// Slopes have none: a step has no value at rest, and nulls of the others left medians of
			// the chain as they were (thresholds 1.68, within 2x 62 instead of 63 of 100; offsets 1).
			if !ok || x.correction() || len(b.with) > 0 {
				continue
			}
			r := nullRow{bench: b, cell: x.cell, own: d.own.names[x.name], params: seen(x.params)}
			if k+1 < len(list) && list[k+1].name == x.name+"_offset" {
				r.offset = list[k+1].params
			}
			at, ok := known[r.key()]
			if !ok {
				at = len(rows)
				known[r.key()], rows = at, append(rows, r)
				bench.add(r)
				if r.trimmed() {
					r.high = true
					rows = append(rows, r)
					bench.add(r)
				}
			}
			bench.place[x.name] = at
			if r.trimmed() {
				bench.place[trimOf(x.name)] = at + 1
			}
		}
	}
	for k := range rows {
		d.used[twinOf(rows[k].cell)] = true
		if nulls == nil {
			continue
		}
		d.used["cell_null"] = true
		at := k
		if rows[k].high {
			at--
		}
		if rows[k].null = nulls[at]; rows[k].trimmed() {
			rows[k].trim = nulls[at+1]
		}
	}
	files.Add(NetlistFile, func(out io.Writer) error {
		w := emit.NewWriter(out)
		w.Comment("*", "vlec: cells of "+c.Name+" without input, beside their ideal twins")
		w.Line(".param p_v0=" + number(c.Units.Voltage))
		w.Line(".param p_r0=" + number(c.Units.Resistance))
		w.Line(".include \"" + CellFile + "\"")
		w.Line("v_one one 0 dc {p_v0}")
		for k, r := range rows {
			r.print(w, k)
		}
		for _, node := range slices.Sorted(maps.Keys(o.Start)) {
			w.Line(".nodeset v(" + node + ")=" + number(o.Start[node]))
		}
		w.Line(tight)
		w.Line(".op")
		w.Line(".end")
		return w.Flush()
	})
	files.Add(CellFile, func(w io.Writer) error { return d.printCells(w) })
	if level.biased {
		files.AddText(MOSFile, cmp.Or(o.MOS, MOSAt(o.Process.Pair)))
	}
	return bench, nil
}

// add gives a row a place.
func (b *NullBench) add(r nullRow) {
	n := strconv.Itoa(len(b.Twins))
	b.Twins = append(b.Twins, NullTwin{"dut" + n + "_" + r.bench.out, "twin" + n + "_" + r.bench.out})
}

// seen are the parameters of an instance without those that dc does not see.
func seen(params []string) []string {
	var list []string
	for i := 0; i < len(params); i += 2 {
		if !slices.Contains(unseen, params[i]) {
			list = append(list, params[i], params[i+1])
		}
	}
	return list
}

// A nullRow is a place in the bench.
type nullRow struct {
	bench  bench
	cell   string
	own    string // of an instance whose transistors were drawn
	params []string
	offset []string // parameters of the offset that was drawn for it
	null   float64
	trim   float64
	high   bool // its output stands at 1, and its place is that of the trim
}

// trimmed tells whether a cell forgets by a product of its own, which is off like all
// others. Where that product is to be 0, the output follows what it is tied to.
func (r nullRow) trimmed() bool { return r.cell == "cell_alignment_store" }

func (r nullRow) key() string {
	return r.cell + " " + r.own + " " + strings.Join(r.params, " ") + " offset " + strings.Join(r.offset, " ")
}

// into is the pin that offsets and nulls are added to: the output, or the sum that
// a neuron integrates.
func (r nullRow) into() string {
	if r.bench.current == "sum" {
		return "sum"
	}
	return r.bench.out
}

// print prints the cell and its twin. Their inputs are at 0, but a slope is at 1; no
// current flows into a sum. A sum without an owner, and a weight, stand on p_r0. What
// stands at 1 should be 1 above the same cell at 0, which is the row before.
func (r nullRow) print(w *emit.Writer, k int) {
	n, tied := strconv.Itoa(k), "0"
	sides := []struct{ name, cell string }{{"dut" + n, cmp.Or(r.own, r.cell)}, {"twin" + n, twinOf(r.cell)}}
	load := "p_r0"
	if r.trimmed() {
		load = "p_r0/4" // or what it feeds back may be more than the load before it is trimmed
	}
	if r.high {
		tied, sides = "one", sides[:1]
		w.Line("e_twin" + n + " twin" + n + "_" + r.bench.out + " one dut" + strconv.Itoa(k-1) + "_" + r.bench.out + " 0 1")
	}
	for _, side := range sides {
		x := instance{name: "x_" + side.name, cell: side.cell, params: r.params}
		for _, pin := range strings.Fields(findCell(r.cell).pins) {
			if pin == "slope" { // never rests
				x.nodes = append(x.nodes, "one")
			} else if slices.Contains(r.bench.volts, pin) {
				x.nodes = append(x.nodes, "0")
			} else {
				x.nodes = append(x.nodes, side.name+"_"+pin)
			}
		}
		if r.bench.out == "w" {
			x.params = append(slices.Clone(x.params), "p_hold", "1e+30")
		}
		if r.trim != 0 {
			x.params = append(slices.Clone(x.params), "p_trim", number(r.trim))
		}
		x.print(w)
		if r.bench.load || r.bench.out == "w" {
			w.Line("r_" + side.name + " " + side.name + "_" + r.bench.out + " " + tied + " {" + load + "}")
		}
	}
	into := "dut" + n + "_" + r.into()
	if len(r.offset) > 0 {
		w.Line("x_offset" + n + " " + into + " cell_offset PARAMS: " + r.offset[0] + "=" + r.offset[1])
	}
	if r.null != 0 {
		w.Line("x_null" + n + " " + into + " cell_null PARAMS: p_null=" + number(r.null))
	}
}

// NullStep is what nulls are multiples of, in units of potential: a millionth is
// below what an iteration of the operating point leaves.
const NullStep = 1e-6

// RoundNull keeps of a null [V] what is significant.
func RoundNull(v, unit float64) float64 {
	v, _ = strconv.ParseFloat(rounded(math.Round(v/(NullStep*unit))*NullStep*unit), 64)
	return v
}
