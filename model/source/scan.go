package source

import (
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

// A place is where a key and its value stand, as byte offsets, and the places
// inside it.
type place struct {
	key, value int
	fields     map[string]*place
	keys       []string // of fields, as they first appear
	elems      []*place
}

func (p *place) elem(i int) *place {
	if i < len(p.elems) {
		return p.elems[i]
	}
	return nil
}

// order returns the keys of a table as they appear in the document.
func (p *place) order(values map[string]any) []string {
	keys := make([]string, 0, len(values))
	for _, k := range p.keys {
		if _, ok := values[k]; ok {
			keys = append(keys, k)
		}
	}
	if len(keys) < len(values) {
		for k := range values {
			if p.fields[k] == nil {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
	}
	return keys
}

// field returns the place of a key inside p, made when new.
func (p *place) field(key string, offset int) *place {
	f := p.fields[key]
	if f == nil {
		f = &place{key: offset, value: offset}
		if p.fields == nil {
			p.fields = map[string]*place{}
		}
		p.fields[key] = f
		p.keys = append(p.keys, key)
	}
	return f
}

// lines holds the offset of each line's first byte.
type lines []int

func (l lines) at(offset int) (line, col int) {
	i := max(sort.SearchInts(l, offset+1)-1, 0)
	return i + 1, max(offset-l[i], 0) + 1
}

// A scanner notes where things stand in a document. Of a document that is not
// TOML it makes something up, without harm: the library refuses it afterwards.
type scanner struct {
	src     string
	pos     int
	bom     int // bytes of the byte order mark
	lines   lines
	tooDeep int // offset at which nesting passed MaxDepth, 0 if nowhere
}

func newScanner(src string) *scanner {
	s := &scanner{src: src, lines: lines{0}}
	for i := range len(src) {
		if src[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	if strings.HasPrefix(src, "\xef\xbb\xbf") {
		s.bom, s.pos = 3, 3
	}
	return s
}

// document scans everything.
func (s *scanner) document() *place {
	root := &place{key: s.bom, value: s.bom}
	current := root
	for s.blank(true); s.pos < len(s.src) && s.tooDeep == 0; s.blank(true) {
		start := s.pos
		if s.src[s.pos] == '[' {
			current = s.header(root)
		} else {
			s.pair(current, 0)
		}
		if s.pos == start { // not TOML
			s.pos++
		}
	}
	return root
}

// header scans [a.b] or [[a.b]] and returns the table that it opens.
func (s *scanner) header(root *place) *place {
	s.pos++
	list := s.accept('[')
	parts, offsets := s.key()
	p := root
	for i, k := range parts {
		if n := len(p.elems); n > 0 { // [a.b] after [[a]] goes into the last a
			p = p.elems[n-1]
		}
		known := p.fields[k] != nil
		p = p.field(k, offsets[i])
		if last := i == len(parts)-1; last && known && !list && len(p.elems) == 0 {
			p.key, p.value = offsets[i], offsets[i] // [a] after [a.b]: here is its own header
		}
	}
	if list {
		at := p.key
		if n := len(offsets); n > 0 {
			at = offsets[n-1]
		}
		p.elems = append(p.elems, &place{key: at, value: at})
	}
	if n := len(p.elems); n > 0 {
		p = p.elems[n-1]
	}
	s.accept(']')
	if list {
		s.accept(']')
	}
	return p
}

// pair scans key = value into a table.
func (s *scanner) pair(into *place, depth int) {
	parts, offsets := s.key()
	for i, k := range parts {
		into = into.field(k, offsets[i])
	}
	s.blank(false)
	if !s.accept('=') {
		s.skipTo("\n")
		return
	}
	s.blank(false)
	s.value(into, depth+len(parts))
}

// key scans a dotted key: its parts, unquoted, and where each starts.
func (s *scanner) key() (parts []string, offsets []int) {
	for {
		s.blank(false)
		start := s.pos
		var part string
		if q := s.peek(); q == '"' || q == '\'' {
			s.text()
			part = unquote(s.src[start:s.pos])
		} else {
			for s.pos < len(s.src) && isBare(s.src[s.pos]) {
				s.pos++
			}
			part = s.src[start:s.pos]
		}
		if s.pos == start {
			return parts, offsets
		}
		parts, offsets = append(parts, part), append(offsets, start)
		if len(parts) > MaxDepth {
			s.deep(start)
			return parts, offsets
		}
		s.blank(false)
		if !s.accept('.') {
			return parts, offsets
		}
	}
}

// value scans one value.
func (s *scanner) value(p *place, depth int) {
	p.value = s.pos
	if depth > MaxDepth {
		s.deep(s.pos)
		return
	}
	switch s.peek() {
	case '"', '\'':
		s.text()
	case '[':
		s.pos++
		for s.blank(true); s.pos < len(s.src) && s.src[s.pos] != ']' && s.tooDeep == 0; s.blank(true) {
			start := s.pos
			e := &place{key: start}
			s.value(e, depth+1)
			p.elems = append(p.elems, e)
			s.blank(true)
			s.accept(',')
			if s.pos == start {
				s.pos++
			}
		}
		s.accept(']')
	case '{':
		s.pos++
		for s.blank(true); s.pos < len(s.src) && s.src[s.pos] != '}' && s.tooDeep == 0; s.blank(true) {
			start := s.pos
			s.pair(p, depth+1)
			s.blank(true)
			s.accept(',')
			if s.pos == start {
				s.pos++
			}
		}
		s.accept('}')
	default:
		s.skipTo(",]}#\r\n")
	}
}

// text scans a string of any of the four kinds.
func (s *scanner) text() {
	q := s.src[s.pos : s.pos+1]
	if long := strings.Repeat(q, 3); strings.HasPrefix(s.src[s.pos:], long) {
		s.pos += 3
		for s.pos < len(s.src) {
			switch {
			case q == `"` && s.src[s.pos] == '\\':
				s.pos = min(s.pos+2, len(s.src))
			case strings.HasPrefix(s.src[s.pos:], long):
				s.pos += 3
				for range 2 { // up to two quotes may precede the closing three
					s.accept(q[0])
				}
				return
			default:
				s.pos++
			}
		}
		return
	}
	s.pos++
	for s.pos < len(s.src) && s.src[s.pos] != '\n' {
		c := s.src[s.pos]
		s.pos++
		switch {
		case c == q[0]:
			return
		case c == '\\' && q == `"` && s.pos < len(s.src):
			s.pos++
		}
	}
}

// blank skips spaces and, where lines may break, comments and line ends too.
func (s *scanner) blank(lineEnds bool) {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t':
			s.pos++
		case lineEnds && (c == '\n' || c == '\r'):
			s.pos++
		case lineEnds && c == '#':
			s.skipTo("\n")
		default:
			return
		}
	}
}

func (s *scanner) skipTo(stop string) {
	if i := strings.IndexAny(s.src[s.pos:], stop); i >= 0 {
		s.pos += i
	} else {
		s.pos = len(s.src)
	}
}

func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.peek() != c || s.pos >= len(s.src) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) deep(offset int) {
	if s.tooDeep == 0 {
		s.tooDeep = max(offset, 1)
	}
}

func isBare(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// unquote returns the text of a quoted key. The library knows the escapes.
func unquote(quoted string) string {
	if len(quoted) >= 2 && (quoted[0] == '\'' || !strings.Contains(quoted, `\`)) {
		return quoted[1 : len(quoted)-1]
	}
	var v struct{ K string }
	if _, err := toml.Decode("k = "+quoted, &v); err != nil {
		return quoted
	}
	return v.K
}
