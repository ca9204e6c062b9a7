package crosscheck

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlec/emit"
	emitverilog "vlec/emit/verilog"
	"vlec/internal/randnet"
	"vlec/internal/rtlrun"
	"vlec/model"
	"vlec/sim/referee"
)

// emitted writes the core of a model with its testbench into a folder.
func emitted(t *testing.T, net *model.Network, o VerilogOptions, dir string) (*emitverilog.Core, error) {
	t.Helper()
	var files emit.Artifacts
	core, err := EmitVerilog(t.Context(), net, o, &files)
	if err != nil {
		return nil, err
	}
	return core, files.Commit(dir)
}

// drawn is a random core: sizes, time constants, formats, lanes, feedback, with
// and without learning.
type drawn struct {
	seed  uint64
	dir   string
	core  *emitverilog.Core
	steps int
}

func draw(t *testing.T, seed uint64, steps int) *drawn { return drawFor(t, seed, steps, "") }

func drawFor(t *testing.T, seed uint64, steps int, device string) *drawn {
	t.Helper()
	learning := seed%4 != 0 // otherwise nothing does, or weights of the way back alone
	text := randnet.Model(seed, randnet.Options{
		Frozen: !learning, Steps: steps, MaxSize: 3 + int(seed%7), Decay: seed%3 == 0,
		Feedbacks: []string{"transpose", "fixed"}, Rule: ruleOf(seed),
	})
	net := parse(t, text)
	net.Name = fmt.Sprintf("net%d", seed)
	d := &drawn{seed: seed, dir: t.TempDir(), steps: steps}
	var err error
	d.core, err = emitted(t, net, VerilogOptions{Learning: learning || seed%8 == 4, Bits: 8 + int(seed*7%17), Lanes: 1 + int(seed*5%4), Steps: steps, Device: device}, d.dir)
	if err != nil {
		if strings.Contains(err.Error(), "neither a bound nor an observed range") {
			t.Skip("the reference diverges: the planner has no range")
		}
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

// ruleOf is the rule of backward weights in the network of a seed.
func ruleOf(seed uint64) string {
	return randnet.Rules[seed%uint64(len(randnet.Rules))]
}

func (d *drawn) bench() string { return filepath.Join(d.dir, "tb", d.core.Top+"_tb.v") }

// TestFourWays holds integer model, the evaluator of the text and Icarus against
// one another, word for word, over random networks: the golden words of every
// testbench are the integer model's. With VLEC_LONG=1 there are 220 networks of
// 10000 steps and more in all, and Verilator runs all of them.
func TestFourWays(t *testing.T) {
	nets, steps, long := uint64(8), 40, os.Getenv("VLEC_LONG") != ""
	if long {
		nets, steps = 220, 60
	}
	var all []*drawn
	compared := 0
	var seeds []uint64
	for seed := range nets {
		seeds = append(seeds, seed)
	}
	if !long {
		seeds = append(seeds, 151, 65, 87) // a clip that does not hold 0, and rows that no neuron has; one or two that diverge
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := draw(t, seed, steps)
			if long {
				all = append(all, d)
				d.dir = keep(t, d.dir)
			}
			for _, engine := range []string{"builtin", "icarus"} {
				var said strings.Builder
				r, err := rtlrun.Run(t.Context(), rtlrun.Options{Files: []string{d.bench()}, Engine: engine, Dir: d.dir, Stdout: &said})
				if _, missing := errors.AsType[*referee.MissingError](err); missing {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if !r.Pass || !strings.Contains(said.String(), "PASS: ") {
					t.Fatalf("%s: %s%s", engine, said.String(), strings.Join(r.Errors, "\n"))
				}
			}
			compared += steps
		})
	}
	t.Logf("%d steps compared", compared)
	if long && compared < 10000 {
		t.Errorf("only %d steps were compared", compared)
	}
	if long {
		verilateAll(t, all)
	}
}

// TestGatesOfRandomNetworks lets the netlists of gates that Yosys makes of random
// networks for iCE40 run their testbenches: of one small network on the UP5K, and
// with VLEC_LONG=1 of every tenth of TestFourWays, in turn on the UP5K and on the
// HX8K, which has no multipliers. With an entry of its tables turned the
// small one fails. Yosys 0.23 has no models of the block RAMs of ECP5 and Xilinx.
func TestGatesOfRandomNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("synthesis takes 10 s")
	}
	seeds, steps, long := []uint64{32}, 20, os.Getenv("VLEC_LONG") != ""
	if long {
		for seed := uint64(0); seed < 220; seed += 10 {
			seeds = append(seeds, seed+seed/10%4)
		}
		steps = 60
	}
	for i, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			device := []string{"up5k", "hx8k"}[i%2]
			d := drawFor(t, seed, steps, device)
			netlist := d.gates(t, device == "up5k")
			if status, said := d.runGates(t, netlist); status != 0 || !strings.Contains(said, "PASS: ") {
				t.Errorf("the netlist of gates on %s: exit %d\n%s", device, status, said)
			}
			if i > 0 {
				return
			}
			text, err := os.ReadFile(netlist)
			if err != nil {
				t.Fatal(err)
			}
			turned := regexp.MustCompile(`\.LUT_INIT\(16'h(.)`).ReplaceAllFunc(text, func(table []byte) []byte {
				last := len(table) - 1
				return append(table[:last:last], "f0123456789abcde"[hex(table[last])])
			})
			if err := os.WriteFile(netlist, turned, 0o666); err != nil {
				t.Fatal(err)
			}
			if status, said := d.runGates(t, netlist); status == 0 {
				t.Errorf("a wrong netlist of gates passes: %s", said)
			}
		})
	}
}

