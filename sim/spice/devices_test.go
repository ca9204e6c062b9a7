package spice

import (
	"context"
	"math"
	"strings"
	"testing"

	"vlec/sim"
)

const (
	diodes = `
.model d1 d(is=2e-14 n=1.2 rs=1.5 cjo=4p vj=0.7 m=0.4 tt=5n bv=6 ibv=2m)
.model d2 d is=1e-15 ikf=2m ikr=1u cjo=1p eg=1.2 xti=2.5 tnom=40 fc=0.4
`
	transistors = `
.model n1 nmos level=1 vto=0.7 kp=110u gamma=0.4 lambda=0.04 phi=0.7 tox=9n cgso=0.2n cgdo=0.3n cgbo=0.1n cj=0.6m cjsw=0.4n mj=0.45 mjsw=0.3 pb=0.9 rd=20 rs=30 js=1u
.model p1 pmos level=1 vto=-0.8 kp=38u gamma=0.57 lambda=0.05 phi=0.75 tox=9n cgso=0.2n cgdo=0.3n cbd=20f cbs=30f is=1e-15 rsh=15 ld=0.05u
.model n2 nmos nsub=4e15 tox=40n uo=700 nss=1e10 tpg=1 tnom=50
.model p2 pmos nsub=2e15 tox=50n uo=250 tpg=-1
.model n3 nmos
`
)

// devices are circuits around one device, each an analysis that both simulators
// run.
var devices = map[string]string{
	"diode forward":      diodes + "v1 a 0 0\nd1 a 0 d1 area=2\n.dc v1 -0.5 0.9 0.02\n",
	"diode breakdown":    diodes + "v1 a 0 0\nd1 a 0 d1\n.dc v1 -6.3 -5 0.02\n",
	"diode knee":         diodes + "v1 a 0 0\nd1 a 0 d2 area=3 m=2\n.dc v1 -3 1 0.05\n",
	"diode warm":         diodes + "v1 a 0 0\nd1 a 0 d1\nd2 a 0 d2\nd3 a 0 d1 temp=-20\n.temp 85\n.dc v1 -1 0.8 0.05\n",
	"diode ac":           diodes + "v1 a 0 0.6 ac 1\nd1 a 0 d1\nv2 b 0 -2 ac 1\nd2 b 0 d2 area=5\nv3 c 0 0.75 ac 1 30\nd3 c 0 d2\n.ac dec 5 1k 1g\n",
	"diode ac warm":      diodes + ".temp 100\nv1 a 0 0.6 ac 1\nd1 a 0 d1\nv2 b 0 -2 ac 1\nd2 b 0 d2 area=5\n.ac dec 5 1k 1g\n",
	"diode recovery":     diodes + "v1 in 0 pulse(-2 2 10n 1n 1n 40n 100n)\nr1 in a 500\nd1 a 0 d1\n.tran 0.1n 120n 0 0.05n\n",
	"diode initial":      diodes + "d1 a 0 d1\nr1 a 0 1meg\nr2 a b 1k\nd2 0 b d2\n.ic v(a)=0.5\n.tran 1n 1u 0 1n uic\n",
	"nmos drain":         transistors + "vg g 0 0\nvd d 0 0\nm1 d g 0 0 n1 w=10u l=2u ad=20p as=20p pd=24u ps=24u\n.dc vd -1 5 0.1 vg 0 3 0.5\n",
	"nmos gate and bulk": transistors + "vg g 0 0\nvb b 0 0\nvd d 0 2\nm1 d g 0 b n1 w=10u l=2u m=3\n.dc vg -1 4 0.1 vb -3 0.6 0.6\n",
	"pmos drain":         transistors + "vg g 0 0\nvd d 0 0\nm1 d g 0 0 p1 w=10u l=2u nrd=2 nrs=3\n.dc vd 1 -5 -0.1 vg 0 -3 -0.5\n",
	"mos process":        transistors + "vg g 0 0\nvd d 0 3\nm1 d g 0 0 n2 w=10u l=2u\nvp p 0 0\nep q 0 g 0 -1\nm2 p q 0 0 p2\nm3 d g 0 0 n3\n.dc vg 0 4 0.1\n",
	"mos warm":           transistors + ".temp 90\nvg g 0 0\nvd d 0 3\nvb b 0 0.3\nm1 d g 0 b n1 w=10u l=2u\nm2 d g 0 0 n2 w=5u l=5u\nvp p 0 -3\nep q 0 g 0 -1\nm3 p q 0 0 p1 w=3u l=1u temp=0\n.dc vg 0 4 0.1\n",
	"mos ac": transistors + `vg g 0 1.5 ac 1
vd d 0 2
m1 d g 0 0 n1 w=10u l=2u ad=20p as=20p pd=24u ps=24u
vh h 0 2 ac 1
ve e 0 0.3
m2 e h 0 0 n1 w=10u l=2u
vi i 0 0.4 ac 1
m3 d i 0 0 n1 w=10u l=2u
vj j 0 -0.2 ac 1
vk k 0 -2
m4 k j 0 0 p1 w=10u l=2u
vl l 0 -1.7 ac 1
m5 l j 0 0 p1 w=10u l=2u
.ac dec 5 1meg 1g
`,
	"mos ac warm": transistors + ".temp 70\nvg g 0 1.5 ac 1\nvd d 0 2 ac 0.3 20\nm1 d g 0 0 n1 w=10u l=2u ad=20p as=20p pd=24u ps=24u\n.ac dec 5 1meg 1g\n",
	"mos gate charge": transistors + `vdd vdd 0 3
rl vdd d 20k
v1 in 0 pulse(0 3 5n 2n 3n 20n 60n)
rg in g 5k
m1 d g 0 0 n1 w=20u l=2u ad=40p as=40p pd=44u ps=44u
cl d 0 0.1p
.tran 0.05n 100n 0 0.05n
`,
	"cmos inverter": transistors + `vdd vdd 0 3.3
v1 src 0 pulse(0 3.3 5n 1n 1n 20n 50n)
rin src in 5k
mn out in 0 0 n1 w=4u l=1u ad=8p as=8p pd=12u ps=12u
mp out in vdd vdd p1 w=12u l=1u
cl out 0 50f
.tran 0.05n 40n 0 0.004n
.options reltol=1e-5 abstol=1e-13 vntol=1e-8
`,
	"mos initial": transistors + "m1 d g 0 0 n1 w=10u l=1u\nr1 d 0 100k\nr2 g 0 50k\n.ic v(d)=1 v(g)=2\n.tran 0.001n 20n 0 0.02n uic\n",
}

