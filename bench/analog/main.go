//go:build unix

// Package main, bench/analog, measures the built-in analog engine against ngspice 39 and against
// ngspice 45.2 with KLU, on the same netlists in one run, and prints one table.
//
//	go run ./bench/analog
//	go run ./bench/analog -only plastic -cpuprofile /tmp/cpu.out
//
// For every circuit a solution of tight tolerance is computed at the instants
// that ngspice reports, or, where the implicit engine is meant, at those that each
// engine steps to. The error of an engine is the largest over the
// saved signals of the RMS of the difference over the RMS of the signal. Time is
// CPU time of the process, all cores added up, without what a run of three steps
// takes, which is the column of setting up. The column of equal steps compares time
// per step with that of the implicit engine, which integrates by the same rule in
// the same steps as ngspice. The KLU column needs node and
// installs the npm package eecircuit-engine into a cache folder, unless
// VLEC_NO_INSTALL is set.
//
// # For maintainers
//
// Every run is a process of its own, ours included, so that memory and CPU time
// are those of one run and count in the same way for all. The program starts
// itself with -child for that. The circuits are in circuits.go, what runs them
// in engines.go.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"vlec/internal/table"
)

func main() {
	var (
		only    = flag.String("only", "", "measure circuits whose name contains this")
		cpuFile = flag.String("cpuprofile", "", "write a CPU profile of vlec's last run to this file")
		keep    = flag.String("dir", "", "leave netlists and results in this folder")
		noKLU   = flag.Bool("no-klu", false, "leave out the KLU column")
		noNG    = flag.Bool("no-ngspice", false, "leave out the ngspice column")
		format  = flag.String("format", "text", "text, markdown or csv")
		job     = flag.String("child", "", "for internal use")
	)
	flag.Parse()
	if *job != "" {
		if err := child(*job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	b := &board{profile: *cpuFile, ngspice: !*noNG}
	if err := b.run(*only, *keep, !*noKLU); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	b.print(*format)
}

// A board collects the rows of the table.
type board struct {
	profile string
	ngspice bool
	klu     *kluEngine
	rows    []*row
	notes   []string
}

// A row is one circuit in all engines.
type row struct {
	bench
	step                   float64
	ngspice, klu           *result
	vlec, fixed            *result
	ngErr, kluErr, vlecErr float64
	fixedErr               float64
}

func (b *board) run(only, dir string, klu bool) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "vlec-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if klu {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = dir
		}
		if b.klu, err = newKLU(filepath.Join(cache, "vlec", "bench")); err != nil {
			b.notes = append(b.notes, "no KLU column: "+err.Error())
		}
	}
	for _, c := range benches() {
		if !strings.Contains(c.name+" "+c.scaling, only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s\n", c.name, map[bool]string{true: "(scaling)"}[c.scaling != ""])
		r, err := b.measure(c, filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")))
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		b.rows = append(b.rows, r)
	}
	return nil
}

func (b *board) measure(c bench, dir string) (*row, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	deck, err := c.netlist(dir)
	if err != nil {
		return nil, err
	}
	r := &row{bench: c}
	text, h := cut(deck, c.steps)
	r.step = h
	file := filepath.Join(dir, "vlec.cir")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return nil, err
	}
	if c.ngspice && b.ngspice {
		if r.ngspice, err = ngspice(dir, deck, c.steps); err != nil {
			b.notes = append(b.notes, c.name+": "+err.Error())
		}
	}
	if c.klu && b.klu != nil {
		if r.klu, err = b.klu.run(dir, deck, c.steps); err != nil {
			b.notes = append(b.notes, c.name+": "+err.Error())
		}
	}
	deck, text = "", ""
	times := []float64(nil)
	if r.ngspice != nil {
		times = r.ngspice.trace.time
	} else if r.klu != nil {
		times = r.klu.trace.time
	}
	best := func(j job) (*result, error) {
		var best *result
		for range c.repeat {
			x, err := vlec(dir, j)
			if err != nil {
				return nil, err
			}
			if best == nil || x.seconds < best.seconds {
				setUp := x.setUp
				if best != nil {
					setUp = min(setUp, best.setUp)
				}
				best = x
				best.setUp = setUp
			}
		}
		return best, nil
	}
	own := job{Netlist: file, Times: times, Profile: b.profile}
	if c.implicit {
		own.Times = nil // its own steps: nothing is interpolated
	}
	if r.vlec, err = best(own); err != nil {
		return nil, err
	}
	if c.matched {
		if r.fixed, err = best(job{Netlist: file, Times: times, Engine: "implicit"}); err != nil {
			return nil, err
		}
	}
	if times == nil {
		return r, nil
	}
	tight := job{Netlist: file, RelTol: 1e-9}
	if c.implicit {
		tight.MaxStep, tight.RelTol = h/8, 1e-7
	}
	var ref *trace
	for _, x := range []struct {
		r   *result
		err *float64
	}{{r.ngspice, &r.ngErr}, {r.klu, &r.kluErr}, {r.vlec, &r.vlecErr}, {r.fixed, &r.fixedErr}} {
		if x.r == nil {
			continue
		}
		at := times
		if c.implicit {
			at = x.r.trace.time
		}
		if !slices.Equal(at, tight.Times) {
			tight.Times = at
			reference, err := vlec(dir, tight)
			if err != nil {
				return nil, err
			}
			ref = reference.trace
		}
		*x.err = distance(ref, x.r.trace)
	}
	return r, nil
}

