package sim

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// How deviations are normalised
//
// The nrmse of one neuron is the RMS of the difference over the RMS of the
// reference after removing its mean, both over the samples compared. A signal's
// nrmse is that of its worst neuron: a mean over neurons would hide one that is
// wrong among many that are right.
//
// Two kinds of signal need more than that.
//
// A neuron whose reference is nearly constant (its RMS about the mean is below
// nearlyConstant times K) is normalised by K, the larger of the RMS about zero
// of that neuron and the largest RMS about the mean among all reference neurons
// of the same kind. Where K is zero too the difference counts as it is, in units
// of the signal. Result.Constant tells when this happened.
//
// The prospective error e is a small difference of large numbers, and shrinks
// as learning converges. Over a run that learns, its RMS is that of the early
// part and nothing is special. Over a run that starts converged, any deviation
// of the rates is large against it. Options.Floor then sets the smallest
// normalisation, which a caller should derive from beta and the scale of the
// target. Result.Floored tells when this happened.
const nearlyConstant = 1e-6

// sameInstant is how far two sampling instants may be apart, in shares of the
// reference's sampling interval, and still count as one. Simulators that add up
// their steps are off by rounding.
const sameInstant = 1e-6

// Options are the tolerances of a comparison.
type Options struct {
	Tolerance float64            // of the nrmse, where Kinds has no entry
	Kinds     map[string]float64 // tolerance of the nrmse by kind, say "W": 1e-2
	Floor     map[string]float64 // smallest normalisation by kind, in units of the signal
	From      float64            // samples before this instant are not compared
}

func (o *Options) tolerance(kind string) float64 {
	if t, ok := o.Kinds[kind]; ok {
		return t
	}
	return o.Tolerance
}

// A Result is the comparison of one signal.
type Result struct {
	Name      string
	Kind      string  // see KindOf
	NRMSE     float64 // of the worst neuron; +Inf with a Problem
	MaxAbs    float64 // largest absolute difference of any neuron; +Inf with a Problem
	Worst     string  // the neuron of NRMSE: "hidden.u[3]", "in_hidden.W[3,0]"
	Index     int     // where Worst stands in a sample
	At        float64 // the instant of that neuron's largest difference
	Scale     float64 // what that neuron's RMS difference was divided by
	Constant  bool    // Scale is not its RMS about the mean, which is nearly zero
	Floored   bool    // Scale is Options.Floor
	Resampled bool    // the compared signal was interpolated to the reference's instants
	Tolerance float64
	Problem   string // why the signal could not be compared; empty when it could
}

// Pass tells whether the signal was compared and is within its tolerance.
func (r *Result) Pass() bool { return r.Problem == "" && r.NRMSE <= r.Tolerance }

// A Report is the comparison of two traces, one Result for each signal of the
// reference, in its order.
type Report struct {
	Results []Result
}

// Pass tells whether there was something to compare and all of it passed.
func (r *Report) Pass() bool {
	return len(r.Results) > 0 && !slices.ContainsFunc(r.Results, func(s Result) bool { return !s.Pass() })
}

// NRMSEMax is the largest nrmse; +Inf when a signal could not be compared.
func (r *Report) NRMSEMax() float64 {
	worst := 0.0
	for i := range r.Results {
		worst = max(worst, r.Results[i].NRMSE)
	}
	return worst
}

// Worst is the result that is worst against its own tolerance, or nil when
// there is none.
func (r *Report) Worst() *Result {
	var worst *Result
	// A tolerance of zero makes the ratio infinite or NaN, so compare products.
	worse := func(a, b *Result) bool {
		if (a.Problem == "") != (b.Problem == "") {
			return a.Problem != ""
		}
		return a.NRMSE*b.Tolerance > b.NRMSE*a.Tolerance
	}
	for i := range r.Results {
		if worst == nil || worse(&r.Results[i], worst) {
			worst = &r.Results[i]
		}
	}
	return worst
}

// A Measure sums up the signals of one kind. In JSON, numbers that are not
// finite are null.
type Measure struct {
	NRMSE  float64
	MaxAbs float64
}

// MarshalJSON writes {"nrmse":…,"max_abs":…}.
func (m Measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		NRMSE  *float64 `json:"nrmse"`
		MaxAbs *float64 `json:"max_abs"`
	}{Finite(m.NRMSE), Finite(m.MaxAbs)})
}

// Summary gives the worst of each kind, weights under "w".
func (r *Report) Summary() map[string]Measure {
	kinds := map[string]Measure{}
	for i := range r.Results {
		s := &r.Results[i]
		key := s.Kind
		if key == "W" { // b and B, the bias and the feedback weights, stay apart
			key = "w"
		}
		m := kinds[key]
		kinds[key] = Measure{max(m.NRMSE, s.NRMSE), max(m.MaxAbs, s.MaxAbs)}
	}
	return kinds
}

