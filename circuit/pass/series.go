package pass

import (
	"fmt"
	"math"
	"slices"

	"vlec/circuit"
)

// A Rounding is a resistor or capacitor that was replaced by the nearest one of a
// series, and what that does to a parameter of its element.
type Rounding struct {
	Element string  `json:"element"`
	Index   int     `json:"index"`
	Part    string  `json:"part"`    // "resistor" or "capacitor"
	Wanted  float64 `json:"wanted"`  // ohms or farads
	Rounded float64 `json:"rounded"` // the same
	Param   string  `json:"parameter"`
	Error   float64 `json:"error"` // relative, of the parameter
}

// Series rounds every resistor and capacitor of a circuit in volts and seconds to
// the nearest value of an E series (IEC 60063), changes the parameters of the
// elements to what the rounded parts make of them, and appends what it did to the
// list. The resistance unit, which every cell has, is rounded first and costs
// nothing.
//
// A lead-lag of resistors has three parts, of which the resistance unit is one:
// C = (tau - ahead)/R0 and Rp = ahead/C. Every other state is C = tau/R0, a weight
// store C = 1/(rate R0). Weights and gains are transconductances that a resistor
// R0/w sets.
func Series(name string, list *[]Rounding) (Pass, error) {
	values, ok := series[name]
	if !ok {
		return Pass{}, fmt.Errorf("there is no series %q of resistors and capacitors; known are E12, E24 and E96", name)
	}
	return Pass{
		Name:   "series",
		Reason: "after scale, because series are of ohms and farads",
		After:  []string{"scale"},
		Run:    func(c *circuit.Circuit) error { return (&rounder{values, list, c}).run() },
	}, nil
}

// SeriesNames lists the series.
var SeriesNames = []string{"E12", "E24", "E96"}

// SeriesValues lists the values of a series within one decade.
func SeriesValues(name string) []float64 { return slices.Clone(series[name]) }

var series = map[string][]float64{
	"E12": {1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2},
	"E24": {
		1, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.7, 3,
		3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6, 6.2, 6.8, 7.5, 8.2, 9.1,
	},
	"E96": e96(),
}

// e96 is 10^(k/96) to three digits. The shorter series are older than that rule
// and depart from theirs.
func e96() []float64 {
	values := make([]float64, 96)
	for k := range values {
		values[k] = math.Round(100*math.Pow(10, float64(k)/96)) / 100
	}
	return values
}

type rounder struct {
	values  []float64
	list    *[]Rounding
	circuit *circuit.Circuit
}

// nearest is the value of the series whose ratio to x is nearest to 1.
func (r *rounder) nearest(x float64) float64 {
	decade := math.Floor(math.Log10(x))
	best := 0.0
	for d := decade - 1; d <= decade+1; d++ {
		for _, v := range r.values {
			y := fifteen(v * math.Pow(10, d))
			if best == 0 || math.Abs(math.Log(y/x)) < math.Abs(math.Log(best/x)) {
				best = y
			}
		}
	}
	return best
}

func (r *rounder) run() error {
	c := r.circuit
	if !c.Units.Physical() {
		return fmt.Errorf("the circuit is in model units; run the scale pass first")
	}
	uses := c.Uses()
	c.Units.Resistance = r.nearest(c.Units.Resistance)
	rates := map[*circuit.Net]float64{} // of stores
	r0 := c.Units.Resistance
	for _, e := range c.Elements {
		if e.Testbench() {
			continue
		}
		switch e.Kind.Name {
		case "lead-lag":
			r.leadLag(e, e.Passive(uses), r0)
		case "leaky-integrator":
			tau := e.Numbers("tau")
			for i := range tau {
				tau[i] = r0 * r.part(e, i, "capacitor", tau[i]/r0, "tau")
			}
		case "prospective":
			// Its time constants are those of its integrator; their ratio is a
			// transconductance, which is not rounded.
			tau, ahead := e.Numbers("tau"), e.Numbers("ahead")
			for i := range tau {
				rounded := r.nearest(tau[i]/r0) * r0
				ahead[i], tau[i] = ahead[i]*rounded/tau[i], rounded
			}
		case "weight-store", "alignment-store":
			rate := e.Numbers("rate")
			if rate[0] == 0 {
				continue
			}
			store := r.part(e, 0, "capacitor", 1/(rate[0]*r0), "rate")
			if e.HasParam("decay") && e.Number("decay") != 0 {
				decay := e.Numbers("decay")
				leak := r.part(e, 0, "resistor", 1/(decay[0]*store), "decay")
				decay[0] = 1 / (leak * store)
			}
			rate[0] = 1 / (store * r0)
			rates[e.Pin("w")] = rate[0]
		case "refresh":
			if rate, ok := rates[e.Pin("w")]; ok {
				e.Numbers("rate")[0] = rate
			}
		case "synapse":
			w := e.Numbers("w")
			for i := range w {
				r.gain(e, i, &w[i], "w", r0)
			}
		case "coupling", "comparator", "difference":
			r.gain(e, 0, &e.Numbers("gain")[0], "gain", r0)
		}
	}
	return nil
}

// part rounds one part and says so.
func (r *rounder) part(e *circuit.Element, i int, kind string, wanted float64, param string) float64 {
	got := r.nearest(wanted)
	off := got/wanted - 1
	if param != "tau" { // all others fall as the part grows
		off = wanted/got - 1
	}
	r.note(e, i, kind, wanted, got, param, off)
	return got
}

func (r *rounder) note(e *circuit.Element, i int, kind string, wanted, got float64, param string, off float64) {
	*r.list = append(*r.list, Rounding{e.Name, i, kind, wanted, got, param, off})
}

func (r *rounder) gain(e *circuit.Element, i int, w *float64, param string, r0 float64) {
	if *w != 0 {
		*w = math.Copysign(r0/r.part(e, i, "resistor", r0/math.Abs(*w), param), *w)
	}
}

func (r *rounder) leadLag(e *circuit.Element, passive []bool, r0 float64) {
	tau, ahead := e.Numbers("tau"), e.Numbers("ahead")
	for i := range tau {
		if !passive[i] {
			c := r.part(e, i, "capacitor", tau[i]/r0, "tau")
			ahead[i], tau[i] = ahead[i]/tau[i]*c*r0, c*r0
			continue
		}
		wantedC, wantedR := (tau[i]-ahead[i])/r0, r0*ahead[i]/(tau[i]-ahead[i])
		c, rp := r.nearest(wantedC), r.nearest(wantedR)
		newAhead := rp * c
		newTau := newAhead + r0*c
		r.note(e, i, "capacitor", wantedC, c, "tau", newTau/tau[i]-1)
		r.note(e, i, "resistor", wantedR, rp, "ahead", newAhead/ahead[i]-1)
		tau[i], ahead[i] = newTau, newAhead
	}
}
