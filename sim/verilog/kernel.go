package verilog

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"os"

	"vlec/model/diag"
)

// A Sim is a running design.
//
// Stimulate a synchronous design with Set, Step and Get, or let a testbench
// run with Run; both follow the event order of the standard. A Sim is not safe
// for concurrent use.
type Sim struct {
	Stdout io.Writer // of $display and its like; os.Stdout by default
	Dir    string    // folder of $dumpfile and, first of all, $readmemh; "" is the working folder

	p        *program
	a, b     *bank
	mems     []memory
	dirty    []uint64
	nba      []later
	wide     []Value // of nba
	quick    []nbaQuick
	moves    []uint64 // copies that are due, as words of the dirty set
	moveFrom int      // the first of their numbers
	state    []uint8  // by slot of a signal: due and vague
	one      [2]instr // a program of one instruction, for exec4

	smudged []uint16 // temporaries with unknown bits

	unknown []int32 // by unit: signals with unknown bits that it reads, or writes at once
	vague   int     // signals with unknown bits that units read or write
	boot    bool    // initial blocks are running

	now     uint64 // in ticks
	started bool
	pending []int // domains whose edge has come
	queued  []bool
	active  []int // processes that may go on
	procs   []process
	waiters map[uint16][]waiter
	timers  timers
	seq     uint64
	strobes []func()
	rng     *rand.Rand
	budget  int // backward jumps that a unit may make without waiting
	rounds  int // what may happen at one moment
	noFiles bool

	finished bool
	failed   bool
	err      error
	errs     diag.List
	vcd      *vcd
	clock    *Signal
	susp     suspension
	line     chain
}

// later is a nonblocking assignment that waits for its turn.
type later struct {
	kind uint8
	slot uint16
	dest int32
	off  int64
	a, b uint64 // of laterDest, a is the number of the value in Sim.wide
}

// Of Sim.state.
const (
	isDue   = 1 << iota // a nonblocking assignment waits in Sim.quick
	isVague             // some bits are unknown
)

// nbaQuick is one of a signal that is assigned in no other way.
type nbaQuick struct {
	slot uint16
	a, b uint64
}

const (
	laterSlot = iota
	laterMem
	laterDest
)

type process struct {
	pc  int
	gen int // counts the waits; a waiter of an older one is stale

	timer timer // of a delay: a process waits for one at a time
}

type waiter struct {
	proc, gen int
	edge      edge
}

// suspension is what a process that stopped waits for.
type suspension struct {
	delay uint64
	event int
}

type timer struct {
	time, seq uint64
	proc      int
	store     *delayed
}

// delayed is a nonblocking assignment with a delay.
type delayed struct {
	later
	v Value
}

type timers []*timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].time < t[j].time || t[i].time == t[j].time && t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(*timer)) }
func (t *timers) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

// NewSim prepares a simulation of the design. Nothing has run yet: initial
// blocks do with the first Step, Settle or Run.
func NewSim(d *Design) (*Sim, error) {
	p, err := compile(d)
	if err != nil {
		return nil, err
	}
	m := &Sim{
		Stdout: os.Stdout, p: p, a: new(bank), b: new(bank), dirty: make([]uint64, p.words+1),
		budget: maxRun, rounds: maxRounds,
		waiters: map[uint16][]waiter{}, queued: make([]bool, len(p.domains)), rng: rand.New(rand.NewPCG(1, 2)),
	}
	m.one[1].op = iEnd
	m.state, m.unknown = make([]uint8, len(p.watch)), make([]int32, p.words*64+len(p.procs))
	for _, s := range p.mems {
		m.mems = append(m.mems, newMemory(s))
	}
	for _, s := range d.Signals {
		if s.Depth > 0 || s.local {
			continue
		}
		v := allX(s.Width, s.Signed)
		if s.event {
			v = NewValue(1, false)
		} else if s.net && len(s.driven) == 0 && !s.procs {
			for i := range v.A {
				v.A[i] = 0 // z: nobody drives it
			}
		}
		m.store4(operand{uint16(s.slot), s.Width, s.Signed}, v)
	}
	for _, c := range p.consts {
		m.store4(operand{c.slot, c.v.Width, c.v.Signed}, c.v)
	}
	for _, i := range p.procs {
		m.procs = append(m.procs, process{pc: p.units[i].pc})
	}
	m.findClock()
	return m, nil
}

