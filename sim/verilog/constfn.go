package verilog

import (
	"errors"
	"fmt"
)

// Constant functions run on the typed tree, before there is any storage.

var (
	errNotConst = errors.New("not constant")
	errTooLong  = errors.New("runs too long for a constant")
)

const maxConstSteps = 1 << 20

// A constRun holds the variables of one evaluation.
type constRun struct {
	env   map[*Signal]Value
	steps int
}

// leave unwinds a disable.
type leave struct{ blk *sBlock }

func (leave) Error() string { return "disable" }

// runConst evaluates a node; errNotConst says that it reads a signal.
func runConst(n *node) (Value, error) {
	r := constRun{env: map[*Signal]Value{}}
	return r.node(n)
}

func (r *constRun) node(n *node) (v Value, err error) {
	if r.steps++; r.steps > maxConstSteps {
		return v, errTooLong
	}
	switch n.op {
	case opConst:
		return n.val, nil
	case opSig:
		if !n.sig.local {
			return v, errNotConst
		}
		v, ok := r.env[n.sig]
		if !ok {
			v = allX(n.sig.Width, n.sig.Signed)
		}
		return v, nil
	case opMem, opSysFn:
		return v, errNotConst
	case opCall:
		for _, s := range n.pre {
			if err := r.stmt(s); err != nil {
				return v, err
			}
		}
		return r.node(&node{op: opSig, sig: n.sig})
	}
	args := make([]Value, len(n.a))
	for i, a := range n.a {
		if args[i], err = r.node(a); err != nil {
			return v, err
		}
	}
	return eval(n.op, n.w, n.signed, n.lo, n.k, args...), nil
}

func (r *constRun) stmt(s st) error {
	if r.steps++; r.steps > maxConstSteps {
		return errTooLong
	}
	switch s := s.(type) {
	case nil:
		return nil
	case *sBlock:
		for _, x := range s.list {
			if err := r.stmt(x); err != nil {
				if l, ok := err.(leave); ok && l.blk == s {
					return nil
				}
				return err
			}
		}
		return nil
	case *sCall:
		for _, x := range s.list {
			if err := r.stmt(x); err != nil {
				return err
			}
		}
		return nil
	case *sIf:
		c, err := r.node(s.c)
		if err != nil {
			return err
		}
		if t, _ := truth(c); t {
			return r.stmt(s.then)
		}
		return r.stmt(s.els)
	case *sCase:
		x, err := r.node(s.x)
		if err != nil {
			return err
		}
		for _, a := range s.arms {
			for _, m := range a.match {
				v, err := r.node(m)
				if err != nil {
					return err
				}
				if t, _ := truth(eval(s.op, 1, false, 0, 0, x, v)); t {
					return r.stmt(a.body)
				}
			}
		}
		return r.stmt(s.def)
	case *sLoop:
		for {
			if s.c != nil {
				c, err := r.node(s.c)
				if err != nil {
					return err
				}
				if t, _ := truth(c); !t {
					return nil
				}
			}
			if err := r.stmt(s.body); err != nil {
				return err
			}
			if err := r.stmt(s.step); err != nil {
				return err
			}
			if r.steps++; r.steps > maxConstSteps {
				return errTooLong
			}
		}
	case *sRepeat:
		c, err := r.node(s.n)
		if err != nil {
			return err
		}
		n, ok := c.Int64()
		for i := int64(0); ok && i < n; i++ {
			if err := r.stmt(s.body); err != nil {
				return err
			}
			if r.steps++; r.steps > maxConstSteps {
				return errTooLong
			}
		}
		return nil
	case *sAssign:
		v, err := r.node(s.rhs)
		if err != nil {
			return err
		}
		return r.store(s.lv, v)
	case *sDisable:
		return leave{s.target}
	case *sSys:
		return fmt.Errorf("%s has no place in a constant", s.name)
	}
	return errNotConst
}

func (r *constRun) store(l *lval, v Value) error {
	if l.parts != nil {
		hi := v.Width
		for _, p := range l.parts {
			w := p.width()
			hi -= w
			q := v.slice(hi, w)
			if p.whole {
				q.Signed = p.sig.Signed
			}
			if err := r.store(p, q); err != nil {
				return err
			}
		}
		return nil
	}
	if !l.sig.local || l.addr != nil {
		return errNotConst
	}
	if l.whole {
		r.env[l.sig] = v
		return nil
	}
	off := l.lo
	if l.base != nil {
		b, err := r.node(l.base)
		if err != nil {
			return err
		}
		o, ok := partOffset(b, l.lo, l.k)
		if !ok {
			return nil
		}
		off = o
	}
	old, ok := r.env[l.sig]
	if !ok {
		old = allX(l.sig.Width, l.sig.Signed)
	}
	old = old.resize(old.Width, old.Signed) // a copy
	old.insert(off, v)
	r.env[l.sig] = old
	return nil
}
