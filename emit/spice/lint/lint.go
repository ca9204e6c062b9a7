// Package lint checks that a netlist keeps to the subset of SPICE that means the
// same in ngspice, Xyce and LTspice.
//
// # For maintainers
//
// The rules are those of docs/spice.md, each there with what breaks without it.
// The package shares nothing with the printer that it judges, and reads text
// line by line instead of parsing it: where a simulator would be forgiving, this
// is not.
package lint

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"vlec/model/diag"
)

// Columns is the longest line.
const Columns = 100

// A File is a part of a netlist.
type File struct {
	Name string
	Text string
}

// Check reads a netlist: the top file, then the libraries that it includes. The
// error is a diag.List of every line that breaks a rule.
func Check(top File, libraries ...File) error {
	l := &linter{cells: map[string]*cell{}}
	for i, f := range append([]File{top}, libraries...) {
		l.file(f, i == 0)
	}
	l.instances()
	return l.errs.Err()
}

type cell struct {
	pins   int
	params []string
}

type instance struct {
	pos    diag.Pos
	cell   string
	pins   int
	params []string
}

type linter struct {
	errs   diag.List
	pos    diag.Pos
	cells  map[string]*cell
	uses   []instance
	inside string // the cell being read, "" at the top
	names  map[string]bool
}

func (l *linter) fail(hint, format string, args ...any) {
	l.errs.Add(l.pos, hint, format, args...)
}

func (l *linter) file(f File, top bool) {
	l.pos = diag.Pos{File: f.Name, Line: 1}
	if !strings.HasPrefix(f.Text, "* ") {
		l.fail("begin with a comment", "the first line is a title, and a device on it is lost")
	}
	if !strings.HasSuffix(f.Text, "\n") {
		l.fail("end with a newline", "the last line is dropped when it does not end")
	}
	l.names, l.inside = map[string]bool{}, ""
	lines := strings.Split(strings.TrimSuffix(f.Text, "\n"), "\n")
	if top && lines[len(lines)-1] != ".end" {
		l.fail("end with .end", "the last line is %q", lines[len(lines)-1])
	}
	statement, start := "", 0
	for i, line := range lines {
		l.pos.Line = i + 1
		l.line(line)
		switch {
		case strings.HasPrefix(line, "+ "):
			statement += line[1:]
			continue
		case line == "" || line[0] == '*':
			continue
		}
		if statement != "" {
			l.pos.Line = start
			l.statement(statement)
		}
		statement, start = line, i+1
	}
	l.pos.Line = start
	l.statement(statement)
	if l.inside != "" {
		l.fail("add .ends", "the cell %s does not end", l.inside)
	}
}

// line checks what holds for every line, comments too.
func (l *linter) line(line string) {
	if n := utf8.RuneCountInString(line); n > Columns {
		l.fail("go on in a line that begins with +", "the line has %d columns", n)
	}
	if strings.TrimSpace(line) != line {
		l.fail("a comment in Xyce is an indented line", "blanks around the line")
	}
	for _, r := range line {
		if r < ' ' || r == 0x7f {
			l.fail("use blanks", "control character %q", r)
			break
		}
	}
	if strings.HasPrefix(line, "*") || line == "" {
		return
	}
	if s := strings.ReplaceAll(strings.ReplaceAll(line, "PARAMS:", ""), "FILE=", ""); s != strings.ToLower(s) {
		l.fail("case does not distinguish; use lower case", "upper case in %q", line)
	}
	if i := strings.IndexAny(line, "$;#'`\\?^&|!~<>@%[]"); i >= 0 {
		l.fail("", "%q means different things in different simulators", line[i:i+1])
	}
	if strings.Contains(line, "//") {
		l.fail("begin the line with *", "// is a comment in ngspice only")
	}
	for _, r := range line {
		if r > '~' {
			l.fail("", "%q is not ASCII", r)
			break
		}
	}
}

