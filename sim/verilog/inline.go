package verilog

// inline puts the expression of a wire into the place where the wire is read,
// if that is one place: one unit less to run and one signal less to watch.
// Such a wire is computed when somebody asks for it (Sim.refresh).
//
// What the reader sees is the same. A wire follows its inputs before any clocked
// unit runs, and while those run nothing it depends on may change at once: wires
// that depend on what a clocked unit assigns with = stay as they are.
func (d *Design) inline() {
	if d.inlined {
		return
	}
	d.inlined = true
	for _, u := range d.units {
		walk(u.body, func(n *node) {
			if s := simplify(n); s != n {
				*n = *s
			}
		}, func(st) {})
		u.findReads()
	}
	d.split()
	wires := d.inlinable()
	if len(wires) == 0 {
		return
	}
	units := d.units[:0:0]
	for _, u := range d.units {
		a, ok := u.body.(*sAssign)
		if ok && wires[a.lv.sig] == u {
			d.wires = append(d.wires, u)
			a.lv.sig.wire = u
		} else {
			units = append(units, u)
		}
	}
	replace := func(n *node) {
		if n.op != opSig || wires[n.sig] == nil {
			return
		}
		a := wires[n.sig].body.(*sAssign)
		*n = node{op: opConv, w: n.w, signed: n.signed, a: []*node{a.rhs}, pos: n.pos}
	}
	for _, u := range d.units {
		walk(u.body, replace, func(st) {})
	}
	d.units = units
	for _, list := range [][]*unit{d.units, d.wires} {
		for _, u := range list {
			u.findReads()
		}
	}
}

// inlinable finds the wires, each with the unit that drives it.
func (d *Design) inlinable() map[*Signal]*unit {
	type use struct {
		count  int
		reader *unit
		kept   bool // read by name, in a loop, by a process
	}
	uses := map[*Signal]*use{}
	at := func(s *Signal) *use {
		if uses[s] == nil {
			uses[s] = &use{}
		}
		return uses[s]
	}
	atOnce := d.atOnce()
	drivers := map[*Signal]int{}
	for _, u := range d.units {
		keeps := u.kind == unitProc
		walk(u.body, func(*node) {}, func(s st) {
			switch s.(type) {
			case *sLoop, *sRepeat, *sSys, *sTrigger:
				keeps = true
			}
		})
		for _, s := range u.trig {
			at(s.sig).kept = true
		}
		for _, s := range u.writes {
			drivers[s]++
		}
		walk(u.body, func(n *node) {
			if n.op == opSig {
				k := at(n.sig)
				k.count++
				k.reader = u
				k.kept = k.kept || keeps
			}
		}, func(st) {})
	}
	found := map[*Signal]*unit{}
	for _, u := range d.units {
		a, ok := u.body.(*sAssign)
		if !ok || !u.assign || u.kind != unitComb || a.delay != nil || a.event != nil || a.lv.parts != nil || !a.lv.whole || a.lv.addr != nil {
			continue
		}
		s := a.lv.sig
		k := uses[s]
		if k == nil || k.count != 1 || k.kept || drivers[s] != 1 || s.watched || s.external || s.event || s.procs || !s.net || s.Depth > 0 || s.Width > 64 || k.reader == u {
			continue
		}
		fits := a.rhs.w == s.Width
		walkNode(a.rhs, func(n *node) {
			// Memories are written at once, and calls have variables.
			fits = fits && n.op != opMem && n.op != opCall && n.op != opSysFn && n.w <= 64
			if n.op == opSig && (n.sig.local || atOnce[n.sig] || writesAtOnce(k.reader, n.sig)) {
				fits = false
			}
		}, func(st) {})
		if fits {
			found[s] = u
		}
	}
	d.keepLoops(found)
	return found
}

// keepLoops takes wires away that depend on themselves.
func (d *Design) keepLoops(found map[*Signal]*unit) {
	var comb []*unit
	for _, u := range d.units {
		if u.kind == unitComb {
			comb = append(comb, u)
		}
	}
	writers := map[*Signal][]int{}
	for i, u := range comb {
		for _, s := range u.writes {
			writers[s] = append(writers[s], i)
		}
	}
	for _, group := range components(len(comb), func(i int) []int {
		var from []int
		for _, s := range comb[i].reads {
			from = append(from, writers[s]...)
		}
		return from
	}) {
		if len(group) > 1 {
			for _, i := range group {
				for _, s := range comb[i].writes {
					delete(found, s)
				}
			}
		}
	}
}

func eachTarget(l *lval, f func(*lval)) {
	for _, p := range l.parts {
		eachTarget(p, f)
	}
	if l.sig != nil {
		f(l)
	}
}

// writesAtOnce tells whether a unit assigns a signal with =.
func writesAtOnce(u *unit, s *Signal) bool {
	writes := false
	walk(u.body, func(*node) {}, func(x st) {
		if a, ok := x.(*sAssign); ok && !a.nb {
			eachTarget(a.lv, func(l *lval) { writes = writes || l.sig == s })
		}
	})
	return writes
}

// refresh computes a wire that has no unit.
func (m *Sim) refresh(s *Signal) {
	if s.wire == nil {
		return
	}
	_, _ = m.exec4(int(m.p.wirePC[s]))
	m.forget()
}
