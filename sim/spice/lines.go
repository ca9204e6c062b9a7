package spice

import (
	"strings"

	"vlec/model/diag"
)

// pos is a diag.Pos in twelve bytes: an index into Netlist.files, a line and a
// column. Every element keeps one, and there may be millions.
type pos struct{ file, line, col int32 }

// A seg says where a stretch of a logical line stands in its file: the bytes
// from off on were found at line:col.
type seg struct{ off, line, col int32 }

// A logicalLine is one card: a physical line and its continuations, comments
// taken off. Text is case-folded, raw is not (file names keep their case); both
// have the same length. A card on one physical line, the common case, shares
// its text with the file and allocates nothing.
type logicalLine struct {
	file      int32
	text, raw string
	first     seg
	more      []seg // continuations, ascending off
}

// at gives the position of the byte at off of the text.
func (l *logicalLine) at(off int) pos {
	s := l.first
	for _, m := range l.more {
		if int(m.off) > off {
			break
		}
		s = m
	}
	return pos{l.file, s.line, s.col + int32(off) - s.off}
}

// splitLines cuts a file into logical lines: it folds case, drops comments and
// blank lines, joins continuations, and calls card with each until that says
// false. The title line, if the file has one, is returned apart.
func splitLines(file int32, src string, hasTitle bool, report func(p pos, hint, msg string), card func(l *logicalLine) bool) (title string) {
	folded := foldCase(src)
	var l logicalLine
	open := false // l may have continuations
	lineNo := int32(0)
	for start := 0; start < len(src); {
		end := strings.IndexByte(src[start:], '\n')
		next := 0
		if end < 0 {
			end, next = len(src), len(src)
		} else {
			end += start
			next = end + 1
		}
		raw, text := src[start:end], folded[start:end]
		start = next
		lineNo++
		if hasTitle && lineNo == 1 {
			title = strings.Clone(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(raw), "*"))) // not a hold on the whole file
			continue
		}
		n := commentStart(text)
		text, raw = text[:n], raw[:n]
		lead := 0
		for lead < len(text) && isSpace(text[lead]) {
			lead++
		}
		for n = len(text); n > lead && isSpace(text[n-1]); n-- {
		}
		if n == lead || text[lead] == '*' {
			continue
		}
		text, raw = text[lead:n], raw[lead:n]
		at := seg{0, lineNo, int32(lead) + 1}
		if text[0] != '+' {
			if open && !card(&l) {
				return title
			}
			l, open = logicalLine{file: file, text: text, raw: raw, first: at}, true
			continue
		}
		if !open {
			report(pos{file, lineNo, at.col}, "begin the card before it; the first line of a netlist is its title", "a continuation with nothing to continue")
			continue
		}
		at.off, at.col = int32(len(l.text))+1, at.col+1
		l.more = append(l.more, at)
		l.text += " " + text[1:]
		l.raw += " " + raw[1:]
	}
	if open {
		card(&l)
	}
	return title
}

// foldCase lowers ASCII letters only, so that offsets stay.
func foldCase(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// commentStart finds the comment at the end of a line as ngspice does: ';', or
// '$' after a blank and before a blank, or '//' after a blank; none of them
// inside double quotes.
func commentStart(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		if !opensComment[s[i]] {
			continue
		}
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ';':
			return i
		case c == '$' && (i == 0 || isSpace(s[i-1])) && (i+1 == len(s) || isSpace(s[i+1])):
			return i
		case c == '/' && i+1 < len(s) && s[i+1] == '/' && (i == 0 || isSpace(s[i-1])):
			return i
		}
	}
	return len(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' }

// endsWord tells which bytes cannot stand in a word.
var endsWord = func() (t [256]bool) {
	for _, c := range []byte(" \t\r\f\v(),={}'\"") {
		t[c] = true
	}
	return t
}()

// opensComment tells which bytes commentStart has to look at.
var opensComment = [256]bool{'"': true, ';': true, '$': true, '/': true}

// A scanner reads the fields of one card from left to right. Blanks separate;
// commas do too; parentheses, '=' and braced or quoted expressions are fields
// of their own.
type scanner struct {
	l   *logicalLine
	off int
}

type fieldKind uint8

const (
	fieldEnd    fieldKind = iota
	fieldWord             // name or number
	fieldExpr             // {…} or '…'; the span is what is inside
	fieldString           // "…"; the span is what is inside
	fieldPunct            // one of ( ) =
	fieldBad              // an expression or string that does not end
)

type field struct {
	kind     fieldKind
	off, end int // span in the line
}

func (s *scanner) text(f field) string { return s.l.text[f.off:f.end] }
func (s *scanner) raw(f field) string  { return s.l.raw[f.off:f.end] }
func (s *scanner) pos(f field) pos     { return s.l.at(f.off) }

func (s *scanner) is(f field, punct byte) bool {
	return f.kind == fieldPunct && s.l.text[f.off] == punct
}

// peek returns the next field without taking it.
func (s *scanner) peek() field {
	save := s.off
	f := s.next()
	s.off = save
	return f
}

func (s *scanner) next() field {
	t := s.l.text
	i := s.off
	for i < len(t) && (isSpace(t[i]) || t[i] == ',') {
		i++
	}
	if i == len(t) {
		s.off = i
		return field{fieldEnd, i, i}
	}
	switch c := t[i]; c {
	case '(', ')', '=':
		s.off = i + 1
		return field{fieldPunct, i, i + 1}
	case '{':
		depth := 0
		for j := i; j < len(t); j++ {
			switch t[j] {
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					s.off = j + 1
					return field{fieldExpr, i + 1, j}
				}
			}
		}
		s.off = len(t)
		return field{fieldBad, i, len(t)}
	case '\'', '"':
		kind := fieldString
		if c == '\'' {
			kind = fieldExpr
		}
		if j := strings.IndexByte(t[i+1:], c); j >= 0 {
			s.off = i + j + 2
			return field{kind, i + 1, i + 1 + j}
		}
		s.off = len(t)
		return field{fieldBad, i, len(t)}
	}
	j := i
	for j < len(t) && !endsWord[t[j]] {
		j++
	}
	if j == i { // a stray '}'
		s.off = i + 1
		return field{fieldBad, i, i + 1}
	}
	s.off = j
	return field{fieldWord, i, j}
}

// toPos spells a position out.
func (n *Netlist) toPos(p pos) diag.Pos {
	if p.file < 0 || int(p.file) >= len(n.files) {
		return diag.Pos{}
	}
	return diag.Pos{File: n.files[p.file], Line: int(p.line), Col: int(p.col)}
}