// KindOf is what a signal's name says that it is: u for hidden.u, W for
// in_hidden.W, v for v(node), and the name itself otherwise.
func KindOf(name string) string {
	if node := strings.IndexByte(name, '('); node > 0 {
		return name[:node]
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// Compare compares each signal of ref with the one of the same name in got.
// Signals that only got has do not count. A signal that is missing, has another
// shape, does not cover the reference's time, or holds NaN or infinity on either
// side is a Problem and fails.
//
// Where the sampling instants differ, got is interpolated to those of ref
// (Akima's piecewise cubic, which does not swing around jumps); its error is of
// the order of the sampling interval cubed.
func Compare(ref, got *Trace, opt Options) *Report {
	moving := map[string]float64{} // by kind: the largest RMS about the mean
	for _, s := range ref.Signals {
		kind := KindOf(s.Name)
		k0, _ := slices.BinarySearch(s.Time, opt.From)
		for j := range s.Width() {
			_, about := spread(s, j, k0)
			moving[kind] = max(moving[kind], about)
		}
	}
	report := new(Report)
	for _, s := range ref.Signals {
		report.Results = append(report.Results, compareSignal(s, got.Signal(s.Name), moving, &opt))
	}
	return report
}

func compareSignal(ref, got *Signal, moving map[string]float64, opt *Options) Result {
	kind := KindOf(ref.Name)
	r := Result{Name: ref.Name, Kind: kind, Tolerance: opt.tolerance(kind)}
	fail := func(format string, args ...any) Result {
		r.NRMSE, r.MaxAbs, r.Problem = math.Inf(1), math.Inf(1), fmt.Sprintf(format, args...)
		return r
	}

	k0, _ := slices.BinarySearch(ref.Time, opt.From)
	switch {
	case got == nil:
		return fail("the signal is missing")
	case !slices.Equal(ref.Shape, got.Shape):
		return fail("shape %v, the reference has %v", got.Shape, ref.Shape)
	case k0 == len(ref.Time) || ref.Width() == 0:
		return fail("the reference has no samples to compare")
	case len(ref.Data) != len(ref.Time)*ref.Width() || len(got.Data) != len(got.Time)*got.Width():
		return fail("%d values for %d samples, the reference has %d for %d", len(got.Data), len(got.Time), len(ref.Data), len(ref.Time))
	}
	for _, side := range []struct {
		s    *Signal
		name string
	}{{ref, "the reference"}, {got, "the signal"}} {
		if i := slices.IndexFunc(side.s.Data, notFinite); i >= 0 {
			w := side.s.Width()
			r.Worst, r.Index, r.At = element(side.s, i%w), i%w, side.s.Time[i/w]
			return fail("%s is %v in %s at t = %g", r.Worst, side.s.Data[i], side.name, r.At)
		}
	}
	if !sameInstants(ref.Time, got.Time) {
		var err error
		if got, err = got.Resample(ref.Time[k0:]); err != nil {
			return fail("%v", err)
		}
		cut := *ref
		cut.Time, cut.Data = ref.Time[k0:], ref.Data[k0*ref.Width():]
		ref, k0, r.Resampled = &cut, 0, true
	}

	w, n := ref.Width(), len(ref.Time)
	r.NRMSE = -1
	for j := range w {
		sum, largest, at := 0.0, 0.0, ref.Time[k0]
		for k := k0; k < n; k++ {
			d := math.Abs(got.Data[k*w+j] - ref.Data[k*w+j])
			sum += float64(d * d)
			if d > largest {
				largest, at = d, ref.Time[k]
			}
		}
		r.MaxAbs = max(r.MaxAbs, largest)
		scale, constant, floored := normalisation(ref, j, k0, moving[kind], opt.Floor[kind])
		e := math.Sqrt(sum/float64(n-k0)) / scale
		if math.IsNaN(e) { // both overflow
			e = math.Inf(1)
		}
		if e > r.NRMSE {
			r.NRMSE, r.Worst, r.Index, r.At = e, element(ref, j), j, at
			r.Scale, r.Constant, r.Floored = scale, constant, floored
		}
	}
	return r
}

// normalisation follows the rules at the top of this file for neuron j.
func normalisation(ref *Signal, j, k0 int, moving, floor float64) (scale float64, constant, floored bool) {
	level, about := spread(ref, j, k0)
	scale = about
	if k := max(level, moving); about <= nearlyConstant*k {
		scale, constant = k, true
		if k == 0 {
			scale = 1
		}
	}
	if scale < floor {
		scale, floored = floor, true
	}
	return scale, constant, floored
}

// spread gives the RMS of neuron j about zero and about its mean, from sample
// k0 on.
func spread(s *Signal, j, k0 int) (level, about float64) {
	w := s.Width()
	n := float64(len(s.Time) - k0)
	if n == 0 || len(s.Data) != len(s.Time)*w {
		return 0, 0
	}
	mean := 0.0
	for k := k0; k < len(s.Time); k++ {
		mean += s.Data[k*w+j]
	}
	mean /= n
	var squares, squaresAbout float64
	for k := k0; k < len(s.Time); k++ {
		v := s.Data[k*w+j]
		squares += float64(v * v)
		squaresAbout += float64((v - mean) * (v - mean))
	}
	return math.Sqrt(squares / n), math.Sqrt(squaresAbout / n)
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// sameInstants tells whether two time bases are equal up to rounding.
func sameInstants(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) < 2 {
		return slices.Equal(a, b)
	}
	slack := sameInstant * (a[len(a)-1] - a[0]) / float64(len(a)-1)
	for k := range a {
		if !(math.Abs(a[k]-b[k]) <= slack) {
			return false
		}
	}
	return true
}

// element names the neuron or synapse at position j of a sample, counting from
// zero as NumPy does.
func element(s *Signal, j int) string {
	if len(s.Shape) == 0 {
		return s.Name
	}
	index := make([]string, len(s.Shape))
	for axis := len(s.Shape) - 1; axis >= 0; axis-- {
		index[axis] = fmt.Sprint(j % s.Shape[axis])
		j /= s.Shape[axis]
	}
	return s.Name + "[" + strings.Join(index, ",") + "]"
}
