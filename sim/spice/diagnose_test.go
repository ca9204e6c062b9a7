package spice

import (
	"context"
	"strings"
	"testing"
)

// TestDiagnoses runs circuits that cannot work and wants the exact message: the
// node, the device, its place, and what to do.
func TestDiagnoses(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{
			"a gate that nothing drives", "vdd d 0 3\nm1 d g 0 0 n\n.model n nmos\n",
			"t.cir:3:1: node g has no path for direct current to ground; add a resistor, an .ic, or uic to .tran",
		},
		{
			"a gate behind a capacitor", "vdd d 0 3\nc1 d g 1p\nm1 d g 0 0 n\n.model n nmos\n",
			"t.cir:3:1: node g has no path for direct current to ground; add a resistor, an .ic, or uic to .tran",
		},
		{
			"a loop of sources", "v1 a 0 1\ne1 a b a 0 1\nv2 b 0 1\n",
			"t.cir:3:1: e1 closes a loop of voltage sources; put a resistor into the loop or remove the source",
		},
		{
			"an inductor across a source", "v1 a 0 1\nl1 a 0 1m\n",
			"t.cir:3:1: at direct current l1 closes a loop of inductors and voltage sources; put a resistor into the loop, or uic and ic= on the inductors",
		},
		{
			"inductors in parallel", "i1 0 a 1\nr1 a 0 1\nl1 a b 1m\nl2 a b 2m\nr2 b 0 1\n",
			"t.cir:5:1: at direct current l2 closes a loop of inductors and voltage sources; put a resistor into the loop, or uic and ic= on the inductors",
		},
		{
			"current sources in series", "i1 0 a 1\ni2 a 0 2\n",
			"t.cir:2:1: node a floats: only current sources lead to it; connect a resistor or capacitor to ground",
		},
		{
			"a current into a capacitor", "i1 0 a 1\nc1 a 0 1n\n",
			"t.cir:2:1: node a has no path for direct current to ground; add a resistor, an .ic, or uic to .tran",
		},
		{
			"an island", "r1 a 0 1\nr2 x y 1\nc1 x y 1n\nd1 y z d\n.model d d\n",
			"t.cir:3:1: node x floats: nothing connects it and y, z to ground; connect a resistor or capacitor to ground",
		},
		{
			"a secondary without ground", "v1 a 0 sin(0 1 1k)\nr0 a p 1\nl1 p 0 1m\nl2 x y 1m\nk1 l1 l2 0.9\nr1 x y 1\n",
			"t.cir:5:1: node x floats: nothing connects it and y to ground; connect a resistor or capacitor to ground",
		},
		{
			"conductances that cancel", "g1 a 0 a 0 -1m\nr1 a 0 1k\ni1 0 a 1m\n",
			"t.cir:2:1: operating point: the equations have no unique solution: nothing determines v(a); it needs a path to ground and a device that fixes its voltage",
		},
		{
			"a solution that runs away", "c1 a 0 1 ic=1\nb1 a 0 i={-v(a)*v(a)}\n.options trtol=7\n.tran 1m 2 uic\n",
			"t.cir:3:1: transient at t = ",
		},
		{
			"a root of a negative number", "r1 a 0 1\nb1 a 0 i={sqrt(v(a)-1)}\n",
			"t.cir:3:1: operating point: b1 has no finite value; is there a division by zero, or ln or sqrt of a negative number?",
		},
		{
			"no operating point", "v1 in 0 1\nr1 in a 1\nb1 a 0 i={2-sgn(v(a)-0.3)+5*sgn(v(a)-0.4)}\n",
			"t.cir:4:1: operating point: no convergence, ",
		},
	} {
		src := "* t\n" + c.src
		if !strings.Contains(src, ".tran") {
			src += ".tran 1u 1m\n"
		}
		n, err := Parse("t.cir", []byte(src+".end\n"))
		if err != nil {
			t.Fatal(err)
		}
		ct, err := n.Elaborate()
		if err == nil {
			_, _, err = ct.Tran(context.Background(), Options{})
		}
		exact := !strings.HasSuffix(c.want, " ")
		if err == nil || exact && err.Error() != c.want || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
		if err != nil && !exact && !strings.Contains(err.Error(), "b1 (t.cir:") {
			t.Errorf("%s: no device is named: %v", c.name, err)
		}
	}
}

