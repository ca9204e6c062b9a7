package reference

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
	"vlec/model"
)

// runLoss returns dt times the sum of the losses of a run.
func runLoss(net *model.Network, steps int) float64 {
	s, err := NewSynchronous(net, 1)
	if err != nil {
		panic(err)
	}
	sum := 0.0
	for range steps {
		s.Stimulate()
		s.Step()
		sum += net.Dt * s.Loss()
	}
	return sum
}

// differences returns the descent direction of the loss by central differences
// of fourth order.
func differences(net *model.Network, steps int, at []float64) []float64 {
	const h = 5e-4
	g := make([]float64, len(at))
	for i, was := range at {
		move := func(k float64) float64 {
			at[i] = was + k*h
			return runLoss(net, steps)
		}
		g[i] = -(8*(move(1)-move(-1)) - (move(2) - move(-2))) / (12 * h)
		at[i] = was
	}
	return g
}

// distance is the relative error of a vector.
func distance(got, want []float64) float64 {
	d := make([]float64, len(want))
	for i := range d {
		d[i] = got[i] - want[i]
	}
	return norm(d) / norm(want)
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

// checkAgainstDifferences returns the worst relative error over all parameters.
// A parameter with less than a thousandth of the largest gradient is measured
// against that thousandth: its differences drown in rounding.
func checkAgainstDifferences(net *model.Network, steps int) (worst float64, where string) {
	c, err := CheckGradient(context.Background(), net, GradientOptions{Duration: float64(steps) * net.Dt})
	if err != nil {
		return math.Inf(1), err.Error()
	}
	type pair struct {
		name      string
		got, want []float64
	}
	var pairs []pair
	for k, p := range net.Projections {
		pairs = append(pairs, pair{p.Name, c.Projections[k].Exact, differences(net, steps, p.W)})
		if b := c.Feedback[k]; b != nil && net.Gamma != 0 {
			got := append([]float64(nil), b...)
			scale(-1, got)
			pairs = append(pairs, pair{p.Name + " B", got, differences(net, steps, p.Feedback.B)})
		}
	}
	for k, p := range net.Populations {
		pairs = append(
			pairs,
			pair{p.Name + " bias", c.Biases[k].Exact, differences(net, steps, p.Bias)},
			pair{p.Name + " tau_m", c.TauMs[k].Exact, differences(net, steps, p.TauM)},
		)
	}
	largest := 0.0
	for _, p := range pairs {
		largest = max(largest, norm(p.want))
	}
	for _, p := range pairs {
		if d := distance(p.got, p.want) * min(1, 1e3*norm(p.want)/largest); !(d <= worst) {
			worst, where = d, p.name
		}
	}
	return worst, where
}

func TestAdjointAgainstCentralDifferences(t *testing.T) {
	overall := 0.0
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64Range(0, 1<<20).Draw(r, "seed")
		recurrent := rapid.Bool().Draw(r, "recurrent")
		gamma := rapid.SampledFrom([]float64{0, 0.3}).Draw(r, "gamma")
		net := randomNetwork(seed, recurrent, gamma)
		if rapid.Bool().Draw(r, "cross-entropy") {
			net.Populations[2].Activation = model.Linear
			net.Targets[0].Loss = model.CrossEntropy
			net.Targets[0].Signal = []model.Waveform{model.Constant{Value: 0.3}, model.Constant{Value: 0.7}}
		}
		if rapid.Bool().Draw(r, "own feedback") {
			for k, p := range net.Projections {
				p.Feedback = model.Feedback{Rule: model.Fixed, B: make([]float64, len(p.W))}
				for i := range p.Feedback.B {
					p.Feedback.B[i] = 0.2 * math.Sin(float64(i+k))
				}
			}
		}
		net.Dt = 0.05
		worst, where := checkAgainstDifferences(net, 60)
		if !(worst <= 1e-6) {
			r.Fatalf("%s: the adjoint is off by %.3g", where, worst)
		}
		overall = max(overall, worst)
	})
	t.Logf("largest relative error %.3g", overall)
}

// The comparison with differences must see a slightly wrong gradient, and a
// gradient of a slightly different map.
func TestAdjointCheckCanFail(t *testing.T) {
	net := randomNetwork(3, true, 0.3)
	net.Dt = 0.05
	want := differences(net, 60, net.Projections[1].W)
	net.Gamma *= 1.0001
	c, err := CheckGradient(context.Background(), net, GradientOptions{Duration: 3})
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(c.Projections[1].Exact, want); d < 1e-6 {
		t.Errorf("gamma wrong by 1e-4 moves the gradient by %.2g only", d)
	}
}

