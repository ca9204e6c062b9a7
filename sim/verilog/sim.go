package verilog

import (
	"fmt"
	"slices"

	"vlec/model/diag"
)

// Set gives an input of the top module a value, as it would arrive between
// two clock edges; negative numbers are taken modulo the width.
func (m *Sim) Set(port string, v int64) error {
	s, err := m.input(port)
	if err != nil {
		return err
	}
	return m.SetValue(port, Int(max(s.Width, 64), v))
}

// SetValue is Set for wide and for unknown values; v is cut or extended to the
// port by its own sign.
func (m *Sim) SetValue(port string, v Value) error {
	s, err := m.input(port)
	if err != nil {
		return err
	}
	m.write(s, v)
	return m.err
}

func (m *Sim) input(port string) (*Signal, error) {
	s := m.p.d.Signal(port)
	if s == nil || !s.external {
		return nil, fmt.Errorf("verilog: %s has no input %s", m.p.d.Top, port)
	}
	return s, nil
}

// write stores a value in a signal from outside.
func (m *Sim) write(s *Signal, v Value) {
	m.start()
	v = v.resize(s.Width, v.Signed)
	d := dest{slot: uint16(s.slot), w: s.Width, sgn: s.Signed, n: s.Width, mem: -1}
	m.setDest(&d, 0, v)
}

// Get returns the value of a signal of at most 64 bits by its hierarchical
// name, sign-extended where the signal is signed. It is an error when a bit is
// unknown.
func (m *Sim) Get(name string) (int64, error) {
	v, err := m.GetValue(name)
	if err != nil {
		return 0, err
	}
	if !v.Known() {
		return 0, m.Explain(name)
	}
	i, ok := v.Int64()
	if !ok && v.Width > 64 {
		return 0, fmt.Errorf("verilog: %s has %d bits, which do not fit", name, v.Width)
	}
	if !ok {
		i = int64(v.A[0])
	}
	return i, nil
}

// GetValue returns the value of a signal after everything has settled.
func (m *Sim) GetValue(name string) (Value, error) {
	if err := m.Settle(); err != nil {
		return Value{}, err
	}
	s := m.p.d.Signal(name)
	switch {
	case s == nil:
		return Value{}, fmt.Errorf("verilog: %s has no signal %s", m.p.d.Top, name)
	case s.Depth > 0:
		return Value{}, fmt.Errorf("verilog: %s is a memory; use Peek", name)
	}
	m.refresh(s)
	return m.load(operand{uint16(s.slot), s.Width, s.Signed}), nil
}

// Settle lets changed inputs take effect on everything that no clock holds
// back.
func (m *Sim) Settle() error {
	m.start()
	m.settle()
	return m.err
}

// Step gives the clock one rising edge and one falling edge, and one time unit
// after each. The clock is the input whose rising edges the design uses; a
// design with none or more than one wants Set instead.
func (m *Sim) Step() error {
	if m.clock == nil {
		return fmt.Errorf("verilog: %s has no input that is a clock", m.p.d.Top)
	}
	m.start()
	if m.p.plainClock && m.vcd == nil {
		// Nothing reads the level of the clock: its edge is all there is.
		m.settle()
		m.pending = append(m.pending, m.p.edges[m.clock.slot][0].domain)
		m.settle()
		m.now += 2
		return m.err
	}
	for _, level := range []uint64{1, 0} {
		m.settle()
		m.setSlot(uint16(m.clock.slot), level, 0)
		m.settle()
		m.dump()
		m.now++
	}
	return m.err
}

// Clock returns the name of the port that Step drives, or "".
func (m *Sim) Clock() string {
	if m.clock == nil {
		return ""
	}
	return m.clock.base()
}

// Finished tells whether the design has executed $finish, $stop or $fatal.
func (m *Sim) Finished() bool { return m.finished }

// TwoState gives every unknown bit the value 0 and so lets the simulation run
// in the fast mode at once, at the price of not noticing what was never
// initialised.
func (m *Sim) TwoState() error {
	if err := m.Settle(); err != nil {
		return err
	}
	for _, s := range m.p.d.Signals {
		if s.Depth > 0 || s.local || s.wire != nil {
			continue
		}
		v := m.load(operand{uint16(s.slot), s.Width, s.Signed})
		for k := range v.B {
			v.A[k] &^= v.B[k]
			v.B[k] = 0
		}
		m.write(s, v)
	}
	for i := range m.mems {
		mem := &m.mems[i]
		for k := range mem.b {
			mem.a[k] &^= mem.b[k]
			mem.b[k] = 0
		}
		mem.unknown = 0
	}
	return m.Settle()
}

// Fast tells whether every signal that the design reads or writes is known, so
// that all of it runs with two states.
func (m *Sim) Fast() bool { return m.vague == 0 }

func (m *Sim) memory(name string, addr int) (*memory, int, error) {
	s := m.p.d.Signal(name)
	if s == nil || s.Depth == 0 {
		return nil, 0, fmt.Errorf("verilog: %s has no memory %s", m.p.d.Top, name)
	}
	i := addr - s.first
	if i < 0 || i >= s.Depth {
		return nil, 0, fmt.Errorf("verilog: %s has words %d to %d, not %d", name, s.first, s.first+s.Depth-1, addr)
	}
	m.start()
	return &m.mems[s.slot], i, nil
}