// pairs couples the vectors of two runs of the same netlist.
func pairs(t *testing.T, theirs *Plot, ours *sim.Trace, f func(name string, unit string, re, im, m []float64)) {
	t.Helper()
	for k := 1; k < len(theirs.Names); k++ {
		s := ours.Signal(theirs.Names[k])
		if s == nil {
			t.Errorf("vector %s is missing", theirs.Names[k])
			continue
		}
		var im []float64
		if theirs.Imag != nil {
			im = theirs.Imag[k]
		}
		f(s.Name, s.Unit, theirs.Data[k], im, s.Data)
	}
}

// TestDevices compares every device with ngspice: dc curves and small signals to
// 1e-6, transients to 1e-3 of the largest value.
func TestDevices(t *testing.T) {
	for name, body := range devices {
		t.Run(name, func(t *testing.T) {
			tol := "reltol=1e-6"
			if strings.Contains(body, ".dc") {
				tol = "reltol=1e-9"
			}
			tight := ".options " + tol + " abstol=1e-16 vntol=1e-9 chgtol=1e-19 trtol=1\n"
			if strings.Contains(body, ".options") {
				tight = ""
			}
			src := "* " + name + "\n" + body + tight + ".end\n"
			n, err := Parse("t.cir", []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			c, err := n.Elaborate()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.Warnings {
				t.Errorf("warning: %v", w)
			}
			theirs := ngspice(t, src)
			ctx := context.Background()
			switch {
			case strings.Contains(body, ".dc"):
				tr, stats, err := c.DC(ctx, Options{})
				if err != nil {
					t.Fatal(err)
				}
				agree(t, theirs, tr, 1e-6)
				t.Logf("%+v", stats)
			case strings.Contains(body, ".ac"):
				tr, _, err := c.AC(ctx, Options{})
				if err != nil {
					t.Fatal(err)
				}
				agree(t, theirs, tr, 1e-6)
			default:
				var times []float64
				for k, at := range theirs.Data[0] {
					if k%5 == 0 {
						times = append(times, at)
					}
				}
				tr, stats, err := c.Tran(ctx, Options{Times: times})
				if err != nil {
					t.Fatal(err)
				}
				worst, which := 0.0, ""
				for _, s := range theirs.Trace().Signals {
					m := tr.Signal(s.Name)
					if m == nil {
						t.Errorf("vector %s is missing", s.Name)
						continue
					}
					if d := apart(m, s); d > worst {
						worst, which = d, s.Name
					}
				}
				t.Logf("worst %s %.2g; %d steps (ngspice %d), %d rejected, %d iterations", which, worst, stats.Steps, len(theirs.Data[0]), stats.Rejected, stats.Iterations)
				if !(worst <= 1e-3) {
					t.Errorf("%s differs by %g", which, worst)
				}
			}
		})
	}
}

// agree compares sample by sample, relative to each magnitude above a floor: the
// sweeps of ngspice add up rounding, and its gmin leaks.
func agree(t *testing.T, theirs *Plot, ours *sim.Trace, rel float64) {
	t.Helper()
	worst, what := 0.0, ""
	pairs(t, theirs, ours, func(name, unit string, re, im, m []float64) {
		floor := 1e-8
		if unit == "A" {
			floor = 1e-9
		}
		w := 1
		if im != nil {
			w = 2
		}
		if len(m) != w*len(re) {
			t.Fatalf("%s has %d values, ngspice %d", name, len(m)/w, len(re))
		}
		for k := range re {
			z := complex(re[k], 0)
			o := complex(m[k*w], 0)
			if im != nil {
				z, o = complex(re[k], im[k]), complex(m[2*k], m[2*k+1])
			}
			d := math.Hypot(real(z-o), imag(z-o))
			size := math.Hypot(real(z), imag(z)) + floor
			if d/size > worst {
				worst, what = d/size, name+" "+formatSI(theirs.Data[0][k])
			}
			if !(d <= rel*size) && !t.Failed() {
				t.Errorf("%s at %g: %g, ngspice %g", name, theirs.Data[0][k], o, z)
			}
		}
	})
	t.Logf("worst %.2g: %s", worst, what)
}

const bipolars = `
.model q1 npn(is=1e-15 bf=120 vaf=60 ikf=20m ise=2e-13 ne=1.8 br=3 nr=1.05 var=15 ikr=5m isc=1e-12 nc=1.6 rb=120 rbm=20 re=1 rc=15 cje=2p vje=0.7 mje=0.35 cjc=1.5p vjc=0.6 mjc=0.4 xcjc=0.6 cjs=2p vjs=0.6 mjs=0.4 tf=0.3n xtf=3 vtf=4 itf=30m tr=20n xtb=1.5 eg=1.15 xti=3.2 fc=0.6)
.model q2 pnp is=5e-16 bf=60 vaf=40 cje=1p cjc=1p cjs=1p tf=1n rb=80
.model q3 npn bf=100 rb=200 irb=50u rbm=30
`

func init() {
	for name, body := range map[string]string{
		"npn curves":       "vc c 0 0\nib 0 b 0\nq1 c b 0 0 q1\n.dc vc -0.3 4 0.1 ib 1u 101u 25u\n",
		"npn gummel":       "vb b 0 0\nvc c 0 2\nq1 c b 0 q1 m=3\n.dc vb -1 1 0.02\n",
		"npn substrate":    "vb b 0 0\nvc c 0 1\nvs s 0 -1\nq1 c b 0 s q1\n.dc vb 0.3 0.8 0.02\n",
		"npn warm":         "vb b 0 0\nvc c 0 2\nq1 c b 0 q1\nq2 c b 0 q3\nq4 c b 0 q1 temp=-10\n.temp 80\n.dc vb 0.2 0.8 0.02\n",
		"npn inverse":      "vb b 0 0.65\nve e 0 0\nq1 0 b e q1\n.dc ve -0.2 3 0.05\n",
		"pnp gummel":       "vb b 0 0\nvc c 0 -2\nq1 c b 0 q2\n.dc vb 0.5 -0.9 -0.02\n",
		"npn base current": "vb b 0 0\nvc c 0 2\nq1 c b 0 q3\n.dc vb 0.3 0.9 0.02\n",
		"npn ac":           "vb b 0 0.68 ac 1\nvc c 0 2\nq1 c b 0 q1\nvd d 0 1 ac 0.4 40\nvf f 0 0.7\nq2 d f 0 q1\nvg g 0 -0.7 ac 1\nvh h 0 -1\nq4 h g 0 q2\n.ac dec 5 10k 10g\n",
		"npn ac warm":      ".temp 90\nvb b 0 0.6 ac 1\nvc c 0 2\nq1 c b 0 q1\nvg g 0 -0.6 ac 1\nvh h 0 -1\nq4 h g 0 q2\n.ac dec 5 10k 10g\n",
		"npn switch":       "vcc cc 0 5\nrc cc c 1k\nv1 in 0 pulse(0 5 20n 5n 5n 200n 500n)\nrb in b 10k\nq1 c b 0 q1\n.tran 0.5n 500n 0 0.3n\n",
		"pnp follower":     "vcc cc 0 5\nre cc e 2k\nv1 in 0 sin(2 1 2meg)\nrb in b 1k\nq1 0 b e q2\n.tran 2n 1.5u 0 1n\n",
	} {
		devices[name] = bipolars + body
	}
}

// TestModelOfInstance: a .model inside .subckt has the parameters of each
// instance.
func TestModelOfInstance(t *testing.T) {
	c := build(t, "t.cir", `* t
.subckt cell a b params: k=1e-15
.model dd d(is={k})
d1 a b dd
.ends
.subckt two a b params: k=1
x1 a m cell params: k={3*k}
v1 m b 0
.ends
v1 a 0 0.6
x1 a p cell params: k=2e-15
vp p 0 0
x2 a q cell
vq q 0 0
x3 a r two params: k=4e-15
vr r 0 0
.op
.end
`)
	tr, _, err := c.OP(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	one := tr.Signal("i(vq)").Data[0]
	for name, times := range map[string]float64{"i(vp)": 2, "i(vr)": 12} {
		if got := tr.Signal(name).Data[0] / one; math.Abs(got/times-1) > 1e-6 {
			t.Errorf("%s is %g times that of one, want %g", name, got, times)
		}
	}
}
