package crosscheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/format"
	"vlec/internal/rtlrun"
	"vlec/internal/tracefile"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/referee"
	"vlec/sim/reference"
)

// RTLOptions choose how a fixed-point core is checked.
type RTLOptions struct {
	VerilogOptions         // Steps is that of the run that is compared word for word; 0: the model's, at most 2000
	Engine         string  // one of rtlrun.Engines, or "all"; "" is builtin
	Artifact       string  // check this top module, and those beside it, instead of fresh ones
	Dir            string  // where RTL, testbench, traces and verdict go
	Tolerance      float64 // of the nrmse of every waveform; 0: from the width
	PNG            bool    // the picture as PNG, too

	// Progress hears of the stage and its done share, 0 to 1; nil is silence.
	Progress func(stage string, done float64)
}

// An RTLVerdict is the outcome of the check of a core: whether the text does what
// the integer model does, word for word, and how far that is from the model.
type RTLVerdict struct {
	Verdict // integers against the synchronous reference

	Plan   *format.Plan
	Usage  *format.Usage
	Cycles int       // of the clock in a step
	Text   []TextRun // by engine

	// Bounds has, by signal, the largest difference from the synchronous reference
	// where the planner has proved a bound of it.
	Bounds []BoundCheck
	// Continuous is the distance to the continuous reference, which the step has a
	// part in, by kind of signal. Nothing is demanded of it.
	Continuous map[string]sim.Measure
}

// A TextRun is the testbench in one engine: golden words of the integer model
// against the text.
type TextRun struct {
	Engine  string  `json:"engine"`
	Pass    bool    `json:"pass"`
	Said    string  `json:"said"` // the last line of the testbench
	Seconds float64 `json:"elapsed_s"`
}

// A BoundCheck is a proved bound and what was measured.
type BoundCheck struct {
	Signal  string  `json:"signal"`
	Bound   float64 `json:"bound"`
	Largest float64 `json:"max_abs"`
}

// Holds tells whether the bound does.
func (b *BoundCheck) Holds() bool { return b.Largest <= b.Bound }

// rtlTolerances follow from the width: half a unit at each of some hundred
// roundings. Errors have passed two leads, and the slopes of a table; weights add
// them up.
func rtlTolerances(o RTLOptions, bits int) sim.Options {
	tol := o.Tolerance
	if tol == 0 {
		tol = math.Max(math.Exp2(float64(7-bits)), 1e-4)
	}
	most := math.Max(tol, 0.5)
	leads := math.Min(32*tol, most)
	return sim.Options{Tolerance: tol, Kinds: map[string]float64{"e": leads, "v": leads, "W": leads, "B": leads, "bias": leads}}
}

// Verilog checks the core of a model, or the given artefact: the text against the
// integer model, bit for bit, and the integer model against the references.
func Verilog(ctx context.Context, net *model.Network, o RTLOptions) (*RTLVerdict, error) {
	start := time.Now()
	if o.Progress == nil {
		o.Progress = func(string, float64) {}
	}
	if o.Engine == "" {
		o.Engine = "builtin"
	}
	if o.Steps == 0 {
		o.Steps = min(max(Steps(net), 16), 2000)
	}
	if o.Artifact != "" {
		if err := o.asEmitted(net); err != nil {
			return nil, err
		}
	}
	o.Progress("plan", 0)
	var files emit.Artifacts
	core, err := EmitVerilog(ctx, net, o.VerilogOptions, &files)
	if err != nil {
		return nil, err
	}
	if err := files.Commit(o.Dir); err != nil {
		return nil, err
	}
	p := core.Plan
	v := &RTLVerdict{Plan: p, Cycles: core.Schedule.Period}
	v.Verdict = Verdict{
		Model: net.Name, Target: "verilog", Level: fmt.Sprintf("%d bits", p.Bits), Engine: o.Engine, Learning: p.Learning, Steps: o.Steps,
	}
	if err := v.run(ctx, core, o); err != nil {
		return nil, err
	}
	o.Progress("integer model", 0)
	run, err := RunFixed(ctx, net, p, p.Learning)
	if err != nil {
		return nil, err
	}
	v.Usage, v.Reference, v.Simulated = run.Usage, run.Reference, run.Integer
	compare := rtlTolerances(o, p.Bits)
	v.Tolerance = compare.Tolerance
	v.Report = sim.Compare(run.Reference, run.Integer, compare)
	v.Bounds = boundsOf(p, run)
	if v.Continuous, err = toContinuous(ctx, net, run, p.Learning, o.Progress); err != nil {
		return nil, err
	}
	v.Elapsed = time.Since(start).Seconds()
	return v, v.evidence(o.Dir, o.PNG)
}

