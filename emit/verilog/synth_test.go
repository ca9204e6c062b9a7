package verilog_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit/verilog"
	"vlec/emit/verilog/format"
	"vlec/internal/rtlrun"
	"vlec/sim/referee"
)

// learner is a chain of layers in which everything learns: sizes 1, n, n, 1.
func learner(n int) (*format.Network, format.Options) {
	net := &format.Network{Name: "learner", Backward: true, Learning: true, Inputs: []format.Input{{Name: "drive", Size: 1}}}
	o := format.Options{Dt: 1.0 / 128, Observed: map[string]float64{"drive.r": 1, "target/aim": 1}}
	r := rand.New(rand.NewPCG(uint64(n), 7))
	for k, size := range []int{n, n, 1} {
		p := format.Population{Name: string(rune('a' + k)), Size: size, Error: true, Phi: "tanh", U0: make([]float64, size), V0: make([]float64, size)}
		for range size {
			p.TauM, p.TauR = append(p.TauM, 1), append(p.TauR, 0.1)
		}
		l := format.Projection{Name: "w" + p.Name, Input: -1, From: k - 1, To: k, Plastic: true, Rate: 1.0 / 32}
		m := n
		if k == 0 {
			l.Input, m = 0, 1
		} else {
			l.Feedback.Kind = format.Transpose
		}
		if k == 2 {
			p.Phi, p.Target = "linear", &format.TargetSpec{Name: "aim", Beta: 1}
		}
		l.W = weights(r, m*size)
		o.Observed[l.Name+".W"] = 1
		for _, s := range []string{"r", "y", "u", "v", "e", "back", "dU", "dV"} {
			o.Observed[p.Name+"."+s] = 0.9
		}
		net.Populations, net.Projections = append(net.Populations, p), append(net.Projections, l)
	}
	return net, o
}

// aligned is learner with backward weights that learn.
func aligned(n int) (*format.Network, format.Options) {
	net, o := learner(n)
	for i := range net.Projections {
		l := &net.Projections[i]
		if l.Feedback.Kind == format.Transpose {
			l.Feedback = format.Feedback{Kind: format.Alignment, B: l.W, Rate: 0.02, Slope: 1}
			o.Observed[l.Name+".B"] = 1
		}
		o.Observed[net.Populations[i].Name+".a"], o.Observed[net.Populations[i].Name+".total"] = 0.9, 0.9
	}
	return net, o
}

// phaseless is learner with noise and phaseless alignment learning.
func phaseless(n int) (*format.Network, format.Options) {
	net, o := aligned(n)
	for i := range net.Projections {
		if l := &net.Projections[i]; l.Feedback.Kind == format.Alignment {
			l.Feedback.Kind, l.Feedback.Decay, l.Feedback.Tau = format.Phaseless, 0.001, 0.5
			net.Populations[l.From].Noise = &format.Noise{Sigma: 0.1, Tau: 0.2, Seed: 1}
		}
	}
	return net, o
}

// scaled is learner with transposed weights whose gains learn.
func scaled(n int) (*format.Network, format.Options) {
	net, o := aligned(n)
	for i := range net.Projections {
		if f := &net.Projections[i].Feedback; f.Kind == format.Alignment {
			f.Kind = format.Scaled
		}
	}
	return net, o
}

// mirrored is learner with backward weights that do what the forward ones do, and
// decay with them.
func mirrored(n int) (*format.Network, format.Options) {
	net, o := aligned(n)
	for i := range net.Projections {
		l := &net.Projections[i]
		l.Decay = 0.01
		if f := &l.Feedback; f.Kind == format.Alignment {
			f.Kind, f.Rate, f.Decay = format.Mirror, l.Rate, 0.01
		}
	}
	return net, o
}

var rules = map[string]func(int) (*format.Network, format.Options){
	"gain-alignment": aligned, "pal": phaseless, "gain-transpose": scaled, "kolen-pollack": mirrored,
}

