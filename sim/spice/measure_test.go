package spice

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/sim"
)

// ngspiceMeasures runs a netlist with .measure cards in the referee.
func ngspiceMeasures(t *testing.T, src string) map[string]float64 {
	t.Helper()
	exe, err := exec.LookPath("ngspice")
	if err != nil {
		t.Skip("ngspice is not installed: nothing to compare with")
	}
	in := filepath.Join(t.TempDir(), "in.cir")
	src = strings.Replace(src, ".end\n", ".control\nset numdgt=12\nrun\nquit 0\n.endc\n.end\n", 1)
	if err := os.WriteFile(in, []byte(src), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, "-b", in).CombinedOutput()
	if err != nil {
		t.Fatalf("ngspice: %v\n%s", err, out)
	}
	got := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+)\s+=\s+(\S+)`).FindAllStringSubmatch(string(out), -1) {
		if v, err := strconv.ParseFloat(m[2], 64); err == nil {
			got[m[1]] = v
		}
	}
	return got
}

func TestMeasureAgainstNgspice(t *testing.T) {
	const tran = `* measures
.param half=0.5
v1 in 0 pulse(0 1 0.1m 1u 1u 1m 2m) ac 1
r1 in out 1k
c1 out 0 0.2u
.measure tran rise trig v(out) val=0.1 rise=1 targ v(out) val=0.9 rise=1
.measure tran delay trig v(in) val={half} rise=2 targ v(out) val={half} rise=2
.measure tran fromat trig at=1m targ v(out) val=0.5 fall=last
.measure tran cross3 when v(out)=0.3 cross=3
.measure tran meet when v(out)=v(in) fall=1
.measure tran found find v(out) at=0.4m
.measure tran foundw find v(in,out) when v(out)=0.25 rise=1
.measure tran slope deriv v(out) at=0.3m
.measure tran mean avg v(out) from=1m to=3m
.measure tran eff rms v(out) from=0.5m to=3.5m
.measure tran least min v(out) from=0.5m to=3.5m
.measure tran most max v(out)
.measure tran span pp v(out) from=0.2m to=2m
.measure tran area integ v(out) from=0 to=2m
.measure tran late max_at v(out) from=0 to=1.5m
.measure tran twice param='2*mean+half'
.measure tran never when v(out)=2
.tran 1u 4m 0 1u
.end
`
	c := elaborate(t, tran)
	tr, _, err := c.Tran(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	compareMeasures(t, c, "tran", tr, ngspiceMeasures(t, tran), 16)

	ac := strings.Replace(strings.Replace(tran, ".tran 1u 4m 0 1u", `.measure ac corner when vdb(out)=-3 fall=1
.measure ac phase find vp(out) at=1k
.measure ac mag find vm(in,out) at=300
.measure ac re find vr(out) at=2k
.ac dec 200 10 100k`, 1), ".measure tran", "*", -1)
	c = elaborate(t, ac)
	if tr, _, err = c.AC(context.Background(), Options{}); err != nil {
		t.Fatal(err)
	}
	compareMeasures(t, c, "ac", tr, ngspiceMeasures(t, ac), 4)
}

// byHand are the measures that ngspice 39 does not print.
var byHand = map[string]float64{
	"meet":   2.1e-3, // the second edge of the input crosses the output
	"foundw": 0.75,
	"slope":  math.Exp(-(0.3-0.1005)/0.2) / 0.2e-3,
	"mag":    0.6e-3 * 200 * math.Pi * 1 / math.Hypot(1, 0.6e-3*200*math.Pi),
}

func compareMeasures(t *testing.T, c *Circuit, analysis string, tr *sim.Trace, want map[string]float64, atLeast int) {
	t.Helper()
	got, err := c.Measure(analysis, tr)
	if err != nil {
		t.Fatal(err)
	}
	common := 0
	for _, m := range got {
		w, ok := want[m.Name]
		if m.Name == "never" {
			if m.Err == nil || !math.IsNaN(m.Value) || ok {
				t.Errorf("never: %v %v", m.Value, m.Err)
			}
			continue
		}
		if m.Err != nil {
			t.Error(m.Err)
			continue
		}
		if w0, known := byHand[m.Name]; !ok && known {
			w, ok = w0, true
		}
		if !ok {
			t.Errorf("nothing to compare %s = %g with", m.Name, m.Value)
			continue
		}
		common++
		if math.Abs(m.Value-w) > 1e-3*math.Abs(w) {
			t.Errorf("%s is %g, ngspice says %g", m.Name, m.Value, w)
		}
	}
	if common < atLeast {
		t.Errorf("%d measures compared, want %d", common, atLeast)
	}
}
