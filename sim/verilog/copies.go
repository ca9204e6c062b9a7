package verilog

import "math/bits"

// Most registers of a pipe do no more than to take over what another register
// or wire holds. Such a unit needs no code: where the clock is the only thing
// that happens at its edge, commit moves the value from slot to slot.

// A copyUnit assigns to d what x holds, or what y holds where clear does not hold 0.
type copyUnit struct {
	d, x, clear, y uint16 // slots; clear of a copy without one is a constant 0
}

// isCopy tells whether a clocked unit only copies a signal of one slot, and
// maybe clears it.
func (u *unit) isCopy() bool {
	first, clear := u.copyParts()
	if first == nil {
		return false
	}
	d, x := first.lv.sig, first.rhs
	return x.op == opSig && d != x.sig && d.Width <= 64 && x.w == d.Width && x.sig.Signed == d.Signed && !x.sig.local && d.Depth == 0 &&
		(clear == nil || clear.c.op == opSig && clear.c.w <= 64 && !clear.c.sig.local)
}

// copyParts takes a body of the form d <= x; if (clear) d <= constant; apart.
func (u *unit) copyParts() (first *sAssign, clear *sIf) {
	list := []st{u.body}
	if b, ok := u.body.(*sBlock); ok {
		list = b.list
	}
	if len(list) == 0 || len(list) > 2 {
		return nil, nil
	}
	first, ok := list[0].(*sAssign)
	if !ok || !first.plainLater() {
		return nil, nil
	}
	if len(list) == 1 {
		return first, nil
	}
	if clear, ok = list[1].(*sIf); !ok || clear.els != nil {
		return nil, nil
	}
	second := clear.cleared()
	if second == nil || !second.plainLater() || second.lv.sig != first.lv.sig || second.rhs.op != opConst || !second.rhs.val.Known() {
		return nil, nil
	}
	return first, clear
}

// cleared is the one assignment under a condition.
func (s *sIf) cleared() *sAssign {
	then := s.then
	if b, ok := then.(*sBlock); ok && len(b.list) == 1 {
		then = b.list[0]
	}
	a, _ := then.(*sAssign)
	return a
}

// plainLater tells whether an assignment is nonblocking, of a whole signal.
func (a *sAssign) plainLater() bool {
	return a.nb && a.delay == nil && a.event == nil && a.lv.parts == nil && a.lv.whole && a.lv.addr == nil
}

// sortCopies takes the copies out of the units of a domain and puts each behind
// those that copy from it: so one after the other may write at once what the
// next one in the pipe has read. Copies in a ring are not such.
func sortCopies(units []*unit, writers map[*Signal]int) (others, copies []*unit) {
	var found []*unit
	for _, u := range units {
		if u.isCopy() && writers[u.writes[0]] == 1 {
			found = append(found, u)
		} else {
			others = append(others, u)
		}
	}
	readers := map[*Signal][]int{}
	for i, u := range found {
		for _, s := range u.reads {
			readers[s] = append(readers[s], i)
		}
	}
	for _, group := range components(len(found), func(i int) []int { return readers[found[i].writes[0]] }) {
		for _, i := range group {
			if len(group) > 1 {
				others = append(others, found[i])
			} else {
				copies = append(copies, found[i])
			}
		}
	}
	return others, copies
}

// copies resolves the slots of the copies.
func (g *gen) copies() {
	p := g.p
	p.copies = make([]copyUnit, p.words*64)
	for _, dom := range p.domains {
		for bit := dom.copies * 64; bit < dom.hi*64; bit++ {
			at, ok := p.unitAt[bit]
			if !ok {
				break
			}
			first, clear := p.units[at].u.copyParts()
			c := copyUnit{d: uint16(first.lv.sig.slot), x: uint16(first.rhs.sig.slot)}
			if clear == nil {
				c.clear = g.constant(Uint(1, 0)).slot
			} else {
				c.clear, c.y = uint16(clear.c.sig.slot), g.constant(clear.cleared().rhs.val).slot
			}
			p.copies[bit] = c
		}
	}
}

// move runs the copies that were dirty at the edge.
func (m *Sim) move() {
	s, unknown, fans := m.a, m.b, m.p.fans
	for i, set := range m.moves {
		copies := m.p.copies[m.moveFrom+i*64:]
		for ; set != 0; set &= set - 1 {
			c := &copies[bits.TrailingZeros64(set)]
			x := c.x
			if s[c.clear]&^unknown[c.clear] != 0 {
				x = c.y
			}
			if unknown[x]|unknown[c.d] != 0 {
				m.setSlot(c.d, s[x], unknown[x])
			} else if s[x] != s[c.d] {
				m.put(c.d, &fans[c.d], s[x])
			}
		}
	}
	m.moves = m.moves[:0]
}
