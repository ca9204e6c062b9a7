package sim_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"vlec/sim"
)

// run is a trace of three neurons and two plastic weights, with errors that
// shrink and a neuron that rests.
func run() *sim.Trace {
	const steps = 400
	u := &sim.Signal{Name: "hidden.u", Shape: []int{3}}
	e := &sim.Signal{Name: "hidden.e", Shape: []int{3}}
	w := &sim.Signal{Name: "in_hidden.W", Shape: []int{2, 1}}
	var time []float64
	for k := range steps {
		t := 0.1 * float64(k)
		time = append(time, t)
		u.Append([]float64{math.Sin(t), 2 + 0.1*math.Cos(3*t), 0.25})
		decay := math.Exp(-t / 10)
		e.Append([]float64{0.01 * decay * math.Sin(t), 0.02 * decay, 0})
		w.Append([]float64{1 - decay, 0.5 + 0.1*decay})
	}
	u.Time, e.Time, w.Time = time, time, time
	return &sim.Trace{Signals: []*sim.Signal{u, e, w}}
}

func clone(t *sim.Trace) *sim.Trace {
	c := new(sim.Trace)
	for _, s := range t.Signals {
		d := *s
		d.Time, d.Data = slices.Clone(s.Time), slices.Clone(s.Data)
		c.Signals = append(c.Signals, &d)
	}
	return c
}

var strict = sim.Options{Tolerance: 1e-4}

func TestCompareEqual(t *testing.T) {
	report := sim.Compare(run(), run(), sim.Options{})
	if !report.Pass() || report.NRMSEMax() != 0 {
		t.Errorf("a trace differs from itself: %+v", report)
	}
}

