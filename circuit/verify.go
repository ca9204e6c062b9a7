package circuit

import (
	"math"
	"slices"
	"strings"

	"vlec/model/diag"
)

// Verify checks that the graph is whole: pins joined to nets of the right
// quantity and width, every potential driven once, every sum terminated once,
// parameters of the right shape, finite, positive where they must be. Errors
// stand at the element's place in the model file and name the element. The
// result is a diag.List, or nil.
func (c *Circuit) Verify() error {
	v := verifier{names: map[string]bool{}, nets: make(map[*Net]bool, len(c.Nets))}
	v.netList(c)
	for _, e := range c.Elements {
		v.element(e)
	}
	v.connections(c)
	for _, s := range c.Signals {
		width := 1
		for _, n := range s.Shape {
			if width *= n; width > MaxWires {
				break // before it overflows
			}
		}
		if !v.nets[s.Net] || s.Net.Width != width {
			v.errs.Add(diag.Pos{}, "", "signal %q of shape %v is not on a net of that width", s.Name, s.Shape)
		}
	}
	return v.errs.Err()
}

type verifier struct {
	errs  diag.List
	names map[string]bool
	nets  map[*Net]bool
}

func (v *verifier) fail(e *Element, hint, format string, args ...any) {
	v.errs.Add(e.Origin, hint, "%s %q: "+format, append([]any{e.Kind.Name, e.Name}, args...)...)
}

func (v *verifier) netList(c *Circuit) {
	seen := make(map[string]bool, len(c.Nets))
	for _, n := range c.Nets {
		if seen[n.Name] {
			v.errs.Add(diag.Pos{}, "give one of them another name", "two nets are named %q", n.Name)
		}
		seen[n.Name], v.nets[n] = true, true
		if n.Width < 1 {
			v.errs.Add(diag.Pos{}, "a net has at least one wire", "net %q has width %d", n.Name, n.Width)
		}
		if n.Quantity != Potential && n.Quantity != Sum {
			v.errs.Add(diag.Pos{}, "it is potential or sum", "net %q carries an unknown quantity %q", n.Name, n.Quantity)
		}
	}
}

func (v *verifier) element(e *Element) {
	if v.names[e.Name] {
		v.fail(e, "give one of them another name", "the name is taken")
	}
	v.names[e.Name] = true
	dims := map[string]int{"": 1}
	for i, n := range e.Pins {
		spec := e.Kind.Pins[i]
		if n == nil {
			v.fail(e, "connect it", "pin %s is open", spec.Name)
			continue
		}
		if !v.nets[n] {
			v.fail(e, "add the net to the circuit", "pin %s is on a net %q of another circuit", spec.Name, n.Name)
		}
		if (spec.Role == Drives && n.Quantity != Potential) || ((spec.Role == Injects || spec.Role == Terminates) && n.Quantity != Sum) {
			v.fail(e, "", "pin %s %s, but net %q is a %s", spec.Name, spec.Role, n.Name, n.Quantity)
		}
		if len(spec.Width) == 1 {
			v.bind(e, dims, spec.Width, n.Width, "pin "+spec.Name)
		}
	}
	dims["nm"] = dims["n"] * dims["m"]
	for i, n := range e.Pins {
		if spec := e.Kind.Pins[i]; n != nil && len(spec.Width) == 2 && n.Width != dims["nm"] {
			v.fail(e, "", "pin %s is %d wide, want %d x %d", spec.Name, n.Width, dims["n"], dims["m"])
		}
	}
	for i := range e.Params {
		v.param(e, &e.Kind.Params[i], &e.Params[i], dims)
	}
}

func (v *verifier) bind(e *Element, dims map[string]int, letter string, width int, what string) {
	if have, ok := dims[letter]; ok && have != width {
		v.fail(e, "", "%s is %d wide, want %s = %d", what, width, letter, have)
		return
	}
	dims[letter] = width
}

func (v *verifier) param(e *Element, spec *ParamSpec, p *Param, dims map[string]int) {
	if spec.Optional && p.Numbers == nil {
		return
	}
	switch spec.Dimension {
	case Word:
		if !slices.Contains(spec.Words, p.Word) {
			v.fail(e, "it is "+strings.Join(spec.Words, ", "), "parameter %s is %q", spec.Name, p.Word)
		}
		return
	case Stim:
		if len(p.Waves) != dims[spec.Shape] {
			v.fail(e, "one wave a channel", "parameter %s has %d waves, want %d", spec.Name, len(p.Waves), dims[spec.Shape])
		}
		for _, w := range p.Waves {
			v.wave(e, w)
		}
		return
	}
	if len(p.Numbers) != dims[spec.Shape] {
		v.fail(e, "", "parameter %s has %d numbers, want %d", spec.Name, len(p.Numbers), dims[spec.Shape])
	}
	for i, x := range p.Numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) || (spec.Positive && x <= 0) {
			v.fail(e, "", "parameter %s[%d] = %g is out of range", spec.Name, i, x)
			break
		}
	}
}

func (v *verifier) wave(e *Element, w Wave) {
	if len(w) == 0 {
		v.fail(e, "a silent channel is constant(0)", "a wave has no term")
	}
	for _, t := range w {
		spec := FindShape(t.Shape)
		switch {
		case spec == nil:
			v.fail(e, "", "there is no wave shape %q", t.Shape)
			continue
		case t.Shape == "samples" && (len(t.Numbers) < 2 || len(t.Numbers)%2 != 0),
			t.Shape != "samples" && len(t.Numbers) != len(spec.Names):
			v.fail(e, "", "wave %s has %d numbers", t.Shape, len(t.Numbers))
		}
		for i, x := range t.Numbers {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				v.fail(e, "", "number %d of wave %s is %g", i, t.Shape, x)
			}
			if t.Shape == "samples" && i >= 2 && i%2 == 0 && x <= t.Numbers[i-2] {
				v.fail(e, "sort the samples by time", "the times of wave samples do not ascend at %g", x)
				break
			}
		}
	}
}

// connections checks what only all elements together show.
func (v *verifier) connections(c *Circuit) {
	uses := c.Uses()
	for _, n := range c.Nets {
		owners := 0
		var last *Element
		for _, u := range uses[n] {
			if r := u.Role(); r == Drives || r == Terminates {
				owners++
				if owners == 2 {
					v.fail(u.Element, "remove one of them", "net %q is already owned by %q", n.Name, last.Name)
				}
				last = u.Element
			}
		}
		if owners == 0 && len(uses[n]) > 0 {
			what := map[Quantity]string{Potential: "drives", Sum: "terminates"}[n.Quantity]
			v.fail(uses[n][0].Element, "", "nothing %s net %q", what, n.Name)
		}
	}
}
