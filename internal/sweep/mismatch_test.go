package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"

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
	o := MismatchOptions{Samples: 3, Gain: 0.2, Tau: 0.05, Offset: 0.02, AutoZero: 0.05, Window: 8, Seed: 5}
	var text [2]bytes.Buffer
	for i := range text {
		s, err := Mismatch(t.Context(), net, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(&text[i]); err != nil {
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