// TestCompareMeasures checks the numbers on a difference whose nrmse is known.
func TestCompareMeasures(t *testing.T) {
	const n = 1000 // whole periods: RMS 2/sqrt 2 about a mean of 5
	ref, got := &sim.Signal{Name: "x.u", Shape: []int{2}}, &sim.Signal{Name: "x.u", Shape: []int{2}}
	for k := range n {
		s := 2 * math.Sin(2*math.Pi*float64(k)/100)
		ref.Append([]float64{5 + s, s})
		got.Append([]float64{5 + s + 0.001, s})
		ref.Time = append(ref.Time, float64(k))
	}
	got.Time = ref.Time
	got.Data[2*700] += 0.009
	report := sim.Compare(&sim.Trace{Signals: []*sim.Signal{ref}}, &sim.Trace{Signals: []*sim.Signal{got}}, strict)
	r := report.Results[0]
	want := sim.Result{
		Name: "x.u", Kind: "u", Worst: "x.u[0]", At: 700, Tolerance: 1e-4, Scale: math.Sqrt2, MaxAbs: 0.01,
		NRMSE: math.Sqrt((999*1e-6+1e-4)/1000) / math.Sqrt2,
	}
	if diff := cmp.Diff(want, r, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if r.Pass() || report.Pass() || report.Worst().Name != "x.u" {
		t.Error("7.4e-4 passed 1e-4")
	}
	if loose := sim.Compare(&sim.Trace{Signals: []*sim.Signal{ref}}, &sim.Trace{Signals: []*sim.Signal{got}},
		sim.Options{Tolerance: 1e-9, Kinds: map[string]float64{"u": 1e-3}}); !loose.Pass() {
		t.Error("7.4e-4 failed the 1e-3 of its kind")
	}
}

// TestCompareFails perturbs a trace in each way that a comparison must see.
func TestCompareFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sim.Trace)
		worst  string // the neuron it names, where it can
		text   string // in Problem
	}{
		{"sign flip", func(tr *sim.Trace) { scale(tr.Signals[0], 1, -1) }, "hidden.u[1]", ""},
		{"swapped neurons", func(tr *sim.Trace) {
			u := tr.Signals[0]
			for k := range u.Time {
				at := u.At(k)
				at[1], at[2] = at[2], at[1]
			}
		}, "hidden.u[1]", ""},
		{"late by one sample", func(tr *sim.Trace) {
			u := tr.Signals[0]
			copy(u.Data[3:], slices.Clone(u.Data))
		}, "hidden.u[1]", ""},
		{"shifted time base", func(tr *sim.Trace) { shift(tr.Signals[0], 0.01) }, "", "the reference needs t = 0"},
		{"the neuron at rest moves", func(tr *sim.Trace) { add(tr.Signals[0], 2, 1e-3) }, "hidden.u[2]", ""},
		{"the error that is zero is not", func(tr *sim.Trace) { add(tr.Signals[1], 2, 1e-5) }, "hidden.e[2]", ""},
		{"gain of 1.001", func(tr *sim.Trace) { scale(tr.Signals[2], 0, 1.001) }, "in_hidden.W[0,0]", ""},
		{"one NaN", func(tr *sim.Trace) { tr.Signals[0].Data[3*200+1] = math.NaN() }, "hidden.u[1]", "hidden.u[1] is NaN in the signal at t = 20"},
		{"one infinity", func(tr *sim.Trace) { tr.Signals[2].Data[1] = math.Inf(-1) }, "in_hidden.W[1,0]", "is -Inf"},
		{"huge numbers", func(tr *sim.Trace) { scale(tr.Signals[0], 0, 1e300) }, "hidden.u[0]", ""},
		{"missing signal", func(tr *sim.Trace) { tr.Signals = tr.Signals[1:] }, "", "missing"},
		{"other shape", func(tr *sim.Trace) { tr.Signals[2].Shape = []int{1, 2} }, "", "shape [1 2]"},
		{"too short", func(tr *sim.Trace) {
			u := tr.Signals[0]
			u.Time, u.Data = u.Time[:300], u.Data[:900]
		}, "", "lasts from 0 to 29.9"},
		{"values missing", func(tr *sim.Trace) { tr.Signals[0].Data = tr.Signals[0].Data[:900] }, "", "900 values for 400 samples"},
		{"time stands still", func(tr *sim.Trace) { tr.Signals[0].Time[7] = tr.Signals[0].Time[6] }, "", "do not ascend at t = 0.6"},
	} {
		got := clone(run())
		c.change(got)
		report := sim.Compare(run(), got, strict)
		worst := report.Worst()
		if report.Pass() || worst.Pass() {
			t.Errorf("%s: passed", c.name)
		}
		if worst.Worst != c.worst || !strings.Contains(worst.Problem, c.text) || (worst.Problem == "") != (c.text == "") {
			t.Errorf("%s: worst %q, problem %q; want %q, %q", c.name, worst.Worst, worst.Problem, c.worst, c.text)
		}
	}

	nan := clone(run())
	nan.Signals[0].Data[5] = math.NaN()
	if sim.Compare(nan, nan, strict).Pass() {
		t.Error("a reference with NaN passed")
	}
	if sim.Compare(new(sim.Trace), run(), strict).Pass() {
		t.Error("nothing compared, and passed")
	}
	if sim.Compare(run(), run(), sim.Options{Tolerance: 1, From: 1e9}).Pass() {
		t.Error("no sample compared, and passed")
	}
}

func column(s *sim.Signal, j int, f func(float64) float64) {
	for k := range s.Time {
		s.At(k)[j] = f(s.At(k)[j])
	}
}

func scale(s *sim.Signal, j int, by float64) {
	column(s, j, func(v float64) float64 { return v * by })
}
func add(s *sim.Signal, j int, d float64) { column(s, j, func(v float64) float64 { return v + d }) }

func shift(s *sim.Signal, by float64) {
	for k := range s.Time {
		s.Time[k] += by
	}
}

// TestNormalisation checks what each neuron's difference is divided by.
func TestNormalisation(t *testing.T) {
	got := clone(run())
	add(got.Signals[0], 2, 1e-5) // rests at 0.25 among neurons with RMS up to 0.7
	r := sim.Compare(run(), got, strict).Results[0]
	if !r.Constant || r.Floored || math.Abs(r.Scale-math.Sqrt(0.5)) > 0.02 {
		t.Errorf("a neuron at rest: %+v", r)
	}

	rest := func(level, add float64) *sim.Trace {
		return &sim.Trace{Signals: []*sim.Signal{{Name: "x.u", Time: []float64{0, 1}, Data: []float64{level + add, level + add}}}}
	}
	if r := sim.Compare(rest(8, 0), rest(8, 2), strict).Results[0]; !r.Constant || r.NRMSE != 0.25 {
		t.Errorf("a constant by its own level: %+v", r)
	}
	if r := sim.Compare(rest(0, 0), rest(0, 2), strict).Results[0]; !r.Constant || r.NRMSE != 2 {
		t.Errorf("zero, as it is: %+v", r)
	}

	got = clone(run())
	add(got.Signals[1], 0, 1e-5)
	late := sim.Options{Tolerance: 1e-3, From: 30} // where e has shrunk
	if r := sim.Compare(run(), got, late).Results[1]; r.Pass() || r.Floored {
		t.Errorf("a small error signal without a floor: %+v", r)
	}
	late.Floor = map[string]float64{"e": 0.02}
	if r := sim.Compare(run(), got, late).Results[1]; !r.Pass() || !r.Floored || r.Scale != 0.02 {
		t.Errorf("with one: %+v", r)
	}
}

