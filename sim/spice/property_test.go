package spice

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// TestLinearNetworks solves random networks of resistors, conductances and
// current sources a second way: dense nodal equations.
func TestLinearNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		node := rapid.IntRange(0, n)
		y := mat.NewDense(n+1, n+1, nil)
		in := mat.NewVecDense(n+1, nil)
		var b strings.Builder
		b.WriteString("* random\n")
		stamp := func(a, c, p, q int, g float64) { // g (vp-vq) from a to c
			y.Set(a, p, y.At(a, p)+g)
			y.Set(a, q, y.At(a, q)-g)
			y.Set(c, p, y.At(c, p)-g)
			y.Set(c, q, y.At(c, q)+g)
		}
		for k := 1; k <= n; k++ { // a tree to ground, so that nothing floats
			r, to := rapid.Float64Range(0.1, 10).Draw(t, "r"), rapid.IntRange(0, k-1).Draw(t, "to")
			fmt.Fprintf(&b, "rt%d %d %d %.17g\n", k, k, to, r)
			stamp(k, to, k, to, 1/r)
		}
		for k := range rapid.IntRange(0, 20).Draw(t, "more") {
			p, q := node.Draw(t, "p"), node.Draw(t, "q")
			switch rapid.SampledFrom([]string{"r", "g", "i", "b"}).Draw(t, "kind") {
			case "r":
				r := rapid.Float64Range(0.1, 10).Draw(t, "r")
				fmt.Fprintf(&b, "r%d %d %d %.17g\n", k, p, q, r)
				stamp(p, q, p, q, 1/r)
			case "g":
				g, c, d := rapid.Float64Range(-0.02, 0.02).Draw(t, "g"), node.Draw(t, "c"), node.Draw(t, "d")
				fmt.Fprintf(&b, "g%d %d %d %d %d %.17g\n", k, p, q, c, d, g)
				stamp(p, q, c, d, g)
			case "b":
				g, c := rapid.Float64Range(-0.02, 0.02).Draw(t, "g"), node.Draw(t, "c")
				fmt.Fprintf(&b, "b%d %d %d i={%.17g*v(%d)}\n", k, p, q, g, c)
				stamp(p, q, c, 0, g)
			case "i":
				i := rapid.Float64Range(-1, 1).Draw(t, "i")
				fmt.Fprintf(&b, "i%d %d %d %.17g\n", k, p, q, i)
				in.SetVec(p, in.AtVec(p)-i)
				in.SetVec(q, in.AtVec(q)+i)
			}
		}
		b.WriteString(".op\n")
		var want mat.VecDense
		if err := want.SolveVec(y.Slice(1, n+1, 1, n+1), in.SliceVec(1, n+1)); err != nil {
			return // nearly singular: no second way
		}
		list, err := Parse("random.cir", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		c, err := list.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		tr, _, err := c.OP(context.Background(), Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		for k := range n {
			if got := tr.Signal(fmt.Sprintf("v(%d)", k+1)).Data[0]; math.Abs(got-want.AtVec(k)) > 1e-9*(1+math.Abs(got)) {
				t.Fatalf("v(%d) is %g, want %g\n%s", k+1, got, want.AtVec(k), b.String())
			}
		}
	})
}

// TestGradient compares the derivatives of random expressions with central
// differences.
func TestGradient(t *testing.T) {
	var expression func(depth int) *rapid.Generator[string]
	expression = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if depth == 0 || rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
				return rapid.SampledFrom([]string{"v(a)", "v(b)", "v(a,b)", "v(c)", "time", "1.5", "k", "0.3"}).Draw(t, "name")
			}
			sub := func() string { return expression(depth-1).Draw(t, "sub") }
			switch f := rapid.SampledFrom([]string{
				"+", "-", "*", "/", "tanh", "sin", "cos", "exp", "atan", "sqrt", "ln", "pow", "pwr", "min", "max", "limit", "abs", "?", "-x",
				"sinh", "asinh", "hypot", "atan2", "u", "pwl", "log10", "tan", "cosh", "softplus",
			}).Draw(t, "op"); f {
			case "+", "-", "*":
				return "(" + sub() + f + sub() + ")"
			case "/":
				return "(" + sub() + "/(2+sin(" + sub() + ")))"
			case "exp", "sinh", "cosh", "tan":
				return f + "(tanh(" + sub() + "))"
			case "sqrt", "ln", "log10":
				return f + "(1+abs(" + sub() + "))"
			case "softplus":
				return "ln(1+exp(" + sub() + "))"
			case "pow", "pwr":
				return f + "(1+abs(" + sub() + "),1.5+0.5*sin(" + sub() + "))"
			case "min", "max", "hypot", "atan2":
				return f + "(" + sub() + "," + sub() + ")"
			case "limit":
				return "limit(" + sub() + ",-0.5,0.7)"
			case "?":
				return "(" + sub() + ">" + sub() + " ? " + sub() + " : " + sub() + ")"
			case "-x":
				return "(-" + sub() + ")"
			case "pwl":
				return "pwl(" + sub() + ",-1,2,0,1,1,5)"
			default:
				return f + "(" + sub() + ")"
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		text := expression(5).Draw(t, "expression")
		n, err := Parse("g.cir", []byte("* g\n.param k=0.7\nv1 a 0 1\nv2 b 0 1\nv3 c 0 1\nb1 d 0 v={"+text+"}\nr1 d 0 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		d := &c.behaviours[0]
		p := c.programs[d.prog]
		r, grad := make([]float64, p.regs), make([]float64, p.regs)
		copy(r[p.inputs:], c.consts[d.con:int(d.con)+p.consts])
		x := make([]float64, p.inputs)
		for k := range x {
			if x[k] = rapid.Float64Range(-2, 2).Draw(t, "x"); math.Abs(x[k]) < 1e-100 {
				x[k] = 0 // nobody's potential, and slopes stop there
			}
		}
		value := func() float64 {
			copy(r, x)
			return p.value(r)
		}
		// difference quotient between x+from and x+to
		quotient := func(k int, from, to float64) float64 {
			at := x[k]
			x[k] = at + to
			up := value()
			x[k] = at + from
			down := value()
			x[k] = at
			return (up - down) / (to - from)
		}
		value()
		p.gradient(r, grad)
		for k := range x {
			const h = 1e-5
			a := quotient(k, -h, h)
			scale := 1 + math.Abs(a) + math.Abs(value())
			kink := false
			for _, span := range [][2]float64{{-h, 0}, {0, h}, {-2 * h, -h}, {h, 2 * h}} {
				kink = kink || !(math.Abs(quotient(k, span[0], span[1])-a) <= 1e-3*scale)
			}
			if kink {
				continue // differences say nothing there
			}
			if math.Abs(grad[k]-a) > 3e-3*scale {
				t.Fatalf("%s at %v: d/dx%d is %g, differences say %g", text, x, k, grad[k], a)
			}
		}
	})
}
