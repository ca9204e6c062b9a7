// Package randnet draws random models that clocked hardware can hold, as TOML
// text. Tests of several ways to a number draw the same networks.
//
// # For maintainers
//
// Text, not a model.Network: what is drawn goes through the door that users take,
// and a network that breaks a test can be kept as a file. A seed gives the same
// text for ever; new features therefore draw from a stream of their own.
package randnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Options bound what is drawn.
type Options struct {
	Frozen    bool // nothing is plastic
	Forward   bool // no loops: no recurrence and no gamma
	MaxSize   int  // of a population; 0: 7
	Steps     int  // duration in steps; 0: 200
	Clip      bool // every plastic projection has a clip
	Decay     bool // plastic projections may decay
	Feedbacks []string
	Rule      string // some projections have this feedback instead, at a rate that suits clocked hardware
}

// Rules are what Options.Rule may be.
var Rules = []string{"", "gain-alignment", "kolen-pollack", "pal", "noisy gain-alignment", "gain-transpose"}

// Model draws a model. Time constants are 4 to 600 steps, and leads within 1/8 to 8.
func Model(seed uint64, o Options) string {
	d := &drawing{Rand: rand.New(rand.NewPCG(seed, 0x5eed)), rules: rand.New(rand.NewPCG(seed, 0xb)), o: o}
	if d.o.MaxSize == 0 {
		d.o.MaxSize = 7
	}
	if d.o.Steps == 0 {
		d.o.Steps = 200
	}
	if len(d.o.Feedbacks) == 0 {
		d.o.Feedbacks = []string{"transpose"}
	}
	d.noisy, d.sigma = map[string]bool{}, 0.02+0.1*d.rules.Float64()
	d.network(seed)
	return d.b.String()
}

type drawing struct {
	*rand.Rand
	noisy map[string]bool
	sigma float64    // of all noise
	rules *rand.Rand // what learning rules there are beside the first ones
	b     strings.Builder
	o     Options
}