// findClock picks the one input whose rising edge drives the design.
func (m *Sim) findClock() {
	for _, d := range m.p.domains {
		for _, t := range d.trig {
			if t.edge == posEdge && t.sig.external && (m.clock == nil || m.clock == t.sig) {
				m.clock = t.sig
				break
			}
		}
	}
	if c := m.clock; c != nil {
		p := m.p
		p.plainClock = len(p.watch[c.slot]) == 0 && !c.watched && len(p.edges[c.slot]) == 1
	}
}

// start runs what happens at time zero.
func (m *Sim) start() {
	if m.started {
		return
	}
	m.started = true
	for i := range m.p.units {
		if u := &m.p.units[i]; u.bit >= 0 {
			if u.u.kind == unitClocked || u.u.assign || len(u.u.reads) > 0 {
				m.mark(u.bit)
			}
		}
	}
	for _, a := range m.p.d.inits {
		if a.rhs.op == opConst {
			m.store4(operand{uint16(a.lv.sig.slot), a.lv.sig.Width, a.lv.sig.Signed}, a.rhs.val)
		}
	}
	for i := range m.procs {
		m.active = append(m.active, i)
	}
	m.recount()
	m.boot = true
	m.settle()
	m.boot = false
}

// recount counts the unknown signals anew.
func (m *Sim) recount() {
	clear(m.unknown)
	for i := range m.state {
		m.state[i] &^= isVague
	}
	m.vague = 0
	for _, s := range m.p.d.Signals {
		if s.Depth > 0 || s.local {
			continue
		}
		for i := range words(s.Width) {
			if m.b[int(s.slot)+i] != 0 {
				m.turns(uint16(s.slot), 1)
				break
			}
		}
	}
}

// turns notes that a signal has become known (-1) or unknown (1).
func (m *Sim) turns(slot uint16, by int32) {
	m.state[slot] ^= isVague
	for _, u := range m.p.touch[slot] {
		m.unknown[u] += by
	}
	if m.p.live[m.p.sigAt[slot]] {
		m.vague += int(by)
	}
}

func (m *Sim) mark(bit int) { m.dirty[bit>>6] |= 1 << (bit & 63) }

// alwaysSlow lets tests hold the two modes against each other.
var alwaysSlow bool

// settle runs everything that happens at the current time.
func (m *Sim) settle() {
	for round := 0; m.err == nil && !m.finished; round++ {
		if round > m.rounds {
			m.fail(diag.Pos{}, "look for processes that trigger each other without a delay", "time does not pass at %d", m.now)
			return
		}
		switch {
		case m.runComb():
		case len(m.pending) > 0:
			d := pop(&m.pending)
			m.queued[d] = false
			m.runDomain(&m.p.domains[d])
		case len(m.active) > 0:
			m.runProc(pop(&m.active))
		case len(m.moves)+len(m.nba)+len(m.quick) > 0:
			m.commit()
		default:
			for _, f := range m.strobes {
				f()
			}
			m.strobes = nil
			return
		}
	}
}

// pop takes the first number; a queue that runs empty keeps its storage.
func pop(queue *[]int) int {
	q := *queue
	if *queue = q[1:]; len(q) == 1 {
		*queue = q[:0]
	}
	return q[0]
}

// maxRounds limits what may happen at one moment.
const maxRounds = 1_000_000

// maxLoop limits the evaluations of a combinational loop that does not settle.
const maxLoop = 10000

// runComb evaluates the combinational units that are dirty, in order, until
// none is. It tells whether there was any.
func (m *Sim) runComb() bool {
	n := (m.p.ncomb + 63) / 64
	w := 0
	for w < n && m.dirty[w] == 0 {
		w++
	}
	if w == n {
		return false
	}
	if m.p.anyway {
		m.runLoops(n)
		return true
	}
	m.line = chain{w: w, hi: n}
	m.runChain()
	return true
}

// runLoops is runComb for a design with combinational loops.
func (m *Sim) runLoops(n int) {
	for round := 0; ; {
		again := false
		for w := range n {
			for m.dirty[w] != 0 {
				i := w<<6 | bits.TrailingZeros64(m.dirty[w])
				m.dirty[w] &= m.dirty[w] - 1
				again = true
				m.line = chain{w: w, hi: w, unit: i} // this unit alone
				u := &m.p.units[i]
				if m.runUnit(&m.line); m.line.stop != atEnd {
					m.halt(u.u, m.line.stop)
					return
				}
				if round++; m.p.loops[i] && round > maxLoop {
					m.fail(u.u.pos, "break the loop with a register", "combinational loop does not settle")
					return
				}
			}
		}
		if !again {
			return
		}
	}
}