// Peek returns a word of a memory by the memory's hierarchical name.
func (m *Sim) Peek(name string, addr int) (Value, error) {
	mem, i, err := m.memory(name, addr)
	if err != nil {
		return Value{}, err
	}
	return mem.get(i), nil
}

// Poke writes a word of a memory.
func (m *Sim) Poke(name string, addr int, v Value) error {
	mem, i, err := m.memory(name, addr)
	if err != nil {
		return err
	}
	if mem.put(i, v.resize(mem.sig.Width, v.Signed)) {
		for _, k := range m.p.memo[mem.sig.slot] {
			m.dirty[k.word] |= k.bits
		}
	}
	return nil
}

// Deposit writes a register by its hierarchical name, as a debugger would;
// the next assignment to it wins.
func (m *Sim) Deposit(name string, v Value) error {
	s := m.p.d.Signal(name)
	if s == nil || s.Depth > 0 || s.net {
		return fmt.Errorf("verilog: %s has no register %s", m.p.d.Top, name)
	}
	m.write(s, v)
	// Who assigns it does so again at the next edge, even if nothing that it
	// depends on changes.
	for _, u := range m.p.touch[s.slot] {
		if int(u) >= m.p.ncomb && int(u) < m.p.words*64 {
			m.mark(int(u))
		}
	}
	return m.err
}

// Unknown lists the registers, undriven nets and unset inputs that hold an
// unknown bit now and that something reads: where x comes from.
func (m *Sim) Unknown() diag.List {
	m.start()
	var l diag.List
	for _, s := range m.p.d.Signals {
		if s.Depth == 0 && !s.local && !s.hidden && m.p.live[s] && m.source(s) {
			m.blame(&l, s)
		}
	}
	l.Sort()
	return l
}

// source tells whether a signal is unknown by itself, not by what drives it.
func (m *Sim) source(s *Signal) bool {
	return !m.load(operand{uint16(s.slot), s.Width, s.Signed}).Known() && s.wire == nil && (m.p.driver[s] == nil || m.p.driver[s].kind != unitComb)
}

func (m *Sim) blame(l *diag.List, s *Signal) {
	v := m.load(operand{uint16(s.slot), s.Width, s.Signed})
	switch {
	case s.external:
		l.Add(s.Pos, "set it", "input %s is %s", s.Name, v)
	case m.p.driver[s] == nil && s.net:
		l.Add(s.Pos, "connect it", "net %s has no driver", s.Name)
	case m.p.driver[s] == nil:
		l.Add(s.Pos, "assign it or give it an initial value", "variable %s is never assigned", s.Name)
	default:
		l.Add(s.Pos, "reset it, give it an initial value, or do not read it before it is written", "register %s is %s", s.Name, v)
	}
}

// Explain says why a signal is unknown: the registers, inputs and undriven
// nets that its value depends on through combinational logic and that are
// unknown now, and memories of which words are. It returns nil when the signal
// is known.
func (m *Sim) Explain(name string) error {
	s := m.p.d.Signal(name)
	if s != nil {
		m.refresh(s)
	}
	if s == nil || s.Depth > 0 || m.load(operand{uint16(s.slot), s.Width, s.Signed}).Known() {
		return nil
	}
	var l diag.List
	seen := map[*Signal]bool{}
	var visit func(s *Signal)
	visit = func(s *Signal) {
		if seen[s] {
			return
		}
		seen[s] = true
		m.refresh(s)
		if s.Depth > 0 {
			if mem := &m.mems[s.slot]; mem.unknown > 0 {
				l.Add(s.Pos, "load it, or do not read a word before it is written", "%d of %d words of memory %s are unknown", mem.unknown, s.Depth, s.Name)
			}
			return
		}
		if m.load(operand{uint16(s.slot), s.Width, s.Signed}).Known() {
			return
		}
		if m.source(s) {
			m.blame(&l, s)
		}
		u := m.p.driver[s]
		if s.wire != nil {
			u = s.wire
		}
		if u != nil {
			if u.kind != unitComb {
				// Only what a register loads this very cycle is known here;
				// memories it reads are worth a word all the same.
				for _, r := range u.reads {
					if r.Depth > 0 {
						visit(r)
					}
				}
				return
			}
			for _, r := range u.reads {
				visit(r)
			}
		}
	}
	visit(s)
	if len(l) == 0 {
		v := m.load(operand{uint16(s.slot), s.Width, s.Signed})
		l.Add(s.Pos, "look for a division by zero, an index out of range or an x in the text", "%s is %s", s.Name, v)
	}
	return l.Err()
}

// Outputs returns the values of all outputs of the top module in order of
// declaration.
func (m *Sim) Outputs() ([]Value, error) {
	if err := m.Settle(); err != nil {
		return nil, err
	}
	var out []Value
	for _, p := range m.p.d.Ports {
		if p.Dir != "input" {
			m.refresh(p.Signal)
			out = append(out, m.load(operand{uint16(p.slot), p.Width, p.Signed}))
		}
	}
	return slices.Clip(out), nil
}