// TestSchedules wants the cycles per step that docs/verilog.md states.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		n, lanes   int
		device     string
		cycles     int
		efficiency float64
	}{
		{8, 1, "up5k", 93, 0.86},
		{31, 1, "up5k", 1036, 0.90},
		{31, 1, "ecp5", 1034, 0.90},
		{31, 4, "ecp5", 300, 0.85},
		{32, 4, "up5k", 312, 0.85},
		{32, 4, "ecp5", 310, 0.85},
		{127, 8, "ecp5", 2192, 0.85},
	} {
		net, o := learner(c.n)
		o.Device = c.device
		p, err := format.New(net, o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := verilog.NewSchedule(p, c.lanes)
		if err != nil {
			t.Fatal(err)
		}
		if s.Period != c.cycles || s.Efficiency() < c.efficiency {
			t.Errorf("1-%d-%d-1, %d lanes: %d cycles per step, %.3f of the ideal; want %d and at least %.2f", c.n, c.n, c.lanes, s.Period, s.Efficiency(), c.cycles, c.efficiency)
		}
		// Weights of the way back that learn take no cycle, noise takes one.
		for rule, of := range rules {
			net, o = of(c.n)
			o.Device = c.device
			if p, err = format.New(net, o); err != nil {
				t.Fatal(err)
			}
			want := c.cycles
			if rule == "pal" {
				want++
			}
			if s, err = verilog.NewSchedule(p, c.lanes); err != nil || s.Period != want {
				t.Errorf("1-%d-%d-1, %d lanes, %s: %d cycles per step, want %d; %v", c.n, c.n, c.lanes, rule, s.Period, want, err)
			}
		}
	}
}

// TestCyclesAreCounted runs the testbenches of cores with 1000 synapses and more on
// both kinds of pipes: a testbench fails when a step takes a cycle more or less than
// the schedule says.
func TestCyclesAreCounted(t *testing.T) {
	for _, c := range []struct {
		n, lanes int
		device   string
	}{{31, 1, "up5k"}, {32, 4, "up5k"}, {32, 4, "ecp5"}} {
		net, o := learner(c.n)
		o.Device = c.device
		core, dir := write(t, net, o, c.lanes, 8, rand.New(rand.NewPCG(1, 1)))
		var said strings.Builder
		run, err := rtlrun.Run(t.Context(), rtlrun.Options{Files: []string{filepath.Join(dir, "tb", core.Top+"_tb.v")}, Stdout: &said})
		if err != nil {
			t.Fatal(err)
		}
		if !run.Pass || !strings.Contains(said.String(), "PASS: ") {
			t.Errorf("1-%d-%d-1, %d lanes, %s: %s%v", c.n, c.n, c.lanes, c.device, said.String(), run.Errors)
		}
		if core.Schedule.Synapses < 1000 {
			t.Errorf("only %d synapses", core.Schedule.Synapses)
		}
	}
}

// TestBlockRAM wants one block RAM, and nothing else, for every bank of weights:
// with as many words as each form of a block RAM has.
func TestBlockRAM(t *testing.T) {
	for _, c := range []struct {
		target, device, cell string
		neurons              []int // of two layers: 80, 195, 288 and 840 words
	}{
		{"ice40", "up5k", "SB_RAM40_4K", []int{8, 13, 16, 28}},
		{"ecp5", "ecp5", "DP16KD", []int{8, 28}},
		{"xilinx", "xilinx", "RAMB18E1", []int{8, 28}},
	} {
		for _, n := range c.neurons {
			t.Run(fmt.Sprint(c.target, n), func(t *testing.T) {
				if testing.Short() && c.target == "xilinx" {
					t.Skip("takes 10 s")
				}
				net, o := learner(n)
				o.Device = c.device
				_, dir := write(t, net, o, 1, 8, rand.New(rand.NewPCG(1, 1)))
				banks, err := filepath.Glob(filepath.Join(dir, "rtl", "learner_weights_*_*.v"))
				if err != nil || len(banks) == 0 {
					t.Fatal(banks, err)
				}
				// Banks differ in their words and by a bit of width: one is enough.
				top := strings.TrimSuffix(filepath.Base(banks[0]), ".v")
				s, err := referee.Yosys(context.Background(), referee.SynthJob{VerilogJob: referee.VerilogJob{Files: banks[:1], Top: top}, Target: c.target, DSP: true})
				if _, missing := errors.AsType[*referee.MissingError](err); missing {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, pad := range []string{"IBUF", "OBUF", "BUFG"} {
					delete(s.Cells, pad)
				}
				if !maps.Equal(s.Cells, map[string]int{c.cell: 1}) {
					t.Errorf("%s is %v, want one %s", top, s.Cells, c.cell)
				}
			})
		}
	}
}

// TestYosysHasNothingToSay checks every module.
func TestYosysHasNothingToSay(t *testing.T) {
	for _, of := range []func(int) (*format.Network, format.Options){learner, aligned, phaseless, scaled} {
		work, _ := synthJob(t, of)
		for _, w := range yosys(t, work).Warnings {
			t.Error(w)
		}
	}
}

// TestGates lets the netlist of gates for iCE40 run the testbench: a multiplier
// that Yosys maps wrongly shows in a warning about a conflict, and here.
func TestGates(t *testing.T) {
	if testing.Short() {
		t.Skip("synthesis takes 20 s")
	}
	t.Run("transpose", func(t *testing.T) { gates(t, learner, 7) })
	for name, of := range map[string]func(int) (*format.Network, format.Options){"gain-alignment": aligned, "pal": phaseless, "gain-transpose": scaled} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv("VLEC_LONG") == "" {
				t.Skip("synthesis takes a minute; VLEC_LONG=1 runs it")
			}
			gates(t, of, 8)
		})
	}
}

