package spice

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlec/model/diag"
)

// TestErrors runs testdata/errors.txt: every complaint must come, at its place,
// and no other.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(text), "\n-- ")[1:]
	if len(cases) < 20 {
		t.Fatalf("%d cases only", len(cases))
	}
	for _, c := range cases {
		name, rest, _ := strings.Cut(c, "\n")
		src, want, _ := strings.Cut(rest, "<<\n")
		t.Run(name, func(t *testing.T) {
			n, err := Parse("t.cir", []byte(src))
			if err == nil {
				_, err = n.Elaborate()
			}
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), "t.cir:", "") + "\n"
			}
			if d := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); d != "" {
				t.Errorf("complaints (-want +got):\n%s", d)
			}
		})
	}
}

// TestRunErrors: what shows only when the circuit is solved names node and
// device.
func TestRunErrors(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"no path": {"* t\ni1 0 a 1\nc1 a 0 1\n.tran 1 2\n", "t.cir:2:1: node a has no path for direct current to ground; add a resistor, an .ic, or uic to .tran"},
		"diverges": {
			"* t\nv1 in 0 1\nr1 in a 1\nb1 a 0 i={2-sgn(v(a)-0.3)+5*sgn(v(a)-0.4)}\n.tran 1 2\n",
			": operating point: no convergence, ",
		},
		"not finite": {
			"* t\nr1 a 0 1\nb1 a 0 i={sqrt(v(a)-1)}\n.tran 1 2\n",
			"t.cir:3:1: operating point: b1 has no finite value; is there a division by zero, or ln or sqrt of a negative number?",
		},
		"no tran":    {"* t\nr1 a 0 1\n", "there is no .tran card"},
		"wrong save": {"* t\nr1 a 0 1\n.save v(b)\n.tran 1 2\n", "t.cir:3:7: there is no vector v(b) to save; check the name"},
		"singular": {
			"* t\ng1 a 0 a 0 1\ng2 a 0 a 0 -1\ni1 0 a 1\n.tran 1 2\n",
			"t.cir:2:1: operating point: the equations have no unique solution: nothing determines v(a)",
		},
	} {
		n, err := Parse("t.cir", []byte(c.src))
		if err != nil {
			t.Fatal(err)
		}
		ct, err := n.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = ct.Tran(context.Background(), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// FuzzParse: no input may panic, and what is accepted must elaborate or
// complain, and run or complain, within limits.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(text), "\n-- ")[1:] {
		_, rest, _ := strings.Cut(c, "\n")
		src, _, _ := strings.Cut(rest, "<<\n")
		f.Add(src)
	}
	for _, body := range circuits {
		f.Add("* t" + body)
	}
	for _, body := range devices {
		f.Add("* t\n" + body)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Contains(strings.ToLower(src), ".inc") || strings.Contains(strings.ToLower(src), ".lib") || len(src) > 1<<14 {
			return
		}
		n, err := Parse("fuzz.cir", []byte(src))
		if err == nil {
			var c *Circuit
			if c, err = n.Elaborate(); err == nil && c.Elements() < 200 && c.tran != nil && c.tran.stop/c.tran.step < 1e3 && c.tran.tmax == 0 {
				ctx, cancel := context.WithTimeout(context.Background(), 200e6)
				defer cancel()
				_, _, _ = c.Tran(ctx, Options{}) // any answer will do
				if len(c.nodes) > 1 && len(c.semis) > 0 {
					_, _, _ = c.OP(ctx, Options{})
				}
				return
			}
		}
		var l diag.List
		if err != nil && !errors.As(err, &l) {
			t.Errorf("the error is no list: %v", err)
		}
	})
}