// runDomain runs the clocked units of a domain that are dirty. Where commit is
// what happens next, copies are left to it.
func (m *Sim) runDomain(d *domain) {
	m.line = chain{w: d.lo - 1, hi: d.hi, clocked: true}
	if m.p.alone && len(m.pending)+len(m.active) == 0 && !alwaysSlow {
		m.moves, m.moveFrom = append(m.moves, m.dirty[d.copies:d.hi]...), d.copies*64
		clear(m.dirty[d.copies:d.hi])
		m.line.hi = d.copies
	}
	m.runChain()
}

// A chain is the dirty units that are to run one after another: exec2 goes from
// one to the next by itself.
type chain struct {
	w, hi   int    // word of the dirty set, and end
	set     uint64 // of a clocked chain: what is left of the word
	clocked bool
	unit    int     // number of the unit that runs
	stop    stopped // why follow found no unit
}

// why says how a chain ended, or a process, which has none.
func (c *chain) why() stopped {
	if c == nil {
		return atEnd
	}
	return c.stop
}

// next takes the next unit out of the dirty set. Combinational units may make
// later ones dirty; clocked ones are those that were dirty at the edge.
func (m *Sim) next(c *chain) bool {
	if c.clocked {
		for c.set == 0 {
			if c.w++; c.w >= c.hi {
				return false
			}
			c.set = m.dirty[c.w]
			m.dirty[c.w] = m.p.always[c.w]
		}
		c.unit = c.w<<6 | bits.TrailingZeros64(c.set)
		c.set &= c.set - 1
		return true
	}
	for c.w < c.hi {
		if set := m.dirty[c.w]; set != 0 {
			c.unit = c.w<<6 | bits.TrailingZeros64(set)
			m.dirty[c.w] = set & (set - 1)
			return true
		}
		c.w++
	}
	return false
}

// follow returns the code of the next unit of the chain that wants exec2, and
// runs those between that see something unknown; negative at the end.
func (m *Sim) follow(c *chain) int {
	if c == nil {
		return -1
	}
	for c.stop = atEnd; c.stop == atEnd && m.next(c); {
		pc := int(m.p.pcAt[c.unit])
		if m.unknown[c.unit] == 0 {
			return pc
		}
		m.crawl(c, pc)
	}
	return -1
}

// crawl runs the unit of the chain, from pc on, with four states.
func (m *Sim) crawl(c *chain, pc int) {
	c.stop, _ = m.exec4(pc)
	m.forget()
}

func (m *Sim) runChain() {
	c := &m.line
	for c.stop == atEnd && m.next(c) {
		m.runUnit(c)
	}
	if c.stop != atEnd {
		i := c.unit
		if c.clocked {
			i = m.p.unitAt[i]
		}
		m.halt(m.p.units[i].u, c.stop)
	}
}

// runUnit runs a unit of the chain, and further ones as long as all that they
// see is known.
func (m *Sim) runUnit(c *chain) {
	pc := int(m.p.pcAt[c.unit])
	if m.unknown[c.unit] == 0 && !m.boot && !alwaysSlow {
		if c.stop, pc = m.exec2(m.p.fast, pc, c); c.stop != atTrap {
			return
		}
		// An unknown bit appears: exec4 goes on with the same instruction.
	}
	m.crawl(c, pc)
}

// forget takes the unknown bits of temporaries away: exec2, which does not look
// at them, may use the same slots next.
func (m *Sim) forget() {
	for _, slot := range m.smudged {
		m.b[slot] = 0
	}
	m.smudged = m.smudged[:0]
}

// smudge notes temporaries with unknown bits for forget.
func (m *Sim) smudge(o operand) {
	for i := range words(o.w) {
		if at := int(o.slot) + i; m.b[at] != 0 && m.p.passing[at] {
			m.smudged = append(m.smudged, uint16(at))
		}
	}
}

func (m *Sim) runProc(i int) {
	pr := &m.procs[i]
	u := &m.p.units[m.p.procs[i]]
	why, pc := m.run(i, pr.pc)
	pr.pc = pc
	switch why {
	case atEnd:
	case atDelay:
		m.seq++
		pr.timer = timer{time: m.now + m.susp.delay, seq: m.seq, proc: i}
		heap.Push(&m.timers, &pr.timer)
	case atEvent:
		pr.gen++
		for _, t := range m.p.events[m.susp.event] {
			at := uint16(t.sig.slot)
			ws := m.waiters[at]
			if len(ws) > 64 {
				live := ws[:0]
				for _, w := range ws {
					if m.procs[w.proc].gen == w.gen {
						live = append(live, w)
					}
				}
				ws = live
			}
			m.waiters[at] = append(ws, waiter{i, pr.gen, t.edge})
		}
	default:
		m.halt(u.u, why)
	}
}

