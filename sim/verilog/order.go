package verilog

import "slices"

// order puts the combinational units into an order of evaluation, each behind
// those it depends on, then the clocked units domain by domain, then the
// processes that wait. Every unit of the first two kinds gets a number in the
// set of dirty units; domains begin at a word of their own.
func (p *program) order() {
	var comb, clocked, procs []*unit
	for _, u := range p.d.units {
		switch u.kind {
		case unitComb:
			comb = append(comb, u)
		case unitClocked:
			clocked = append(clocked, u)
		default:
			procs = append(procs, u)
		}
	}
	writers := map[*Signal][]int{}
	for i, u := range comb {
		for _, s := range u.writes {
			writers[s] = append(writers[s], i)
		}
	}
	bit := 0
	p.loops = make([]bool, len(comb))
	for _, group := range components(len(comb), func(i int) []int {
		var from []int
		for _, s := range comb[i].reads {
			from = append(from, writers[s]...)
		}
		return from
	}) {
		slices.Sort(group)
		for _, i := range group {
			p.loops[bit] = len(group) > 1
			p.units = append(p.units, unitCode{u: comb[i], bit: bit})
			bit++
		}
	}
	p.ncomb = bit
	count := map[*Signal]int{} // of writers
	for _, u := range p.d.units {
		for _, s := range u.writes {
			count[s]++
		}
	}
	p.unitAt = map[int]int{}
	for len(clocked) > 0 {
		bit = (bit + 63) &^ 63
		dom := domain{trig: clocked[0].trig, lo: bit / 64}
		var mine, rest []*unit
		for _, u := range clocked {
			if slices.Equal(u.trig, dom.trig) {
				mine = append(mine, u)
			} else {
				rest = append(rest, u)
			}
		}
		others, copies := sortCopies(mine, count)
		for i, part := range [][]*unit{others, copies} {
			if i == 1 {
				bit = (bit + 63) &^ 63
				dom.copies = bit / 64
			}
			for _, u := range part {
				p.unitAt[bit] = len(p.units)
				p.units = append(p.units, unitCode{u: u, bit: bit})
				bit++
			}
		}
		clocked = rest
		dom.hi = (bit + 63) / 64
		p.domains = append(p.domains, dom)
	}
	p.words = (bit + 63) / 64
	for _, u := range procs {
		p.procs = append(p.procs, len(p.units))
		p.units = append(p.units, unitCode{u: u, bit: -1})
	}
	for i := range p.units {
		u := &p.units[i]
		for _, s := range u.u.writes {
			// Two writers of one variable: a unit must write again even if
			// nothing that it reads has changed.
			u.always = u.always || count[s] > 1 && !s.net
		}
		walk(u.u.body, func(n *node) { u.always = u.always || n.op == opSysFn }, func(s st) {
			switch s := s.(type) {
			case *sSys, *sTrigger:
				u.always = true
			case *sAssign:
				u.always = u.always || s.delay != nil
			}
		})
	}
}

