package verilog

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vlec/model/diag"
)

// system executes a system task.
func (m *Sim) system(c *sysCode) {
	s := c.s
	switch s.name {
	case "$display", "$write":
		fmt.Fprint(m.Stdout, m.format(c, 0))
		if s.name == "$display" {
			fmt.Fprintln(m.Stdout)
		}
	case "$strobe":
		m.strobes = append(m.strobes, func() { fmt.Fprintln(m.Stdout, m.format(c, 0)) })
	case "$info", "$warning", "$error":
		m.report(c, 0)
	case "$fatal":
		from := 0
		if len(s.args) > 0 && !s.args[0].lit {
			from = 1
		}
		m.report(c, from)
		m.finished, m.failed = true, true
	case "$finish", "$stop":
		m.finished = true
	case "$readmemh", "$readmemb":
		m.readmem(c)
	case "$dumpfile":
		if len(s.args) > 0 {
			m.dumpFile(s.args[0].str)
		}
	case "$dumpvars":
		m.dumpVars(c)
	case "$dumpoff", "$dumpon":
		m.dumpOn(s.name == "$dumpon")
	}
}

// report prints a message of $fatal and its like, and notes errors.
func (m *Sim) report(c *sysCode, from int) {
	text := m.format(c, from)
	kind := strings.ToUpper(c.s.name[1:])
	fmt.Fprintf(m.Stdout, "%s: %s:%d: %s\n", kind, c.s.pos.File, c.s.pos.Line, text)
	if kind == "ERROR" || kind == "FATAL" {
		if len(m.errs) < maxErrors {
			m.errs.Add(c.s.pos, "", "%s at time %d in %s: %s", strings.ToLower(kind), m.now, c.s.scope.full, text)
		}
	}
}

// arg is the value of argument i.
func (m *Sim) arg(c *sysCode, i int) (Value, bool) {
	if i >= len(c.args) || c.args[i].w == 0 {
		return Value{}, false
	}
	if x := c.s.args[i].x; x != nil && x.op == opConst {
		return x.val, true
	}
	if sig := c.s.args[i].sig; sig != nil {
		// By name: a strobe shows the value of its own moment.
		return m.load(operand{uint16(sig.slot), sig.Width, sig.Signed}), true
	}
	return m.load(c.args[i]), true
}

// format joins the arguments as $display does: a literal is a format that
// takes those behind it, everything else prints in decimal.
func (m *Sim) format(c *sysCode, from int) string {
	var out strings.Builder
	for i := from; i < len(c.s.args); i++ {
		a := c.s.args[i]
		if !a.lit {
			if v, ok := m.arg(c, i); ok {
				if a.x != nil && a.x.op == opConst && a.sig == nil && i == from && strings.Contains(a.str, "%") && v.Width >= 16 {
					i = m.expand(&out, a.str, c, i)
					continue
				}
				out.WriteString(formatNumber(v, 'd', -1))
			}
			continue
		}
		i = m.expand(&out, a.str, c, i)
	}
	return out.String()
}

// expand prints one format and returns the number of the last argument used.
func (m *Sim) expand(out *strings.Builder, f string, c *sysCode, i int) int {
	for k := 0; k < len(f); k++ {
		if f[k] != '%' {
			out.WriteByte(f[k])
			continue
		}
		k++
		width, zero, left := -1, false, false
		start := k
		for k < len(f) && (isDigit(f[k]) || f[k] == '.' || f[k] == '-' && k == start) {
			if f[k] == '-' {
				left = true
			} else if isDigit(f[k]) && k-start < 5 {
				if f[k] == '0' && width < 0 {
					zero = true
				}
				width = max(width, 0)*10 + int(f[k]-'0')
			}
			k++
		}
		if k >= len(f) {
			break
		}
		verb := f[k] | 0x20
		switch f[k] {
		case '%':
			out.WriteByte('%')
			continue
		case 'm', 'M':
			out.WriteString(c.s.scope.full)
			continue
		}
		i++
		v, ok := m.arg(c, i)
		text := ""
		switch {
		case ok && verb == 's':
			text = v.text()
			if width < 0 && c.s.args[i].x.op != opConst {
				text = fmt.Sprintf("%*s", v.Width/8, text)
			}
		case ok && verb == 'c':
			text = string([]byte{byte(v.A[0])})
		case ok && verb == 't':
			// In the unit of the module; printed in ticks.
			if v.Known() {
				v = mul(v.Width, v.Signed, v, Uint(v.Width, uint64(c.s.scope.timeUnit())))
			}
			text = formatNumber(v, 'd', 0)
			if width < 0 {
				width = 20
			}
		case ok:
			text = formatNumber(v, verb, width)
		case i < len(c.s.args) && c.s.args[i].lit:
			text = c.s.args[i].str
		}
		pad := " "
		if zero && width > 0 && !left {
			pad = "0"
			if strings.HasPrefix(text, "-") {
				out.WriteByte('-')
				text = text[1:]
				width--
			}
		}
		fill := strings.Repeat(pad, max(0, min(width, 4096)-len(text)))
		if left {
			out.WriteString(text + fill)
		} else {
			out.WriteString(fill + text)
		}
	}
	return i
}

