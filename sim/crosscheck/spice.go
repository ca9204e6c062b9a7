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
	PNG       bool    // the picture as PNG, too
	From      float64 // what was before does not count [model time unit]; 0: the beginning

	// Progress hears of the stage and its done share, 0 to 1; nil is silence.
	Progress func(stage string, done float64)
}

// Spice checks the netlist of a model, or the given artefact, against the
// continuous reference.
func Spice(ctx context.Context, net *model.Network, o SpiceOptions) (*Verdict, error) {
	c, err := newSpiceCheck(ctx, net, o)
	if err != nil {
		return nil, err
	}
	ref, err := c.reference(ctx)
	if err != nil {
		return nil, err
	}
	return c.against(ctx, ref)
}

// A spiceCheck is a netlist that is ready to be simulated, and what it has to be
// compared with.
type spiceCheck struct {
	net    *model.Network
	o      SpiceOptions
	engine spiceEngine
	path   string
	side   *spice.Map
	parts  *reference.Parts
	start  time.Time
}

func newSpiceCheck(ctx context.Context, net *model.Network, o SpiceOptions) (*spiceCheck, error) {
	c := &spiceCheck{net: net, start: time.Now()}
	if o.Engine == "" {
		o.Engine = "builtin"
	}
	var ok bool
	if c.engine, ok = spiceEngines[o.Engine]; !ok {
		return nil, fmt.Errorf("there is no engine %q for netlists; use builtin or ngspice", o.Engine)
	}
	if o.MOS != "" && o.Engine != "ngspice" {
		return nil, errForeignMOS
	}
	if o.Progress == nil {
		o.Progress = func(string, float64) {}
	}
	var files emit.Artifacts
	var err error
	if c.side, err = compile.Spice(ctx, net, compile.SpiceOptions{Learning: o.Learning, Level: o.Level, MOS: o.MOS, NoNull: o.NoNull, MaxStep: o.MaxStep}, &files); err != nil {
		return nil, err
	}
	if c.path = o.Artifact; c.path == "" {
		if err := files.Commit(o.Dir); err != nil {
			return nil, err
		}
		c.path = filepath.Join(o.Dir, spice.NetlistFile)
	} else {
		if c.side, err = artifactMap(c.path, net, c.side); err != nil {
			return nil, err
		}
		// Whether it learns is the file's affair.
		if o.Learning && !c.side.Learns() {
			return nil, fmt.Errorf("%s was emitted without learning; check it without --learning", c.path)
		}
		o.Learning = c.side.Learns()
	}
	c.o, c.parts = o, declaredParts(net, c.side)
	return c, nil
}

// reference runs the continuous dynamics and records what the netlist shows.
func (c *spiceCheck) reference(ctx context.Context) (*sim.Trace, error) {
	var wanted []string
	for _, s := range c.side.Signals {
		if compared(c.net, s.Name) {
			wanted = append(wanted, s.Name)
		}
	}
	trace, _, err := reference.Run(ctx, c.net, reference.Options{
		Semantics: reference.Continuous,
		Learning:  c.o.Learning,
		Signals:   wanted,
		Every:     c.net.Probe.Every,
		Parts:     c.parts,
		Progress:  func(done, _ float64) { c.o.Progress("reference", done) },
	})
	return trace, err
}

// against simulates the netlist and judges it by what the reference did.
func (c *spiceCheck) against(ctx context.Context, ref *sim.Trace) (*Verdict, error) {
	o, side := &c.o, c.side
	raw, steps, err := c.engine(ctx, c.path, nodesOf(side), secondsOf(ref, side.Units.Time), func(done float64) { o.Progress(o.Engine, done) })
	if err != nil {
		return nil, err
	}
	got := modelUnits(raw, side)
	compare, because := tolerances(c.net, *o, side, c.parts, ref)
	v := &Verdict{
		Model: c.net.Name, Target: "spice", Level: side.Level, Engine: o.Engine, Learning: o.Learning,
		Tolerance: compare.Tolerance, Because: because, Steps: steps, Reference: ref, Simulated: got,
	}
	if o.Engine == "ngspice" || side.Level != "ideal" {
		// With uic ngspice prints only the states at time 0; everything that
		// follows from them is still 0 there. So are, in any simulator, the nodes of
		// parts that have a capacitance of their own.
		compare.From = c.net.Probe.Every / 2
	}
	compare.From = max(compare.From, o.From)
	v.Report = sim.Compare(ref, got, compare)
	v.Elapsed = time.Since(c.start).Seconds()
	return v, v.evidence(o.Dir, o.PNG)
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

// evidence leaves both traces, the verdict, and a picture of the worst neurons
// beside the netlist.
func (v *Verdict) evidence(dir string, png bool) error {
	var files emit.Artifacts
	files.Add("reference.npz", func(w io.Writer) error { return tracefile.Write(w, v.Reference) })
	files.Add("simulated.npz", func(w io.Writer) error { return tracefile.Write(w, sampledLike(v.Simulated, v.Reference)) })
	files.AddJSON("verdict.json", v.JSON(false))
	v.picture(v.String(), png, &files)
	return files.Commit(dir)
}

// picture adds a picture of the worst neurons beside the reference. A PNG takes
// longer than many a simulation: it is for those who look at it.
func (v *Verdict) picture(verdict string, png bool, files *emit.Artifacts) {
	addPicture("waveforms", png, files,
		plot.Compared(v.Model, strings.TrimPrefix(verdict, v.Model+": "), "model units", v.Reference, v.Simulated, v.Report))
}

func addPicture(name string, png bool, files *emit.Artifacts, figure *plot.Figure) {
	files.Add(name+".svg", figure.SVG)
	if png {
		files.Add(name+".png", figure.PNG)
	}
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
