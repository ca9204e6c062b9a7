package verilog

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"vlec/model/diag"
)

const (
	maxFileBytes = 64 << 20
	maxTokens    = 32 << 20 // after macros: a bomb of nested macros ends here
	maxIncludes  = 64
)

type macro struct {
	params []string
	hasPar bool
	body   []token
	active bool
}

// A preproc yields the tokens of a list of files after macros, conditions and
// includes. It works on tokens, not on text: every token keeps its place, and
// a macro cannot build half a token.
type preproc struct {
	cfg    *Reader
	errs   *diag.List
	files  []*lexer // innermost include last
	queue  []token  // tokens that wait to be read again, next one last
	macros map[string]*macro
	conds  []cond
	count  int

	// State of the compiler directives that later tokens see.
	netType string // `default_nettype, "wire" or "none"
	scale   timescale
}

type cond struct {
	pos    diag.Pos
	taken  bool // a branch was taken
	active bool // this branch is taken
	outer  bool // the surrounding text is taken
}

// A timescale is a unit and a precision as powers of ten of a second.
type timescale struct{ unit, prec int }

func newPreproc(cfg *Reader, errs *diag.List) *preproc {
	p := &preproc{cfg: cfg, errs: errs, macros: map[string]*macro{}, netType: "wire", scale: timescale{0, 0}}
	for name, text := range cfg.Defines {
		lx := newLexer("<define "+name+">", text, errs)
		m := &macro{}
		for t := lx.next(); t.kind != tEOF; t = lx.next() {
			m.body = append(m.body, t)
		}
		p.macros[name] = m
	}
	return p
}

func (p *preproc) push(file, src string) { p.files = append(p.files, newLexer(file, src, p.errs)) }

func (p *preproc) raw() token {
	if n := len(p.queue); n > 0 {
		t := p.queue[n-1]
		p.queue = p.queue[:n-1]
		return t
	}
	for {
		n := len(p.files)
		if n == 0 {
			return token{nl: true}
		}
		t := p.files[n-1].next()
		if t.kind != tEOF || n == 1 {
			return t
		}
		p.files = p.files[:n-1]
	}
}

func (p *preproc) unread(t token) { p.queue = append(p.queue, t) }

func (p *preproc) taken() bool {
	n := len(p.conds)
	return n == 0 || p.conds[n-1].active
}

func (p *preproc) next() token {
	for {
		t := p.raw()
		if t.kind == tEOF {
			for _, c := range p.conds {
				p.errs.Add(c.pos, "close it with `endif", "condition without end")
			}
			p.conds = nil
			return t
		}
		if p.count++; p.count > maxTokens {
			if p.count == maxTokens+1 {
				p.errs.Add(t.pos, "look for macros that multiply", "more than %d words after macros", maxTokens)
			}
			p.files, p.queue, p.conds = nil, nil, nil
			return token{pos: t.pos}
		}
		if t.kind == tDirective {
			p.directive(t)
			continue
		}
		if t.kind == tOp && t.text == "\x00end" {
			if m := p.macros[t.pos.File]; m != nil {
				m.active = false
			}
			continue
		}
		if p.taken() {
			return t
		}
	}
}

// line returns the tokens up to the end of the line of a directive.
func (p *preproc) line() (ts []token) {
	for {
		t := p.raw()
		if t.kind == tEOF || t.nl {
			if t.kind != tEOF {
				p.unread(t)
			}
			return ts
		}
		ts = append(ts, t)
	}
}

func (p *preproc) directive(d token) {
	name := func() string {
		t := p.raw()
		if t.kind != tIdent && t.kind != tKeyword {
			p.errs.Add(d.pos, "write a name after it", "`%s without a name", d.text)
			p.unread(t)
			return ""
		}
		return t.text
	}
	switch d.text {
	case "ifdef", "ifndef":
		_, def := p.macros[name()]
		on := p.taken() && def == (d.text == "ifdef")
		p.conds = append(p.conds, cond{pos: d.pos, taken: on, active: on, outer: p.taken()})
		return
	case "else", "elsif", "endif":
		n := len(p.conds)
		if n == 0 {
			p.errs.Add(d.pos, "remove it", "`%s without `ifdef", d.text)
			return
		}
		c := &p.conds[n-1]
		switch d.text {
		case "endif":
			p.conds = p.conds[:n-1]
		case "else":
			c.active = c.outer && !c.taken
			c.taken = true
		case "elsif":
			_, def := p.macros[name()]
			c.active = c.outer && !c.taken && def
			c.taken = c.taken || def
		}
		return
	}
	if !p.taken() {
		return
	}
	switch d.text {
	case "define":
		p.define(d)
	case "undef":
		delete(p.macros, name())
	case "include":
		ts := p.line()
		if len(ts) != 1 || ts[0].kind != tString {
			p.errs.Add(d.pos, "write `include \"file\"", "`include without a file name")
			return
		}
		p.include(d, ts[0].text)
	case "timescale":
		p.timescale(d, p.line())
	case "default_nettype":
		p.netType = name()
		if p.netType != "wire" && p.netType != "none" {
			p.errs.Add(d.pos, "write wire or none", "`default_nettype %s is not supported", p.netType)
			p.netType = "wire"
		}
	case "resetall":
		p.netType, p.scale = "wire", timescale{0, 0}
	case "celldefine", "endcelldefine", "nounconnected_drive":
	case "line", "begin_keywords", "end_keywords", "unconnected_drive", "pragma":
		p.line()
	default:
		p.expand(d)
	}
}

