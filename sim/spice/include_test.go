package spice

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write puts files into a folder and returns the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

// point elaborates a file and returns the voltages of its operating point.
func point(t *testing.T, path string) func(node string) float64 {
	t.Helper()
	n, err := ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	tr, _, err := c.OP(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(node string) float64 {
		s := tr.Signal("v(" + node + ")")
		if s == nil {
			t.Fatalf("no node %s", node)
		}
		return s.Data[0]
	}
}

// TestInclude: paths are relative to the file that names them and keep their
// case; libraries give only the section asked for.
func TestInclude(t *testing.T) {
	v := point(t, write(t,
		"top.cir", "* top\n.include \"Sub/Cells.inc\"\n.lib 'sub2/lib.txt' fast\n.lib sub2/lib.txt shared\nv1 a 0 1\nx1 a b half\nr9 b 0 {r}\nr8 a c 1\nr7 c 0 {both}\n",
		"Sub/Cells.inc", ".inc more.inc\n.subckt half in out\nx1 in out series\n.ends\n",
		"Sub/more.inc", ".SUBCKT series A B\nR1 A B 1K\n.ENDS series\n",
		"sub2/lib.txt", ".lib slow\n.param r=9k\n.endl slow\n.lib FAST\n.param r=3k\n.endl\n.lib shared\n.param both=3\n.endl\n",
	))
	if got := v("b"); math.Abs(got-0.75) > 1e-12 {
		t.Errorf("v(b) = %g", got)
	}
	if got := v("c"); math.Abs(got-0.75) > 1e-12 {
		t.Errorf("v(c) = %g", got)
	}
}

func TestIncludeErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"circle":  {[]string{"a.cir", "* a\n.inc b.inc\nr1 a 0 1\n", "b.inc", ".inc a.cir\n"}, "b.inc:1:1: a.cir includes itself; remove one of the two"},
		"within":  {[]string{"a.cir", "* a\n.inc b.inc\nr1 a 0 1\n", "b.inc", "\nr2 a 0\n"}, "b.inc:2:1: the resistance of r2 is missing"},
		"section": {[]string{"a.cir", "* a\n.lib b.lib nosuch\nr1 a 0 1\n", "b.lib", ".lib tt\n.endl\n"}, "b.lib has no section nosuch; sections begin with .lib name"},
		"folder":  {[]string{"a.cir", "* a\n.inc sub\nr1 a 0 1\n", "sub/x", ""}, "a.cir:2:1: cannot read \"sub\": is a directory"},
	} {
		_, err := ParseFile(write(t, c.files...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := ParseFile("nosuch.cir"); err == nil || err.Error() != "nosuch.cir: cannot read the netlist: no such file or directory" {
		t.Errorf("missing file: %v", err)
	}
}

// meanings are netlists that say what numbers, names and scopes mean, each with
// the voltage of node a at the operating point, worked out by hand.
var meanings = map[string]float64{
	"v1 a 0 1M\n":                       1e-3, // milli, also in capitals
	"v1 a 0 1MEG\n":                     1e6,
	"v1 a 0 10mil\n":                    254e-6,
	"v1 a 0 1F\n":                       1e-15,
	"v1 a 0 3ohm\n":                     3,
	"v1 a 0 1e3k\n":                     1e6,
	"v1 a 0 -1.5e-3V\n":                 -1.5e-3,
	"v1 a 0 .5\n":                       0.5,
	"V1 A GND DC 2\n":                   2,
	"v1 a 0\n+ 2 ; two\n":               2,
	"v1 a 0 dc=3 $ three\n":             3,
	"v1 a 0 4 // four\n":                4,
	"v1 (a, 0) 5\n":                     5,
	"v1 a 0 {x}\n.param x={y*2} y=3\n":  6,
	"v1 a 0 'x'\n.param x='2**3'\n":     8,
	"v1 a 0 {-2^2}\n":                   -4,
	"v1 a 0 {2^3^2}\n":                  64,
	"v1 a 0 {(-2)^3}\n":                 8,
	"v1 a 0 {log(exp(2))+log10(100)}\n": 4,
	"v1 a 0 {1>2 ? 1/0 : 7}\n":          7,
	"v1 a 0 {if(1,2,3)}\n":              2,
	"v1 a 0 {max(1,2)+min(3,4)}\n":      5,
	"v1 a 0 {int(-2.7)+nint(2.5)}\n":    0,
	"v1 a 0 {limit(5,0,3)}\n":           3,
	"v1 a 0 {!0 + (1&&0) + (1||0)}\n":   2,
	"v1 a 0 {f(2,3)}\n.func f(x,y) {x*y+g(x)}\n.func g(x) {x*10}\n":                             26,
	"b1 a 0 v={f(2)}\n.param f(x)={x*x}\n":                                                      4,
	"b1 a 0 v=v(b)*2\nv1 b 0 3\n":                                                               6,
	"b1 a 0 v='v(b)+1' \nv1 b 0 3\n":                                                            4,
	"b1 a 0 v={v(b,c)*i(v1)}\nv1 b 0 3\nr1 b 0 1\nv2 c 0 1\n":                                   -6,
	"e1 a 0 b 0 2\nv1 b 0 3\n":                                                                  6,
	"e1 a 0 (b,0) 2\nv1 b 0 3\n":                                                                6,
	"e1 a 0 vol='v(b)*3'\nv1 b 0 3\n":                                                           9,
	"e1 a 0 value={v(b)*3}\nv1 b 0 3\n":                                                         9,
	"g1 0 a cur='v(b)*3'\nv1 b 0 3\nr1 a 0 1\n":                                                 9,
	"g1 0 a b 0 2 m=2\nv1 b 0 3\nr1 a 0 1\n":                                                    12,
	"h1 a 0 v1 2\nv1 b 0 3\nr1 b 0 1\n":                                                         -6,
	"f1 a 0 v1 2\nv1 b 0 3\nr1 b 0 1\nr2 a 0 1\n":                                               6,
	"i1 0 a 2\nr1 a 0 3 m=2\n":                                                                  3,
	"i1 0 a 2 m=3\nr1 a 0 r=1\n":                                                                6,
	"x1 a s params: k=2\n.subckt s p params: k=1 m={k*3}\nv1 p 0 {m}\n.ends\n":                  6,
	"x1 a s\n.subckt s p k=1\nv1 p 0 {k}\n.ends\n":                                              1,
	"x1 a s k=5\n.param k=3\n.subckt s p k=1\nx2 p t\n.ends\n.subckt t p\nv1 p 0 {k}\n.ends\n":  5, // scopes follow instances
	"x1 b s\n.subckt s p\nv1 q 0 3\nr1 q p 1\nr2 p 0 1\n.ends\nb1 a 0 v={v(x1.q)+i(v.x1.v1)}\n": 1.5,
	"x1 s\n.global a\n.subckt s\nv1 a 0 3\n.ends\nr1 a 0 1\n":                                   3,
	"v1 a 0 sin(1 2 1k)\n":                                                                      1, // a waveform without dc value begins the operating point
	"v1 a 0 dc 5 pulse(1 2 1u)\n":                                                               5,
	"v1 a 0 pwl(0 1 1 2)\n":                                                                     1,
	"r1 a 0 1k tc1=1m\n.temp 127\n.options tnom=27\ni1 0 a 1m\n":                                1.1,
	"b1 a 0 v={temper}\n":                                                                       27,
	"b1 a 0 v={pwl(2.5, 1,10, 2,20, 3,40)}\n":                                                   30,
	"b1 a 0 v={u(v(b))+u2(0.3)+uramp(-1)+sgn(-3)}\nv1 b 0 0\n":                                  -0.2,
}

func TestMeaning(t *testing.T) {
	for src, want := range meanings {
		c := elaborate(t, "* t\n"+src+".op\n.end\n")
		tr, _, err := c.OP(context.Background(), Options{Save: []string{"a"}})
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if got := tr.Signals[0].Data[0]; !(math.Abs(got-want) <= 1e-9*math.Abs(want)+1e-18) {
			t.Errorf("%q gives %g, want %g", src, got, want)
		}
	}
}

// TestMeaningInNgspice: the referee reads them in the same way, but for what it
// cannot.
func TestMeaningInNgspice(t *testing.T) {
	better := map[string]bool{ // see the package documentation
		"v1 a 0 {if(1,2,3)}\n": true, "v1 a 0 {limit(5,0,3)}\n": true,
	}
	for src, want := range meanings {
		if better[src] {
			continue
		}
		p := ngspice(t, "* t\n"+src+".op\n.end\n")
		k := slices.Index(p.Names, "v(a)") // an operating point has no scale
		if k < 0 || math.Abs(p.Data[k][0]-want) > 1e-6*math.Abs(want) {
			t.Errorf("%q: %v %v, want %g", src, p.Names, p.Data, want)
		}
	}
}

// TestInitialStates: every way to set a state reads back exactly at t = 0, and
// what hangs on the states is consistent with them.
func TestInitialStates(t *testing.T) {
	src := `* states
c1 a 0 1u ic=0.3
r1 a b 1k
r2 b 0 1k
c2 c 0 1u
r3 c 0 1k
.ic v(c)=-0.7
b1 d 0 v={v(a)*v(c)}
l1 e 0 1m ic=2m
r4 e 0 10
x1 f cell params: w=0.25
.subckt cell p params: w=1
cw p 0 1n ic={w}
rw p 0 1meg
.ends
.options trtol=1e6
.tran 1u 10u 0 1u uic
`
	for _, engine := range []string{"implicit", "explicit"} {
		tr, _ := simulate(t, src, Options{Engine: engine})
		for name, want := range map[string]float64{"v(a)": 0.3, "v(c)": -0.7, "i(l1)": 2e-3, "v(f)": 0.25} {
			if got := tr.Signal(name).Data[0]; got != want {
				t.Errorf("%s: %s begins at %v, want %v", engine, name, got, want)
			}
		}
		for name, want := range map[string]float64{"v(b)": 0.15, "v(d)": -0.21, "v(e)": -0.02} {
			if got := tr.Signal(name).Data[0]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %s begins at %v, want %v", engine, name, got, want)
			}
		}
	}
}

// TestCancel: a run ends when its context does.
func TestCancel(t *testing.T) {
	c := elaborate(t, strings.Replace(rc, "1m 0 10u", "1000 0 10u", 1))
	for _, engine := range []string{"implicit", "auto"} {
		ctx, cancel := context.WithCancel(context.Background())
		done := 0
		_, _, err := c.Tran(ctx, Options{Engine: engine, Sink: discard{}, Progress: func(float64) {
			if done++; done == 3 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// TestGearAgainstNgspice compares fixed steps of Gear's method.
func TestGearAgainstNgspice(t *testing.T) {
	src := "* gear" + circuits["van der pol"] + ".options method=gear maxord=2 trtol=1e6 reltol=1e-6\n.end\n"
	ours, stats := simulate(t, src, Options{Engine: "implicit"})
	if stats.Method != "gear" {
		t.Errorf("method %s", stats.Method)
	}
	for _, s := range ngspice(t, src).Trace().Signals {
		if d := apart(s, ours.Signal(s.Name)); !(d < 2e-3) {
			t.Errorf("%s differs by %g", s.Name, d)
		}
	}
}
