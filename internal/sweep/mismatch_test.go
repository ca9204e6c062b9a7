package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/emit/spice"
	"vlec/model"
)

func load3(t *testing.T) *model.Network {
	t.Helper()
	net, err := model.Load("../../examples/unequal/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Duration = 60
	return net
}

// Learning recovers gains that differ, loading weights does not; a study repeats,
// and leaves the model alone.
func TestMismatch(t *testing.T) {
	net := load3(t)
	before, err := json.Marshal(net.Projections[1].W)
	if err != nil {
		t.Fatal(err)
	}
	remedy := "offsets, auto-zero of learning, bias weight"
	o := MismatchOptions{Only: []string{"gains", "offsets", "offsets, auto-zero", remedy}, Samples: 3, Gain: 0.2, Tau: 0.05, Offset: 0.02, AutoZero: 0.05, Window: 8, Seed: 5}
	var text [2]bytes.Buffer
	for i := range text {
		s, err := Mismatch(t.Context(), net, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := emit.JSON(&text[i], s); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			break
		}
		t.Log(s)
		for _, row := range s.Table() {
			t.Log(row)
		}
		if s.Unperturbed > s.Start/10 {
			t.Errorf("equal parts learn from %g to %g", s.Start, s.Unperturbed)
		}
		by := map[string]*Condition{}
		for _, c := range s.Conditions {
			by[c.Name] = c
			for k := range c.Learned {
				if !(c.Learned[k] > 0 && c.Loaded[k] > 0) || math.IsInf(c.Learned[k]+c.Loaded[k], 0) {
					t.Errorf("%s: losses %v and %v", c.Name, c.Learned, c.Loaded)
				}
			}
		}
		if g := by["gains"]; g.Wins() != o.Samples || g.Within(2*s.Unperturbed) != o.Samples {
			t.Errorf("gains: learned %v, loaded %v, equal parts %g", g.Learned, g.Loaded, s.Unperturbed)
		}
		if a, b := by["offsets"], by["offsets, auto-zero"]; quantile(a.Loaded, 1) < quantile(b.Loaded, 1) {
			t.Errorf("auto-zeroing makes it worse: %v, %v", a.Loaded, b.Loaded)
		}
		if r := by[remedy]; r.Within(2*s.Unperturbed) != o.Samples || quantile(r.Learned, 1) > quantile(by["offsets"].Learned, 1) {
			t.Errorf("%s: learned %v", remedy, r.Learned)
		}
		var picture bytes.Buffer
		if err := s.Picture().SVG(&picture); err != nil || picture.Len() < 5000 {
			t.Errorf("picture of %d bytes, %v", picture.Len(), err)
		}
	}
	if !bytes.Equal(text[0].Bytes(), text[1].Bytes()) {
		t.Error("the same study gave other numbers")
	}
	if after, _ := json.Marshal(net.Projections[1].W); !bytes.Equal(before, after) || net.Duration != 60 {
		t.Error("the study changed the model")
	}
}

// Offsets are in units of the level's potential, which transistors choose themselves.
func TestVolts(t *testing.T) {
	net := load3(t)
	net.Hardware.Spice.VoltageUnit = 0.5
	for level, want := range map[string]float64{"ideal": 0.5, "macro": 0.5, "transistor": spice.PairVoltage} {
		if got := volts(net, level); got != want {
			t.Errorf("%s: %g V for 1, want %g", level, got, want)
		}
	}
}

// Every condition is there, and those that are asked for come in that order.
func TestConditions(t *testing.T) {
	o := MismatchOptions{Gain: 0.1}
	all, err := o.conditions(1)
	if err != nil || len(all) != 17 {
		t.Fatalf("%d conditions, %v", len(all), err)
	}
	o.Only = []string{all[3].Name, all[0].Name}
	some, err := o.conditions(1)
	if err != nil || len(some) != 2 || some[0].Name != all[3].Name || some[1].Name != all[0].Name {
		t.Errorf("%v, %v", some, err)
	}
	o.Only = []string{"gians"}
	if _, err := o.conditions(1); err == nil || !strings.Contains(err.Error(), "gains and time constants; offsets") {
		t.Errorf("%v", err)
	}
}

// Thresholds of transistors: nulls make the difference.
func TestThresholds(t *testing.T) {
	net, err := model.Load("../../examples/tiny/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Hardware.Spice.TimeUnit, net.Duration = 0.01, 4
	o := MismatchOptions{Level: "transistor", Samples: 2, AVT: 4e-9, Only: []string{"thresholds", "thresholds, not nulled"}, Window: 2, Seed: 1}
	s, err := Mismatch(t.Context(), net, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range s.Table() {
		t.Log(row)
	}
	if text := s.String(); !strings.Contains(text, "thresholds by 4e-09 V m") {
		t.Error(text)
	}
	nulled, not := s.Conditions[0], s.Conditions[1]
	for k := range o.Samples {
		if nulled.Learned[k] > not.Learned[k]/2 || nulled.Loaded[k] > not.Loaded[k] {
			t.Errorf("sample %d: %g and %g with nulls, %g and %g without", k, nulled.Learned[k], nulled.Loaded[k], not.Learned[k], not.Loaded[k])
		}
	}
	if nulled.Learned[0] == nulled.Learned[1] {
		t.Error("two samples are the same circuit")
	}
	o.Level, o.Only = "macro", []string{"thresholds"}
	if _, err := Mismatch(t.Context(), net, o); err == nil || !strings.Contains(err.Error(), `no condition "thresholds"`) {
		t.Error(err)
	}
}

// Circuits that cannot be nulled are counted, and nothing else of them is.
func TestRejectedCircuits(t *testing.T) {
	c := Condition{Learned: []float64{2, rejected, 1}, Loaded: []float64{3, rejected, 0.5}}
	if err := c.sortOut(); err != nil || c.Rejected != 1 || c.Wins() != 1 || len(c.Learned) != 2 || len(c.Loaded) != 2 {
		t.Errorf("%v: %+v", err, c)
	}
	net, err := model.Load("../../examples/tiny/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Hardware.Spice.TimeUnit, net.Duration = 0.01, 4
	_, err = Mismatch(t.Context(), net, MismatchOptions{Level: "transistor", Samples: 2, AVT: 1e-7, Only: []string{"thresholds"}, Window: 2, Seed: 1})
	if err == nil || !strings.Contains(err.Error(), "thresholds: none of 2 circuits has offsets that can be nulled") {
		t.Error(err)
	}
}

// The two-sided sign test, against sums of binomial coefficients.
func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		wins, n int
		want    float64
	}{{5, 5, 2. / 32}, {0, 5, 2. / 32}, {1, 5, 12. / 32}, {2, 4, 1}, {8, 10, 2 * 56. / 1024}} {
		var k Condition
		for i := range c.n {
			learned := 2.0
			if i < c.wins {
				learned = 0.5
			}
			k.Learned, k.Loaded = append(k.Learned, learned), append(k.Loaded, 1)
		}
		if got := k.SignTest(); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d of %d: %g, want %g", c.wins, c.n, got, c.want)
		}
	}
}

func TestMismatchStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Mismatch(ctx, load3(t), MismatchOptions{Samples: 2, Seed: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	net := load3(t)
	net.Hardware.Spice.VoltageUnit = 0
	if _, err := Mismatch(t.Context(), net, MismatchOptions{Samples: 2}); err == nil {
		t.Error("a unit that is still to be chosen was accepted")
	}
}

func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.5: 2.5, 1: 4, 0.25: 1.75} {
		if got := quantile([]float64{4, 1, 3, 2}, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if got := quantile([]float64{7}, 0.9); got != 7 {
		t.Errorf("of one value: %g", got)
	}
}