func (p *preproc) define(d token) {
	t := p.raw()
	if t.kind != tIdent {
		p.errs.Add(d.pos, "write `define NAME text", "`define without a name")
		p.unread(t)
		p.line()
		return
	}
	m := &macro{}
	ts := p.line()
	if len(ts) > 0 && ts[0].text == "(" && !ts[0].sp {
		m.hasPar = true
		i := 1
		for ; i < len(ts) && ts[i].text != ")"; i++ {
			if ts[i].kind == tIdent {
				m.params = append(m.params, ts[i].text)
			} else if ts[i].text != "," {
				p.errs.Add(ts[i].pos, "list names between ( and )", "%q is not a macro argument", ts[i].text)
			}
		}
		ts = ts[min(i+1, len(ts)):]
	}
	m.body = ts
	p.macros[t.text] = m
}

func (p *preproc) expand(d token) {
	m, ok := p.macros[d.text]
	if !ok {
		p.errs.Add(d.pos, "define it before it is used", "macro `%s is not defined", d.text)
		return
	}
	if m.active {
		p.errs.Add(d.pos, "break the circle", "macro `%s uses itself", d.text)
		return
	}
	args := map[string][]token{}
	if m.hasPar {
		t := p.raw()
		if t.text != "(" {
			p.errs.Add(d.pos, "write its arguments in parentheses", "macro `%s wants %d arguments", d.text, len(m.params))
			p.unread(t)
			return
		}
		var list [][]token
		var cur []token
		for depth := 1; depth > 0; {
			t = p.raw()
			if t.kind == tEOF {
				p.errs.Add(d.pos, "close them with )", "arguments of macro `%s without end", d.text)
				return
			}
			switch t.text {
			case "(", "[", "{":
				depth++
			case ")", "]", "}":
				depth--
			}
			if depth == 0 || depth == 1 && t.kind == tOp && t.text == "," {
				list = append(list, cur)
				cur = nil
				continue
			}
			if len(cur) >= maxTokens/64 {
				p.errs.Add(d.pos, "", "an argument of macro `%s is too long", d.text)
				return
			}
			cur = append(cur, t)
		}
		if len(list) != len(m.params) && !(len(m.params) == 0 && len(list) == 1 && len(list[0]) == 0) {
			p.errs.Add(d.pos, "", "macro `%s wants %d arguments and got %d", d.text, len(m.params), len(list))
			return
		}
		for i, n := range m.params {
			args[n] = list[i]
		}
	}
	if len(p.queue) > maxTokens/8 {
		p.errs.Add(d.pos, "look for macros that multiply", "macro `%s grows too long", d.text)
		return
	}
	// The mark behind the body ends the time in which the macro may not be
	// used again.
	m.active = true
	p.unread(token{kind: tOp, text: "\x00end", pos: diag.Pos{File: d.text}})
	for i := len(m.body) - 1; i >= 0; i-- {
		t := m.body[i]
		if arg, ok := args[t.text]; ok && t.kind == tIdent {
			for j := len(arg) - 1; j >= 0; j-- {
				p.unread(arg[j])
			}
			continue
		}
		t.pos, t.nl = d.pos, false
		p.unread(t)
	}
}

func (p *preproc) include(d token, name string) {
	if len(p.files) > maxIncludes {
		p.errs.Add(d.pos, "break the circle", "files include each other more than %d deep", maxIncludes)
		return
	}
	dirs := append([]string{filepath.Dir(d.pos.File), "."}, p.cfg.IncludeDirs...)
	for _, dir := range dirs {
		path := name
		if !filepath.IsAbs(name) {
			path = filepath.Join(dir, name)
		}
		src, err := readFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			p.errs.Add(d.pos, "", "cannot include: %v", err)
			return
		}
		p.push(path, src)
		return
	}
	p.errs.Add(d.pos, "put it next to this file or name its folder", "include file %q was not found", name)
}

func readFile(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	if st.Size() > maxFileBytes {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxFileBytes)
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

func (p *preproc) timescale(d token, ts []token) {
	// 1 ns / 10 ps, with or without the blanks.
	exp := func(ts []token) (int, bool) {
		if len(ts) != 2 || ts[0].kind != tNumber {
			return 0, false
		}
		unit, ok := map[string]int{"s": 0, "ms": -3, "us": -6, "ns": -9, "ps": -12, "fs": -15}[ts[1].text]
		n, err := strconv.Atoi(ts[0].text)
		ten := map[int]int{1: 0, 10: 1, 100: 2}
		k, known := ten[n]
		return unit + k, ok && err == nil && known
	}
	if len(ts) == 5 && ts[2].text == "/" {
		u, ok1 := exp(ts[:2])
		q, ok2 := exp(ts[3:])
		if ok1 && ok2 && q <= u {
			p.scale = timescale{u, q}
			return
		}
	}
	p.errs.Add(d.pos, "write for example `timescale 1ns/1ps", "time scale is not a unit and a precision")
}