func (d *drawing) say(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

func (d *drawing) between(low, high float64) float64 {
	return low * math.Pow(high/low, d.Float64())
}

func (d *drawing) chance(p float64) bool { return d.Float64() < p }

func (d *drawing) network(seed uint64) {
	dt := d.between(0.002, 0.05)
	d.say("name = \"random%d\"\ndt = %.6g\nduration = %.9g\nseed = %d", seed, dt, dt*float64(d.o.Steps), seed)
	if d.chance(0.3) {
		d.say("beta = %.3g", d.between(0.2, 2))
	}
	if !d.o.Forward && d.chance(0.25) {
		d.say("gamma = %.3g", d.between(0.02, 0.1))
	}
	channels := 1 + d.IntN(3)
	d.say("[input.drive]\nchannels = [")
	for range channels {
		d.say("  { signal = \"sine\", amplitude = %.3g, frequency = %.4g, phase = %.3g, offset = %.3g },",
			d.between(0.2, 2), 1/(dt*d.between(30, 600)), d.Float64()*6, d.NormFloat64()*0.2)
	}
	d.say("]")

	n := 1 + d.IntN(3)
	size := make([]int, n)
	for k := range n {
		size[k] = 1 + d.IntN(d.o.MaxSize)
		d.population(k, size[k], dt)
	}
	d.project("drive", 0, channels, size[0], dt, 1)
	for k := 1; k < n; k++ {
		d.project(fmt.Sprintf("layer%d", k-1), k, size[k-1], size[k], dt, 1)
	}
	if n > 1 && d.chance(0.3) {
		d.project("drive", n-1, channels, size[n-1], dt, 0.5)
	}
	if n > 2 && d.chance(0.5) {
		d.project("layer0", 2, size[0], size[2], dt, 0.5)
	}
	if !d.o.Forward && d.chance(0.25) {
		k := d.IntN(n)
		d.project(fmt.Sprintf("layer%d", k), k, size[k], size[k], dt, 0.1)
	}
	d.say("[target.aim]\npopulation = \"layer%d\"\nchannels = [", n-1)
	for range size[n-1] {
		d.say("  { signal = \"sine\", amplitude = %.3g, frequency = %.4g },", d.between(0.1, 0.8), 1/(dt*d.between(30, 600)))
	}
	d.say("]")
}

func (d *drawing) population(k, n int, dt float64) {
	phi := []string{"tanh", "tanh", "tanh", "sigmoid", "softplus", "relu", "linear"}[d.IntN(7)]
	d.say("[population.layer%d]\nsize = %d\nactivation = %q", k, n, phi)
	if d.chance(0.5) {
		tau := dt * d.between(4, 600)
		d.say("tau_m = %.5g\ntau_r = %.5g", tau, max(tau*d.between(0.125, 1), 1.001*dt))
	} else { // one each
		base := dt * d.between(16, 300)
		var m, r []string
		for range n {
			m = append(m, fmt.Sprintf("%.5g", base*d.between(0.5, 2)))
			r = append(r, fmt.Sprintf("%.5g", max(base*d.between(0.25, 1), 1.001*dt)))
		}
		d.say("tau_m = [%s]\ntau_r = [%s]", strings.Join(m, ", "), strings.Join(r, ", "))
	}
	if d.chance(0.4) {
		d.say("bias = { init = \"uniform\", low = -0.3, high = 0.3 }")
		if !d.o.Frozen && d.chance(0.7) {
			d.say("plastic_bias = true\neta_bias = %.4g", rate(k, dt))
		}
	}
	if d.chance(0.3) {
		d.say("u0 = { init = \"uniform\", low = -0.2, high = 0.2 }\nv0 = { init = \"uniform\", low = -0.1, high = 0.1 }")
	}
}

// rate is one for all that arrives at a population, of 2^-9 to 2^-7 a step.
func rate(k int, dt float64) float64 { return []float64{1, 2.5, 4}[k] / 512 / dt }

func (d *drawing) project(from string, to, m, n int, dt, scale float64) {
	d.say("[projection.%s_layer%d]\nfrom = %q\nto = \"layer%d\"", from, to, from, to)
	d.say("weights = { init = \"uniform\", low = %.4g, high = %.4g }", -1.6*scale/math.Sqrt(float64(m)), 1.6*scale/math.Sqrt(float64(m)))
	plastic := !d.o.Frozen && d.chance(0.85)
	if plastic {
		d.say("plastic = true\neta = %.4g", rate(to, dt))
		if d.o.Clip || d.chance(0.3) {
			d.say("clip = %.3g", d.between(1.5, 4))
		}
		if d.o.Decay && d.rules.Float64() < 0.5 {
			d.say("decay = %.4g", math.Exp2(-7-7*d.rules.Float64())/dt)
		}
	}
	if from == "drive" {
		return
	}
	f := d.o.Feedbacks[d.IntN(len(d.o.Feedbacks))]
	if d.o.Rule != "" && d.rules.Float64() < 0.7 && d.rule(from, to, dt) {
		return
	}
	if f == "kolen-pollack" && !plastic {
		f = "transpose" // its decay has no meaning for weights that stay
	}
	switch f {
	case "fixed":
		d.say("feedback = { rule = \"fixed\", weights = { init = \"normal\", sigma = %.3g } }", 1/math.Sqrt(float64(n)))
	case "kolen-pollack":
		decay := 1 / dt / 4096
		d.say("decay = %.4g\nfeedback = { rule = \"kolen-pollack\", eta = %.4g, decay = %.4g }", decay, rate(to, dt), decay)
	case "gain-alignment":
		d.say("feedback = { rule = \"gain-alignment\", eta = %.4g }", rate(to, dt))
	}
}

// rule writes the feedback of a projection that has the one of the options. All
// that leave a population have one rate.
func (d *drawing) rule(from string, to int, dt float64) bool {
	own := rate(int(from[len(from)-1]-'0'), dt)
	switch d.o.Rule {
	case "gain-transpose", "gain-alignment":
		d.say("feedback = { rule = %q, eta = %.4g }", d.o.Rule, own)
	case "kolen-pollack": // at the rate of the weights
		d.say("feedback = { rule = \"kolen-pollack\", eta = %.4g, decay = %.4g }", rate(to, dt), math.Exp2(-7-7*d.rules.Float64())/dt)
	case "pal", "noisy gain-alignment":
		if d.noisy[from] { // has its noise already
			return false
		}
		d.noisy[from] = true
		noise := fmt.Sprintf("noise_sigma = %.3g, noise_tau = %.4g", d.sigma, 20*dt)
		if d.o.Rule == "pal" {
			d.say("feedback = { rule = \"pal\", eta = %.4g, decay = 0.02, %s, high_pass = %.4g }", 8*own, noise, 60*dt)
		} else {
			d.say("feedback = { rule = \"gain-alignment\", eta = %.4g, %s }", own, noise)
		}
	default:
		return false
	}
	return true
}
