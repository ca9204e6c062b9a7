package spice_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/emit/spice"
	"vlec/internal/calibrate"
)

// spread is the process of the tests with unequal transistors.
func spread(p spice.Process, avt float64) spice.Process {
	p.Transistors.AVT = avt
	return p
}

// withoutAlignment is products without the store whose decay is a product of
// products: the offset of the first would have to be nulled inside.
func withoutAlignment(t *testing.T) string {
	t.Helper()
	before, _, found := strings.Cut(products, "net aligned")
	if !found {
		t.Fatal("the circuit has no alignment store")
	}
	return before
}

// TestNotNulled wants the name of a cell whose offset no current takes away.
func TestNotNulled(t *testing.T) {
	c := atTransistors(t, `circuit aligned
net a potential 1
stimulus a out=a wave=[constant(1)]
net aligned potential 1
alignment-store aligned pre=a post=a total=a w=aligned rate=0.1 init=[0.5]
`)
	o := spice.Options{Level: "transistor", Stop: 1, MaxStep: 1, Seed: 1, Process: spread(corrected(t, c), 4e-9)}
	if _, err := calibrate.Nulls(t.Context(), c, o); err == nil || !strings.Contains(err.Error(), "the offset of x_aligned0_0 is not nulled") {
		t.Error(err)
	}
}

var transistor = regexp.MustCompile(`mos_[np] PARAMS: p_w=(\S+) p_l=(\S+) p_dvt=(\S+)`)

// TestUnequalTransistors wants thresholds that spread by avt/sqrt(W L), the same for
// the same seed and others for another, in the portable subset.
func TestUnequalTransistors(t *testing.T) {
	c := atTransistors(t, withoutAlignment(t))
	const avt = 4e-9
	text := func(seed uint64) string {
		o := spice.Options{Stop: units.Time, MaxStep: units.Time, Seed: seed, Process: spread(corrected(t, c), avt)}
		dir, _ := started(t, c, nulled(t, c, o)) // lints
		return read(t, dir, spice.NetlistFile) + strings.ReplaceAll(read(t, dir, spice.CellFile), "\n+ ", " ")
	}
	once := text(1)
	if once != text(1) {
		t.Error("the same seed draws another circuit")
	}
	if once == text(2) {
		t.Error("another seed draws the same circuit")
	}
	n, sum, squares := 0, 0.0, 0.0
	for _, m := range transistor.FindAllStringSubmatch(once, -1) {
		var x [3]float64
		for i := range x {
			x[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		z := x[2] * math.Sqrt(x[0]*x[1]) / avt
		n, sum, squares = n+1, sum+z, squares+z*z
	}
	mean, sigma := sum/float64(n), math.Sqrt(squares/float64(n))
	t.Logf("%d transistors: thresholds in units of avt/sqrt(W L) have mean %.3f, standard deviation %.3f", n, mean, sigma)
	if n < 300 || math.Abs(mean) > 4/math.Sqrt(float64(n)) || math.Abs(sigma-1) > 3/math.Sqrt(float64(n)) {
		t.Errorf("%d transistors: mean %g, standard deviation %g", n, mean, sigma)
	}
}

// TestWrittenOut wants cells whose parts are written out, but whose transistors are
// equal to a microvolt, to be the same circuit as those of the library.
func TestWrittenOut(t *testing.T) {
	for name, text := range map[string]string{"products": products, "conductors": conductors} {
		c := atTransistors(t, text)
		o := spice.Options{Stop: units.Time, MaxStep: units.Time / 20, Process: corrected(t, c)}
		dir, side := started(t, c, o)
		o.Process.Transistors.AVT = 1e-18
		again, _ := started(t, c, o)
		if read(t, dir, spice.CellFile) == read(t, again, spice.CellFile) {
			t.Fatal("nothing is written out")
		}
		a := builtin(t, dir)
		b := builtin(t, again, a.Signals[0].Time...)
		first, worst := 0.0, 0.0
		for _, s := range side.Signals {
			for _, n := range s.Nodes {
				for k, v := range node(t, a, n).Data {
					d := math.Abs(v-node(t, b, n).Data[k]) / spice.PairVoltage
					if k == 0 {
						first = math.Max(first, d)
					}
					worst = math.Max(worst, d)
				}
			}
		}
		t.Logf("%s: %.1e at first, %.1e at most", name, first, worst)
		if first > 1e-9 || worst > 1e-3 { // steps are chosen by truncation errors
			t.Errorf("%s: written out it differs by %g at first, %g at most", name, first, worst)
		}
	}
}
