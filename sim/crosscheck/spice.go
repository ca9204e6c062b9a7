package crosscheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vlec/emit"
	"vlec/emit/spice"
	"vlec/internal/compile"
	"vlec/internal/plot"
	"vlec/internal/tracefile"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// SpiceOptions choose how a netlist is checked.
type SpiceOptions struct {
	Learning  bool    // of a fresh netlist
	Level     string  // of the cells; "" is ideal
	Engine    string  // "builtin" or "ngspice"; "" is builtin
	NoNull    bool    // leave the offsets of transistor cells as they are
	Artifact  string  // check this file, which learns or not, instead of a fresh netlist
	Dir       string  // where netlist, traces and verdict go
	Tolerance float64 // of the nrmse of every waveform; 0: from the step and what parts are declared to be
	MOS       string  // the library of transistors of a design kit, for ngspice; "" is the generic one
	MaxStep   float64 // longest step [model time unit]; 0: the model's choice

	// Progress hears of the stage and its done share, 0 to 1; nil is silence.
	Progress func(stage string, done float64)
}

// Spice checks the netlist of a model, or the given artefact, against the
// continuous reference.
func Spice(ctx context.Context, net *model.Network, o SpiceOptions) (*Verdict, error) {
	start := time.Now()
	if o.Engine == "" {
		o.Engine = "builtin"
	}
	engine, ok := spiceEngines[o.Engine]
	if !ok {
		return nil, fmt.Errorf("there is no engine %q for netlists; use builtin or ngspice", o.Engine)
	}
	if o.MOS != "" && o.Engine != "ngspice" {
		return nil, errForeignMOS
	}
	progress := o.Progress
	if progress == nil {
		progress = func(string, float64) {}
	}

	var files emit.Artifacts
	side, err := compile.Spice(ctx, net, compile.SpiceOptions{Learning: o.Learning, Level: o.Level, MOS: o.MOS, NoNull: o.NoNull, MaxStep: o.MaxStep}, &files)
	if err != nil {
		return nil, err
	}
	path := o.Artifact
	if path == "" {
		if err := files.Commit(o.Dir); err != nil {
			return nil, err
		}
		path = filepath.Join(o.Dir, spice.NetlistFile)
	} else {
		if side, err = artifactMap(path, net, side); err != nil {
			return nil, err
		}
		// Whether it learns is the file's affair.
		if o.Learning && !side.Learns() {
			return nil, fmt.Errorf("%s was emitted without learning; check it without --learning", path)
		}
		o.Learning = side.Learns()
	}

	parts := declaredParts(net, side)
	ref, err := runReference(ctx, net, o.Learning, side, parts, func(done float64) { progress("reference", done) })
	if err != nil {
		return nil, err
	}
	nodes := nodesOf(side)
	raw, steps, err := engine(ctx, path, nodes, secondsOf(ref, side.Units.Time), func(done float64) { progress(o.Engine, done) })
	if err != nil {
		return nil, err
	}
	got := modelUnits(raw, side)
	compare, because := tolerances(net, o, side, parts, ref)
	v := &Verdict{
		Model: net.Name, Target: "spice", Level: side.Level, Engine: o.Engine, Learning: o.Learning,
		Tolerance: compare.Tolerance, Because: because, Steps: steps, Reference: ref, Simulated: got,
	}
	if o.Engine == "ngspice" || side.Level != "ideal" {
		// With uic ngspice prints only the states at time 0; everything that
		// follows from them is still 0 there. So are, in any simulator, the nodes of
		// parts that have a capacitance of their own.
		compare.From = net.Probe.Every / 2
	}
	v.Report = sim.Compare(ref, got, compare)
	v.Elapsed = time.Since(start).Seconds()
	return v, writeEvidence(v, o.Dir)
}

