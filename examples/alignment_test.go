package examples

import (
	"fmt"
	"math"
	"testing"

	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim/reference"
)

// aligned lets the feedback of a network learn while its forward weights rest,
// and returns B of the last projection, the mean over the last tenth of the run.
func aligned(t *testing.T, net *model.Network) []float64 {
	t.Helper()
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = reference.Local
	last := len(net.Projections) - 1
	mean := make([]float64, len(net.Projections[last].W))
	total := int(net.Duration / net.Dt)
	for k := range total {
		s.Stimulate()
		s.Step()
		if k < total-total/10 {
			continue
		}
		for i, b := range s.B(last) {
			mean[i] += b / float64(total/10)
		}
	}
	return mean
}

func parse(t *testing.T, text string) *model.Network {
	t.Helper()
	net, err := model.Parse("text.toml", []byte(text), ".")
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// onePair is a hidden and an output neuron under one sine of angular frequency w.
func onePair(rule, phi string, amplitude, w float64) string {
	period := 2 * math.Pi / w
	leak := map[string]float64{"tanh": 1, "linear": 1, "softplus": 0.5, "sigmoid": 0.25, "relu": 0.5}[phi]
	eta := 0.05 * min(1, w) / (amplitude * amplitude) / leak
	if rule == "gain-transpose" {
		eta *= leak
	}
	return fmt.Sprintf(`
dt = %g
duration = %g
input = { drive = { signal = "sine", amplitude = %g, frequency = %g } }
target = { out = { population = "out", signal = "constant", value = 0.0 } }
[population]
hidden = { size = 1, tau_m = 1.0, tau_r = 0.1, activation = %q }
out = { size = 1, tau_m = 1.0, tau_r = 0.1, activation = "linear" }
[projection]
a = { from = "drive", to = "hidden", weights = 1.0 }
b = { from = "hidden", to = "out", weights = 0.8, feedback = { rule = %q, eta = %g, weights = -0.5 } }
`, min(0.02, period/400), max(600, 100*period), amplitude, 1/period, phi, rule, eta)
}

// Where gain alignment ends, against B*, for omega tau_m from 0.1 to 10.
func TestFixedPoint(t *testing.T) {
	sweep := []float64{0.1, 0.3, 1, 3, 10}
	if long {
		sweep = nil
		for k := range 13 {
			sweep = append(sweep, 0.1*math.Pow(10, float64(k)/6))
		}
	}
	cases := []struct {
		rule, phi string
		amplitude float64
		within    float64 // of B*, for every frequency
	}{
		{"gain-alignment", "linear", 1, 0.02},
		{"gain-alignment", "softplus", 1, 0.02},
		{"gain-alignment", "sigmoid", 1, 0.08},
		{"gain-alignment", "tanh", 0.3, 0.04},
		{"gain-alignment", "tanh", 1, 0.25},
		{"gain-transpose", "tanh", 1, 0.02},
		{"gain-transpose", "softplus", 3, 0.02},
	}
	star := plot.Curve{Series: plot.Series{Name: "B*", X: sweep}, Look: plot.Broad}
	for _, w := range sweep {
		star.Y = append(star.Y, (1+w*w*0.01)/(1+w*w))
	}
	curves := []plot.Curve{star}
	var ratios []plot.Curve
	for k, c := range cases {
		name := fmt.Sprintf("%s, %s, %g", c.rule, c.phi, c.amplitude)
		got := plot.Curve{Series: plot.Series{Name: name, X: sweep}, Colour: k + 1, Look: plot.MarkedLine}
		off := plot.Curve{Series: plot.Series{X: sweep}, Colour: k + 1, Look: plot.MarkedLine}
		worst := 0.0
		line := ""
		for i, w := range sweep {
			b := aligned(t, parse(t, onePair(c.rule, c.phi, c.amplitude, w)))[0] / 0.8
			got.Y, off.Y = append(got.Y, b), append(off.Y, b/star.Y[i])
			worst = max(worst, math.Abs(b/star.Y[i]-1))
			line += fmt.Sprintf(" %6.3f", b/star.Y[i])
		}
		t.Logf("%-30s B/B*%s", name, line)
		if worst > c.within {
			t.Errorf("%s is up to %.1f %% from B*", name, 100*worst)
		}
		curves, ratios = append(curves, got), append(ratios, off)
	}
	draw(t, "gain-alignment", plot.Stack("Where learned feedback ends", "rule, activation and amplitude of the sine; tau_m 1, tau_r 0.1", "omega tau_m", true, []plot.Panel{
		{Label: "B / W", Log: true, Height: 190, Curves: curves},
		{Label: "B / B*", Height: 150, Curves: ratios},
	}))
}

// correlated is a network whose four hidden neurons, of different speed, hear the
// same input.
func correlated(feedback, input, phi string, seed int) string {
	return fmt.Sprintf(`
dt = 0.02
duration = 4000.0
seed = %[1]d
[input.drive]
%[2]s
[population]
hidden = { size = 4, tau_m = [0.5, 1.0, 2.0, 3.0], tau_r = 0.1, activation = %[4]q }
out = { size = 3, tau_m = 0.5, tau_r = 0.1, activation = "linear" }
[projection]
a = { from = "drive", to = "hidden", weights = { init = "uniform", low = 0.3, high = 0.9 } }
b = { from = "hidden", to = "out", weights = { init = "normal", sigma = 0.5 }, feedback = %[3]s }
[teacher.population]
hidden = { size = 4, tau_m = [0.5, 1.0, 2.0, 3.0], tau_r = 0.1, activation = %[4]q }
out = { size = 3, tau_m = 0.5, tau_r = 0.1, activation = "linear" }
[teacher.projection]
a = { from = "drive", to = "hidden", weights = { init = "normal", sigma = 1.0 } }
b = { from = "hidden", to = "out", weights = { init = "normal", sigma = 1.0 } }
[target.out]
population = "out"
teacher = "out"
`, seed, input, feedback, phi)
}

// With correlated neurons gain alignment points elsewhere; the transpose with
// learned gains stays with the exact gradient.
func TestAlignmentOfCorrelatedNeurons(t *testing.T) {
	seeds := 2
	if long {
		seeds = 6
	}
	inputs := []struct{ name, text string }{
		{"one sine, linear", `size = 2
signal = "sine"
frequency = 0.2`},
		{"sines, 2 channels", `size = 2
signal = "sines"
count = 4
f_min = 0.05
f_max = 0.5
amplitude = 0.5`},
		{"sines, 4 channels", `size = 4
signal = "sines"
count = 4
f_min = 0.05
f_max = 0.5
amplitude = 0.5`},
	}
	rules := []struct{ name, text string }{
		{"transpose", `"transpose"`},
		{"gain-alignment", `{ rule = "gain-alignment", eta = 0.03 }`},
		{"gain-alignment, noise 0.5", `{ rule = "gain-alignment", eta = 0.02, noise_sigma = 0.5, noise_tau = 0.5 }`},
		{"gain-alignment, noise 2", `{ rule = "gain-alignment", eta = 0.01, noise_sigma = 2.0, noise_tau = 0.5 }`},
		{"gain-transpose", `{ rule = "gain-transpose", eta = 0.03 }`},
	}
	for k, in := range inputs {
		phi := "tanh"
		if k == 0 {
			phi = "linear"
		}
		cosines := map[string]float64{}
		for _, rule := range rules {
			mean, least := 0.0, 1.0
			for seed := 1; seed <= seeds; seed++ {
				net := parse(t, correlated(rule.text, in.text, phi, seed))
				if rule.name != "transpose" {
					net.Projections[1].Feedback = model.Feedback{Rule: model.Fixed, B: aligned(t, net)}
				}
				net.Duration = 300
				check, err := reference.CheckGradient(t.Context(), net, reference.GradientOptions{From: 100, To: 200})
				if err != nil {
					t.Fatal(err)
				}
				c := check.Projections[0].Cosine
				mean += c / float64(seeds)
				least = min(least, c)
			}
			t.Logf("%-18s %-26s cosine of the first projection %.4f, least %.4f, over %d seeds", in.name, rule.name, mean, least, seeds)
			cosines[rule.name] = mean
		}
		if best := cosines["gain-transpose"]; best < cosines["transpose"] || best < cosines["gain-alignment"] {
			t.Errorf("%s: %v", in.name, cosines)
		}
		if k == 0 && cosines["gain-transpose"] < 0.999 {
			t.Errorf("one sine: %v", cosines)
		}
	}
}