func gates(t *testing.T, of func(int) (*format.Network, format.Options), multipliers int) {
	job, tb := synthJob(t, of)
	job.Target, job.DSP, job.Netlist = "ice40", true, filepath.Join(t.TempDir(), "gates.v")
	s := yosys(t, job)
	for _, w := range append(s.Warnings, s.Conflicts...) {
		if strings.Contains(strings.ToLower(w), "conflict") {
			t.Error(w)
		}
	}
	t.Log(s.Cells)
	if n := s.Cells["SB_MAC16"]; n != multipliers {
		t.Errorf("%d multipliers, want %d", n, multipliers)
	}
	cells, err := referee.CellModels("ice40")
	if err != nil {
		t.Skip(err)
	}
	j := job.VerilogJob
	j.Top = strings.TrimSuffix(filepath.Base(tb), ".v")
	j.Files, j.Defines = []string{job.Netlist, cells, tb}, []string{"NO_ICE40_DEFAULT_ASSIGNMENTS"}
	run, err := referee.Icarus(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status != 0 || !strings.Contains(run.Output.Stdout, "PASS: ") {
		t.Fatalf("the netlist of gates: exit %d\n%s", run.Status, run.Output.Stdout)
	}
}

// synthJob writes a core that learns, and its testbench, whose path it returns.
func synthJob(t *testing.T, of func(int) (*format.Network, format.Options)) (referee.SynthJob, string) {
	t.Helper()
	net, o := of(8)
	o.Device = "up5k"
	c, dir := write(t, net, o, 1, 40, rand.New(rand.NewPCG(1, 1)))
	j := job(t, c, dir)
	rtl, tb := j.Files[:len(j.Files)-1], j.Files[len(j.Files)-1]
	j.Files, j.Top = rtl, c.Top
	return referee.SynthJob{VerilogJob: j}, tb
}

func yosys(t *testing.T, job referee.SynthJob) *referee.Synthesis {
	t.Helper()
	s, err := referee.Yosys(context.Background(), job)
	if _, missing := errors.AsType[*referee.MissingError](err); missing {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLinters want silence, about the boards too.
func TestLinters(t *testing.T) {
	for name, of := range map[string]func(int) (*format.Network, format.Options){"transpose": learner, "gain-alignment": aligned, "pal": phaseless, "gain-transpose": scaled} {
		t.Run(name, func(t *testing.T) { lint(t, of) })
	}
}

func lint(t *testing.T, of func(int) (*format.Network, format.Options)) {
	net, o := of(3)
	o.Device = "up5k"
	c, dir := write(t, net, o, 2, 8, rand.New(rand.NewPCG(1, 1)))
	rtl, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"icebreaker", "hx8k", "ulx3s"} {
		files := append(rtl[:len(rtl):len(rtl)], filepath.Join(dir, "boards", c.Top+"_link.v"), filepath.Join(dir, "boards", c.Top+"_"+b+".v"))
		r, err := referee.Lint(context.Background(), referee.VerilogJob{Files: files, Top: c.Top + "_" + b})
		if _, missing := errors.AsType[*referee.MissingError](err); missing {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range r.Warnings {
			t.Errorf("%s: %s", b, w)
		}
	}
}
