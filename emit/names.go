package emit

import (
	"strconv"
	"strings"
)

// Names gives each name of a model one identifier of a target language: a lower
// case letter, then letters, digits and single underscores, at most maxName of
// them, no reserved word.
//
// Two different names never get the same identifier, and one name always gets
// the same. "hidden.u" becomes hidden_u; when "Hidden u" is asked for later it
// becomes hidden_u_2. Ask in an order that does not depend on chance, and the
// identifiers do not either.
//
// Identifiers are in lower case in every language, because in some of them
// (SPICE, file systems) case does not distinguish.
type Names struct {
	reserved map[string]bool
	given    map[string]string // name -> identifier
	taken    map[string]bool   // identifiers
	next     map[string]int    // stem -> the number to try next
}

const maxName = 64

// NewNames starts a name space of a language: Spice or Verilog. Identifiers that
// a printer uses itself (ports, cells) are reserved with it.
func NewNames(language Language, own ...string) *Names {
	n := &Names{
		reserved: language.reserved,
		given:    map[string]string{},
		taken:    map[string]bool{},
		next:     map[string]int{},
	}
	for _, name := range own {
		n.taken[strings.ToLower(name)] = true
	}
	return n
}

// Of returns the identifier of a name.
func (n *Names) Of(name string) string {
	if id, ok := n.given[name]; ok {
		return id
	}
	stem := identifier(name)
	id := stem
	for i := max(2, n.next[stem]); n.reserved[id] || n.taken[id]; i++ {
		number := "_" + strconv.Itoa(i)
		id = strings.TrimRight(stem[:min(len(stem), maxName-len(number))], "_") + number
		n.next[stem] = i + 1
	}
	n.given[name], n.taken[id] = id, true
	return id
}

// identifier keeps what is legal of a name, and a bit more of what is not.
func identifier(name string) string {
	var b strings.Builder
	gap := false // something was left out since the last letter
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		word := string(r)
		if greek, ok := greekLetters[r]; ok {
			word = greek
		} else if !('a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			gap = true
			continue
		}
		switch {
		case b.Len() == 0 && '0' <= r && r <= '9':
			b.WriteString("n") // identifiers begin with a letter
		case b.Len() > 0 && gap:
			b.WriteByte('_')
		}
		gap = false
		b.WriteString(word)
		if b.Len() >= maxName {
			break
		}
	}
	if b.Len() == 0 {
		return "n"
	}
	id := b.String()
	return strings.TrimRight(id[:min(len(id), maxName)], "_")
}

// greekLetters are common in models.
var greekLetters = map[rune]string{
	'α': "alpha", 'β': "beta", 'γ': "gamma", 'δ': "delta", 'ε': "eps", 'η': "eta", 'θ': "theta", 'λ': "lambda",
	'μ': "mu", 'µ': "mu", 'ξ': "xi", 'ρ': "rho", 'σ': "sigma", 'τ': "tau", 'φ': "phi", 'ϕ': "phi", 'ω': "omega",
	'Δ': "delta", 'Ω': "omega",
}
