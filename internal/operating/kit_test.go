package operating

import (
	"errors"
	"math"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/sim/referee"
)

// resistors are transistors that no correction makes right.
const resistors = `.subckt mos_n d g s b PARAMS: p_w=1e-06 p_l=1e-06
r1 d s 1e9
r2 g b 1e12
.ends
.subckt mos_p d g s b PARAMS: p_w=1e-06 p_l=1e-06
r1 d s 1e9
r2 g b 1e12
.ends
`

func parts() (circuit.Units, spice.Process) {
	u := spice.UnitsAt("transistor", circuit.Units{Time: 1e-3}, spice.Transistors{Current: 1e-9})
	return u, spice.Process{Pair: 1, Transistors: spice.Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9}}
}

// TestBothSolvers wants ngspice and the built-in engine to find the same operating
// point of the generic parts, wherever ngspice begins to look.
func TestBothSolvers(t *testing.T) {
	u, p := parts()
	solve := func(library, mos string) map[string]float64 {
		var files emit.Artifacts
		if _, err := spice.CorrectionsNetlist(u, p, library, &files); err != nil {
			t.Fatal(err)
		}
		point, err := Point(t.Context(), &files, mos)
		if _, ok := errors.AsType[*referee.MissingError](err); ok {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return point
	}
	ours := solve("", "")
	for _, hints := range []string{"", nodesets(ours)} {
		theirs := solve(spice.GenericMOS+hints, spice.GenericMOS)
		for n, v := range ours {
			if w, ok := theirs[n]; !ok || !(math.Abs(v-w) < 1e-8) {
				t.Errorf("%s is at %g V, in ngspice at %g V", n, v, w)
			}
		}
	}
	if len(ours) < 100 {
		t.Errorf("%d nodes", len(ours))
	}
}

// The rounds for a kit end where those for generic transistors do.
func TestCorrectKit(t *testing.T) {
	u, p := parts()
	c, err := Correct(t.Context(), u, p, spice.GenericMOS)
	if _, ok := errors.AsType[*referee.MissingError](err); ok {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := Correct(t.Context(), u, p, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, pair := range [][2]float64{
		{c.Conductance, want.Conductance}, {c.Mirror, want.Mirror}, {c.Correlator, want.Correlator}, {c.Pair, want.Pair}, {c.Steering, want.Steering},
	} {
		if !(math.Abs(pair[0]-pair[1]) < 3*Left) {
			t.Errorf("correction %d is %g, by the built-in engine %g", i, pair[0], pair[1])
		}
	}
}

func TestNotCorrected(t *testing.T) {
	u, p := parts()
	_, err := Correct(t.Context(), u, p, resistors)
	if _, ok := errors.AsType[*referee.MissingError](err); ok {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "is not corrected after 20 rounds") {
		t.Errorf("%v", err)
	}
}

func TestNoNgspice(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	u, p := parts()
	_, err := Correct(t.Context(), u, p, resistors)
	if _, ok := errors.AsType[*referee.MissingError](err); !ok {
		t.Errorf("%v", err)
	}
}
