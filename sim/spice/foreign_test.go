package spice

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tighter is for oscillators, whose phase error grows: with reltol=1e-6 ngspice
// is off by up to 1 %, four times as much as this engine.
const tighter = ".options reltol=1e-8 abstol=1e-15 vntol=1e-9 trtol=1 chgtol=1e-18\n"

// helpers are vectors of devices that ngspice puts in for e with value=.
var helpers = []string{"v(esum_int1)", "i(besum)"}

// TestForeign simulates circuits of textbooks, written down anew in the ways in
// which people write netlists, and compares every vector with ngspice. Both get
// the same tight tolerances.
func TestForeign(t *testing.T) {
	files, err := filepath.Glob("testdata/foreign/*.cir")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d circuits, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".cir"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			src := strings.Replace(string(text), "\n.end\n", "\n"+tighter+".end\n", 1)
			src = strings.Replace(src, "\n.END\n", "\n"+tighter+".END\n", 1)
			n, err := Parse(path, []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			c, err := n.Elaborate()
			if err != nil {
				t.Fatal(err)
			}
			theirs := ngspice(t, src).Trace()
			var times []float64
			for k, s := 0, theirs.Signals[0].Time; k < len(s); k += 10 {
				times = append(times, s[k])
			}
			for _, engine := range []string{"implicit", "auto"} {
				ours, stats, err := c.Tran(context.Background(), Options{Times: times, Engine: engine})
				if err != nil {
					t.Fatal(err)
				}
				worst, which := 0.0, ""
				for _, s := range theirs.Signals {
					m := ours.Signal(s.Name)
					if m == nil {
						if !slices.Contains(helpers, s.Name) {
							t.Errorf("vector %s is missing", s.Name)
						}
						continue
					}
					if d := apart(m, s); d > worst {
						worst, which = d, s.Name
					}
				}
				t.Logf("%s: worst %s %.2g; %d steps (ngspice %d), %d rejected, %d iterations, %d factorisations", stats.Method,
					which, worst, stats.Steps, len(theirs.Signals[0].Time), stats.Rejected, stats.Iterations, stats.Factorisations)
				if !(worst <= 1e-3) {
					t.Errorf("%s: %s differs by %g", stats.Method, which, worst)
				}
			}
		})
	}
}