func (m *Sim) halt(u *unit, why stopped) {
	switch why {
	case atFinish:
	case atLimit:
		m.fail(u.pos, "put an event or a delay into its loop", "process does not end")
	default:
		m.fail(u.pos, "", "process waits where it cannot")
	}
}

func (m *Sim) fail(pos diag.Pos, hint, format string, args ...any) {
	var l diag.List
	l.Add(pos, hint, format, args...)
	m.err = l.Err()
}

// edge tells clocked units and waiting processes of a change.
func (m *Sim) edge(slot uint16, oa, ob, a, b uint64) {
	// 0, 1 or 2 for unknown, of the lowest bit.
	level := func(a, b uint64) int {
		if b&1 != 0 {
			return 2
		}
		return int(a & 1)
	}
	from, to := level(oa, ob), level(a, b)
	pos := from != to && (from == 0 || to == 1)
	neg := from != to && (from == 1 || to == 0)
	hit := func(e edge) bool { return e == anyEdge || e == posEdge && pos || e == negEdge && neg }
	for _, w := range m.p.edges[slot] {
		if hit(w.edge) && !m.queued[w.domain] {
			m.queued[w.domain] = true
			m.pending = append(m.pending, w.domain)
		}
	}
	ws := m.waiters[slot]
	if len(ws) == 0 {
		return
	}
	keep := ws[:0]
	for _, w := range ws {
		switch {
		case m.procs[w.proc].gen != w.gen:
		case hit(w.edge):
			m.procs[w.proc].gen++
			m.active = append(m.active, w.proc)
		default:
			keep = append(keep, w)
		}
	}
	m.waiters[slot] = keep
}

// commit makes the nonblocking assignments that are due.
func (m *Sim) commit() {
	m.move()
	state, fans := m.state, m.p.fans
	for i := range m.quick {
		l := &m.quick[i]
		state[l.slot] &^= isDue
		switch {
		case state[l.slot] != 0 || l.b != 0:
			m.setSlot(l.slot, l.a, l.b)
		case m.a[l.slot] != l.a:
			m.put(l.slot, &fans[l.slot], l.a)
		}
	}
	m.quick = m.quick[:0]
	if len(m.nba) == 0 {
		return
	}
	for i := 0; i < len(m.nba); i++ {
		m.apply(&m.nba[i])
	}
	m.nba = m.nba[:0]
	clear(m.wide)
	m.wide = m.wide[:0]
}

func (m *Sim) apply(l *later) {
	switch l.kind {
	case laterSlot:
		m.setSlot(l.slot, l.a, l.b)
	case laterMem:
		m.setWord(&m.mems[m.p.dests[l.dest].mem], l.off, l.a, l.b)
	default:
		m.setDest(&m.p.dests[l.dest], l.off, m.wide[l.a])
	}
}

// postpone queues an assignment of a whole vector.
func (m *Sim) postpone(l later, v Value) {
	l.a = uint64(len(m.wide))
	m.wide = append(m.wide, v)
	m.nba = append(m.nba, l)
}

func (m *Sim) setWord(mem *memory, addr int64, a, b uint64) {
	if addr < 0 || addr >= int64(mem.sig.Depth) {
		return
	}
	if mem.put1(int(addr), a, b) {
		for _, w := range m.p.memo[mem.sig.slot] {
			m.dirty[w.word] |= w.bits
		}
	}
}

// An address and a bit offset share one number in later: the offset fits into
// the low half.
const noBits = -1 << 31

// where evaluates the index of a target: the offset of its lowest bit and,
// for a memory, the address in the high half; ok is false for an unknown one.
func (m *Sim) where(d *dest) (off int64, ok bool) {
	bit := int64(d.lo)
	if d.k != 0 {
		o, ok := partOffset(m.load(d.base), d.lo, d.k)
		if !ok || o < noBits/2 || o > -noBits/2 {
			return 0, false
		}
		bit = int64(o)
	}
	if d.mem < 0 {
		return bit, true
	}
	addr, ok := m.load(d.addr).Int64()
	if !ok || addr < 0 || addr >= int64(m.p.mems[d.mem].Depth) {
		return 0, false
	}
	return addr<<32 + bit, true
}