func TestTimeBase(t *testing.T) {
	rounded := clone(run())
	for k := range rounded.Signals[0].Time {
		rounded.Signals[0].Time[k] *= 1 + 1e-12
	}
	if r := sim.Compare(run(), rounded, strict).Results[0]; r.Resampled || r.NRMSE != 0 {
		t.Errorf("rounding made another time base: %+v", r)
	}

	// The same waveform on an uneven time base that starts with a short step.
	uneven := clone(run())
	u := uneven.Signals[0]
	u.Time, u.Data = nil, nil
	for k, t := 0, 0.0; t < 40.2; k++ {
		u.Time = append(u.Time, t)
		u.Append([]float64{math.Sin(t), 2 + 0.1*math.Cos(3*t), 0.25})
		t += 0.05 + 0.04*math.Sin(float64(k))
	}
	r := sim.Compare(run(), uneven, sim.Options{Tolerance: 1e-3}).Results[0]
	if !r.Resampled || !r.Pass() {
		t.Errorf("the same waveform, sampled elsewhere: %+v", r)
	}
	scale(u, 1, 1.002)
	if sim.Compare(run(), uneven, sim.Options{Tolerance: 1e-3}).Pass() {
		t.Error("interpolation hid a wrong gain")
	}
}

func TestResample(t *testing.T) {
	// A jump is not swung around.
	s := &sim.Signal{Name: "step", Time: []float64{0, 1, 2, 3, 4, 5, 6, 7}, Data: []float64{0, 0, 0, 0, 1, 1, 1, 1}}
	out, err := s.Resample([]float64{0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 7})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0, 0, 0, 0, 0.5, 1, 1, 1}, out.Data, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Error(diff)
	}
	// Straight lines stay straight, in every column, whatever the instants.
	rapid.Check(t, func(t *rapid.T) {
		s := &sim.Signal{Name: "line", Shape: []int{2}}
		at := 0.0
		for range rapid.IntRange(2, 9).Draw(t, "samples") {
			at += rapid.Float64Range(0.1, 2).Draw(t, "step")
			s.Time = append(s.Time, at)
			s.Append([]float64{3*at - 1, 7})
		}
		x := rapid.Float64Range(s.Time[0], at).Draw(t, "x")
		out, err := s.Resample([]float64{x})
		if err != nil || math.Abs(out.Data[0]-(3*x-1)) > 1e-9 || math.Abs(out.Data[1]-7) > 1e-12 {
			t.Fatalf("%v at %g, %v", out, x, err)
		}
	})
}

func TestSummary(t *testing.T) {
	got := clone(run())
	got.Signals[1].Data[0] = math.NaN()
	add(got.Signals[2], 0, 0.5)
	b, err := json.Marshal(sim.Compare(run(), got, strict).Summary())
	if err != nil {
		t.Fatal(err)
	}
	var kinds map[string]map[string]*float64
	if err := json.Unmarshal(b, &kinds); err != nil {
		t.Fatal(err)
	}
	if *kinds["u"]["nrmse"] != 0 || kinds["e"]["nrmse"] != nil || math.Abs(*kinds["w"]["max_abs"]-0.5) > 1e-12 {
		t.Errorf("%s", b)
	}
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]string{"hidden.u": "u", "in.hidden.W": "W", "v(hidden_u.3)": "v", "loss": "loss"} {
		if got := sim.KindOf(name); got != want {
			t.Errorf("KindOf(%s) = %s", name, got)
		}
	}
}
