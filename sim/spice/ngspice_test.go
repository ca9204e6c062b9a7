package spice

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlec/sim"
)

// ngspice runs the referee on a netlist and returns its last analysis.
func ngspice(t testing.TB, src string) *Plot {
	t.Helper()
	plots := ngspicePlots(t, src)
	return plots[len(plots)-1]
}

// ngspicePlots runs the referee on a netlist and returns all its analyses.
func ngspicePlots(t testing.TB, src string) []*Plot {
	t.Helper()
	exe, err := exec.LookPath("ngspice")
	if err != nil {
		t.Skip("ngspice is not installed: nothing to compare with")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.cir"), filepath.Join(dir, "out.raw")
	if err := os.WriteFile(in, []byte(src), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-b", "-r", out, in)
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ngspice: %v\n%s\n%s", err, src, msg)
	}
	f, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	plots, err := ReadRaw(out, bytes.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	return plots
}

// apart is the distance of two signals at the instants of a, as the largest
// difference over the largest magnitude.
func apart(a, b *sim.Signal) float64 { return apartAbove(a, b, 1e-300) }

// apartAbove counts magnitudes as at least the floor.
func apartAbove(a, b *sim.Signal, floor float64) float64 {
	worst, size := 0.0, floor
	k := 1
	for i, t := range a.Time {
		for k < len(b.Time)-1 && b.Time[k] < t {
			k++
		}
		f := (t - b.Time[k-1]) / (b.Time[k] - b.Time[k-1])
		if f < -1e-9 || f > 1+1e-9 {
			continue
		}
		v := b.Data[k-1] + f*(b.Data[k]-b.Data[k-1])
		worst = math.Max(worst, math.Abs(a.Data[i]-v))
		size = math.Max(size, math.Max(math.Abs(v), math.Abs(a.Data[i])))
	}
	return worst / size
}

// apartInTime lets every value of a be one that b has within dt of the instant.
func apartInTime(a, b *sim.Signal, dt float64) float64 {
	worst, size := 0.0, 1e-300
	first := 0
	for i, t := range a.Time {
		for first < len(b.Time)-1 && b.Time[first+1] < t-dt {
			first++
		}
		low, high := math.Inf(1), math.Inf(-1)
		for k := first; k < len(b.Time); k++ {
			low, high = math.Min(low, b.Data[k]), math.Max(high, b.Data[k])
			if b.Time[k] > t+dt {
				break
			}
		}
		worst = math.Max(worst, math.Max(a.Data[i]-high, low-a.Data[i]))
		size = math.Max(size, math.Max(math.Abs(low), math.Abs(high)))
	}
	return worst / size
}

// tight asks ngspice for an answer that is worth comparing with.
const tight = ".options reltol=1e-6 abstol=1e-15 vntol=1e-9 trtol=1 chgtol=1e-18\n"

// circuits of the classes that the engine must get right. Every one is run by
// both simulators; %s is where tolerances go.
var circuits = map[string]string{
	"rc step": `
v1 in 0 pulse(0 1 1m 1u 1u 4m 10m)
r1 in out 1k
c1 out 0 1u
.tran 10u 20m 0 10u
`,
	"rlc ringing": `
v1 in 0 pulse(0 1 0.1m 1u 1u 10m 20m)
r1 in a 10
l1 a b 10m
c1 b 0 1u
.tran 2u 5m 0 2u
`,
	"rectifier of a b source": `
v1 in 0 sin(0 1 50)
b1 0 out i={max(v(in)-v(out),0)/100}
r1 out 0 10k
c1 out 0 10u
.tran 20u 60m 0 20u
`,
	"pwl and exp": `
v1 a 0 pwl(0 0 1m 1 1.5m -1 3m 0.5)
i1 0 b exp(0 1m 0.5m 0.2m 2m 0.4m)
r1 a b 1k
c1 b 0 0.1u
.tran 5u 4m 0 5u
`,
	"sffm and am": `
v1 a 0 sffm(0 1 5k 3 500)
v2 b 0 am(1 0.5 500 5k 0.2m)
r1 a c 1k
r2 b c 2k
c1 c 0 10n
.tran 2u 4m 0 2u
`,
	"nested subcircuits with parameters": `
.param rr=1k k={2*rr}
.subckt low in out params: r=1k c=1u
r1 in out {r}
c1 out 0 {c} ic=0
.ends
.subckt two in out params: r=2k
x1 in mid low params: r={r} c=100n
e1 buf 0 mid 0 1
x2 buf out low params: r={r/2} c={50n*2}
.ends
v1 in 0 sin(0 1 1k)
x1 in a two params: r={k}
x2 a b two
r9 b 0 1meg
.tran 5u 3m 0 5u uic
`,
	"controlled sources": `
v1 in 0 sin(0 1 1k)
r1 in a 1k
vs a b 0
c1 b 0 100n
f1 0 c vs 2
rc c 0 1k
h1 d 0 vs 500
rd d e 1k
ce e 0 100n
g1 0 f c e 1m
rf f 0 2k
cf f 0 20n
.tran 5u 3m 0 5u
`,
	"coupled inductors": `
v1 in 0 sin(0 1 10k)
r1 in a 10
l1 a 0 1m
l2 b 0 4m
k1 l1 l2 0.95
r2 b 0 1k
c2 b 0 1n
.tran 0.5u 400u 0 0.5u
`,
	"van der pol": `
c1 x 0 1m ic=0.5
l1 x 0 1m ic=0
b1 x 0 i={0.3*v(x)*v(x)*v(x)-v(x)}
.tran 20u 30m 0 20u uic
`,
	"inductor with initial current": `
l1 a 0 1m ic=0.1
r1 a 0 1
c1 a 0 100u ic=0.2
.tran 5u 5m 0 5u uic
`,
	"held by ic": `
v1 in 0 1
r1 in a 1k
c1 a 0 1u
r2 a b 1k
c2 b 0 1u
.ic v(b)=-1
.tran 20u 10m 0 20u
`,
	"functions": `
v1 a 0 sin(0.5 0.4 1k)
b1 b 0 v={tanh(3*v(a))+exp(-v(a))+ln(1+v(a)^2)+sqrt(v(a)+1)}
b2 c 0 v={abs(v(a)-0.5)*max(v(a),0.3)-min(v(a),0.6)+atan(v(a))*sin(v(a))/cos(v(a))}
b3 d 0 v={pwr(v(a)-0.5,3)+pow(v(a),1.5)+sin(6283*time)}
b4 0 e i={1m*v(a,b)*i(v1)*1000+1m*v(c)}
r1 a 0 1k
r2 e 0 1k
c2 e 0 100n
.tran 2u 2m 0 2u
`,
	"default steps": `
v1 in 0 sin(0 1 1k)
r1 in out 1k
c1 out 0 1u
.tran 10u 5m
`,
}

func TestAgainstNgspice(t *testing.T) {
	for name, body := range circuits {
		t.Run(name, func(t *testing.T) {
			src := "* " + name + body + tight + ".end\n"
			ours, stats := simulate(t, src, Options{Engine: "implicit"})
			theirs := ngspice(t, src).Trace()
			worst, which := 0.0, ""
			for _, s := range theirs.Signals {
				m := ours.Signal(s.Name)
				if m == nil {
					m = ours.Signal(strings.ReplaceAll(s.Name, "#branch", ""))
				}
				if m == nil {
					t.Errorf("vector %s is missing", s.Name)
					continue
				}
				if d := apart(s, m); d > worst {
					worst, which = d, s.Name
				}
			}
			t.Logf("worst %s %.2g; %d steps (ngspice %d), %d rejected, %d iterations",
				which, worst, stats.Steps, len(theirs.Signals[0].Time), stats.Rejected, stats.Iterations)
			if !(worst <= 1e-3) {
				t.Errorf("%s differs by %g", which, worst)
			}
		})
	}
}

// ngspiceScript runs commands in the referee and returns what it prints.
func ngspiceScript(t testing.TB, commands string) string {
	t.Helper()
	exe, err := exec.LookPath("ngspice")
	if err != nil {
		t.Skip("ngspice is not installed: nothing to compare with")
	}
	in := filepath.Join(t.TempDir(), "script.cir")
	if err := os.WriteFile(in, []byte("* script\n.control\n"+commands+"quit 0\n.endc\n.end\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, "-b", in).CombinedOutput()
	if err != nil {
		t.Fatalf("ngspice: %v\n%s", err, out)
	}
	return string(out)
}