// components returns the strongly connected components of a graph, each
// behind those that it depends on (Tarjan's algorithm, without recursion).
func components(n int, from func(int) []int) (out [][]int) {
	const unseen = -1
	index := make([]int, n)
	low := make([]int, n)
	onStack := make([]bool, n)
	for i := range index {
		index[i] = unseen
	}
	type frame struct {
		v    int
		next []int
	}
	var stack []int
	counter := 0
	for root := range n {
		if index[root] != unseen {
			continue
		}
		visit := func(v int) frame {
			index[v], low[v] = counter, counter
			counter++
			stack = append(stack, v)
			onStack[v] = true
			return frame{v, from(v)}
		}
		work := []frame{visit(root)}
		for len(work) > 0 {
			f := &work[len(work)-1]
			if len(f.next) > 0 {
				w := f.next[0]
				f.next = f.next[1:]
				if index[w] == unseen {
					work = append(work, visit(w))
				} else if onStack[w] {
					low[f.v] = min(low[f.v], index[w])
				}
				continue
			}
			v := f.v
			work = work[:len(work)-1]
			if len(work) > 0 {
				u := work[len(work)-1].v
				low[u] = min(low[u], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			var group []int
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				onStack[w] = false
				group = append(group, w)
				if w == v {
					break
				}
			}
			out = append(out, group)
		}
	}
	return out
}

// watchers notes for every signal which units have to run after it changes.
func (p *program) watchers() {
	p.watch = make([][]mark, p.nsigSlots())
	p.special = make([]bool, len(p.watch))
	p.edges = make([][]edgeWatch, len(p.watch))
	p.memo = make([][]mark, len(p.mems))
	p.touch = make([][]int32, len(p.watch))
	p.later()
	add := func(list *[]mark, bit int) {
		for i := range *list {
			if (*list)[i].word == int32(bit/64) {
				(*list)[i].bits |= 1 << (bit % 64)
				return
			}
		}
		*list = append(*list, mark{int32(bit / 64), 1 << (bit % 64)})
	}
	p.live, p.driver = map[*Signal]bool{}, map[*Signal]*unit{}
	for i := range p.units {
		u := &p.units[i]
		for _, s := range u.u.reads {
			p.live[s] = true
		}
		for _, s := range u.u.writes {
			p.live[s] = true
			if p.driver[s] == nil {
				p.driver[s] = u.u
			}
		}
		if u.bit < 0 {
			continue
		}
		for _, s := range u.u.reads {
			// A process does not see what it changes at once: it is not waiting.
			if u.u.kind == unitComb && !u.u.assign && slices.Contains(u.u.writes, s) && !slices.Contains(u.u.later, s) {
				continue
			}
			if s.Depth > 0 {
				add(&p.memo[s.slot], u.bit)
			} else {
				add(&p.watch[s.slot], u.bit)
			}
		}
	}
	for _, s := range p.d.Signals {
		if s.watched && s.Depth == 0 && !s.local {
			p.special[s.slot] = true
		}
	}
	for i, d := range p.domains {
		for _, t := range d.trig {
			p.special[t.sig.slot] = true
			p.edges[t.sig.slot] = append(p.edges[t.sig.slot], edgeWatch{t.edge, i})
		}
	}
}

// number fills in what the kernel looks up by unit and by slot.
func (p *program) number() {
	n := p.words * 64
	p.pcAt, p.always = make([]int32, n), make([]uint64, p.words)
	for i := range p.units {
		u := &p.units[i]
		number := u.bit
		if number < 0 {
			number = n + slices.Index(p.procs, i)
		} else {
			p.pcAt[number] = int32(u.pc)
		}
		if u.always && u.u.kind == unitClocked {
			p.always[u.bit>>6] |= 1 << (u.bit & 63)
		}
		seen := map[*Signal]bool{}
		note := func(list []*Signal) {
			for _, s := range list {
				if s.Depth == 0 && !seen[s] {
					seen[s] = true
					p.touch[s.slot] = append(p.touch[s.slot], int32(number))
				}
			}
		}
		note(u.u.reads)
		note(u.u.writes)
	}
	p.fans = make([]fan, len(p.watch))
	for slot, marks := range p.watch {
		f := &p.fans[slot]
		f.special = p.special[slot]
		if len(marks) > 0 {
			f.word, f.bits = marks[0].word, marks[0].bits
			f.from = int32(len(p.marks))
			p.marks = append(p.marks, marks[1:]...)
			f.to = int32(len(p.marks))
		}
	}
	for _, loop := range p.loops {
		p.anyway = p.anyway || loop
	}
}

// later finds the signals of one slot that clocked units assign as a whole and
// nonblocking, and that nothing else assigns once initial blocks have run.
func (p *program) later() {
	p.quick = make([]bool, p.nsigSlots())
	otherwise := map[*Signal]bool{}
	for i := range p.units {
		u := p.units[i].u
		var write func(l *lval, a *sAssign)
		write = func(l *lval, a *sAssign) {
			for _, q := range l.parts {
				write(q, a)
			}
			if s := l.sig; s != nil && s.Depth == 0 && !s.local {
				switch {
				case u.kind == unitClocked && a.nb && a.delay == nil && l.whole && s.Width <= 64:
					p.quick[s.slot] = true
				case u.kind != unitProc || u.waits():
					otherwise[s] = true
				}
			}
		}
		walk(u.body, func(*node) {}, func(s st) {
			if a, ok := s.(*sAssign); ok {
				write(a.lv, a)
			}
		})
	}
	for s := range otherwise {
		p.quick[s.slot] = false
	}
}

// waits tells whether a process goes on after it has begun.
func (u *unit) waits() bool {
	waits := false
	walk(u.body, func(*node) {}, func(s st) {
		switch s := s.(type) {
		case *sDelay, *sEvent, *sWait:
			waits = true
		case *sAssign:
			waits = waits || s.delay != nil || s.event != nil
		}
	})
	return waits
}

func (p *program) nsigSlots() int { return p.nsig + 1 }