// artifactMap finds the side map of a netlist that was not emitted just now: the
// one beside it, or the fresh one when there is none.
func artifactMap(path string, net *model.Network, fresh *spice.Map) (*spice.Map, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	src, err := os.ReadFile(filepath.Join(filepath.Dir(path), spice.MapFile))
	if os.IsNotExist(err) {
		return fresh, nil
	} else if err != nil {
		return nil, err
	}
	var m spice.Map
	if err := json.Unmarshal(src, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(filepath.Dir(path), spice.MapFile), err)
	}
	if m.Model != net.Name {
		return nil, fmt.Errorf("%s belongs to model %q, not to %q; give the model that the netlist was emitted from",
			filepath.Join(filepath.Dir(path), spice.MapFile), m.Model, net.Name)
	}
	return &m, nil
}

// runReference runs the continuous dynamics and records what the netlist shows.
func runReference(ctx context.Context, net *model.Network, learning bool, side *spice.Map, parts *reference.Parts, progress func(float64)) (*sim.Trace, error) {
	var wanted []string
	for _, s := range side.Signals {
		if compared(net, s.Name) {
			wanted = append(wanted, s.Name)
		}
	}
	trace, _, err := reference.Run(ctx, net, reference.Options{
		Semantics: reference.Continuous,
		Learning:  learning,
		Signals:   wanted,
		Every:     net.Probe.Every,
		Parts:     parts,
		Progress:  func(done, _ float64) { progress(done) },
	})
	return trace, err
}

// declaredParts are the parts of a model in its own units, as far as the reference
// can be built of them, nil where they are perfect.
func declaredParts(net *model.Network, side *spice.Map) *reference.Parts {
	h, unit := net.Hardware.Spice, side.Units.Time
	p := reference.Parts{Refresh: h.Store.Refresh / unit, Grid: h.Store.Grid}
	if side.Level == "macro" {
		p.Node = 1 / (2 * math.Pi * h.OTA.Bandwidth * unit)
		p.Follower = 1 / (2 * math.Pi * h.OpAmp.GBW * unit)
	}
	if side.Level != "ideal" {
		p.Leak = h.Store.Leak / unit
	}
	if p.Node > 0 && tooFast(net, &p) {
		p.Node, p.Follower = 0, 0
	}
	if p == (reference.Parts{}) {
		return nil
	}
	return &p
}

// tooFast tells whether following such poles would take the reference minutes: a step
// of its integrator was seen to be 0.7 time constants of the fastest pole, and asks
// for all signals six times.
func tooFast(net *model.Network, p *reference.Parts) bool {
	work := 0
	for _, q := range net.Projections {
		work += 2 * len(q.W)
	}
	for _, q := range net.Populations {
		work += 50 * q.Size
	}
	return 6*net.Duration/(0.7*min(p.Node, p.Follower))*float64(work) > mostReferenceWork
}

// mostReferenceWork is what a core does in about half a minute [sums of products].
const mostReferenceWork = 5e9

// compared tells whether a signal of the side map is a variable of the model's
// own neurons and weights; the teacher and the stimuli are the testbench.
func compared(net *model.Network, name string) bool {
	for _, in := range net.Inputs {
		if name == in.Name+".r" {
			return false
		}
	}
	return !strings.HasPrefix(name, "teacher/") && !strings.HasPrefix(name, "target/") &&
		slices.Contains([]string{"u", "y", "r", "v", "e", "W", "B", "bias"}, sim.KindOf(name))
}

