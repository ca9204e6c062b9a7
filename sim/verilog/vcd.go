package verilog

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A vcd writes value changes (section 18 of the standard). At the end of each
// moment every traced signal is compared with what was written last.
type vcd struct {
	w      *bufio.Writer
	close  io.Closer
	ids    []string
	sigs   []*Signal
	last   []Value
	begun  bool
	paused bool
}

// TraceVCD writes the changes of all signals to w from now on. Run flushes at
// its end; after the last Step call CloseVCD.
func (m *Sim) TraceVCD(w io.Writer) { m.vcd = &vcd{w: bufio.NewWriter(w)} }

// CloseVCD writes what is still in buffers.
func (m *Sim) CloseVCD() error {
	m.dump()
	return m.closeDump()
}

func (m *Sim) closeDump() error {
	if m.vcd == nil {
		return nil
	}
	v := m.vcd
	err := v.w.Flush()
	if v.close != nil {
		if e := v.close.Close(); err == nil {
			err = e
		}
		m.vcd = nil
	}
	return err
}

func (m *Sim) dumpFile(name string) {
	if m.vcd != nil || m.noFiles {
		return // tracing was asked for from outside
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(m.Dir, name)
	}
	f, err := os.Create(name)
	if err != nil {
		m.err = err
		return
	}
	m.vcd = &vcd{w: bufio.NewWriter(f), close: f, paused: true}
}

// dumpVars begins the trace; the choice of scopes is not followed: all signals
// are traced.
func (m *Sim) dumpVars(_ *sysCode) {
	if m.vcd == nil {
		m.dumpFile("dump.vcd")
	}
	m.dumpOn(true)
}

func (m *Sim) dumpOn(on bool) {
	if m.vcd != nil {
		m.vcd.paused = !on
	}
}

// dump writes what changed at the present moment.
func (m *Sim) dump() {
	v := m.vcd
	if v == nil || v.paused {
		return
	}
	if !v.begun {
		v.header(m.p.d)
	}
	stamped := false
	for i, s := range v.sigs {
		m.refresh(s)
		now := m.load(operand{uint16(s.slot), s.Width, s.Signed})
		if v.last[i].Width != 0 && now.Same(v.last[i]) {
			continue
		}
		v.last[i] = now
		if !stamped {
			stamped = true
			fmt.Fprintf(v.w, "#%d\n", m.now)
		}
		if s.Width == 1 {
			fmt.Fprintf(v.w, "%c%s\n", now.Bit(0), v.ids[i])
		} else {
			fmt.Fprintf(v.w, "b%s %s\n", trimBinary(now.Binary()), v.ids[i])
		}
	}
}

// trimBinary drops digits that the reader extends by itself: 0 before 0 or 1,
// x before x, z before z.
func trimBinary(s string) string {
	for len(s) > 1 && (s[0] == s[1] && s[0] != '1' || s[0] == '0' && s[1] == '1') {
		s = s[1:]
	}
	return s
}

func (v *vcd) header(d *Design) {
	v.begun = true
	unit := d.tick
	fmt.Fprintf(v.w, "$version vlec $end\n$timescale %s $end\n", timeText(unit))
	id := map[*Signal]string{}
	for name, s := range d.names {
		if s.Depth == 0 && !s.event && !strings.Contains(name, "\\") {
			id[s] = ""
		}
	}
	for _, s := range d.Signals {
		if _, ok := id[s]; ok && id[s] == "" {
			id[s] = vcdID(len(v.sigs))
			v.sigs = append(v.sigs, s)
			v.ids = append(v.ids, id[s])
		}
	}
	v.last = make([]Value, len(v.sigs))
	var names []string
	for name, s := range d.names {
		if id[s] != "" {
			names = append(names, name)
		}
	}
	// By scope, so that every scope opens once.
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(strings.Split(a, "."), strings.Split(b, "."))
	})
	var open []string
	for _, name := range names {
		parts := strings.Split(name, ".")
		scope := parts[:len(parts)-1]
		n := 0
		for n < len(open) && n < len(scope) && open[n] == scope[n] {
			n++
		}
		for range len(open) - n {
			fmt.Fprintln(v.w, "$upscope $end")
		}
		for _, s := range scope[n:] {
			fmt.Fprintf(v.w, "$scope module %s $end\n", s)
		}
		open = slices.Clone(scope)
		s := d.names[name]
		kind := "wire"
		if !s.net {
			kind = "reg"
		}
		rng := ""
		if s.Width > 1 {
			rng = fmt.Sprintf(" [%d:%d]", s.msb, s.lsb)
		}
		fmt.Fprintf(v.w, "$var %s %d %s %s%s $end\n", kind, s.Width, id[s], parts[len(parts)-1], rng)
	}
	for range open {
		fmt.Fprintln(v.w, "$upscope $end")
	}
	fmt.Fprintln(v.w, "$enddefinitions $end")
}

// vcdID is a short name from the printable characters.
func vcdID(n int) string {
	var s []byte
	for {
		s = append(s, byte('!'+n%94))
		if n /= 94; n == 0 {
			return string(s)
		}
		n--
	}
}

func timeText(exp int) string {
	units := []string{"s", "ms", "us", "ns", "ps", "fs"}
	i := (-exp + 2) / 3
	mul := []string{"1", "10", "100"}[exp+3*i]
	return mul + " " + units[i]
}
