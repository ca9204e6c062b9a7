package verilog

import (
	"strings"

	"vlec/model/diag"
)

type kind uint8

const (
	tEOF       kind = iota
	tIdent          // name, also an escaped one (without the backslash)
	tKeyword        // reserved word
	tSys            // $display
	tNumber         // 12, 1_000
	tReal           // 0.5, 1e3
	tBased          // 'hff, 'sb10: base and digits, the size is a token of its own
	tString         // "text", unquoted
	tDirective      // `name
	tOp             // punctuation, and (* *) around attributes
)

// A token is a word of the text. Its place is where it was written, or, for
// one that a macro brought, where the macro was used.
type token struct {
	kind kind
	nl   bool // first on its line
	sp   bool // white space before it
	text string
	pos  diag.Pos
}

// maxErrors ends the reading of a hopeless file.
const maxErrors = 100

var keywords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos
		config deassign default defparam design disable edge else end endcase endconfig endfunction endgenerate
		endmodule endprimitive endspecify endtable endtask event for force forever fork function generate genvar
		highz0 highz1 if ifnone incdir include initial inout input instance integer join large liblist library
		localparam macromodule medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output
		parameter pmos posedge primitive pull0 pull1 pulldown pullup pulsestyle_onevent pulsestyle_ondetect rcmos
		real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small
		specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1
		triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor`) {
		m[w] = true
	}
	return m
}()

// A lexer cuts one file into tokens. Comments and white space go; a backslash
// at the end of a line joins it with the next, which matters to macros alone.
type lexer struct {
	file   string
	src    string
	off    int
	line   int
	bol    int // offset at which the line begins
	inAttr bool
	errs   *diag.List
}

func newLexer(file, src string, errs *diag.List) *lexer {
	return &lexer{file: file, src: src, line: 1, errs: errs}
}

func (l *lexer) at(off int) diag.Pos {
	return diag.Pos{File: l.file, Line: l.line, Col: off - l.bol + 1}
}

func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

func (l *lexer) newline() {
	l.off++
	l.line++
	l.bol = l.off
}

// skip passes white space and comments and tells what it saw.
func (l *lexer) skip() (nl, sp bool) {
	nl = l.off == 0
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case c == '\n':
			l.newline()
			nl, sp = true, true
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			l.off++
			sp = true
		case c == '\\' && (l.peek(1) == '\n' || l.peek(1) == '\r' && l.peek(2) == '\n'):
			l.off += strings.IndexByte(l.src[l.off:], '\n')
			l.newline()
			sp = true
		case c == '/' && l.peek(1) == '/':
			for l.off < len(l.src) && l.src[l.off] != '\n' {
				l.off++
			}
		case c == '/' && l.peek(1) == '*':
			start := l.at(l.off)
			l.off += 2
			for !strings.HasPrefix(l.src[l.off:], "*/") {
				if l.off >= len(l.src) {
					l.errs.Add(start, "close it with */", "comment without end")
					return true, true
				}
				if l.src[l.off] == '\n' {
					l.newline()
				} else {
					l.off++
				}
			}
			l.off += 2
			sp = true
		default:
			return nl, sp
		}
	}
	return true, sp
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '$' }

// operators, the longest first.
var operators = []string{
	"<<<", ">>>", "===", "!==", "**", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "~&", "~|", "~^", "^~",
	"+:", "-:", "->", "(*", "*)",
	"+", "-", "*", "/", "%", "<", ">", "!", "~", "&", "|", "^", "?", ":", ";", ",", ".", "(", ")", "[", "]",
	"{", "}", "@", "#", "=",
}

func (l *lexer) next() token {
	for {
		if t, ok := l.scan(); ok {
			return t
		}
	}
}

// scan reads one token, or passes one bad character.
func (l *lexer) scan() (t token, ok bool) {
	nl, sp := l.skip()
	t = token{nl: nl, sp: sp, pos: l.at(l.off)}
	start := l.off
	if l.off >= len(l.src) || len(*l.errs) > maxErrors {
		l.off = len(l.src)
		return t, true
	}
	word := func() string {
		s := l.off
		for l.off < len(l.src) && isWord(l.src[l.off]) {
			l.off++
		}
		return l.src[s:l.off]
	}
	switch c := l.src[l.off]; {
	case isLetter(c):
		t.kind, t.text = tIdent, word()
		if keywords[t.text] {
			t.kind = tKeyword
		}
	case isDigit(c):
		l.number(&t)
	case c == '\'':
		l.based(&t)
	case c == '$' && isWord(l.peek(1)):
		t.kind, t.text = tSys, word()
	case c == '`':
		l.off++
		t.kind, t.text = tDirective, word()
	case c == '\\':
		for l.off++; l.off < len(l.src) && l.src[l.off] > ' '; l.off++ {
		}
		t.kind, t.text = tIdent, l.src[start+1:l.off]
	case c == '"':
		l.str(&t)
	default:
		for _, op := range operators {
			if !strings.HasPrefix(l.src[l.off:], op) {
				continue
			}
			if op == "(*" && (l.inAttr || l.starOnly()) || op == "*)" && !l.inAttr {
				continue
			}
			if op == "(*" || op == "*)" {
				l.inAttr = op == "(*"
			}
			l.off += len(op)
			t.kind, t.text = tOp, op
			return t, true
		}
		l.off++
		l.errs.Add(t.pos, "remove it", "character %q has no meaning here", c)
		return t, false
	}
	return t, true
}

