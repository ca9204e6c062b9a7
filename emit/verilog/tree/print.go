package tree

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"vlec/emit"
)

// Print writes a module as one file, under a header of comment lines.
func (m *Module) Print(to io.Writer, header []string) error {
	p := printer{emit.NewWriter(to)}
	for _, h := range header {
		p.w.Comment("//", h)
	}
	p.w.Blank()
	for _, d := range m.Doc {
		p.w.Comment("//", d)
	}
	p.w.Blank()
	p.w.Line("`default_nettype none")
	p.w.Blank()
	if m.Attrs != "" {
		p.w.Linef("(* %s *)", m.Attrs)
	}
	p.w.Linef("module %s (", m.Name)
	p.w.Indent(2)
	for i, n := range m.Ports {
		line := map[NetKind]string{Input: "input wire", Output: "output wire", OutputReg: "output reg"}[n.Kind] + span(n.T) + " " + n.Name
		if i < len(m.Ports)-1 {
			line += ","
		}
		if n.Doc != "" {
			line += " // " + n.Doc
		}
		p.w.Line(line)
	}
	p.w.Indent(-2)
	p.w.Line(");")
	p.w.Indent(2)
	for _, it := range m.Items {
		p.item(it)
	}
	p.w.Indent(-2)
	p.w.Line("endmodule")
	p.w.Blank()
	p.w.Line("`default_nettype wire")
	return p.w.Flush()
}

type printer struct{ w *emit.Writer }

func span(t Type) string {
	s := ""
	if t.Signed {
		s = " signed"
	}
	if t.Width > 1 || t.Signed {
		s += fmt.Sprintf(" [%d:0]", t.Width-1)
	}
	return s
}

func (p *printer) item(it Item) {
	switch it := it.(type) {
	case Comment:
		p.w.Blank()
		p.w.Comment("//", string(it))
	case Decl:
		p.decl(it)
	case Assign:
		p.wrap("assign "+it.To.Name+" =", it.From)
	case Process:
		p.w.Linef("always @(posedge %s) begin", it.Clock.Name)
		p.block(it.Body)
		p.w.Line("end")
	case Table:
		p.table(it)
	case Instance:
		p.instance(it)
	case *Memory:
		p.memory(it)
	case Raw:
		for _, l := range it {
			p.w.Line(l)
		}
	}
}

func (p *printer) decl(d Decl) {
	kind := "wire"
	if d.Net.Kind == Reg {
		kind = "reg"
	}
	head := kind + span(d.Net.T) + " " + d.Net.Name
	if d.From == nil {
		p.w.Line(head + ";")
		return
	}
	p.wrap(head+" =", d.From)
}

// wrap writes an assignment over as many lines as it needs.
func (p *printer) wrap(head string, from Expr) {
	p.w.Wrap("    ", append([]string{head}, strings.Split(Text(from)+";", " ")...)...)
}

func (p *printer) block(body []Stmt) {
	p.w.Indent(2)
	for _, s := range body {
		p.stmt(s)
	}
	p.w.Indent(-2)
}

func (p *printer) stmt(s Stmt) {
	switch s := s.(type) {
	case Set:
		p.wrap(s.To.Name+" <=", s.From)
	case Store:
		p.wrap(fmt.Sprintf("%s[%s] <=", s.To.Name, Text(s.At)), s.From)
	case Load:
		p.w.Linef("%s <= %s[%s];", s.To.Name, s.From.Name, Text(s.At))
	case If:
		p.w.Linef("if (%s) begin", Text(s.Cond))
		p.block(s.Then)
		if len(s.Else) > 0 {
			p.w.Line("end else begin")
			p.block(s.Else)
		}
		p.w.Line("end")
	}
}

func (p *printer) table(t Table) {
	p.w.Line("always @* begin")
	p.w.Indent(2)
	p.w.Linef("case (%s)", t.At.Name)
	p.w.Indent(2)
	last := len(t.Values) - 1
	// Neighbours of one value share a line.
	for i := 0; i < last; {
		j := i
		labels := []string{}
		for ; j < last && t.Values[j] == t.Values[i]; j++ {
			labels = append(labels, Text(Const{t.At.T, int64(j)}))
		}
		i = j
		if t.Values[j-1] == t.Values[last] && j == last {
			break
		}
		p.w.Wrap("  ", strings.Split(fmt.Sprintf("%s: %s = %s;", strings.Join(labels, ", "), t.To.Name, Text(Const{t.To.T, t.Values[j-1]})), " ")...)
	}
	p.w.Linef("default: %s = %s;", t.To.Name, Text(Const{t.To.T, t.Values[last]}))
	p.w.Indent(-2)
	p.w.Line("endcase")
	p.w.Indent(-2)
	p.w.Line("end")
}

