package tree

import (
	"fmt"
	"slices"
)

// sink gathers the bits of nets that nothing reads into one wire called unused,
// which is the convention by which linters know that it is meant.
func (m *Module) sink() {
	u := usage{}
	for _, it := range m.Items {
		u.item(it)
	}
	var left Cat
	see := func(n *Net) {
		bits := u[n]
		for high := n.T.Width - 1; high >= 0; {
			if bits != nil && bits[high] {
				high--
				continue
			}
			low := high
			for low > 0 && (bits == nil || !bits[low-1]) {
				low--
			}
			left = append(left, Part{n, high, low})
			high = low - 1
		}
	}
	for _, n := range m.Ports {
		if n.Kind == Input {
			see(n)
		}
	}
	for _, it := range m.Items {
		if d, ok := it.(Decl); ok {
			see(d.Net)
		}
	}
	if len(left) > 0 {
		m.Wire("unused", Unary{"&", append(Cat{Const{U(1), 0}}, left...)})
	}
}

// usage has the bits of each net that are read.
type usage map[*Net][]bool

func (u usage) mark(n *Net, high, low int) {
	if u[n] == nil {
		u[n] = make([]bool, n.T.Width)
	}
	for i := low; i <= high; i++ {
		u[n][i] = true
	}
}

func (u usage) item(it Item) {
	switch it := it.(type) {
	case Decl:
		u.expr(it.From)
	case Assign:
		u.expr(it.From)
	case Process:
		u.expr(it.Clock)
		u.block(it.Body)
	case Table:
		u.expr(it.At)
	case Instance:
		for _, c := range it.Ports {
			i := slices.IndexFunc(it.Of.Ports, func(n *Net) bool { return n.Name == c.Port })
			if i >= 0 && it.Of.Ports[i].Kind == Input {
				u.expr(c.To)
			}
		}
	}
}

func (u usage) block(body []Stmt) {
	for _, s := range body {
		switch s := s.(type) {
		case Set:
			u.expr(s.From)
		case Store:
			u.expr(s.At)
			u.expr(s.From)
		case Load:
			u.expr(s.At)
		case If:
			u.expr(s.Cond)
			u.block(s.Then)
			u.block(s.Else)
		}
	}
}

func (u usage) expr(x Expr) {
	switch x := x.(type) {
	case nil, Const:
	case *Net:
		u.mark(x, x.T.Width-1, 0)
	case Part:
		u.mark(x.X, x.High, x.Low)
	case Unary:
		u.expr(x.X)
	case Binary:
		u.expr(x.X)
		u.expr(x.Y)
	case Cond:
		u.expr(x.If)
		u.expr(x.Then)
		u.expr(x.Else)
	case Cat:
		for _, e := range x {
			u.expr(e)
		}
	case Repeat:
		u.expr(x.X)
	case Cast:
		u.expr(x.X)
	default:
		panic(fmt.Sprintf("no use of %T", x))
	}
}
