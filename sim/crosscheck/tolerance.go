package crosscheck

import (
	"fmt"
	"math"
	"strings"

	"vlec/emit/spice"
	"vlec/internal/compile"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// How far a circuit may be off
//
// The tolerance of the ideal level follows from the step. A trapezoidal step is
// off by 1/(12 Resolution^2) a radian; the prospective error magnifies that by the
// leads it has passed, for which 3 is a generous factor. At the default of 50
// steps in the smallest time constant this is 1e-4. Weights integrate the errors
// over the whole run and get ten times as much.
//
// Above the ideal level parts are declared to be imperfect, and the tolerance
// follows from what is declared: each imperfection adds to the relative error of
// one layer, in a way that is a line below. Forward signals pass as many layers
// as there are, errors and what learns from them pass them twice. An error that a
// target makes is a difference: what the rates are off by counts in units of it.

// A waveform that is off by most of itself follows nothing, whatever was declared.
const most = 0.5

// A blemish is one reason why a layer is off, and by which part.
type blemish struct {
	what string
	part float64
}

// tolerances returns the tolerances of a comparison, and why they are so.
func tolerances(net *model.Network, o SpiceOptions, side *spice.Map, parts *reference.Parts, ref *sim.Trace) (sim.Options, string) {
	if o.Tolerance > 0 {
		weights := max(o.Tolerance, min(10*o.Tolerance, 1e-2))
		return kinds(o.Tolerance, o.Tolerance, weights), ""
	}
	step := 1 / (4 * side.Resolution * side.Resolution)
	list := []blemish{{"steps", step}}
	if slow := net.Hardware.Spice.Resistors * net.Hardware.Spice.Capacitors; slow > 0 && slow != 1 {
		list = append(list, blemish{"corner of the process", 3 * math.Abs(math.Log(slow))})
	}
	if side.Rounding > 0 {
		list = append(list, blemish{"rounded parts", side.Rounding})
	}
	if spread := compile.Spread(net, side.Units.Voltage); !spread.Zero() {
		synapses := math.Sqrt(float64(fanIn(net)))
		residue := spread.Residue
		if spread.ForwardKept {
			residue = 1
		}
		list = append(list, blemish{"mismatch", 3 * (spread.Gain + spread.Tau)},
			blemish{"offsets", 3 * spread.Offset * residue * synapses / quietest(ref)})
	}
	if side.Level != "ideal" {
		if side.Level == "transistor" { // truncation error shortens steps that matter
			list = append(list, transistorBlemishes(net, side, ref)...)
		} else {
			list[0].part *= 4 // Gear's rule is off by four times as much as the trapezoidal one
			list = append(list, macroBlemishes(net, side, parts, ref)...)
		}
	}
	n := float64(depth(net))
	hissForward, hissBackward := noiseShares(net, side, ref)
	if len(list) == 1 && net.Hardware.Spice.Noise == 0 {
		return kinds(step, step, max(step, min(10*step, 1e-2))), ""
	}
	layer := 0.0
	var words []string
	for _, b := range list {
		layer += b.part
		words = append(words, fmt.Sprintf("%s %.1e", b.what, b.part))
	}
	forward := n * layer
	backward := 2*n*layer + n*layer*sharpening(net, ref)
	because := fmt.Sprintf("tolerance: a layer may be off by %.1e (%s); there are %g", layer, strings.Join(words, ", "), n)
	if side.Level == "transistor" {
		because += beyond(ref)
	}
	if net.Hardware.Spice.Noise > 0 {
		forward += 3 * hissForward
		backward += 3 * hissBackward
		because += "\n" + aboutNoise(net, hissForward, hissBackward)
	}
	if o.Learning { // weights add errors up, and everything follows from weights
		forward, backward = 2*backward, 2*backward
	}
	forward, backward = min(forward, most), min(backward, most)
	return kinds(forward, backward, backward), because
}

func kinds(forward, backward, weights float64) sim.Options {
	return sim.Options{Tolerance: forward, Kinds: map[string]float64{
		"v": backward, "e": backward, "W": weights, "B": weights, "bias": weights,
	}}
}

// macroBlemishes is what the declared parts do to one layer of this network,
// whose potentials were seen in the reference.
func macroBlemishes(net *model.Network, side *spice.Map, parts *reference.Parts, ref *sim.Trace) []blemish {
	h, units := net.Hardware.Spice, side.Units
	ota := h.OTA
	r, w := 1.0, largestWeight(net)
	for _, s := range ref.Signals {
		switch sim.KindOf(s.Name) {
		case "r", "e":
			for i := range s.Width() {
				r = max(r, reach(s, i))
			}
		case "W", "B":
			w = max(w, largest(s.Data))
		}
	}
	bend := func(x float64) float64 { // of tanh, relative
		x *= units.Voltage / ota.Range
		return 1 - math.Tanh(x)/x
	}
	pole := 1 / (2 * math.Pi * ota.Bandwidth)
	amp := 1 / (2 * math.Pi * h.OpAmp.GBW)
	tau := shortest(net) * units.Time
	poles := (3*pole + amp) / tau // sum, rate and gate; the follower of the error neuron
	if parts != nil && parts.Node > 0 {
		poles *= unmirrored(net)
	}
	list := []blemish{
		{"bend of the inputs", bend(r) + bend(w)},
		{"output resistances", float64(fanIn(net)) * ota.Range / (ota.Gain * units.Voltage)},
		{"poles", poles},
		{"open-loop gain", 1 / h.OpAmp.Gain},
	}
	if spread := h.Mismatch.Leak; h.Store.Leak > 0 && spread > 0 {
		list = append(list, blemish{"weights that leak unequally", 3 * spread * net.Duration * units.Time / h.Store.Leak})
	}
	return list
}

// unmirrored is which share of the poles the reference leaves out where it has them:
// that of two resistors and a capacitor is shorter by lead over lag. What computes the
// drives and totals of learned feedback, and a softmax, have more nodes than it knows.
func unmirrored(net *model.Network) float64 {
	share := 0.0
	for _, p := range net.Populations {
		for i := range p.Size {
			if short := min(p.TauM[i], p.TauR[i]) / max(p.TauM[i], p.TauR[i]); short < 1 {
				share = max(share, short)
			}
		}
	}
	for _, p := range net.Projections {
		if rule := p.Feedback.Rule; rule == model.GainAlignment || rule == model.PAL {
			share = 1
		}
	}
	for _, t := range net.Targets {
		if t.Loss == model.CrossEntropy {
			share = 1
		}
	}
	return share
}

// transistorBlemishes is what transistors do to one layer. The generic ones have
// is = 2 n kp w/l ut^2, an Early voltage of 10 V a micrometre, and 6 fF of gate and
// 1.2 fF of drain a square micrometre (mos.lib). A signal that comes late by d is
// off by d times its speed, which the reference shows.
func transistorBlemishes(net *model.Network, side *spice.Map, ref *sim.Trace) []blemish {
	const n, kp, ut, early, gate, drain = 1.3, 3e-4, 0.025852, 1e7, 6e-3, 1.2e-9 // SI
	t, units := net.Hardware.Spice.Transistors, side.Units
	unit := units.Voltage / units.Resistance
	is := 2 * n * kp * t.Width / t.Length * ut * ut
	// Where its two sides carry the same, a pair that is ten times as wide loses half
	// of sqrt(i/is) of its slope.
	pair := math.Sqrt(unit/(2*10*is)) / 2
	// What an output at 0 V and an input at a supply see is 0.9 V apart; cascodes pass
	// n ut over their Early voltage on. Four units of current flow beside one of signal.
	volts := early * t.Length
	mirrors := 4 * t.Supply * net.Hardware.Spice.Supply / volts * n * ut / volts
	// Capacitances on p_r0: half the gates of a pair and the drains of the synapses;
	// gates and drains of its three mirrors, which see n ut over half a unit.
	wide := t.Width * t.Length
	node := 5*gate*wide + 6*drain*t.Width*float64(fanIn(net))*max(0.5, largestWeight(net))
	mirror := 2*gate*wide + 12*drain*t.Width
	late := units.Resistance*node + 3*n*ut/(unit/2)*mirror
	r, fast := 0.0, 0.0
	for _, s := range ref.Signals {
		kind := sim.KindOf(s.Name)
		if kind != "r" && kind != "e" {
			continue
		}
		for i := range s.Width() {
			if kind == "r" {
				fast = max(fast, speed(s, i)/units.Time)
			}
			r = max(r, reach(s, i))
		}
	}
	list := []blemish{{"weak inversion", pair}, {"mirrors", mirrors}, {"delays", late * fast}}
	if len(net.Targets) > 0 {
		list = append(list, blemish{"products", 0.005 * r * r})
	}
	return list
}

// beyond names the signal of the reference that asks for most, where it is more than
// transistors are sized for: no tolerance covers that.
func beyond(ref *sim.Trace) string {
	most, name := float64(spice.Reach), ""
	for _, s := range ref.Signals {
		if kind := sim.KindOf(s.Name); kind == "W" || kind == "B" {
			continue
		}
		if x := largest(s.Data); x > most {
			most, name = x, s.Name
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("\n%s reaches %.3g units, and transistors carry %d: they will cut it off (emit spice --scaling lists all signals)", name, most, spice.Reach)
}

// speed is the RMS of a signal's rate of change over its own RMS [1/time unit].
func speed(s *sim.Signal, j int) float64 {
	change, n := 0.0, s.Width()
	for k := 1; k < len(s.Time); k++ {
		d := (s.Data[k*n+j] - s.Data[(k-1)*n+j]) / (s.Time[k] - s.Time[k-1])
		change += d * d
	}
	if size := rms(s, j); size > 0 && len(s.Time) > 1 {
		return math.Sqrt(change/float64(len(s.Time)-1)) / size
	}
	return 0
}

// sharpening is how much larger rates are than the errors that targets make of
// them, at most.
func sharpening(net *model.Network, ref *sim.Trace) float64 {
	ratio := 1.0
	for _, t := range net.Targets {
		rate, err := ref.Signal(t.Population.Name+".r"), ref.Signal(t.Population.Name+".e")
		if rate == nil || err == nil {
			continue
		}
		for i := range t.Population.Size {
			if e := rms(err, i); e > 0 {
				ratio = max(ratio, net.Beta*rms(rate, i)/e)
			}
		}
	}
	return min(ratio, 10)
}

// reach is how large a signal is where a cubic error of it arises: the root of
// the mean fourth power over the mean square.
func reach(s *sim.Signal, j int) float64 {
	second, fourth, n := 0.0, 0.0, s.Width()
	for k := range s.Time {
		x := s.Data[k*n+j] * s.Data[k*n+j]
		second, fourth = second+x, fourth+x*x
	}
	if second == 0 {
		return 0
	}
	return math.Sqrt(fourth / second)
}

// quietest is the smallest RMS of all rates: what offsets count against.
func quietest(ref *sim.Trace) float64 {
	least := 1.0
	for _, s := range ref.Signals {
		if sim.KindOf(s.Name) != "r" {
			continue
		}
		for i := range s.Width() {
			if x := rms(s, i); x > 0 {
				least = min(least, x)
			}
		}
	}
	return least
}

func rms(s *sim.Signal, j int) float64 {
	sum, n := 0.0, s.Width()
	for k := range s.Time {
		sum += s.Data[k*n+j] * s.Data[k*n+j]
	}
	return math.Sqrt(sum / float64(max(1, len(s.Time))))
}

// depth is how many populations stand in a row at most; loops count each once.
func depth(net *model.Network) int {
	longest := map[model.Source]int{}
	for range net.Populations {
		for _, p := range net.Projections {
			longest[p.To] = min(max(longest[p.To], longest[p.From]+1), len(net.Populations))
		}
	}
	deepest := 1
	for _, n := range longest {
		deepest = max(deepest, n)
	}
	return deepest
}

// fanIn is how many synapses end at a neuron at most.
func fanIn(net *model.Network) int {
	count := map[*model.Population]int{}
	widest := 1
	for _, p := range net.Projections {
		count[p.To] += p.From.Width()
		widest = max(widest, count[p.To])
	}
	return widest
}

func shortest(net *model.Network) float64 {
	tau := math.Inf(1)
	for _, p := range net.Populations {
		for i := range p.Size {
			tau = min(tau, p.TauM[i], p.TauR[i])
		}
	}
	return tau
}

func largestWeight(net *model.Network) float64 {
	w := 0.0
	for _, p := range net.Projections {
		w = max(w, largest(p.W))
	}
	return w
}

func largest(xs []float64) float64 {
	x := 0.0
	for _, v := range xs {
		x = max(x, math.Abs(v))
	}
	return x
}
