package model

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vlec/model/diag"
)

// small lowers the limits, so that random models stay cheap.
func small(d *decoder) { d.limits = limits{neurons: 2000, synapses: 20_000, samples: 100_000} }

// wellFormed checks what every reader of a Network relies on.
func wellFormed(n *Network) error {
	var errs []error
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	expect(n.Dt > 0 && n.Duration >= n.Dt, "dt %v, duration %v", n.Dt, n.Duration)
	expect(n.Probe.Every >= n.Dt/2, "probe every %v", n.Probe.Every)
	finite := func(where string, values []float64, size int) {
		expect(len(values) == size, "%s: %d values instead of %d", where, len(values), size)
		for _, x := range values {
			expect(!math.IsNaN(x) && !math.IsInf(x, 0), "%s: %v", where, x)
		}
	}
	waves := func(where string, trials [][]Waveform, first []Waveform) {
		expect(len(trials) == n.Learning.Batch, "%s: %d trials", where, len(trials))
		for _, trial := range trials {
			expect(len(trial) == len(first), "%s: %d channels instead of %d", where, len(trial), len(first))
			for _, w := range trial {
				x := w.At(n.Duration / 2)
				expect(!math.IsNaN(x), "%s: %v", where, x)
			}
		}
	}
	known := map[Source]bool{}
	for _, in := range n.Inputs {
		expect(in.Width() > 0, "%s has no channel", in.Name)
		waves(in.Name, in.Trials, in.Channels)
		known[in] = true
	}
	for _, p := range n.Populations {
		known[p] = true
		finite(p.Name+".tau_m", p.TauM, p.Size)
		finite(p.Name+".tau_r", p.TauR, p.Size)
		finite(p.Name+".bias", p.Bias, p.Size)
		finite(p.Name+".u0", p.U0, p.Size)
		finite(p.Name+".v0", p.V0, p.Size)
		for i := range p.TauM {
			expect(p.TauM[i] >= n.Dt && p.TauR[i] >= n.Dt, "%s: time constants %v, %v", p.Name, p.TauM[i], p.TauR[i])
		}
	}
	for _, p := range n.Projections {
		expect(known[p.From] && p.To != nil && known[p.To], "%s joins strangers", p.Name)
		finite(p.Name+".W", p.W, p.From.Width()*p.To.Size)
		if p.Feedback.Rule == Transpose {
			expect(p.Feedback.B == nil, "%s has its own B", p.Name)
		} else {
			finite(p.Name+".B", p.Feedback.B, p.From.Width()*p.To.Size)
		}
		expect(!p.Plastic || p.Eta > 0 || p.Pos.IsValid(), "%s", p.Name)
	}
	for _, tg := range n.Targets {
		switch {
		case tg.Teacher != nil:
			expect(tg.Teacher.Size == tg.Population.Size && tg.Signal == nil, "%s: teacher", tg.Name)
		default:
			expect(len(tg.Signal) == tg.Population.Size, "%s: %d signals", tg.Name, len(tg.Signal))
			waves(tg.Name, tg.Trials, tg.Signal)
		}
	}
	if n.Teacher != nil {
		errs = append(errs, wellFormed(n.Teacher))
	}
	return errors.Join(errs...)
}

// try parses a model and checks the outcome, good or bad.
func try(src, dir string) error {
	n, err := Parse("f.toml", []byte(src), dir, small)
	if err == nil {
		return wellFormed(n)
	}
	var list diag.List
	if !errors.As(err, &list) || len(list) == 0 {
		return fmt.Errorf("not a list of errors: %v", err)
	}
	lines := strings.Split(src, "\n")
	for _, e := range list {
		if e.Pos.Line == 0 && strings.Contains(e.Msg, "gave up") {
			continue
		}
		if e.Pos.Line < 1 || e.Pos.Line > len(lines) || e.Pos.Col < 1 || e.Pos.Col > len(lines[e.Pos.Line-1])+1 {
			return fmt.Errorf("not a place in the file: %v", e)
		}
		if e.Msg == "" || strings.Contains(e.Msg+e.Hint, "%!") && !strings.Contains(src, "%!") {
			return fmt.Errorf("malformed message: %v", e)
		}
	}
	return nil
}

// corpus returns the text of every model.
func corpus(t testing.TB) []string {
	var list []string
	for _, glob := range []string{"../examples/*/model.toml", "../testdata/models/good/*.toml", "../testdata/models/bad/*.toml"} {
		files, _ := filepath.Glob(glob)
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, string(src))
		}
	}
	return list
}

// FuzzParse wants no panic, errors with a place in the file, and networks that
// keep their promises.
func FuzzParse(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if err := try(src, "../testdata/models/good"); err != nil {
			t.Error(err)
		}
	})
}

// TestMutatedModels cuts, doubles and swaps the values and lines of every model.
func TestMutatedModels(t *testing.T) {
	models := corpus(t)
	values := []string{
		"0", "-1", "1e308", "nan", "1", "0.5", `"x"`, `""`, "true", "[]", "{}", "[[]]", "[1, 2]", "[[1], [2]]", "9223372036854775807",
		`{ init = "xavier" }`, `{ init = "normal", density = 0.5 }`, `"../data/two.csv"`, `"../data/w32.npy"`, "1979-05-27", "[[[1]]]", "[{}]",
	}
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.Split(rapid.SampledFrom(models).Draw(t, "model"), "\n")
		for range rapid.IntRange(1, 6).Draw(t, "mutations") {
			i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				lines[i] = ""
			case 1:
				lines = append(lines[:i+1:i+1], lines[i:]...)
			case 2:
				j := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
				lines[i], lines[j] = lines[j], lines[i]
			default:
				key, _, ok := strings.Cut(lines[i], "=")
				if ok {
					lines[i] = key + "= " + rapid.SampledFrom(values).Draw(t, "value")
				}
			}
		}
		src := strings.Join(lines, "\n")
		if err := try(src, "../testdata/models/good"); err != nil {
			t.Fatalf("%v in\n%s", err, src)
		}
	})
}
