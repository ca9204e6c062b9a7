package verilog

import "math/bits"

// stopped says why a unit gave up control.
type stopped uint8

const (
	atEnd stopped = iota
	atDelay
	atEvent
	atTrap // exec2 only: the instruction at pc needs exec4
	atFinish
	atLimit
)

// maxRun is the number of backward jumps after which a unit that does not wait
// counts as hanging.
const maxRun = 1 << 24

// run executes a process from pc until it ends or waits.
func (m *Sim) run(i, pc int) (why stopped, at int) {
	if m.seesAll(i) {
		if why, at = m.exec2(m.p.fast, pc, nil); why != atTrap {
			return why, at
		}
		pc = at // an unknown bit appears: exec4 goes on with the same instruction
	}
	why, at = m.exec4(pc)
	m.forget()
	return why, at
}

// seesAll tells whether everything that a process reads or writes is known.
func (m *Sim) seesAll(i int) bool {
	if m.unknown[m.p.words*64+i] != 0 || m.boot || alwaysSlow {
		return false
	}
	for _, slot := range m.p.persist[i] {
		if m.b[slot] != 0 {
			return false
		}
	}
	return true
}

// exec2 executes with two states. With a chain it goes on from unit to unit until
// the chain ends, or a unit sees something unknown.
func (m *Sim) exec2(code []instr, pc int, c *chain) (stopped, int) {
	s, state, fans := m.a, m.state, m.p.fans
	budget := m.budget
	for {
		in := &code[pc]
		pc++
		switch in.op {
		case iEnd:
			if pc = m.follow(c); pc < 0 {
				return c.why(), pc
			}
		case iMov:
			s[in.d] = s[in.x]
		case iZext:
			s[in.d] = s[in.x] << (in.sh & 63) >> (in.sh & 63)
		case iSext:
			s[in.d] = uint64(int64(s[in.x]<<(in.sh&63)) >> (in.sh & 63))
		case iAddZ:
			s[in.d] = (s[in.x] + s[in.y]) << (in.sh & 63) >> (in.sh & 63)
		case iAddS:
			s[in.d] = uint64(int64((s[in.x]+s[in.y])<<(in.sh&63)) >> (in.sh & 63))
		case iSubZ:
			s[in.d] = (s[in.x] - s[in.y]) << (in.sh & 63) >> (in.sh & 63)
		case iSubS:
			s[in.d] = uint64(int64((s[in.x]-s[in.y])<<(in.sh&63)) >> (in.sh & 63))
		case iMulZ:
			s[in.d] = (s[in.x] * s[in.y]) << (in.sh & 63) >> (in.sh & 63)
		case iMulS:
			s[in.d] = uint64(int64((s[in.x]*s[in.y])<<(in.sh&63)) >> (in.sh & 63))
		case iNegZ:
			s[in.d] = -s[in.x] << (in.sh & 63) >> (in.sh & 63)
		case iNegS:
			s[in.d] = uint64(int64(-s[in.x]<<(in.sh&63)) >> (in.sh & 63))
		case iDivU:
			if s[in.y] == 0 {
				return atTrap, pc - 1
			}
			s[in.d] = s[in.x] / s[in.y]
		case iDivS:
			if s[in.y] == 0 {
				return atTrap, pc - 1
			}
			s[in.d] = uint64(int64(uint64(int64(s[in.x])/int64(s[in.y]))<<(in.sh&63)) >> (in.sh & 63))
		case iModU:
			if s[in.y] == 0 {
				return atTrap, pc - 1
			}
			s[in.d] = s[in.x] % s[in.y]
		case iModS:
			if s[in.y] == 0 {
				return atTrap, pc - 1
			}
			s[in.d] = uint64(int64(s[in.x]) % int64(s[in.y]))
		case iAnd:
			s[in.d] = s[in.x] & s[in.y]
		case iOr:
			s[in.d] = s[in.x] | s[in.y]
		case iXor:
			s[in.d] = s[in.x] ^ s[in.y]
		case iNot:
			s[in.d] = ^s[in.x]
		case iNotZ:
			s[in.d] = ^s[in.x] << (in.sh & 63) >> (in.sh & 63)
		case iXnor:
			s[in.d] = ^(s[in.x] ^ s[in.y])
		case iXnorZ:
			s[in.d] = ^(s[in.x] ^ s[in.y]) << (in.sh & 63) >> (in.sh & 63)
		case iShlZ:
			s[in.d] = s[in.x] << s[in.y] << (in.sh & 63) >> (in.sh & 63)
		case iShlS:
			s[in.d] = uint64(int64(s[in.x]<<s[in.y]<<(in.sh&63)) >> (in.sh & 63))
		case iShr:
			s[in.d] = s[in.x] >> s[in.y]
		case iShrS:
			s[in.d] = uint64(int64(s[in.x]<<(in.sh&63)>>(in.sh&63)>>s[in.y]<<(in.sh&63)) >> (in.sh & 63))
		case iSar:
			s[in.d] = uint64(int64(s[in.x]) >> s[in.y])
		case iShlCZ:
			s[in.d] = s[in.x] << (in.lo & 63) << (in.sh & 63) >> (in.sh & 63)
		case iShlCS:
			s[in.d] = uint64(int64(s[in.x]<<(in.lo&63)<<(in.sh&63)) >> (in.sh & 63))
		case iShrC:
			s[in.d] = s[in.x] >> (in.lo & 63)
		case iShrCS:
			s[in.d] = uint64(int64(s[in.x]<<(in.sh&63)>>(in.sh&63)>>(in.lo&63)<<(in.sh&63)) >> (in.sh & 63))
		case iSarC:
			s[in.d] = uint64(int64(s[in.x]) >> (in.lo & 63))
		case iEq:
			s[in.d] = flag(s[in.x] == s[in.y])
		case iNe:
			s[in.d] = flag(s[in.x] != s[in.y])
		case iLtU:
			s[in.d] = flag(s[in.x] < s[in.y])
		case iLtS:
			s[in.d] = flag(int64(s[in.x]) < int64(s[in.y]))
		case iLeU:
			s[in.d] = flag(s[in.x] <= s[in.y])
		case iLeS:
			s[in.d] = flag(int64(s[in.x]) <= int64(s[in.y]))
		case iMatch:
			s[in.d] = flag((s[in.x]^s[in.y])&s[in.z] == 0)
		case iRedAnd:
			s[in.d] = flag(^s[in.x]<<(in.sh&63) == 0)
		case iRedOr:
			s[in.d] = flag(s[in.x] != 0)
		case iRedXor:
			s[in.d] = uint64(bits.OnesCount64(s[in.x]) & 1)
		case iLogNot:
			s[in.d] = flag(s[in.x] == 0)
		case iLogAnd:
			s[in.d] = flag(s[in.x] != 0 && s[in.y] != 0)
		case iLogOr:
			s[in.d] = flag(s[in.x]|s[in.y] != 0)
		case iSel:
			v := s[in.z]
			if s[in.x] != 0 {
				v = s[in.y]
			}
			s[in.d] = v
		case iPart:
			s[in.d] = s[in.x] >> (in.lo & 63) << (in.sh & 63) >> (in.sh & 63)
		case iPartX:
			v := s[in.x]>>(in.lo&63) | s[in.x+1]<<(64-in.lo&63)
			s[in.d] = v << (in.sh & 63) >> (in.sh & 63)
		case iPartS:
			s[in.d] = uint64(int64(s[in.x]>>(in.lo&63)<<(in.sh&63)) >> (in.sh & 63))
		case iPartXS:
			v := s[in.x]>>(in.lo&63) | s[in.x+1]<<(64-in.lo&63)
			s[in.d] = uint64(int64(v<<(in.sh&63)) >> (in.sh & 63))
		case iPartV:
			off := uint64(int64(s[in.y])*int64(in.k) + int64(in.imm))
			if off > uint64(in.z) {
				return atTrap, pc - 1
			}
			s[in.d] = s[in.x] >> (off & 63) << (in.sh & 63) >> (in.sh & 63)
		case iPartVW:
			off := uint64(int64(s[in.y])*int64(in.k) + int64(in.imm))
			if off > uint64(in.z) {
				return atTrap, pc - 1
			}
			at := in.x + uint16(off>>6)
			v := s[at]>>(off&63) | s[at+1]<<1<<(63-off&63)
			s[in.d] = v << (in.sh & 63) >> (in.sh & 63)
		case iCat:
			s[in.d] = s[in.x]<<(in.lo&63) | s[in.y]
		case iMemRd:
			mem := &m.mems[in.imm]
			addr := s[in.x]
			if addr >= uint64(len(mem.a)) || mem.unknown > 0 && mem.b[addr] != 0 {
				return atTrap, pc - 1
			}
			s[in.d] = mem.a[addr]
		case iGeneric:
			if !m.generic2(m.p.cells[pc-1]) {
				return atTrap, pc - 1
			}
		case iFalse:
			s[in.d] = 0
		case iTrue:
			s[in.d] = 1
		case iUnknown:
			return atTrap, pc - 1
		case iJmp:
			if int(in.imm) < pc {
				if budget--; budget < 0 {
					return atLimit, pc - 1
				}
			}
			pc = int(in.imm)
		case iJz, iJzK:
			if s[in.x] == 0 {
				pc = int(in.imm)
			}
		case iJnz, iJnzX:
			if s[in.x] != 0 {
				pc = int(in.imm)
			}
		case iSwitch:
			pc = int(m.p.tables[in.imm].at(s[in.x]))
		case iSt:
			if s[in.d] != s[in.x] {
				m.put(in.d, &fans[in.d], s[in.x])
			}
		case iNbaQ:
			if v := s[in.x]; v != s[in.d] || state[in.d] != 0 {
				m.due(in.d, v)
			}
		case iNba:
			m.nba = append(m.nba, later{kind: laterSlot, slot: in.d, a: s[in.x]})
		case iNbaMem:
			m.nba = append(m.nba, later{kind: laterMem, dest: in.imm, off: int64(s[in.y]), a: s[in.x]})
		// Pairs; see fuse.go. The second one stands behind the first.
		case iStEnd:
			if s[in.d] != s[in.x] {
				m.put(in.d, &fans[in.d], s[in.x])
			}
			if pc = m.follow(c); pc < 0 {
				return c.why(), pc
			}
		case iNbaQEnd:
			if v := s[in.x]; v != s[in.d] || state[in.d] != 0 {
				m.due(in.d, v)
			}
			if pc = m.follow(c); pc < 0 {
				return c.why(), pc
			}
		case iNbaQJz:
			if v := s[in.x]; v != s[in.d] || state[in.d] != 0 {
				m.due(in.d, v)
			}
			in = &code[pc]
			pc++
			if s[in.x] == 0 {
				pc = int(in.imm)
			}
		case iJzEnd:
			if s[in.x] != 0 {
				continue
			}
			if pc = m.follow(c); pc < 0 {
				return c.why(), pc
			}
		case iNbaQJzEnd:
			if v := s[in.x]; v != s[in.d] || state[in.d] != 0 {
				m.due(in.d, v)
			}
			in = &code[pc]
			pc++
			if s[in.x] != 0 {
				continue
			}
			if pc = m.follow(c); pc < 0 {
				return c.why(), pc
			}
		default:
			if why := m.effect(in); why != atEnd {
				return why, pc
			}
		}
	}
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (t *switchTable) at(v uint64) int32 {
	if t.dense != nil {
		if i := v - t.min; i < uint64(len(t.dense)) {
			return t.dense[i]
		}
		return t.def
	}
	if at, ok := t.m[v]; ok {
		return at
	}
	return t.def
}

// exec4 executes with four states. A data instruction whose operands are all
// known runs in exec2, from a program of that one instruction.
func (m *Sim) exec4(pc int) (stopped, int) {
	a, b := m.a, m.b
	budget := m.budget / 8 // this mode is slower
	for {
		in := &m.p.code[pc]
		c := m.p.cells[pc]
		pc++
		if c != nil {
			m.cell4(in, c)
			continue
		}
		switch in.op {
		case iEnd:
			return atEnd, pc
		case iJmp:
			if int(in.imm) < pc {
				if budget--; budget < 0 {
					return atLimit, pc - 1
				}
			}
			pc = int(in.imm)
		case iJz:
			if a[in.x]&^b[in.x] == 0 {
				pc = int(in.imm)
			}
		case iJnz:
			if a[in.x]&^b[in.x] != 0 {
				pc = int(in.imm)
			}
		case iJzK:
			if a[in.x]|b[in.x] == 0 {
				pc = int(in.imm)
			}
		case iJnzX:
			if a[in.x]|b[in.x] != 0 {
				pc = int(in.imm)
			}
		case iSwitch:
			// With an unknown selector the comparisons behind it decide.
			if b[in.x] == 0 {
				pc = int(m.p.tables[in.imm].at(a[in.x]))
			}
		case iSt:
			m.setSlot(in.d, a[in.x], b[in.x])
		case iNbaQ:
			m.state[in.d] |= isDue
			m.quick = append(m.quick, nbaQuick{in.d, a[in.x], b[in.x]})
		case iNba:
			m.nba = append(m.nba, later{kind: laterSlot, slot: in.d, a: a[in.x], b: b[in.x]})
		case iNbaMem:
			if b[in.y] == 0 {
				m.nba = append(m.nba, later{kind: laterMem, dest: in.imm, off: int64(a[in.y]), a: a[in.x], b: b[in.x]})
			}
		default:
			if why := m.effect(in); why != atEnd {
				return why, pc
			}
		}
	}
}

// setSlot stores a signal of one slot and tells those who watch it.
func (m *Sim) setSlot(d uint16, a, b uint64) {
	oa, ob := m.a[d], m.b[d]
	if oa == a && ob == b {
		return
	}
	m.a[d], m.b[d] = a, b
	if int(d) >= len(m.p.watch) {
		m.smudge(operand{slot: d, w: 1})
		return
	}
	if (ob == 0) != (b == 0) {
		m.turns(d, int32(b2i(b != 0)-b2i(ob != 0)))
	}
	f := &m.p.fans[d]
	m.wake(f)
	if f.special {
		m.edge(d, oa, ob, a, b)
	}
}

// put is setSlot for a known value that replaces another.
func (m *Sim) put(d uint16, f *fan, a uint64) {
	old := m.a[d]
	m.a[d] = a
	m.wake(f)
	if f.special {
		m.edge(d, old, 0, a, 0)
	}
}

// wake marks the units that read a signal.
func (m *Sim) wake(f *fan) {
	m.dirty[f.word] |= f.bits
	for _, w := range m.p.marks[f.from:f.to] {
		m.dirty[w.word] |= w.bits
	}
}

// due notes a later assignment of a known value.
func (m *Sim) due(d uint16, a uint64) {
	m.state[d] |= isDue
	m.quick = append(m.quick, nbaQuick{slot: d, a: a})
}

func (m *Sim) cell4(in *instr, c *cell) {
	known := true
	for _, o := range c.args {
		for i := range words(o.w) {
			known = known && m.b[int(o.slot)+i] == 0
		}
	}
	if known && in.op != iGeneric && in.op != iUnknown {
		m.one[0] = *in
		if why, _ := m.exec2(m.one[:], 0, nil); why == atEnd {
			if m.b[c.dst.slot] != 0 {
				m.b[c.dst.slot] = 0
				m.turned(c.dst, true)
			}
			return
		}
	}
	was := m.isUnknown(c.dst)
	if !m.vague4(in, c) {
		m.store4(c.dst, m.evalCell(c))
	}
	m.smudge(c.dst)
	m.turned(c.dst, was)
}

// vague4 executes the frequent instructions on values of which some bits are
// unknown; eval does the others. Slots are extended to the word in both banks.
func (m *Sim) vague4(in *instr, c *cell) bool {
	a, b := m.a, m.b
	x, bx, y, by := a[in.x], b[in.x], a[in.y], b[in.y]
	switch in.op {
	case iMov:
		a[in.d], b[in.d] = x, bx
	case iZext, iPart:
		a[in.d], b[in.d] = x>>(in.lo&63)<<(in.sh&63)>>(in.sh&63), bx>>(in.lo&63)<<(in.sh&63)>>(in.sh&63)
	case iSext, iPartS:
		a[in.d], b[in.d] = uint64(int64(x>>(in.lo&63)<<(in.sh&63))>>(in.sh&63)), uint64(int64(bx>>(in.lo&63)<<(in.sh&63))>>(in.sh&63))
	case iCat:
		a[in.d], b[in.d] = x<<(in.lo&63)|y, bx<<(in.lo&63)|by
	case iAddZ, iAddS, iSubZ, iSubS, iMulZ, iMulS, iNegZ, iNegS, iLtU, iLtS, iLeU, iLeS:
		// One unknown bit makes every bit of the result unknown.
		w := c.dst.w
		all := spread(^uint64(0), w, c.dst.signed)
		a[in.d], b[in.d] = all, all
	case iAnd:
		zero := ^x&^bx | ^y&^by
		a[in.d], b[in.d] = ^zero, ^zero&(bx|by)
	case iOr:
		one := x&^bx | y&^by
		a[in.d], b[in.d] = one|bx|by, ^one&(bx|by)
	case iXor:
		a[in.d], b[in.d] = x^y|bx|by, bx|by
	case iRedAnd:
		zero := (^x & ^bx) << (in.sh & 63)
		a[in.d], b[in.d] = flag(zero == 0), flag(zero == 0)
	case iRedOr:
		a[in.d], b[in.d] = 1, flag(x&^bx == 0)
	case iLogNot:
		a[in.d], b[in.d] = flag(x&^bx == 0), flag(x&^bx == 0)
	case iSel:
		z, bz := a[in.z], b[in.z]
		switch {
		case x&^bx != 0:
			a[in.d], b[in.d] = y, by
		case bx == 0:
			a[in.d], b[in.d] = z, bz
		default: // where both arms agree
			differ := y ^ z | by | bz
			a[in.d], b[in.d] = y|differ, differ
		}
	case iMemRd:
		mem := &m.mems[in.imm]
		if bx != 0 || x >= uint64(len(mem.a)) || mem.n != 1 {
			return false
		}
		a[in.d], b[in.d] = mem.a[x], mem.b[x]
	default:
		return false
	}
	return true
}

// isUnknown tells whether a value has unknown bits.
func (m *Sim) isUnknown(o operand) bool {
	for i := range words(o.w) {
		if m.b[int(o.slot)+i] != 0 {
			return true
		}
	}
	return false
}

// turned counts for a signal that was written past setSlot.
func (m *Sim) turned(o operand, was bool) {
	if int(o.slot) >= m.p.nsig {
		return
	}
	if is := m.isUnknown(o); is != was {
		m.turns(o.slot, int32(b2i(is)-b2i(was)))
	}
}

// generic2 evaluates a cell in fast mode; it fails when the result has an
// unknown bit.
func (m *Sim) generic2(c *cell) bool {
	for _, o := range c.args {
		// Constants may have unknown bits.
		for i := range words(o.w) {
			if m.b[int(o.slot)+i] != 0 {
				if c.op != opCaseZ && c.op != opCaseX && c.op != opCeq && c.op != opCne {
					return false
				}
			}
		}
	}
	v := m.evalCell(c)
	if !v.Known() {
		return false
	}
	m.store4(c.dst, v)
	return true
}

func (m *Sim) evalCell(c *cell) Value {
	var buf [4]Value
	args := buf[:0]
	for _, o := range c.args {
		args = append(args, m.load(o))
	}
	if c.op == opMem {
		return m.mems[c.mem].load(args[0], c.dst)
	}
	return eval(c.op, c.dst.w, c.dst.signed, c.lo, c.k, args...)
}

// load reads an operand as a vector.
func (m *Sim) load(o operand) Value {
	v := NewValue(o.w, o.signed)
	copy(v.A, m.a[o.slot:])
	copy(v.B, m.b[o.slot:])
	v.trim()
	return v
}

// store4 writes a vector into slots, extended as slots are.
func (m *Sim) store4(o operand, v Value) {
	if o.w <= 64 {
		m.a[o.slot], m.b[o.slot] = spread(v.A[0], o.w, o.signed), spread(v.B[0], o.w, o.signed)
		return
	}
	copy(m.a[o.slot:], v.A)
	copy(m.b[o.slot:], v.B)
}

// spread extends the low w bits to the word.
func spread(u uint64, w int, signed bool) uint64 {
	sh := 64 - w
	if signed {
		return uint64(int64(u<<sh) >> sh)
	}
	return u << sh >> sh
}

// A memory is the storage of an array of words, each of n slots.
type memory struct {
	sig     *Signal
	n       int
	a, b    []uint64
	unknown int // words that are not known
}

func newMemory(s *Signal) memory {
	m := memory{sig: s, n: words(s.Width), unknown: s.Depth}
	m.a, m.b = make([]uint64, m.n*s.Depth), make([]uint64, m.n*s.Depth)
	for i := range s.Depth {
		m.put(i, allX(s.Width, s.Signed))
	}
	m.unknown = s.Depth
	return m
}

// load reads a word; an unknown address and one outside give x.
func (mem *memory) load(addr Value, d operand) Value {
	i, ok := addr.Int64()
	if !ok || i < 0 || i >= int64(mem.sig.Depth) {
		return allX(d.w, d.signed)
	}
	return mem.get(int(i))
}

func (mem *memory) get(i int) Value {
	v := NewValue(mem.sig.Width, mem.sig.Signed)
	copy(v.A, mem.a[i*mem.n:])
	copy(v.B, mem.b[i*mem.n:])
	v.trim()
	return v
}

// put writes a word and tells whether it changed.
func (mem *memory) put(i int, v Value) bool {
	if mem.n == 1 {
		return mem.put1(i, spread(v.A[0], v.Width, mem.sig.Signed), spread(v.B[0], v.Width, mem.sig.Signed))
	}
	a, b := mem.a[i*mem.n:(i+1)*mem.n], mem.b[i*mem.n:(i+1)*mem.n]
	changed, was, is := false, false, false
	for k := range a {
		changed = changed || a[k] != v.A[k] || b[k] != v.B[k]
		was, is = was || b[k] != 0, is || v.B[k] != 0
		a[k], b[k] = v.A[k], v.B[k]
	}
	mem.count(was, is)
	return changed
}

func (mem *memory) put1(i int, a, b uint64) bool {
	if mem.a[i] == a && mem.b[i] == b {
		return false
	}
	mem.count(mem.b[i] != 0, b != 0)
	mem.a[i], mem.b[i] = a, b
	return true
}

func (mem *memory) count(was, is bool) {
	if was && !is {
		mem.unknown--
	} else if is && !was {
		mem.unknown++
	}
}