// The local gradient of the tape is the one that Accumulate collects.
func TestLocalGradientIsAccumulated(t *testing.T) {
	net := randomNetwork(8, true, 0.2)
	c, err := CheckGradient(context.Background(), net, GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = Accumulate
	for range whole(net.Duration, net.Dt) {
		s.Stimulate()
		s.Step()
	}
	g := s.Gradients()
	for _, set := range []struct {
		sums [][]float64
		want []Comparison
	}{{g.W, c.Projections}, {g.Bias, c.Biases}, {g.TauM, c.TauMs}} {
		for k, sum := range set.sums {
			scale(-net.Dt, sum)
			if d := distance(sum, set.want[k].Local); d > 1e-12 {
				t.Errorf("%s: accumulated and recorded gradients differ by %.2g", set.want[k].Name, d)
			}
		}
	}
}

// In the steady state the phase of VLE's error is the adjoint's, and its gain
// differs by (1 + w^2 tau_m^2)/(1 + w^2 tau_r^2) per layer, from w tau of 0.1 to 10.
func TestFrequencyResponse(t *testing.T) {
	omegas := []float64{0.1, 0.2, 0.5, 1, 2, 5, 10}
	if testing.Short() {
		omegas = []float64{0.3, 3}
	}
	for _, phi := range []model.Activation{model.Linear, model.Tanh} {
		net := chainNetwork(phi)
		net.Populations[0].Bias[0] = 0.4 // off the symmetric point of tanh
		net.Populations[1].TauM[0], net.Populations[1].TauR[0] = 0.6, 0.15
		net.Targets[0].Teacher = nil
		net.Teacher = nil
		net.Targets[0].Signal = []model.Waveform{model.Constant{}}
		for _, omega := range omegas {
			pt, err := FrequencyResponse(context.Background(), net, omega, 1e-3)
			if err != nil {
				t.Fatal(err)
			}
			want := 1.0
			for k := 1; k >= 0; k-- {
				want *= pt.Own[k][0]
				gain, phase := pt.Gain[k][0]/want, pt.Phase[k][0]
				t.Logf("%s w = %-4g %-6s gain %.6g of the expected %.4g, phase %+.2g rad", phi, omega, net.Populations[k].Name, gain, want, phase)
				if math.Abs(gain-1) > 0.01 || math.Abs(phase) > 1e-3 {
					t.Errorf("%s at w = %g, %s: gain %g times the expected, phase %g rad", phi, omega, net.Populations[k].Name, gain, phase)
				}
			}
		}
	}
}

// With B* in place of W^T the local gradient of a wide network points along the
// exact one.
func TestCosineWithGainCorrectFeedback(t *testing.T) {
	const omega = 2.0
	build := func(corrected bool) *GradientCheck {
		net := randomNetwork(21, false, 0)
		net.Inputs[0] = &model.Input{Name: "drive", Channels: []model.Waveform{
			model.Sine{Amplitude: 0.1, Frequency: omega / (2 * math.Pi)},
			model.Sine{Amplitude: 0.1, Frequency: omega / (2 * math.Pi), Phase: 1},
		}}
		for _, p := range net.Populations {
			p.Activation = model.Linear
			clear(p.Bias)
		}
		out := net.Populations[2]
		for i := range out.Size { // no B lies between the output and its error
			out.TauM[i], out.TauR[i] = 1, 0.3
			net.Targets[0].Signal[i] = model.Sine{Amplitude: 0.3, Frequency: omega / (2 * math.Pi), Phase: float64(2 * i)}
		}
		net.Dt = 2e-3
		for _, q := range net.Projections {
			near, ok := q.From.(*model.Population)
			if !ok || !corrected {
				continue
			}
			b := make([]float64, len(q.W))
			for i := range near.Size {
				wm, wr := omega*near.TauM[i], omega*near.TauR[i]
				for j := range q.To.Size {
					b[i*q.To.Size+j] = q.W[j*near.Size+i] * (1 + wr*wr) / (1 + wm*wm)
				}
			}
			q.Feedback = model.Feedback{Rule: model.Fixed, B: b}
		}
		period := 2 * math.Pi / omega
		c, err := CheckGradient(context.Background(), net, GradientOptions{
			Duration: 24 * period, From: 8 * period, To: 16 * period,
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	transposed, corrected := build(false), build(true)
	lowest := 1.0
	for k, p := range corrected.Projections {
		t.Logf("%-14s cosine %.6f with B*, %.6f with W^T; norm ratio %.4f and %.4f", p.Name,
			p.Cosine, transposed.Projections[k].Cosine, p.NormRatio, transposed.Projections[k].NormRatio)
		if !(p.Cosine >= 0.999) {
			t.Errorf("%s: cosine %g with B*, want at least 0.999", p.Name, p.Cosine)
		}
		lowest = min(lowest, transposed.Projections[k].Cosine)
	}
	if lowest >= 0.999 {
		t.Errorf("with W^T every cosine is at least %g: the comparison shows nothing", lowest)
	}
}

func ExampleCheckGradient() {
	net := chainNetwork(model.Tanh)
	net.Duration = 100
	c, err := CheckGradient(context.Background(), net, GradientOptions{From: 20, To: 90})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range c.Projections {
		fmt.Printf("%s: cosine %.3f\n", p.Name, p.Cosine)
	}
	// Output:
	// drive_hidden: cosine 1.000
	// hidden_out: cosine 1.000
}
