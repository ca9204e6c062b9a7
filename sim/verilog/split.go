package verilog

import (
	"fmt"
	"slices"
	"strings"
)

// split cuts a clocked process into one unit for each group of registers that
// depend on the same signals. A register then costs nothing in a cycle in which
// nothing that it depends on has changed, however busy its neighbours in the
// text are: in a pipe that carries one value in many stages, most of them.
//
// What happens is the same. Nonblocking assignments read before any of them
// writes, so it does not matter in which order the registers come, and those to
// one register stay together.
func (d *Design) split() {
	atOnce := d.atOnce()
	units := d.units[:0:0]
	for _, u := range d.units {
		if u.kind != unitClocked || slices.ContainsFunc(u.reads, func(s *Signal) bool { return atOnce[s] }) {
			units = append(units, u)
			continue
		}
		units = append(units, u.pieces()...)
	}
	d.units = units
}

// atOnce finds what clocked units assign with =: who reads that at the same edge
// depends on the order of units.
func (d *Design) atOnce() map[*Signal]bool {
	found := map[*Signal]bool{}
	for _, u := range d.units {
		if u.kind != unitClocked {
			continue
		}
		walk(u.body, func(*node) {}, func(s st) {
			if a, ok := s.(*sAssign); ok && !a.nb {
				eachTarget(a.lv, func(l *lval) {
					if !l.sig.local {
						found[l.sig] = true
					}
				})
			}
		})
	}
	return found
}

// alone tells whether the units of an edge change nothing before all of them
// have run.
func (d *Design) alone() bool {
	alone := len(d.atOnce()) == 0
	for _, u := range d.units {
		if u.kind == unitClocked {
			walk(u.body, func(*node) {}, func(s st) {
				switch s := s.(type) {
				case *sTrigger:
					alone = false
				case *sSys:
					alone = alone && !strings.HasPrefix(s.name, "$readmem")
				}
			})
		}
	}
	return alone
}

// maxCopies limits how much longer the text of a process may get, as each piece
// repeats the conditions around its assignments, and maxCuts the work.
const (
	maxCopies = 8
	maxCuts   = 1 << 24
)

// pieces returns the units of a clocked process, itself if it cannot be cut.
func (u *unit) pieces() []*unit {
	whole := []*unit{u}
	if len(u.writes) < 2 || !cuttable(u.body) {
		return whole
	}
	var groups [][]*Signal // of targets, by what they depend on
	number := map[*Signal]int{}
	for i, s := range u.reads {
		number[s] = i
	}
	at := map[string]int{}
	n := size(u.body)
	if n*len(u.writes) > maxCuts {
		return whole
	}
	left := maxCopies * n
	for _, target := range u.writes {
		p := unit{body: only(u.body, []*Signal{target})}
		if left -= size(p.body); left < 0 {
			return whole
		}
		p.findReads()
		key := support(p.reads, number)
		g, ok := at[key]
		if !ok {
			g = len(groups)
			at[key] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], target)
	}
	if len(groups) == 1 {
		return whole
	}
	var out []*unit
	for _, targets := range groups {
		p := *u
		p.body = only(u.body, targets)
		p.findReads()
		out = append(out, &p)
	}
	return out
}

// support is a key for a set of signals.
func support(reads []*Signal, number map[*Signal]int) string {
	set := make([]int, len(reads))
	for i, s := range reads {
		set[i] = number[s]
	}
	slices.Sort(set)
	return fmt.Sprint(set)
}

// cuttable tells whether a process consists of nonblocking assignments under
// conditions, and nothing else.
func cuttable(body st) bool {
	ok := true
	walk(body, func(n *node) { ok = ok && n.op != opSysFn }, func(s st) {
		switch s := s.(type) {
		case *sAssign:
			// A function assigns its variables at once; they are not seen outside.
			local := !s.nb && s.lv.sig != nil && s.lv.sig.local
			ok = ok && s.lv.parts == nil && s.delay == nil && s.event == nil && (s.nb || local)
		case *sSys, *sTrigger:
			ok = false
		}
	})
	return ok && plain(body)
}

// plain tells whether only knows the form of a statement.
func plain(s st) bool {
	switch s := s.(type) {
	case nil:
		return true
	case *sBlock:
		return !slices.ContainsFunc(s.list, func(x st) bool { return !plain(x) })
	case *sIf:
		return plain(s.then) && plain(s.els)
	case *sCase:
		return plain(s.def) && !slices.ContainsFunc(s.arms, func(a sArm) bool { return !plain(a.body) })
	case *sAssign:
		return s.nb
	}
	return false
}

// only returns the part of a statement that assigns some of the targets, nil if
// there is none.
func only(s st, targets []*Signal) st {
	switch s := s.(type) {
	case *sBlock:
		var list []st
		for _, x := range s.list {
			x = only(x, targets)
			if b, ok := x.(*sBlock); ok {
				list = append(list, b.list...)
			} else if x != nil {
				list = append(list, x)
			}
		}
		switch len(list) {
		case 0:
		case 1:
			return list[0]
		default:
			return &sBlock{list}
		}
	case *sIf:
		if then, els := only(s.then, targets), only(s.els, targets); then != nil || els != nil {
			return &sIf{s.c, then, els}
		}
	case *sCase:
		// All labels stay: each keeps those below it from matching.
		c := *s
		c.def = only(s.def, targets)
		keep := c.def != nil
		c.arms = make([]sArm, len(s.arms))
		for i, a := range s.arms {
			c.arms[i] = sArm{a.match, only(a.body, targets)}
			keep = keep || c.arms[i].body != nil
		}
		if keep {
			return &c
		}
	case *sAssign:
		if slices.Contains(targets, s.lv.sig) {
			return s
		}
	}
	return nil
}

// size counts the statements and labels of a process.
func size(s st) int {
	n := 0
	walk(s, func(*node) {}, func(s st) {
		n++
		if c, ok := s.(*sCase); ok {
			for _, a := range c.arms {
				n += len(a.match)
			}
		}
	})
	return n
}
