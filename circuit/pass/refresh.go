package pass

import (
	"math"

	"vlec/circuit"
)

// A Refreshing says when stores are refreshed, and to what: every Period [time unit]
// each weight falls to the nearest multiple of Grid [1].
type Refreshing struct {
	Period float64
	Grid   float64
}

// RefreshName begins the names of what refreshes: the strobe, and a refresh for each
// store.
const RefreshName = "refresh/"

// The strobe is up for a tenth of the period, and rises and falls within a fiftieth.
// What is left of a small deviation after a strobe is exp(-restores).
const (
	strobeWidth = 0.1
	strobeRise  = 0.02
	restores    = 8
)

// Refresh adds what restores weights that leak: Hochet (Electronics Letters 25,
// 1989) and Cauwenberghs (Int. J. Electronics, 1995) keep analog weights so. A
// weight that leaves the middle between two levels between two strobes, by learning
// or by leaking, falls to another level.
func Refresh(r Refreshing) Pass {
	return Pass{
		Name:   "refresh",
		Reason: "after mismatch, as what is drawn is the stores'; before freeze and resume, which treat it like a store and like a stimulus",
		After:  []string{"fold", "fuse"},
		Run: func(c *circuit.Circuit) error {
			var strobe *circuit.Net
			for _, e := range append([]*circuit.Element(nil), c.Elements...) {
				if e.Testbench() || !IsStore(e) {
					continue
				}
				if strobe == nil {
					strobe = c.Net(RefreshName+"strobe", circuit.Potential, 1)
					rise := fifteen(strobeRise * r.Period)
					wave := circuit.Term{Shape: "pulse", Numbers: []float64{0, 1, r.Period, rise, fifteen(strobeWidth * r.Period), r.Period}}
					c.Add("stimulus", strobe.Name, e.Origin).Connect("out", strobe).SetWaves("wave", []circuit.Wave{{wave}})
				}
				c.Add("refresh", RefreshName+e.Name, e.Origin).Connect("strobe", strobe).Connect("w", e.Pin("w")).
					Set("rate", math.Abs(e.Number("rate"))).Set("grid", r.Grid).
					Set("restore", fifteen((strobeWidth+strobeRise)*r.Period/restores))
			}
			return nil
		},
	}
}

// IsStore tells whether an element is a capacitor that holds a weight.
func IsStore(e *circuit.Element) bool {
	return e.Kind.Name == "weight-store" || e.Kind.Name == "alignment-store"
}
