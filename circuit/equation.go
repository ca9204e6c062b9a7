package circuit

import "strings"

// Equation returns what the element computes, in the names of its nets and with
// the word for phi: "hidden.r = tanh(hidden.y)".
func (e *Element) Equation() string {
	replace := map[string]string{}
	for i, n := range e.Pins {
		if n != nil {
			replace[e.Kind.Pins[i].Name] = n.Name
		}
	}
	for i, spec := range e.Kind.Params {
		if spec.Dimension == Word {
			replace[spec.Name] = e.Params[i].Word
		}
	}
	rest := e.Kind.Equation
	if e.Kind.Name == "weight-store" { // say what it does, not what it could do
		if e.Number("clip") == 0 {
			rest = strings.Replace(rest, ", |w| <= clip", "", 1)
		}
		if e.Number("decay") == 0 {
			rest = strings.Replace(rest, " - decay w", "", 1)
		}
	}
	var b strings.Builder
	for rest != "" {
		n := 0
		for n < len(rest) && (rest[n] >= 'a' && rest[n] <= 'z') {
			n++
		}
		if n == 0 {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		word := rest[:n]
		if to, ok := replace[word]; ok {
			word = to
		}
		b.WriteString(word)
		rest = rest[n:]
	}
	return b.String()
}