func nodesOf(side *spice.Map) []string {
	var nodes []string
	seen := map[string]bool{}
	for _, s := range side.Signals {
		for _, n := range s.Nodes {
			if !seen[n] {
				seen[n] = true
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}

// secondsOf is the time base of a trace in the circuit's seconds.
func secondsOf(ref *sim.Trace, unit float64) []float64 {
	if len(ref.Signals) == 0 {
		return nil
	}
	times := make([]float64, len(ref.Signals[0].Time))
	for i, t := range ref.Signals[0].Time {
		times[i] = t * unit
	}
	return times
}

// modelUnits gathers the node potentials of a simulator into the signals of the
// model. A node that the simulator did not give stays out, and Compare reports
// the signal as missing.
func modelUnits(raw *sim.Trace, side *spice.Map) *sim.Trace {
	byName := make(map[string]*sim.Signal, len(raw.Signals))
	for _, s := range raw.Signals {
		byName[strings.ToLower(s.Name)] = s
	}
	bases := map[*float64][]float64{} // time bases already converted, by their first element
	out := &sim.Trace{}
	for _, m := range side.Signals {
		columns := make([]*sim.Signal, len(m.Nodes))
		for i, n := range m.Nodes {
			columns[i] = byName["v("+n+")"]
		}
		if len(columns) == 0 || slices.Contains(columns, nil) || len(columns[0].Time) == 0 {
			continue
		}
		key := &columns[0].Time[0]
		if bases[key] == nil {
			t := make([]float64, len(columns[0].Time))
			for i, s := range columns[0].Time {
				t[i] = s / side.Units.Time
			}
			bases[key] = t
		}
		s := &sim.Signal{Name: m.Name, Shape: m.Shape, Time: bases[key], Data: make([]float64, len(bases[key])*len(columns))}
		for i, c := range columns {
			if len(c.Data) != len(c.Time) {
				s.Data[i] = math.NaN() // not a scalar: let Compare refuse it
				continue
			}
			for k, x := range c.Data {
				s.Data[k*len(columns)+i] = x / m.Scale
			}
		}
		out.Signals = append(out.Signals, s)
	}
	return out
}

// writeEvidence leaves both traces, the verdict, and a picture of the worst
// neurons beside the netlist.
func writeEvidence(v *Verdict, dir string) error {
	var files emit.Artifacts
	files.Add("reference.npz", func(w io.Writer) error { return tracefile.Write(w, v.Reference) })
	files.Add("simulated.npz", func(w io.Writer) error { return tracefile.Write(w, sampledLike(v.Simulated, v.Reference)) })
	files.Add("verdict.json", v.write)
	picture := v.picture(strings.TrimPrefix(v.String(), v.Model+": "))
	files.Add("waveforms.svg", picture.SVG)
	files.Add("waveforms.png", picture.PNG)
	return files.Commit(dir)
}

// picture shows the worst neurons beside the reference.
func (v *Verdict) picture(subtitle string) *plot.Figure {
	return plot.Compared(v.Model, subtitle, "model units", v.Reference, v.Simulated, v.Report)
}

// sampledLike keeps the signals that the reference has too.
func sampledLike(got, ref *sim.Trace) *sim.Trace {
	out := &sim.Trace{}
	for _, s := range got.Signals {
		if ref.Signal(s.Name) != nil {
			out.Signals = append(out.Signals, s)
		}
	}
	return out
}

// Table lists the comparison signal by signal as text, worst first within each
// kind, for people.
func (v *Verdict) Table() [][]string {
	rows := [][]string{{"signal", "nrmse", "max abs", "tolerance", "worst neuron", ""}}
	for i := range v.Report.Results {
		r := &v.Report.Results[i]
		mark := "ok"
		if !r.Pass() {
			mark = "FAILS"
		}
		note := r.Worst
		if r.Problem != "" {
			note = r.Problem
		}
		rows = append(rows, []string{
			r.Name, fmt.Sprintf("%.2e", r.NRMSE), fmt.Sprintf("%.2e", r.MaxAbs), fmt.Sprintf("%.0e", r.Tolerance), note, mark,
		})
	}
	return rows
}

// String is the verdict in one line.
func (v *Verdict) String() string {
	var b bytes.Buffer
	word := "holds"
	if !v.Pass() {
		word = "DOES NOT HOLD"
	}
	fmt.Fprintf(&b, "%s: %s (%s, %s) against the continuous reference %s", v.Model, v.Target, v.Level, v.Engine, word)
	if w := v.Report.Worst(); w != nil {
		if w.Problem != "" {
			fmt.Fprintf(&b, ": %s: %s", w.Name, w.Problem)
		} else {
			fmt.Fprintf(&b, ": worst nrmse %.2e at %s, tolerance %.0e", w.NRMSE, w.Worst, w.Tolerance)
		}
	}
	return b.String()
}
