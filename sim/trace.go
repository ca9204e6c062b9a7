// Package sim holds what all simulators share: the traces they write and the
// comparison of two of them. It computes no dynamics.
//
// # For maintainers
//
// The ways to a number (reference, integer model, netlist text, Verilog text,
// referees) live in packages of their own that share no code; they meet here,
// in Trace and Compare, and nowhere else.
package sim

import "fmt"

// A Signal is one sampled quantity of a run: a scalar, vector or matrix per
// sample. Signals sampled at the same instants share one Time slice.
type Signal struct {
	Name  string    // "hidden.u", "in_hidden.W", "v(l1_u3)"
	Unit  string    // "" for model units, "V", "A", …
	Shape []int     // per sample: [] scalar, [n] vector, [n m] matrix
	Time  []float64 // ascending; model time units, or seconds in a simulator of circuits
	Data  []float64 // len(Time) * Width values, sample by sample, row-major
}

// Width is the number of values in one sample.
func (s *Signal) Width() int {
	w := 1
	for _, n := range s.Shape {
		w *= n
	}
	return w
}

// At returns sample k as a slice into Data.
func (s *Signal) At(k int) []float64 {
	w := s.Width()
	return s.Data[k*w : (k+1)*w : (k+1)*w]
}

// Append adds one sample taken at time t. The caller shares Time between
// signals, so Append does not touch it.
func (s *Signal) Append(values []float64) {
	if len(values) != s.Width() {
		panic(fmt.Sprintf("sim: signal %s takes %d values a sample, got %d", s.Name, s.Width(), len(values)))
	}
	s.Data = append(s.Data, values...)
}

// A Trace is the set of signals that one run recorded, in the order in which
// they were asked for.
type Trace struct {
	Signals []*Signal
}

// Signal returns the signal of that name, or nil.
func (t *Trace) Signal(name string) *Signal {
	for _, s := range t.Signals {
		if s.Name == name {
			return s
		}
	}
	return nil
}