// starOnly tells whether "(*" is the beginning of @(*), not of an attribute.
func (l *lexer) starOnly() bool {
	return strings.HasPrefix(strings.TrimLeft(l.src[l.off+2:min(len(l.src), l.off+66)], " \t\r\n"), ")")
}

func (l *lexer) digits(ok func(byte) bool) {
	for l.off < len(l.src) && (ok(l.src[l.off]) || l.src[l.off] == '_') {
		l.off++
	}
}

func (l *lexer) number(t *token) {
	start := l.off
	t.kind = tNumber
	l.digits(isDigit)
	if l.peek(0) == '.' && isDigit(l.peek(1)) {
		t.kind = tReal
		l.off++
		l.digits(isDigit)
	}
	if c := l.peek(0) | 0x20; c == 'e' && (isDigit(l.peek(1)) || (l.peek(1) == '-' || l.peek(1) == '+') && isDigit(l.peek(2))) {
		t.kind = tReal
		l.off += 2
		l.digits(isDigit)
	}
	t.text = strings.ReplaceAll(l.src[start:l.off], "_", "")
}

// based reads 'hff or 's d 12 to base letter (with s in front for signed) and
// digits; white space may stand before the digits.
func (l *lexer) based(t *token) {
	l.off++
	base := ""
	if l.peek(0)|0x20 == 's' {
		base = "s"
		l.off++
	}
	b := l.peek(0) | 0x20
	if strings.IndexByte("bodh", b) < 0 {
		l.errs.Add(t.pos, "write 'b, 'o, 'd or 'h", "number without a base")
		l.digits(isWord)
		t.kind, t.text = tBased, "d0"
		return
	}
	l.off++
	for l.peek(0) == ' ' || l.peek(0) == '\t' {
		l.off++
	}
	start := l.off
	l.digits(func(c byte) bool { return isDigit(c) || isLetter(c) || c == '?' })
	t.kind, t.text = tBased, base+string(b)+l.src[start:l.off]
}

func (l *lexer) str(t *token) {
	var s strings.Builder
	t.kind = tString
	for l.off++; ; l.off++ {
		c := l.peek(0)
		if l.off >= len(l.src) || c == '\n' {
			l.errs.Add(t.pos, `close it with "`, "string without end")
			break
		}
		if c == '"' {
			l.off++
			break
		}
		if c != '\\' {
			s.WriteByte(c)
			continue
		}
		l.off++
		switch c = l.peek(0); {
		case c == 'n':
			s.WriteByte('\n')
		case c == 't':
			s.WriteByte('\t')
		case c >= '0' && c <= '7':
			n := 0
			for i := 0; i < 3 && l.peek(0) >= '0' && l.peek(0) <= '7'; i++ {
				n = n*8 + int(l.peek(0)-'0')
				l.off++
			}
			l.off--
			s.WriteByte(byte(n))
		case c == '\n':
			l.newline()
			l.off--
		default:
			s.WriteByte(c)
		}
	}
	t.text = s.String()
}
