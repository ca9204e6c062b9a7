package pass

import (
	"errors"
	"fmt"
	"math"

	"vlec/circuit"
)

// A Range is what a signal was seen to do, in model units.
type Range struct {
	Largest float64 // magnitude
	RMS     float64
}

// Limits are the potentials that the parts of a circuit can handle, and the noise
// that they have at least.
type Limits struct {
	Input       float64 // of a transconductor or multiplier, of either sign [V]
	Rail        float64 // of an output, of either sign [V]
	Node        float64 // capacitance of a node without a state [F]
	Temperature float64 // [K]
}

// Bend is what share of its input a transconductor i = gm range tanh(v/range) may
// lose at most where it counts as linear.
const Bend = 0.02

// LinearInput is the potential at which a transconductor of that range loses Bend.
func LinearInput(volts float64) float64 { return volts * math.Sqrt(3*Bend) }

// A Headroom compares what a signal does with what its node can do.
type Headroom struct {
	Signal  string  `json:"signal"`
	Largest float64 `json:"largest"` // model units
	Volts   float64 `json:"volts"`   // the same on the node
	Limit   float64 `json:"limit"`   // volts
	Of      string  `json:"of"`      // what limits: "input" or "rail"
	Spare   float64 `json:"spare"`   // limit over volts: below 1 the signal does not fit
	Noise   float64 `json:"noise"`   // sqrt(kT/C) of the node, volts RMS
	Dynamic float64 `json:"dynamic"` // RMS of the signal over that noise, dB
}

// FitVoltage returns the volts of one model unit at which every observed signal
// just fits the limits. The circuit may be in any units: only its connections
// count.
func FitVoltage(c *circuit.Circuit, observed map[string]Range, l Limits) (float64, error) {
	volts := math.Inf(1)
	for _, n := range limited(c, l) {
		if r := observed[n.signal]; r.Largest > 0 {
			volts = min(volts, n.limit/r.Largest)
		}
	}
	if math.IsInf(volts, 1) {
		return 0, errors.New("no signal moves; give voltage_unit a number")
	}
	return floor2(volts), nil
}

// floor2 rounds down to two digits: a unit that a person can remember.
func floor2(x float64) float64 {
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	return fifteen(math.Floor(x/scale*(1+1e-12)) * scale)
}

// Headrooms lists the observed signals of a circuit in volts and seconds against
// the limits, in the order of its signals.
func Headrooms(c *circuit.Circuit, observed map[string]Range, l Limits) ([]Headroom, error) {
	if !c.Units.Physical() {
		return nil, fmt.Errorf("the circuit is in model units; run the scale pass first")
	}
	farads := stateCapacitors(c)
	var list []Headroom
	for _, n := range limited(c, l) {
		r, ok := observed[n.signal]
		if !ok {
			continue
		}
		h := Headroom{Signal: n.signal, Largest: r.Largest, Volts: r.Largest * c.Units.Voltage, Limit: n.limit, Of: n.of}
		if h.Volts > 0 {
			h.Spare = h.Limit / h.Volts
		}
		f := farads[n.net]
		if f == 0 {
			f = l.Node
		}
		if f > 0 {
			const boltzmann = 1.380649e-23 // J/K
			h.Noise = math.Sqrt(boltzmann * l.Temperature / f)
			if r.RMS > 0 {
				h.Dynamic = 20 * math.Log10(r.RMS*c.Units.Voltage/h.Noise)
			}
		}
		list = append(list, h)
	}
	return list, nil
}

type limitedNet struct {
	signal string
	net    *circuit.Net
	limit  float64
	of     string
}

// limited lists the signals of a circuit with what limits each: the inputs that
// read it, or the rails where nothing does.
func limited(c *circuit.Circuit, l Limits) []limitedNet {
	uses := c.Uses()
	var list []limitedNet
	for _, s := range c.Signals {
		n := limitedNet{s.Name, s.Net, l.Rail, "rail"}
		for _, u := range uses[s.Net] {
			if u.Role() == circuit.Reads && u.Element.Kind.Name != "activation" && u.Element.Kind.Name != "slope" && l.Input < n.limit {
				n.limit, n.of = l.Input, "input"
			}
		}
		list = append(list, n)
	}
	return list
}

// stateCapacitors is the smallest capacitor on each net that holds a state.
func stateCapacitors(c *circuit.Circuit) map[*circuit.Net]float64 {
	farads := map[*circuit.Net]float64{}
	uses := c.Uses()
	r0 := c.Units.Resistance
	for _, e := range c.Elements {
		if e.Kind.State == "" {
			continue
		}
		net := e.Pin(e.Kind.State)
		add := func(f float64) {
			if farads[net] == 0 || f < farads[net] {
				farads[net] = f
			}
		}
		switch e.Kind.Name {
		case "lead-lag":
			passive := e.Passive(uses)
			for i, tau := range e.Numbers("tau") {
				if passive[i] {
					tau -= e.Numbers("ahead")[i]
				}
				add(tau / r0)
			}
		case "leaky-integrator":
			for _, tau := range e.Numbers("tau") {
				add(tau / r0)
			}
		default:
			if rate := e.Number("rate"); rate > 0 {
				add(1 / (rate * r0))
			}
		}
	}
	return farads
}