var (
	nameForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	numberForm = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$`)
	braceForm  = regexp.MustCompile(`^\{[^{}]+\}$`)
	insideForm = regexp.MustCompile(`(^|[^a-z0-9_])(v\(([a-z0-9_.]+,)?|i\()$`) // what stands before a node or device
	wordForm   = regexp.MustCompile(`[a-z_][a-z0-9_.]*|[0-9][0-9.]*(?:e[-+]?[0-9]+)?[a-z0-9_.]*`)
	calls      = []string{"v", "i", "tanh", "exp", "ln", "sqrt", "abs", "min", "max", "sin", "cos"}
)

func (l *linter) number(s string) {
	if !numberForm.MatchString(s) {
		l.fail("write it plainly, as 1.5e-09", "%q is not a number without suffix or unit", s)
	}
}

func (l *linter) node(s string) {
	if s != "0" && !nameForm.MatchString(s) {
		l.fail("a lower case letter, then letters, digits and _", "%q is no name for a node", s)
	}
}

// inner is a node, perhaps one inside instances.
func (l *linter) inner(s string) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == ':' }) {
		l.node(part)
	}
}

// value is a number or an expression in braces.
func (l *linter) value(s string) {
	if !strings.HasPrefix(s, "{") {
		l.number(s)
		return
	}
	l.expression(s)
}

func (l *linter) expression(s string) {
	if !braceForm.MatchString(s) {
		l.fail("expressions are in braces and without blanks", "%q", s)
		return
	}
	s = s[1 : len(s)-1]
	for _, at := range wordForm.FindAllStringIndex(s, -1) {
		word, rest := s[at[0]:at[1]], s[at[1]:]
		called := strings.HasPrefix(rest, "(")
		inside := insideForm.MatchString(s[:at[0]])
		switch {
		case word[0] >= '0' && word[0] <= '9':
			if inside && word == "0" {
				continue
			}
			l.number(word)
		case called && !slices.Contains(calls, word):
			l.fail("use "+strings.Join(calls, ", "), "the function %s is not the same everywhere", word)
		case called, inside, word == "time":
		case !strings.HasPrefix(word, "p_"):
			l.fail("begin the names of parameters with p_", "%q may be shadowed by a word of the simulator", word)
		}
	}
}

func (l *linter) parameters(words []string) (names []string) {
	for _, w := range words {
		name, value, found := strings.Cut(w, "=")
		if !found || !strings.HasPrefix(name, "p_") || !nameForm.MatchString(name) {
			l.fail("write p_name=value", "%q is not a parameter", w)
			continue
		}
		if slices.Contains(names, name) {
			l.fail("", "parameter %s is given twice", name)
		}
		names = append(names, name)
		l.value(value)
	}
	return names
}

func (l *linter) unique(name string) {
	key := l.inside + " " + name
	if l.names[key] {
		l.fail("", "%s is defined twice", name)
	}
	l.names[key] = true
}

func (l *linter) statement(s string) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return
	}
	if strings.HasPrefix(words[0], ".") {
		l.directive(words)
		return
	}
	l.unique(words[0])
	if !nameForm.MatchString(words[0]) {
		l.fail("", "%q is no name for a device", words[0])
	}
	// Terminals and, where they follow, values by the first letter.
	terminals := map[byte]int{'r': 2, 'c': 2, 'v': 2, 'i': 2, 'b': 2, 'g': 4, 'e': 4, 'd': 2, 'm': 4}
	kind := words[0][0]
	if kind == 'x' {
		l.instance(words)
		return
	}
	n := terminals[kind]
	if n == 0 || len(words) < n+2 {
		l.fail("R, C, V, I, B, G, E, D, M and X", "no device of the subset: %s", s)
		return
	}
	for _, w := range words[1 : n+1] {
		l.node(w)
	}
	l.device(kind, words[n+1:])
}

func (l *linter) device(kind byte, rest []string) {
	switch kind {
	case 'b':
		name, value, _ := strings.Cut(strings.Join(rest, " "), "=")
		if name != "i" && name != "v" {
			l.fail("write i={...} or v={...}", "a behavioural source with %q", name)
			return
		}
		l.expression(value)
	case 'v', 'i':
		l.source(rest)
	case 'd', 'm':
		l.node(rest[0]) // the model
		for _, w := range rest[1:] {
			name, value, found := strings.Cut(w, "=")
			if !found || !slices.Contains([]string{"w", "l", "m", "ad", "as", "pd", "ps", "area"}, name) {
				l.fail("", "%q is not a dimension of a device", w)
				continue
			}
			l.value(value)
		}
	default:
		l.value(rest[0])
		switch {
		case len(rest) == 2 && kind == 'c' && strings.HasPrefix(rest[1], "ic="):
			l.value(rest[1][3:])
		case len(rest) > 1:
			l.fail("", "%q after the value", rest[1])
		}
	}
}

// source is dc VALUE, or a function whose numbers are in parentheses.
func (l *linter) source(rest []string) {
	if rest[0] == "dc" && len(rest) == 2 {
		l.value(rest[1])
		return
	}
	text := strings.Join(rest, " ")
	shape, numbers, found := strings.Cut(text, "(")
	if !found || !strings.HasSuffix(numbers, ")") || !slices.Contains([]string{"pwl", "sin", "pulse"}, shape) {
		l.fail("dc, pwl(...), sin(...) or pulse(...)", "no source of the subset: %s", shape)
		return
	}
	fields := strings.Fields(strings.TrimSuffix(numbers, ")"))
	for _, w := range fields {
		l.number(w)
	}
	if want := map[string]int{"sin": 6, "pulse": 7}[shape]; want != 0 && len(fields) != want {
		l.fail("leave nothing to the simulator's defaults", "%s has %d of its %d numbers", shape, len(fields), want)
	}
}

func (l *linter) instance(words []string) {
	split := slices.Index(words, "PARAMS:")
	var params []string
	if split >= 0 {
		params = l.parameters(words[split+1:])
		words = words[:split]
	}
	if len(words) < 3 {
		l.fail("", "an instance without pins: %v", words)
		return
	}
	for _, w := range words[1 : len(words)-1] {
		l.node(w)
	}
	l.uses = append(l.uses, instance{l.pos, words[len(words)-1], len(words) - 2, params})
}

// instances compares the instances with the cells, when all files are read.
func (l *linter) instances() {
	for _, u := range l.uses {
		c := l.cells[u.cell]
		if c == nil {
			l.errs.Add(u.pos, "", "there is no cell %q", u.cell)
			continue
		}
		if c.pins != u.pins {
			l.errs.Add(u.pos, "", "%s has %d pins, not %d", u.cell, c.pins, u.pins)
		}
		for _, p := range u.params {
			if !slices.Contains(c.params, p) {
				l.errs.Add(u.pos, "", "%s has no parameter %s", u.cell, p)
			}
		}
	}
}

func (l *linter) directive(words []string) {
	rest := words[1:]
	switch words[0] {
	case ".param":
		for _, name := range l.parameters(rest) {
			l.unique(name)
		}
	case ".subckt":
		l.cell(rest)
	case ".ends":
		if l.inside == "" {
			l.fail("", ".ends without .subckt")
		}
		l.inside = ""
	case ".include":
		if len(rest) != 1 || !strings.HasPrefix(rest[0], `"`) || strings.ContainsAny(rest[0], "/\\") {
			l.fail("name a file beside this one, in quotes", "%s", strings.Join(words, " "))
		}
	case ".global":
		if len(rest) != 1 {
			l.fail("one a line", ".global with %d nodes", len(rest))
			return
		}
		l.node(rest[0])
	case ".ic":
		name, value, _ := strings.Cut(strings.Join(rest, ""), "=")
		if !strings.HasPrefix(name, "v(") || !strings.HasSuffix(name, ")") {
			l.fail("write .ic v(node)=value", "%s", strings.Join(words, " "))
			return
		}
		l.inner(name[2 : len(name)-1])
		l.value(value)
	case ".tran":
		if len(rest) < 4 {
			l.fail("give step, stop, start and longest step", "the meaning of the first number of .tran differs")
			return
		}
		for _, w := range rest[:4] {
			l.number(w)
		}
	case ".model":
		if len(rest) < 2 || !nameForm.MatchString(rest[0]) {
			l.fail("write .model name type(...)", "%s", strings.Join(words, " "))
		}
	case ".options", ".save", ".print", ".end": // each dialect's own block
	default:
		l.fail("", "%s is not in the subset", words[0])
	}
}

func (l *linter) cell(rest []string) {
	if l.inside != "" {
		l.fail("", "a cell within the cell %s", l.inside)
	}
	c := &cell{}
	if split := slices.Index(rest, "PARAMS:"); split >= 0 {
		c.params = l.parameters(rest[split+1:])
		rest = rest[:split]
	}
	if len(rest) < 2 || !nameForm.MatchString(rest[0]) {
		l.fail("write .subckt name pins PARAMS: p_a=1", "a cell without name or pins")
		return
	}
	name, pins := rest[0], rest[1:]
	for i, p := range pins {
		if l.node(p); p == "0" || slices.Contains(pins[:i], p) {
			l.fail("", "pin %s is ground or there twice", p)
		}
	}
	if l.cells[name] != nil {
		l.fail("", "two cells are called %s", name)
	}
	c.pins = len(pins)
	l.cells[name], l.inside = c, name
}