// TestUnsupported: every construct outside the subset is refused, at its place,
// with what to do.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct{ card, want string }{
		{"j1 a b 0 mod", `:2:1: devices of letter "j" are not supported; use`},
		{"z1 a b 0 mod", `:2:1: devices of letter "z" are not supported; use`},
		{"s1 a 0 b 0 sw", `:2:1: devices of letter "s" are not supported; replace the switch by a smooth conductance`},
		{"w1 a 0 v1 sw", `:2:1: devices of letter "w" are not supported; replace the switch by a smooth conductance`},
		{"t1 a 0 b 0 z0=50 td=1n", `:2:1: devices of letter "t" are not supported; use a ladder of l and c`},
		{"o1 a 0 b 0 line", `:2:1: devices of letter "o" are not supported; use`},
		{"u1 a b 0 rc l=1", `:2:1: devices of letter "u" are not supported; use`},
		{"y1 a 0 b 0 line", `:2:1: devices of letter "y" are not supported; use`},
		{"p1 a b 0 c d 0 line", `:2:1: devices of letter "p" are not supported; use`},
		{"n1 a 0 osdi", `:2:1: devices of letter "n" are not supported; use`},
		{"a1 [a] [b] gate", `:2:1: devices of letter "a" are not supported; XSPICE code models run in ngspice only`},
		{"e1 b 0 poly(1) a 0 0 1", ":2:8: POLY is not supported; write the polynomial as a b element"},
		{"f1 b 0 poly(1) vx 0 1", ":2:8: POLY is not supported"},
		{"e1 b 0 table {v(a)} = (0,0) (1,1)", ":2:8: TABLE is not supported; use a b element with pwl()"},
		{"e1 b 0 laplace {v(a)} {1/(1+s)}", ":2:8: LAPLACE is not supported; use a b element with pwl(), or an rc network"},
		{"v2 b 0 trnoise(1m 1u 0 0)", ":2:8: trnoise is not supported; draw the noise"},
		{"v2 b 0 trrandom(1 1u)", ":2:8: trrandom is not supported; draw the noise"},
		{"v2 b 0 external", ":2:8: external is not supported"},
		{"v2 b 0 pwl file=x.txt", ":2:12: pwl files are not supported"},
		{"r2 b 0 rmod l=10u w=1u", `:2:13: unknown parameter "l" of r2; known are r ic m tc1 tc2`},
		{"c2 b 0 1n cmod", `:2:11: unexpected "cmod"; device models of r, c and l are not supported; write the value`},
		{"b2 b 0 i={ddt(v(a))}", ":2:11: unknown function ddt; a lead is a weighted sum"},
		{"b2 b 0 i={idt(v(a))}", ":2:11: unknown function idt; integrate with a current into a capacitor"},
		{"b2 b 0 v={agauss(1,0.1,3)}", ":2:11: unknown function agauss; draw mismatch before simulating"},
		{"x1 b 0 cell m=2\n.subckt cell a b\nr1 a b 1\n.ends", ":2:13: multiplied instances (m=) are not supported; repeat the instance"},
		{"m1 b a 0 0 nm w=1u l=1u\n.model nm nmos level=54", ":3:16: m1 with model nm: MOS transistors of level 54 are not supported; level 1 is built in"},
		{"q1 b a 0 qm\n.model qm npn level=4", ":3:15: q1 with model qm: bipolar transistors of level 4 are not supported; use level 1"},
		{"d1 b a dm\n.model dm d level=3", ":3:13: d1 with model dm: diodes of level 3 are not supported; use level 1"},
		{"d1 b a dm\n.model dm d is=1e-15 jsw=1", ":3:22: model dm: jsw=1 is not supported; leave the effect out, or use --engine ngspice"},
		{"q1 b a 0 qm\n.model qm npn bf=100 tf=1n ptf=30", ":3:28: model qm: ptf=30 is not supported; leave the effect out, or use --engine ngspice"},
		{"d1 b a sm\n.model sm njf", ":2:8: d1 cannot use model sm of type njf; models of type d, nmos, pmos, npn, pnp are understood; use --engine ngspice for others"},
		{".if (1)\n.endif", ":2:1: .if is not supported; write the netlist that is meant"},
		{".data a\n.enddata", ":2:1: .data is not supported"},
		{".alter", ":2:1: .alter is not supported"},
		{".measure tran x fourier v(a)", `:2:17: measurement "fourier" is not supported; use trig, find, when`},
		{".options method=bdf3", `:2:10: unknown integration method "bdf3"; use trap or gear`},
		{".param s=\"text\"", ":2:11: string parameters are not supported"},
		{".noise v(a) v1 dec 10 1 1k", "warning: t.cir:2:1: .noise is not simulated; op, dc, ac and tran are simulated"},
		{".four 1k v(a)", "warning: t.cir:2:1: .four is not simulated"},
		{".options cptime=1", "warning: t.cir:2:10: option cptime is not known and ignored"},
		{".control\nrun\n.endc", "warning: t.cir:2:1: the .control block is not executed; the analyses of the netlist's own cards are run"},
	} {
		src := "* t\n" + c.card + "\nr1 a 0 1\nv1 a 0 1\nr9 b 0 1\n.op\n.end\n"
		n, err := Parse("t.cir", []byte(src))
		said := ""
		if err == nil {
			var ct *Circuit
			if ct, err = n.Elaborate(); err == nil {
				for _, w := range ct.Warnings {
					said += "warning: " + w.Error() + "\n"
				}
			}
		}
		if err != nil {
			said = err.Error()
		}
		if !strings.Contains(said, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.card, said, c.want)
		}
	}
}
