// Package spicerun runs every analysis that a netlist asks for, at every value
// that it steps through, and writes the results.
//
// # For maintainers
//
// Transients stream: samples go to the file as they come, so that memory does
// not grow with the run. An .npz file wants whole columns; they pass through a
// temporary file. A transient with .measure cards is kept in memory instead,
// because measurements look at all of it.
package spicerun

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vlec/internal/tracefile"
	"vlec/model/diag"
	"vlec/sim"
	"vlec/sim/spice"
)

// Formats are those of result files.
var Formats = []string{"npz", "raw", "ascii", "csv"}

// Options choose what is run and where results go.
type Options struct {
	Dir    string   // folder for results; "" for none
	Format string   // one of Formats; "" is npz
	Save   []string // vectors; nil for what the netlist says
	Every  int      // keep one in so many steps of a transient
	Steps  []string // NAME=a,b,c or NAME=first:last:step, as .step cards
	Engine string   // of transients: auto, explicit or implicit

	Progress func(stage string, done float64)
	Log      func(line string)
}

// A Result is what a netlist gave: for every point of its steps, in their
// order.
type Result struct {
	Title    string    `json:"title"`
	Warnings diag.List `json:"-"`
	Runs     []Run     `json:"runs"`
}

// A Run is one point: all analyses.
type Run struct {
	Step     string     `json:"step,omitempty"` // "r=1000 temp=85"
	Analyses []Analysis `json:"analyses"`
}

// An Analysis is the summary of one.
type Analysis struct {
	Name     string        `json:"analysis"` // op, dc, ac, tran
	Steps    int           `json:"steps"`    // or points
	File     string        `json:"file,omitempty"`
	Signals  []Summary     `json:"signals"`
	Measures []Measurement `json:"measures,omitempty"`
}