// setDest writes a value into part of a signal or memory word.
func (m *Sim) setDest(d *dest, off int64, v Value) {
	bit := int(int32(off))
	if d.mem >= 0 {
		mem := &m.mems[d.mem]
		addr := int((off - int64(bit)) >> 32)
		w := mem.get(addr)
		w.insert(bit, v)
		if mem.put(addr, w) {
			for _, k := range m.p.memo[d.mem] {
				m.dirty[k.word] |= k.bits
			}
		}
		return
	}
	o := operand{d.slot, d.w, d.sgn}
	w := m.load(o)
	if d.w <= 64 {
		w.insert(bit, v)
		m.setSlot(d.slot, spread(w.A[0], d.w, d.sgn), spread(w.B[0], d.w, d.sgn))
		return
	}
	old := m.load(o)
	w.insert(bit, v)
	if w.Same(old) {
		return
	}
	m.store4(o, w)
	if int(d.slot) >= len(m.p.watch) {
		m.smudge(o)
	} else {
		if known := w.Known(); known != old.Known() {
			m.turns(d.slot, int32(b2i(!known)-b2i(known)))
		}
		for _, k := range m.p.watch[d.slot] {
			m.dirty[k.word] |= k.bits
		}
		if m.p.special[d.slot] {
			m.edge(d.slot, old.A[0], old.B[0], w.A[0], w.B[0])
		}
	}
}

// effect executes the instructions that exec2 and exec4 share.
func (m *Sim) effect(in *instr) stopped {
	switch in.op {
	case iStL, iNbaL:
		d := &m.p.dests[in.imm]
		off, ok := m.where(d)
		if !ok {
			return atEnd
		}
		v := m.load(d.val)
		if in.op == iStL {
			m.setDest(d, off, v)
			return atEnd
		}
		l := later{kind: laterDest, dest: in.imm, off: off}
		if in.z != 0 {
			m.seq++
			if m.b[in.z] == 0 {
				heap.Push(&m.timers, &timer{time: m.now + m.a[in.z], seq: m.seq, proc: -1, store: &delayed{l, v}})
			}
			return atEnd
		}
		m.postpone(l, v)
	case iMemWr:
		if m.b[in.y] == 0 {
			m.setWord(&m.mems[m.p.dests[in.imm].mem], int64(m.a[in.y]), m.a[in.x], m.b[in.x])
		}
	case iTime:
		unit := m.p.consts[in.imm].v.A[0]
		m.a[in.d], m.b[in.d] = (m.now+unit/2)/unit, 0
	case iRandom:
		u := uint64(m.rng.Uint32())
		if in.k != 0 {
			u = uint64(int64(int32(u)))
		}
		m.a[in.d], m.b[in.d] = u, 0
	case iDelay:
		m.susp.delay = m.a[in.x]
		if m.b[in.x] != 0 {
			m.susp.delay = 0
		}
		return atDelay
	case iEvent:
		m.susp.event = int(in.imm)
		return atEvent
	case iTrigger:
		m.setSlot(in.d, m.a[in.d]^1, 0)
	case iSys:
		m.system(&m.p.sys[in.imm])
		if m.finished || m.err != nil {
			return atFinish
		}
	default:
		m.err = fmt.Errorf("verilog: instruction %d", in.op)
		return atFinish
	}
	return atEnd
}

// A Result says how a run ended.
type Result struct {
	Time     uint64 // in ticks of the smallest time precision
	Finished bool   // by $finish, $stop or $fatal, not for want of events
	Failed   bool   // by $fatal
	Errors   diag.List
}

// ErrTimeout is the error of a run that passed its limit of time.
var ErrTimeout = errors.New("verilog: the run passed its limit of time")

// Run lets a testbench run until it finishes, nothing is left to happen, or
// the time limit in ticks is passed (0 for none), or ctx is done. Errors of the
// run itself, such as a missing memory file, come as the error; what the
// testbench reported by $error and $fatal is in the result.
func (m *Sim) Run(ctx context.Context, limit uint64) (Result, error) {
	m.start()
	for moments := 0; m.err == nil && !m.finished && len(m.timers) > 0; moments++ {
		if moments&1023 == 0 && ctx.Err() != nil {
			return m.result(), ctx.Err()
		}
		if t := m.timers[0].time; t > m.now {
			m.dump()
			if limit > 0 && t > limit {
				return m.result(), ErrTimeout
			}
			m.now = t
		}
		// All of this moment wakes before anything runs.
		for len(m.timers) > 0 && m.timers[0].time == m.now {
			t := heap.Pop(&m.timers).(*timer)
			if t.store != nil {
				m.postpone(t.store.later, t.store.v)
			} else {
				m.active = append(m.active, t.proc)
			}
		}
		m.settle()
	}
	m.dump()
	if err := m.closeDump(); err != nil && m.err == nil {
		m.err = err
	}
	return m.result(), m.err
}

func (m *Sim) result() Result {
	return Result{Time: m.now, Finished: m.finished, Failed: m.failed, Errors: m.errs}
}