// distance is the largest relative RMS difference over the signals of a
// reference. Instants of the other trace are looked up between its own by
// straight lines where they differ.
func distance(ref, t *trace) float64 {
	place := map[string]int{}
	for k, name := range t.names {
		place[strings.ToLower(name)] = k
	}
	worst := 0.0
	for k, name := range ref.names {
		at, ok := place[name]
		if !ok {
			return math.NaN()
		}
		sum, size := 0.0, 0.0
		j := 0
		for i, x := range ref.time {
			for j+1 < len(t.time) && t.time[j+1] <= x {
				j++
			}
			v := t.data[at][j]
			if x > t.time[j]*(1+1e-12) && j+1 < len(t.time) {
				v += (t.data[at][j+1] - v) * (x - t.time[j]) / (t.time[j+1] - t.time[j])
			}
			d := v - ref.data[k][i]
			sum += d * d
			size += ref.data[k][i] * ref.data[k][i]
		}
		if size > 0 {
			worst = math.Max(worst, math.Sqrt(sum/size))
		}
	}
	return worst
}

func (b *board) print(format string) {
	write := map[string]func([][]string) string{"text": table.Text, "markdown": table.Markdown, "csv": table.CSV}[format]
	if write == nil {
		write = table.Text
	}
	head := []string{
		"circuit", "size", "ng steps", "ng us/step", "ng error", "klu us/step", "klu error",
		"vlec", "steps", "us/step", "error", "ng/vlec", "klu/vlec", "equal steps", "error", "set-up ng", "klu", "vlec",
	}
	rows, scaling := [][]string{head}, [][]string{{"series", "synapses", "set-up s", "steps", "us/step", "wall us/step", "ns/synapse", "MB"}}
	fits := map[string][]point{}
	for _, r := range b.rows {
		if r.scaling != "" {
			v := r.vlec
			per := 1e6 * v.seconds / float64(v.steps)
			scaling = append(scaling, []string{
				r.scaling, fmt.Sprint(r.size), number(v.setUp), fmt.Sprint(v.steps), number(per), number(1e6 * v.wall / float64(v.steps)),
				number(1e3 * per / float64(r.size)), number(float64(v.rss) / 1e6),
			})
			fits[r.scaling] = append(fits[r.scaling], point{float64(r.size), per, float64(v.rss)})
			continue
		}
		rows = append(rows, r.cells())
	}
	if len(rows) > 1 {
		fmt.Println(write(rows))
		fmt.Println()
	}
	if len(scaling) > 1 {
		fmt.Println(write(scaling))
		for _, series := range []string{"static", "plastic"} {
			if p := fits[series]; len(p) > 1 {
				t, m := exponents(p)
				fmt.Printf("%s: time per step grows as synapses^%.2f, memory as synapses^%.2f from the second size on\n", series, t, m)
			}
		}
	}
	for _, n := range b.notes {
		fmt.Println(n)
	}
}

func (r *row) cells() []string {
	out := []string{r.name, fmt.Sprint(r.size)}
	per := func(x *result) string {
		if x == nil {
			return "-"
		}
		return number(1e6 * x.seconds / float64(max(1, x.steps)))
	}
	errs := func(x *result, e float64) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf("%.1e", e)
	}
	ratio := func(a *result, b float64, of func(*result) float64) string {
		if a == nil || b == 0 {
			return "-"
		}
		return number(of(a) / b)
	}
	seconds := func(x *result) float64 { return x.seconds }
	perStep := func(x *result) float64 { return x.seconds / float64(x.steps) }
	setUp := func(x *result) string {
		if x == nil {
			return "-"
		}
		return number(x.setUp)
	}
	steps := "-"
	if r.ngspice != nil {
		steps = fmt.Sprint(r.ngspice.steps)
	}
	equal, equalErr := "-", "-"
	switch {
	case r.fixed != nil:
		equal, equalErr = ratio(r.ngspice, perStep(r.fixed), perStep), errs(r.fixed, r.fixedErr)
	case r.implicit && r.vlec.engine == "trap":
		equal, equalErr = ratio(r.ngspice, perStep(r.vlec), perStep), errs(r.vlec, r.vlecErr)
	}
	return append(
		out, steps, per(r.ngspice), errs(r.ngspice, r.ngErr), per(r.klu), errs(r.klu, r.kluErr),
		r.vlec.engine, fmt.Sprint(r.vlec.steps), per(r.vlec), errs(r.vlec, r.vlecErr),
		ratio(r.ngspice, r.vlec.seconds, seconds), ratio(r.klu, r.vlec.seconds, seconds), equal, equalErr,
		setUp(r.ngspice), setUp(r.klu), setUp(r.vlec),
	)
}

// number prints three digits.
func number(x float64) string {
	switch a := math.Abs(x); {
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	case a >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
}

type point struct{ size, time, memory float64 }

// exponents fits powers of the size to time per step and memory. The smallest
// size does not count: there the fixed cost of a process and of a step shows.
func exponents(p []point) (time, memory float64) {
	if len(p) > 2 {
		p = p[1:]
	}
	fit := func(y func(point) float64) float64 {
		var sx, sy, sxx, sxy float64
		for _, q := range p {
			a, b := math.Log(q.size), math.Log(y(q))
			sx, sy, sxx, sxy = sx+a, sy+b, sxx+a*a, sxy+a*b
		}
		n := float64(len(p))
		return (n*sxy - sx*sy) / (n*sxx - sx*sx)
	}
	return fit(func(q point) float64 { return q.time }), fit(func(q point) float64 { return q.memory })
}

// profile starts a CPU profile if a file is named.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}