// asEmitted takes from the manifest of an artefact, where there is one, what the
// options leave open: whether the core learns is the core's affair.
func (o *RTLOptions) asEmitted(net *model.Network) error {
	path := filepath.Join(filepath.Dir(filepath.Dir(o.Artifact)), verilog.ManifestFile)
	src, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	var m verilog.Manifest
	if err := json.Unmarshal(src, &m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if m.Model != net.Name {
		return fmt.Errorf("%s belongs to model %q, not to %q; give the model that the core was emitted from", path, m.Model, net.Name)
	}
	if o.Learning && !m.Learning {
		return fmt.Errorf("%s was emitted without learning; check it without --learning", o.Artifact)
	}
	o.Learning = m.Learning
	if o.Bits == 0 && o.Error == 0 {
		o.Bits = m.StreamIn.Format.Bits
	}
	if o.Lanes == 0 {
		o.Lanes = m.Schedule.Lanes
	}
	if o.Device == "" {
		o.Device = m.Device
	}
	return nil
}

// run lets the testbench judge the text in every engine that is asked for.
func (v *RTLVerdict) run(ctx context.Context, core *verilog.Core, o RTLOptions) error {
	engines := []string{o.Engine}
	if o.Engine == "all" {
		engines = rtlrun.Engines
	}
	text := filepath.Join(o.Dir, "rtl", core.Top+".v")
	if o.Artifact != "" {
		text = o.Artifact
	}
	for i, engine := range engines {
		o.Progress(engine, float64(i)/float64(len(engines)))
		var said bytes.Buffer
		start := time.Now()
		r, err := rtlrun.Run(ctx, rtlrun.Options{
			Files: []string{text, filepath.Join(o.Dir, "tb", core.Top+"_tb.v")}, Top: core.Top + "_tb",
			Engine: engine, Dir: o.Dir, Stdout: &said,
		})
		if _, missing := errors.AsType[*referee.MissingError](err); missing && o.Engine == "all" {
			continue
		}
		if err != nil {
			return err
		}
		line := lastVerdict(said.String())
		v.Text = append(v.Text, TextRun{
			Engine: engine, Pass: r.Pass && strings.HasPrefix(line, "PASS: "), Said: line, Seconds: time.Since(start).Seconds(),
		})
	}
	return nil
}

// lastVerdict is the line in which a testbench says how it went.
func lastVerdict(text string) string {
	line := "the testbench said nothing"
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "PASS: ") || strings.HasPrefix(l, "FAIL: ") {
			line = strings.TrimSpace(l)
		}
	}
	return line
}

// boundsOf holds what was measured against what is proved. Where something was
// held at the end of a format nothing is proved.
func boundsOf(p *format.Plan, run *FixedRun) []BoundCheck {
	var list []BoundCheck
	if len(run.Usage.Saturated) > 0 {
		return nil
	}
	for _, d := range p.Distances() {
		for _, k := range []struct {
			kind string
			of   []float64
		}{{"u", d.U}, {"y", d.Y}, {"r", d.R}, {"v", d.V}, {"e", d.E}} {
			bound := 0.0
			for _, b := range k.of {
				bound = math.Max(bound, b)
			}
			name := d.Population + "." + k.kind
			if measured, ok := run.Distance[name]; ok && !math.IsInf(bound, 1) {
				list = append(list, BoundCheck{name, bound, measured})
			}
		}
	}
	return list
}

// toContinuous measures the distance to the continuous reference.
func toContinuous(ctx context.Context, net *model.Network, run *FixedRun, learning bool, progress func(string, float64)) (map[string]sim.Measure, error) {
	var names []string
	for _, s := range run.Integer.Signals {
		names = append(names, s.Name)
	}
	ref, _, err := reference.Run(ctx, net, reference.Options{
		Semantics: reference.Continuous, Learning: learning, Signals: names, Every: net.Probe.Every,
		Progress: func(done, _ float64) { progress("continuous reference", done) },
	})
	if err != nil {
		return nil, err
	}
	// The clocked run has no sample of the start.
	return sim.Compare(ref, run.Integer, sim.Options{Tolerance: 1, From: net.Probe.Every / 2}).Summary(), nil
}

// Pass tells whether the text does what the integer model does in every engine,
// and that follows the model within the tolerance and the bounds.
func (v *RTLVerdict) Pass() bool { return v.trouble() == "" }

