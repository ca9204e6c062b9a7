package circuit

// A Wave is a stimulus of one channel: the sum of its terms.
type Wave []Term

// A Term is one row of the wave table with its numbers filled in, in the order
// of the table; a "samples" term alternates times and values instead.
type Term struct {
	Shape   string
	Numbers []float64
}

// A TermSpec describes the numbers of a wave shape.
type TermSpec struct {
	Shape      string
	Names      []string
	Dimensions []Dimension
}

// Shapes is the wave table. The meaning of the numbers is that of the model's
// stimuli: a step rises linearly within "rise", a sine is gated to [start,
// stop] with linear ramps unless both are 0, a chirp sweeps up to "length".
var Shapes = []TermSpec{
	{"constant", []string{"value"}, []Dimension{Level}},
	{"step", []string{"low", "high", "start", "rise"}, []Dimension{Level, Level, Time, Time}},
	{
		"pulse",
		[]string{"low", "high", "start", "rise", "width", "period"},
		[]Dimension{Level, Level, Time, Time, Time, Time},
	},
	{
		"sine",
		[]string{"amplitude", "frequency", "phase", "offset", "start", "stop", "ramp"},
		[]Dimension{Level, Rate, Pure, Level, Time, Time, Time},
	},
	{
		"chirp",
		[]string{"amplitude", "f0", "f1", "length", "offset"},
		[]Dimension{Level, Rate, Rate, Time, Level},
	},
	{"samples", nil, nil},
}

// FindShape returns the row of the wave table, or nil.
func FindShape(shape string) *TermSpec {
	for i := range Shapes {
		if Shapes[i].Shape == shape {
			return &Shapes[i]
		}
	}
	return nil
}

// Dimension returns the dimension of number i of a term.
func (t Term) Dimension(i int) Dimension {
	if t.Shape == "samples" {
		return [2]Dimension{Time, Level}[i%2]
	}
	return FindShape(t.Shape).Dimensions[i]
}