func hex(digit byte) int { return strings.IndexByte("0123456789abcdef", digit) }

// gates synthesises a core for iCE40. A conflict of drivers, the only sign that
// Yosys gives of a wrong netlist, fails.
func (d *drawn) gates(t *testing.T, dsp bool) (netlist string) {
	t.Helper()
	rtl, err := filepath.Glob(filepath.Join(d.dir, "rtl", "*.v"))
	if err != nil {
		t.Fatal(err)
	}
	netlist = filepath.Join(d.dir, "gates.v")
	job := referee.SynthJob{VerilogJob: referee.VerilogJob{Files: rtl, Top: d.core.Top}, Target: "ice40", DSP: dsp, Netlist: netlist}
	s, err := referee.Yosys(t.Context(), job)
	if _, missing := errors.AsType[*referee.MissingError](err); missing {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Conflicts {
		t.Error(c)
	}
	return netlist
}

// runGates runs the testbench on a netlist of gates.
func (d *drawn) runGates(t *testing.T, netlist string) (status int, said string) {
	t.Helper()
	cells, err := referee.CellModels("ice40")
	if err != nil {
		t.Skip(err)
	}
	run, err := referee.Icarus(t.Context(), referee.VerilogJob{
		Files: []string{netlist, cells, d.bench()}, Top: d.core.Top + "_tb", Dir: d.dir, Defines: []string{"NO_ICE40_DEFAULT_ASSIGNMENTS"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return run.Status, run.Output.Stdout + run.Output.Stderr
}

// keep moves what a subtest wrote to a folder that outlives it.
func keep(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "vlec-four-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// verilateAll runs testbenches in Verilator, many in one executable, because
// building one takes ten times as long as running it.
func verilateAll(t *testing.T, all []*drawn) {
	const batch = 20
	defer func() {
		for _, d := range all {
			os.RemoveAll(d.dir)
		}
	}()
	for first := 0; first < len(all); first += batch {
		some := all[first:min(first+batch, len(all))]
		job := referee.VerilogJob{Top: "all_tb", Dir: t.TempDir(), Quick: true}
		var top strings.Builder
		top.WriteString("module all_tb;\n")
		for _, d := range some {
			files, _ := filepath.Glob(filepath.Join(d.dir, "rtl", "*.v"))
			job.Files = append(job.Files, files...)
			job.Files = append(job.Files, shared(t, d))
			fmt.Fprintf(&top, "  %s_tb #(.STIMULUS(%q), .EXPECTED(%q), .WEIGHTS(%q)) u%d ();\n", d.core.Top,
				filepath.Join(d.dir, "tb", "stimulus.hex"), filepath.Join(d.dir, "tb", "expected.hex"), filepath.Join(d.dir, "tb", "weights.hex"), d.seed)
		}
		fmt.Fprintf(&top, "  integer done = 0;\n  always @(done) if (done == %d) $finish;\nendmodule\n", len(some))
		name := filepath.Join(job.Dir, "all_tb.v")
		if err := os.WriteFile(name, []byte(top.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		job.Files = append(job.Files, name)
		r, err := referee.Verilator(t.Context(), job)
		if _, missing := errors.AsType[*referee.MissingError](err); missing {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(r.Output.Stdout, "PASS: "); r.Failed() || n != len(some) {
			t.Fatalf("%d of %d testbenches pass in Verilator\n%s%s", n, len(some), r.Output.Stdout, r.Output.Stderr)
		}
		t.Logf("%d of %d networks pass in Verilator", first+len(some), len(all))
	}
}

// shared is the testbench of a network, edited so that it counts for all_tb
// instead of ending the run.
func shared(t *testing.T, d *drawn) string {
	t.Helper()
	text, err := os.ReadFile(d.bench())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), "$finish;") != 1 {
		t.Fatalf("%s ends in more than one place", d.bench())
	}
	name := filepath.Join(d.dir, d.core.Top+"_tb.v")
	edited := strings.Replace(string(text), "$finish;", "all_tb.done = all_tb.done + 1;", 1)
	if err := os.WriteFile(name, []byte(edited), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}