// trouble is the first reason why the verdict is no.
func (v *RTLVerdict) trouble() string {
	for _, t := range v.Text {
		if !t.Pass {
			return fmt.Sprintf("in %s the text differs from the integer model: %s", t.Engine, t.Said)
		}
	}
	for i := range v.Bounds {
		if b := &v.Bounds[i]; !b.Holds() {
			return fmt.Sprintf("%s is %.2e off, proved are %.2e", b.Signal, b.Largest, b.Bound)
		}
	}
	if w := v.Report.Worst(); !v.Report.Pass() && w != nil {
		if w.Problem != "" {
			return w.Name + ": " + w.Problem
		}
		return fmt.Sprintf("worst nrmse %.2e at %s, tolerance %.0e", w.NRMSE, w.Worst, w.Tolerance)
	}
	if len(v.Text) == 0 {
		return "no engine ran the text"
	}
	return ""
}

// String is the verdict in one line.
func (v *RTLVerdict) String() string {
	var engines []string
	for _, t := range v.Text {
		engines = append(engines, t.Engine)
	}
	head := fmt.Sprintf("%s: verilog (%s, %s)", v.Model, v.Level, strings.Join(engines, ", "))
	if t := v.trouble(); t != "" {
		return head + " DOES NOT HOLD: " + t
	}
	w := v.Report.Worst()
	return fmt.Sprintf("%s holds: bit for bit over %d steps; against the synchronous reference worst nrmse %.2e at %s, tolerance %.0e", head, v.Steps, w.NRMSE, w.Worst, w.Tolerance)
}

// JSON is the form that scripts read: that of a netlist, and what only RTL has.
func (v *RTLVerdict) JSON(withElapsed bool) any {
	doc := v.Verdict.document(withElapsed)
	doc.Pass = v.Pass()
	if t := v.trouble(); t != "" {
		doc.Problems = append(doc.Problems, t)
	}
	text := append([]TextRun(nil), v.Text...)
	if !withElapsed {
		for i := range text {
			text[i].Seconds = 0
		}
	}
	return struct {
		verdictDocument
		Bits       int                    `json:"bits"`
		Cycles     int                    `json:"cycles_per_step"`
		Text       []TextRun              `json:"text"`
		Bounds     []BoundCheck           `json:"bounds,omitempty"`
		Continuous map[string]sim.Measure `json:"continuous"`
		Usage      *format.Usage          `json:"usage"`
		Times      []format.TimeConstant  `json:"time_constants"`
	}{doc, v.Plan.Bits, v.Cycles, text, v.Bounds, v.Continuous, v.Usage, v.Plan.TimeConstants()}
}

// Table lists the comparison with the synchronous reference; the last columns are
// the proved bound and the distance to the continuous reference.
func (v *RTLVerdict) Table() [][]string {
	rows := v.Verdict.Table()
	rows[0] = append(rows[0][:len(rows[0])-1:len(rows[0])-1], "proved", "continuous", "")
	for i := 1; i < len(rows); i++ {
		name, bound := rows[i][0], ""
		for k := range v.Bounds {
			if v.Bounds[k].Signal == name {
				bound = fmt.Sprintf("%.1e", v.Bounds[k].Bound)
			}
		}
		kind := sim.KindOf(name)
		if kind == "W" {
			kind = "w"
		}
		far := ""
		if m, ok := v.Continuous[kind]; ok {
			far = fmt.Sprintf("%.1e", m.NRMSE)
		}
		last := len(rows[i]) - 1
		rows[i] = append(rows[i][:last:last], bound, far, rows[i][last])
	}
	return rows
}

// TextTable lists what the engines found, for people.
func (v *RTLVerdict) TextTable() [][]string {
	rows := [][]string{{"text in", "seconds", "testbench", ""}}
	for _, t := range v.Text {
		mark := "ok"
		if !t.Pass {
			mark = "FAILS"
		}
		rows = append(rows, []string{t.Engine, fmt.Sprintf("%.1f", t.Seconds), t.Said, mark})
	}
	return rows
}

// evidence leaves traces, verdict and picture beside the RTL.
func (v *RTLVerdict) evidence(dir string, png bool) error {
	var files emit.Artifacts
	files.Add("reference.npz", func(w io.Writer) error { return tracefile.Write(w, v.Reference) })
	files.Add("simulated.npz", func(w io.Writer) error { return tracefile.Write(w, v.Simulated) })
	files.AddJSON("verdict.json", v.JSON(false))
	v.picture(v.String(), png, &files)
	return files.Commit(dir)
}
