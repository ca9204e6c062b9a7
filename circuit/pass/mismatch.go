package pass

import (
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"

	"vlec/circuit"
)

// A Spread says how far equal parts of a circuit differ from each other. All
// numbers are standard deviations.
type Spread struct {
	Gain   float64 // of the logarithm of every gain: weights, multipliers, activations, learning rates
	Tau    float64 // of the logarithm of every time constant
	Offset float64 // of what every active part adds to its output, in model units
	Leak   float64 // of the logarithm of the time constants by which stores forget
	// Residue is the share of each offset that auto-zeroing leaves; 1 without it.
	Residue float64
	// ForwardKept leaves the offsets of the forward path as they are: only what
	// learning is made of is auto-zeroed.
	ForwardKept bool
	Seed        uint64
}

// Zero tells whether nothing is spread.
func (s Spread) Zero() bool { return s.Gain == 0 && s.Tau == 0 && s.Offset == 0 && s.Leak == 0 }

// FromArea is the spread of transistors of an area [um^2] in weak inversion at a
// temperature [K]: their thresholds differ by avt/sqrt(area), avt in mV um
// (Pelgrom, IEEE JSSC 24, 1989), so that currents differ by a factor
// exp(dVt/(n Ut)), and the two of a pair by sqrt(2) of the threshold at the input.
// The offset is in volts.
func FromArea(avt, area, kelvin float64) Spread {
	const slope, kOverQ = 1.3, 8.617333e-5
	sigma := 1e-3 * avt / math.Sqrt(area)
	relative := sigma / (slope * kOverQ * kelvin)
	return Spread{Gain: relative, Tau: relative, Offset: math.Sqrt2 * sigma}
}

// A ThresholdSpread is what a process says of its transistors.
type ThresholdSpread struct {
	Process string
	AVT     float64 // sigma(Vt) sqrt(WL) of the worse of its two kinds of transistor [mV um]
}

// ThresholdSpreads are the figures of open processes, from their model files.
var ThresholdSpreads = []ThresholdSpread{
	{"sg13g2", 3.9},    // n 3.9, p 2.2
	{"sky130", 5.86},   // n 3.36, p 5.86
	{"gf180mcu", 5.05}, // n
}

// Mismatch draws what makes real parts unequal and writes it into the elements as
// numbers, so that every simulator sees the same circuit. A draw depends on the
// seed, the element's name and nothing else: another element changes none.
func Mismatch(s Spread) Pass {
	return Pass{
		Name:   "mismatch",
		Reason: "after fold and fuse, so that only what is built differs; before scale, because offsets are in model units",
		After:  []string{"fold", "fuse"},
		Run: func(c *circuit.Circuit) error {
			uses := c.Uses()
			forward := map[*circuit.Element]bool{}
			if s.ForwardKept {
				forward = forwardPath(c)
			}
			for _, e := range c.Elements {
				if e.Testbench() {
					continue
				}
				drawn := s
				if forward[e] {
					drawn.Residue = 1
				}
				drawn.spread(e)
				if e.Kind.Name == "lead-lag" && e.Numbers("offset") != nil {
					for i, passive := range e.Passive(uses) {
						if passive {
							e.Numbers("offset")[i] = 0 // resistors and a capacitor have none
						}
					}
				}
			}
			return nil
		},
	}
}

// forwardPath finds the elements that rates come from: against the direction of
// signals from every activation, through synapses and membranes. It ends at weight
// stores, and at couplings, through which errors reach membranes.
func forwardPath(c *circuit.Circuit) map[*circuit.Element]bool {
	feeds := map[*circuit.Net][]*circuit.Element{}
	for _, e := range c.Elements {
		for i, n := range e.Pins {
			if e.Kind.Pins[i].Role != circuit.Reads {
				feeds[n] = append(feeds[n], e)
			}
		}
	}
	path := map[*circuit.Element]bool{}
	var visit func(e *circuit.Element)
	visit = func(e *circuit.Element) {
		if path[e] || IsStore(e) {
			return
		}
		path[e] = true
		if e.Kind.Name == "coupling" {
			return
		}
		for i, n := range e.Pins {
			if role := e.Kind.Pins[i].Role; role == circuit.Reads || role == circuit.Terminates {
				for _, f := range feeds[n] {
					visit(f)
				}
			}
		}
	}
	for _, e := range c.Elements {
		if e.Kind.Name == "activation" {
			visit(e)
		}
	}
	return path
}

func (s Spread) spread(e *circuit.Element) {
	multiply := func(param string, sigma float64) {
		if xs := e.Numbers(param); sigma > 0 {
			rng := s.rng(e, param)
			for i := range xs {
				xs[i] = fifteen(xs[i] * math.Exp(sigma*rng.NormFloat64()))
			}
		}
	}
	for i := range e.Kind.Params {
		switch spec := &e.Kind.Params[i]; {
		case spec.Dimension == circuit.Time && e.Kind.Name != "prospective" && e.Kind.Name != "refresh": // the one shares its integrator's, the other is fast enough
			multiply(spec.Name, s.Tau)
		case e.Kind.Name == "synapse" && spec.Name == "w":
			multiply("w", s.Gain)
		case spec.Name == "factor" && s.Gain > 0:
			e.Params[i].Numbers = ones(instances(e, spec))
			multiply("factor", s.Gain)
		case spec.Name == "hold" && s.Leak > 0:
			e.Params[i].Numbers = ones(instances(e, spec))
			multiply("hold", s.Leak)
		case spec.Name == "offset" && s.Offset > 0 && s.Residue > 0:
			offsets := make([]float64, instances(e, spec))
			rng := s.rng(e, "offset")
			for k := range offsets {
				offsets[k] = fifteen(s.Residue * s.Offset * rng.NormFloat64())
			}
			e.Params[i].Numbers = offsets
		}
	}
}

func (s Spread) rng(e *circuit.Element, param string) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, e.Name+" "+param)
	return rand.New(rand.NewPCG(s.Seed, h.Sum64()))
}

// instances is how many numbers a parameter of that shape has: one a wire of what
// the element contributes to, or one a synapse.
func instances(e *circuit.Element, spec *circuit.ParamSpec) int {
	width := map[string]int{}
	for i, p := range e.Kind.Pins {
		if len(p.Width) == 1 {
			width[p.Width] = e.Pins[i].Width
		}
	}
	if spec.Shape == "nm" {
		return width["n"] * width["m"]
	}
	return width["n"]
}

func ones(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 1
	}
	return xs
}