// A Summary is what a signal did; of a small-signal run, its magnitude.
type Summary struct {
	Signal string  `json:"signal"`
	Unit   string  `json:"unit"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Last   float64 `json:"last"`
}

// A Measurement is the result of a .measure card; Err says why there is none.
type Measurement struct {
	Name  string   `json:"name"`
	Value *float64 `json:"value"`
	Err   string   `json:"error,omitempty"`
}

// A FailedError is a simulation that began with a good netlist.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *FailedError) Unwrap() error { return e.Err }

// Netlist runs the netlist in the file.
func Netlist(ctx context.Context, path string, o Options) (*Result, error) {
	n, err := spice.ParseFile(path)
	if err != nil {
		return nil, err
	}
	for _, s := range o.Steps {
		card, err := stepCard(n, s)
		if err != nil {
			return nil, err
		}
		if err := n.AddStep(card); err != nil {
			return nil, err
		}
	}
	points, err := n.Points()
	if err != nil {
		return nil, err
	}
	out := &Result{Title: n.Title}
	// All points are elaborated before the first is run: mistakes show at once. The
	// circuit of the only point is kept, it may be large.
	var only *spice.Circuit
	for _, p := range points {
		c, err := n.At(p)
		if err != nil {
			return nil, err
		}
		if out.Warnings == nil {
			out.Warnings = c.Warnings
		}
		if len(points) == 1 {
			only = c
		}
		if len(c.Analyses()) == 0 {
			return nil, diag.List{{Pos: diag.Pos{File: path, Line: 1}, Msg: "the netlist asks for no analysis", Hint: "add a .tran, .op, .dc or .ac card"}}
		}
	}
	for k, p := range points {
		r := &runner{ctx: ctx, o: o, dir: o.Dir}
		if len(points) > 1 {
			if o.Dir != "" {
				r.dir = filepath.Join(o.Dir, fmt.Sprintf("step-%04d", k+1))
			}
			r.o.Progress = func(_ string, done float64) {
				if o.Progress != nil {
					o.Progress(p.String(), (float64(k)+done)/float64(len(points)))
				}
			}
		}
		if r.c = only; r.c == nil {
			if r.c, err = n.At(p); err != nil {
				return nil, err
			}
		}
		run, err := r.all()
		if err != nil {
			if len(p) > 0 {
				err = fmt.Errorf("at %s: %w", p, err)
			}
			return nil, &FailedError{err}
		}
		run.Step = p.String()
		out.Runs = append(out.Runs, *run)
	}
	if o.Dir != "" && len(points) > 1 {
		return out, writeSteps(filepath.Join(o.Dir, "steps.csv"), points, out)
	}
	return out, nil
}

// stepCard turns NAME=a,b,c or NAME=first:last:step into the text of a card.
func stepCard(n *spice.Netlist, s string) (string, error) {
	name, values, ok := strings.Cut(s, "=")
	if !ok || name == "" || values == "" {
		return "", fmt.Errorf("--step %s: write NAME=1k,2k,5k or NAME=FIRST:LAST:STEP", s)
	}
	what := "param " + name
	if !n.HasParam(name) {
		what = name // the temperature or a source
	}
	if parts := strings.Split(values, ":"); len(parts) == 3 {
		return what + " " + strings.Join(parts, " "), nil
	}
	return what + " list " + strings.ReplaceAll(values, ",", " "), nil
}

type runner struct {
	ctx context.Context
	o   Options
	dir string
	c   *spice.Circuit
}

func (r *runner) all() (*Run, error) {
	run := &Run{}
	for _, name := range r.c.Analyses() {
		a := Analysis{Name: name}
		so := spice.Options{Save: r.o.Save, Engine: r.o.Engine, Log: r.o.Log}
		if r.o.Progress != nil {
			so.Progress = func(done float64) { r.o.Progress(name, done) }
		}
		var tr *sim.Trace
		var stats *spice.Stats
		var err error
		switch name {
		case "op":
			tr, stats, err = r.c.OP(r.ctx, so)
		case "dc":
			tr, stats, err = r.c.DC(r.ctx, so)
		case "ac":
			tr, stats, err = r.c.AC(r.ctx, so)
		case "tran":
			so.Every = r.o.Every
			if !r.c.Measures("tran") {
				if err := r.stream(&a, so); err != nil {
					return nil, err
				}
				run.Analyses = append(run.Analyses, a)
				continue
			}
			tr, stats, err = r.c.Tran(r.ctx, so)
		}
		if err != nil {
			return nil, err
		}
		a.Steps = stats.Steps
		if a.Steps == 0 && len(tr.Signals) > 0 {
			a.Steps = len(tr.Signals[0].Time)
		}
		for _, s := range tr.Signals {
			a.Signals = append(a.Signals, Summarise(s))
		}
		measures, err := r.c.Measure(name, tr)
		if err != nil {
			return nil, err
		}
		for _, m := range measures {
			found := Measurement{Name: m.Name}
			if m.Err != nil {
				found.Err = m.Err.Error()
			} else {
				found.Value = &m.Value
			}
			a.Measures = append(a.Measures, found)
		}
		if r.dir != "" {
			if a.File, err = r.write(name, tr); err != nil {
				return nil, err
			}
		}
		run.Analyses = append(run.Analyses, a)
	}
	return run, nil
}

// Summarise looks through a signal.
func Summarise(s *sim.Signal) Summary {
	out := Summary{Signal: s.Name, Unit: s.Unit, Min: math.Inf(1), Max: math.Inf(-1)}
	for k := range s.Time {
		out.Last = s.At(k)[0]
		if s.Width() == 2 {
			out.Last = math.Hypot(s.At(k)[0], s.At(k)[1])
		}
		out.Min, out.Max = math.Min(out.Min, out.Last), math.Max(out.Max, out.Last)
	}
	return out
}

// fileName of the results of an analysis: trace.npz for a transient, ac.raw.
func (r *runner) fileName(analysis string) string {
	base, ext := analysis, r.o.Format
	if analysis == "tran" {
		base = "trace"
	}
	switch ext {
	case "":
		ext = "npz"
	case "ascii":
		ext = "raw"
	}
	return filepath.Join(r.dir, base+"."+ext)
}

// write stores a trace that is in memory.
func (r *runner) write(analysis string, tr *sim.Trace) (string, error) {
	name := r.fileName(analysis)
	return name, create(name, func(f *os.File) error {
		switch r.o.Format {
		case "raw", "ascii":
			return spice.WriteRaw(f, r.c.Title, analysis, r.o.Format == "ascii", tr)
		case "csv":
			return spice.WriteCSV(f, analysis, tr)
		}
		return tracefile.Write(f, tr)
	})
}

// stream runs the transient without keeping it.
func (r *runner) stream(a *Analysis, so spice.Options) error {
	watch := &watcher{a: a}
	so.Sink = watch
	run := func() error {
		_, stats, err := r.c.Tran(r.ctx, so)
		if err == nil {
			a.Steps = stats.Steps
		}
		return err
	}
	if r.dir == "" {
		return run()
	}
	a.File = r.fileName("tran")
	return create(a.File, func(f *os.File) error {
		switch r.o.Format {
		case "raw", "ascii":
			watch.to = spice.NewRawWriter(f, r.c.Title, r.o.Format == "ascii")
		case "csv":
			watch.to = spice.NewCSVWriter(f)
		default:
			spool := &columns{spool: tracefile.NewSpool(f.Name() + ".spool"), w: f}
			defer func() { _ = spool.spool.Remove() }() // it may not have begun
			watch.to = spool
		}
		return run()
	})
}

// A watcher summarises samples on their way to a sink, if there is one.
type watcher struct {
	a  *Analysis
	to spice.Sink
}

func (w *watcher) Begin(names, units []string) error {
	for k, name := range names {
		w.a.Signals = append(w.a.Signals, Summary{Signal: name, Unit: units[k], Min: math.Inf(1), Max: math.Inf(-1)})
	}
	if w.to == nil {
		return nil
	}
	return w.to.Begin(names, units)
}

func (w *watcher) Sample(t float64, values []float64) error {
	for k, v := range values {
		s := &w.a.Signals[k]
		s.Min, s.Max, s.Last = math.Min(s.Min, v), math.Max(s.Max, v), v
	}
	if w.to == nil {
		return nil
	}
	return w.to.Sample(t, values)
}

func (w *watcher) End() error {
	if w.to == nil {
		return nil
	}
	return w.to.End()
}

// columns turns samples into an .npz archive by way of a temporary file.
type columns struct {
	spool  *tracefile.Spool
	w      io.Writer
	values [][]float64
}

func (c *columns) Begin(names, units []string) error {
	signals := make([]*sim.Signal, len(names))
	for k, name := range names {
		signals[k] = &sim.Signal{Name: name, Unit: units[k]}
	}
	c.values = make([][]float64, len(names))
	return c.spool.Begin(signals, 0, 0)
}

func (c *columns) Sample(t float64, values []float64) error {
	for k := range values {
		c.values[k] = values[k : k+1]
	}
	return c.spool.Sample(t, c.values)
}

func (c *columns) End() error { return c.spool.Write(c.w) }

// create writes a file under a temporary name and renames it when it is whole.
func create(name string, write func(f *os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".vlec-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil { // CreateTemp makes it private
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// writeSteps writes the settings and measurements of every point.
func writeSteps(name string, points []spice.Point, r *Result) error {
	return create(name, func(f *os.File) error {
		var b strings.Builder
		b.WriteString("folder")
		for _, s := range points[0] {
			b.WriteString("," + s.Name)
		}
		for _, a := range r.Runs[0].Analyses {
			for _, m := range a.Measures {
				b.WriteString("," + m.Name)
			}
		}
		b.WriteString("\n")
		for k, run := range r.Runs {
			fmt.Fprintf(&b, "step-%04d", k+1)
			for _, s := range points[k] {
				b.WriteString("," + strconv.FormatFloat(s.Value, 'g', -1, 64))
			}
			for _, a := range run.Analyses {
				for _, m := range a.Measures {
					b.WriteString(",")
					if m.Value != nil {
						b.WriteString(strconv.FormatFloat(*m.Value, 'g', -1, 64))
					}
				}
			}
			b.WriteString("\n")
		}
		_, err := io.WriteString(f, b.String())
		return err
	})
}