// formatNumber prints a vector in a base. Width 0 drops leading zeros and
// blanks; a negative one prints as wide as the vector can get.
func formatNumber(v Value, verb byte, width int) string {
	switch verb {
	case 'h', 'x':
		return digits(v, 4, width)
	case 'o':
		return digits(v, 3, width)
	case 'b':
		return digits(v, 1, width)
	}
	full := 1
	if v.Width > 1 {
		m := new(big.Int).Lsh(big.NewInt(1), uint(v.Width))
		if v.Signed {
			m.Rsh(m, 1)
		}
		full = len(m.Sub(m, big.NewInt(1)).String())
	}
	if v.Signed {
		full++
	}
	text := ""
	if v.Known() {
		text = v.big().String()
	} else {
		text = string(unknownDigit(v.slice(0, v.Width)))
	}
	if width >= 0 {
		return text
	}
	return fmt.Sprintf("%*s", full, text)
}

// unknownDigit is x or z when all bits are, else X or Z when some are.
func unknownDigit(v Value) byte {
	x, z := 0, 0
	for i := range v.Width {
		switch v.Bit(i) {
		case 'x':
			x++
		case 'z':
			z++
		}
	}
	switch {
	case x == v.Width:
		return 'x'
	case z == v.Width:
		return 'z'
	case x > 0:
		return 'X'
	}
	return 'Z'
}

func digits(v Value, per, width int) string {
	var s []byte
	for lo := 0; lo < v.Width; lo += per {
		d := v.slice(lo, min(per, v.Width-lo))
		if d.Known() {
			s = append(s, strconv.FormatUint(d.A[0], 16)[0])
		} else {
			s = append(s, unknownDigit(d))
		}
	}
	slices.Reverse(s)
	if width >= 0 {
		for len(s) > 1 && s[0] == '0' {
			s = s[1:]
		}
	}
	return string(s)
}

// readmem loads a memory from a file, looked for in the working folder and in
// the folders of the sources. A file that is missing, malformed, too short or
// too long ends the simulation: other simulators go on with a warning, and
// exit 0.
func (m *Sim) readmem(c *sysCode) {
	s := c.s
	name := s.args[0].str
	sig := s.args[1].sig
	mem := &m.mems[sig.slot]
	base := 16
	if s.name == "$readmemb" {
		base = 2
	}
	first, last := int64(sig.first), int64(sig.first+sig.Depth-1)
	for i, p := range []*int64{&first, &last} {
		if v, ok := m.arg(c, 2+i); ok {
			n, known := v.Int64()
			if !known || n < int64(sig.first) || n >= int64(sig.first+sig.Depth) {
				m.fail(s.pos, "", "%s: address %s is not in the memory", s.name, v)
				return
			}
			*p = n
		}
	}
	step := int64(1)
	if first > last {
		step = -1
	}
	text, path, err := m.findFile(name)
	if err != nil {
		m.fail(s.pos, "put it into the working folder or next to the source", "%s: %v", s.name, err)
		return
	}
	var errs diag.List
	addr, count := first, int64(0)
	want := (last-first)*step + 1
	jumped := false
	lx := memLexer{src: text, file: path, line: 1}
	for {
		word, pos := lx.next()
		if word == "" || len(errs) > 10 {
			break
		}
		if word[0] == '@' {
			n, err := strconv.ParseInt(word[1:], 16, 64)
			if err != nil || n < int64(sig.first) || n >= int64(sig.first+sig.Depth) {
				errs.Add(pos, "", "%s is not an address of %s", word, sig.Name)
				break
			}
			addr, jumped = n, true
			continue
		}
		letter := byte('h')
		if base == 2 {
			letter = 'b'
		}
		if addr < min(first, last) || addr > max(first, last) {
			errs.Add(pos, "", "more words than the %d of %s", want, sig.Name)
			break
		}
		v, _, err := parseDigits(word, letter, sig.Width, sig.Signed)
		if err != nil {
			errs.Add(pos, "", "%v", err)
			continue
		}
		if wide, _, err := parseDigits(word, letter, 0, false); err == nil && wide.bitLen() > sig.Width {
			errs.Add(pos, "", "%s does not fit into the %d bits of %s", word, sig.Width, sig.Name)
		}
		if mem.put(int(addr)-sig.first, v) {
			for _, k := range m.p.memo[sig.slot] {
				m.dirty[k.word] |= k.bits
			}
		}
		addr += step
		count++
	}
	if len(errs) == 0 && count < want && !jumped {
		errs.Add(diag.Pos{File: path}, "write all of them", "holds %d words, %s wants %d", count, sig.Name, want)
	}
	if err := errs.Err(); err != nil {
		m.err = err
	}
}

func (m *Sim) findFile(name string) (text, path string, err error) {
	dirs := append([]string{m.Dir, "."}, m.p.d.files...)
	for _, d := range dirs {
		path = name
		if !filepath.IsAbs(name) {
			path = filepath.Join(d, name)
		}
		if text, err = readFile(path); err == nil || !os.IsNotExist(err) {
			return text, path, err
		}
	}
	return "", "", fmt.Errorf("file %q was not found", name)
}

// A memLexer cuts a memory file into words, without its comments.
type memLexer struct {
	src, file string
	off       int
	line, bol int
}

func (l *memLexer) next() (string, diag.Pos) {
	for l.off < len(l.src) {
		rest := l.src[l.off:]
		switch c := rest[0]; {
		case c == '\n':
			l.line++
			l.off++
			l.bol = l.off
		case c <= ' ':
			l.off++
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.off += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				n = len(rest) - 2
			}
			l.line += strings.Count(rest[:n+2], "\n")
			l.off += n + 2
		default:
			n := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r == '/' })
			if n < 0 {
				n = len(rest)
			}
			if n == 0 {
				n = 1
			}
			pos := diag.Pos{File: l.file, Line: l.line, Col: l.off - l.bol + 1}
			l.off += n
			return rest[:n], pos
		}
	}
	return "", diag.Pos{}
}
