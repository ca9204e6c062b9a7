package circuit

import (
	"strconv"
	"strings"

	"vlec/model/diag"
)

// String prints the circuit in its text form, one net or element a line:
//
//	circuit chain
//	net hidden.s sum 1
//	synapse in_hidden pre=drive.r sum=hidden.s w=[0.5] @ model.toml:10:1
//	signal hidden.u hidden.u 1
//
// Numbers are printed so that they read back exactly.
func (c *Circuit) String() string {
	var b strings.Builder
	b.WriteString("circuit " + quote(c.Name) + "\n")
	if c.Units.Physical() {
		b.WriteString("units time=" + number(c.Units.Time) + " voltage=" + number(c.Units.Voltage) +
			" resistance=" + number(c.Units.Resistance) + "\n")
	}
	for _, n := range c.Nets {
		b.WriteString("net " + quote(n.Name) + " " + string(n.Quantity) + " " + strconv.Itoa(n.Width) + "\n")
	}
	for _, e := range c.Elements {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	for _, s := range c.Signals {
		b.WriteString("signal " + quote(s.Name) + " " + quote(s.Net.Name))
		for _, n := range s.Shape {
			b.WriteString(" " + strconv.Itoa(n))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// String prints the element as one line of the text form.
func (e *Element) String() string {
	var b strings.Builder
	b.WriteString(e.Kind.Name + " " + quote(e.Name))
	for i, n := range e.Pins {
		if n != nil {
			b.WriteString(" " + e.Kind.Pins[i].Name + "=" + quote(n.Name))
		}
	}
	for i := range e.Params {
		if e.Kind.Params[i].Optional && e.Params[i].Numbers == nil {
			continue
		}
		b.WriteString(" " + e.Kind.Params[i].Name + "=")
		e.Params[i].print(&b, &e.Kind.Params[i])
	}
	if e.Origin != (diag.Pos{}) {
		b.WriteString(" @ " + quote(e.Origin.File) + ":" + strconv.Itoa(e.Origin.Line) + ":" + strconv.Itoa(e.Origin.Col))
	}
	return b.String()
}

func (p *Param) print(b *strings.Builder, spec *ParamSpec) {
	switch {
	case spec.Dimension == Word:
		b.WriteString(quote(p.Word))
	case spec.Dimension == Stim:
		b.WriteByte('[')
		for i, w := range p.Waves {
			if i > 0 {
				b.WriteByte(' ')
			}
			for j, t := range w {
				if j > 0 {
					b.WriteByte('+')
				}
				b.WriteString(t.Shape + "(")
				numbers(b, t.Numbers)
				b.WriteByte(')')
			}
		}
		b.WriteByte(']')
	case spec.Shape == "" && len(p.Numbers) == 1:
		b.WriteString(number(p.Numbers[0]))
	default:
		b.WriteByte('[')
		numbers(b, p.Numbers)
		b.WriteByte(']')
	}
}

func numbers(b *strings.Builder, xs []float64) {
	for i, x := range xs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(number(x))
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// quote leaves plain words alone and quotes the rest, so that a hostile name
// cannot change the structure of the text.
func quote(s string) string {
	plain := s != ""
	for _, r := range s {
		if !isWord(r) {
			plain = false
		}
	}
	if plain {
		return s
	}
	return strconv.QuoteToASCII(s)
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/+", r)
}
