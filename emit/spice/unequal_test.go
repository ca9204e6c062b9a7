package spice_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/emit/spice"
)

// spread is the process of the tests with unequal transistors.
func spread(p spice.Process, avt float64) spice.Process {
	p.Transistors.AVT = avt
	return p
}

// TestAlignmentTrimmed wants an alignment store of unequal transistors without input to
// keep its weight, which the offset of its square would make grow or fall without bound.
func TestAlignmentTrimmed(t *testing.T) {
	c := atTransistors(t, `circuit aligned
net a potential 1
stimulus a out=a wave=[constant(0)]
net w potential 1
alignment-store w pre=a post=a total=a w=w rate=0.1 init=[0.5]
net s sum 1
net u potential 1
coupling s in=a sum=s gain=1
leaky-integrator u sum=s state=u tau=[1] init=[0]
`)
	for seed := range uint64(4) {
		p := spread(corrected(t, c), 4e-9)
		o := nulled(t, c, spice.Options{Stop: 20 * units.Time, MaxStep: units.Time, Seed: seed, Process: p})
		ends := func() float64 {
			dir, side := started(t, c, o)
			return last(node(t, builtin(t, dir), signal(t, side, "w").Nodes[0]))
		}
		trimmed := ends()
		delete(o.Nulls, "x_w_2_a0_0_trim")
		not := ends()
		t.Logf("seed %d: the weight goes from 0.5 to %.4f, without its trim to %.4f", seed, trimmed, not)
		if !(math.Abs(trimmed-0.5) < 5e-4) || math.Abs(not-0.5) < 0.02 {
			t.Errorf("seed %d: the weight goes from 0.5 to %g, without its trim to %g", seed, trimmed, not)
		}
	}
}

var transistor = regexp.MustCompile(`mos_[np] PARAMS: p_w=(\S+) p_l=(\S+) p_dvt=(\S+)`)

// TestUnequalTransistors wants thresholds that spread by avt/sqrt(W L), the same for
// the same seed and others for another, in the portable subset.
func TestUnequalTransistors(t *testing.T) {
	c := atTransistors(t, products)
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