func (p *printer) instance(it Instance) {
	p.w.Linef("%s %s (", it.Of.Name, it.Name)
	for i, c := range it.Ports {
		to, comma := "", ","
		if c.To != nil {
			to = Text(c.To)
		}
		if i == len(it.Ports)-1 {
			comma = ""
		}
		p.w.Linef("  .%s(%s)%s", c.Port, to, comma)
	}
	p.w.Line(");")
}

func (p *printer) memory(m *Memory) {
	attrs := ""
	if m.Attrs != "" {
		attrs = "(* " + m.Attrs + " *) "
	}
	p.w.Linef("%sreg%s %s [0:%d];", attrs, span(m.T), m.Name, m.Depth-1)
	if len(m.Initial) == 0 {
		return
	}
	var words []string
	indices := make([]int, 0, len(m.Initial))
	for i := range m.Initial {
		indices = append(indices, i)
	}
	slices.Sort(indices)
	for _, i := range indices {
		words = append(words, fmt.Sprintf("%s[%d] = %s;", m.Name, i, hex(m.T.Width, m.Initial[i])))
	}
	p.w.Line("initial begin")
	p.w.Indent(2)
	// A blank within an assignment is no place to break the line.
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], " ", "\x01")
	}
	q := printer{emit.NewWriter(blanks{p.w})}
	q.w.Indent(4)
	q.w.Wrap("", words...)
	p.w.Fail(q.w.Flush())
	p.w.Indent(-2)
	p.w.Line("end")
}

// blanks turns blanks that must not break a line back into ordinary ones.
type blanks struct{ w io.Writer }

func (b blanks) Write(text []byte) (int, error) {
	_, err := io.WriteString(b.w, strings.ReplaceAll(string(text), "\x01", " "))
	return len(text), err
}

// hex writes the low bits of a word.
func hex(width int, v int64) string {
	u := uint64(v)
	if width < 64 {
		u &= 1<<width - 1
	}
	return fmt.Sprintf("%d'h%0*x", width, (width+3)/4, u)
}

// Text is an expression as it is written.
func Text(x Expr) string {
	switch x := x.(type) {
	case *Net:
		return x.Name
	case Const:
		return number(x)
	case Unary:
		return string(x.Op) + inner(x.X)
	case Binary:
		return inner(x.X) + " " + string(x.Op) + " " + inner(x.Y)
	case Cond:
		return inner(x.If) + " ? " + inner(x.Then) + " : " + inner(x.Else)
	case Part:
		if x.X.T.Width == 1 && !x.X.T.Signed {
			return x.X.Name
		}
		if x.High == x.Low {
			return fmt.Sprintf("%s[%d]", x.X.Name, x.Low)
		}
		return fmt.Sprintf("%s[%d:%d]", x.X.Name, x.High, x.Low)
	case Cat:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = Text(e)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Repeat:
		if x.N == 1 {
			return Text(x.X)
		}
		return fmt.Sprintf("{%d{%s}}", x.N, Text(x.X))
	case Cast:
		if x.Signed {
			return "$signed(" + Text(x.X) + ")"
		}
		return "$unsigned(" + Text(x.X) + ")"
	}
	panic(fmt.Sprintf("no text for %T", x))
}

// inner puts what has an operator in parentheses.
func inner(x Expr) string {
	switch x.(type) {
	case Binary, Cond, Unary:
		return "(" + Text(x) + ")"
	}
	return Text(x)
}

func number(c Const) string {
	sign, kind, v := "", "d", c.Value
	if c.T.Signed {
		kind = "sd"
		if v < 0 {
			sign, v = "-", -v
		}
	}
	return sign + strconv.Itoa(c.T.Width) + "'" + kind + strconv.FormatInt(v, 10)
}
