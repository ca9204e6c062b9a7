package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/model"
	"vlec/sim/referee"
	"vlec/sim/reference"
)

// TestLearnsInVerilator lets the examples learn inside the emitted core, for
// their whole duration and on no other stimuli than their own, and compares the
// loss at the end with that of the reference in float64. The testbench is what
// proves that each rate of the core is the golden one.
func TestLearnsInVerilator(t *testing.T) {
	if os.Getenv("VLEC_LONG") == "" {
		t.Skip("builds with Verilator; VLEC_LONG=1 runs it")
	}
	for _, c := range []struct {
		file string
		bits int
	}{
		{"chain/model.toml", 16},
		// Errors that W^T carries back through the lag lines pass 1000 on the way,
		// beside rates of 1: that takes wide operands.
		{"temporal-xor/transpose.toml", 28},
		{"chain/learned.toml", 16},
		{"temporal-xor/model.toml", 16},
		{"network/model.toml", 16},
	} {
		t.Run(strings.ReplaceAll(strings.TrimSuffix(c.file, ".toml"), "/", "-"), func(t *testing.T) {
			net, err := model.Load("../../examples/" + c.file)
			if err != nil {
				t.Fatal(err)
			}
			dir, core, loss := learned(t, net, c.bits)
			rtl, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
			if err != nil {
				t.Fatal(err)
			}
			run, err := referee.Verilator(context.Background(), referee.VerilogJob{Files: append(rtl, filepath.Join(dir, "tb", core.Top+"_tb.v")), Top: core.Top + "_tb", Dir: dir})
			if _, missing := errors.AsType[*referee.MissingError](err); missing {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if run.Failed() || !strings.Contains(run.Output.Stdout, "PASS: ") {
				t.Fatalf("exit %d\n%s%s", run.Status, run.Output.Stdout, run.Output.Stderr)
			}
			first, last := referenceLoss(t, net)
			t.Logf("loss at the end: %.3g in the core, %.3g in float64, which began at %.3g; %s", loss, last, first, strings.TrimSpace(run.Output.Stdout))
			if !(loss <= 2*last) {
				t.Errorf("the core ends with a loss of %.3g, twice the reference's is %.3g", loss, 2*last)
			}
		})
	}
}

// learned emits a core for the model's whole duration; loss is the mean over the
// last tenth, by the golden rates.
func learned(t *testing.T, net *model.Network, bits int) (dir string, core *verilog.Core, loss float64) {
	t.Helper()
	var files emit.Artifacts
	core, err := EmitVerilog(context.Background(), net, VerilogOptions{Learning: true, Whole: true, Bits: bits}, &files)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	v := verilog.Undisturbed(Steps(net))
	if err := goldenRun(net, core, v); err != nil {
		t.Fatal(err)
	}
	tail := v.Steps / 10
	targets := len(v.Expected[0])
	for k := v.Steps - tail; k < v.Steps; k++ {
		aim := v.Stimulus[k][len(v.Stimulus[k])-targets:]
		for i, r := range v.Expected[k-1] { // the error neurons compare with the rates of the step before
			d := core.Plan.Rate.Value(aim[i] - r)
			loss += d * d / 2 / float64(tail)
		}
	}
	return dir, core, loss
}

func referenceLoss(t *testing.T, net *model.Network) (first, last float64) {
	t.Helper()
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = reference.Local
	steps := Steps(net)
	tail := steps / 10
	former := make([][]float64, len(net.Targets))
	for k := range steps {
		for i, g := range net.Targets {
			for p := range net.Populations {
				if net.Populations[p] == g.Population {
					former[i] = append(former[i][:0], s.Population(p).R...)
				}
			}
		}
		s.Stimulate()
		s.Step()
		sum := 0.0
		for i := range net.Targets {
			for j, aim := range s.Target(i) {
				d := aim - former[i][j]
				sum += d * d / 2 / float64(tail)
			}
		}
		if k < tail {
			first += sum
		}
		if k >= steps-tail {
			last += sum
		}
	}
	return first, last
}

// What a core that does not fit might be instead is what it becomes, with the bits
// or the error that were asked for.
func TestInstead(t *testing.T) {
	would := regexp.MustCompile(`^--(device|bits|no-learning) ?(\w*) \(lanes: (\d+), cycles: (\d+)\)$`)
	for _, o := range []VerilogOptions{{Bits: 20}, {Error: 2e-5}} {
		o.Learning, o.Device, o.Clock, o.Steps = true, "up5k", 3, 8
		net := func() *model.Network {
			net := parse(t, layers)
			net.Duration, net.Hardware.Verilog.TimeUnit = 0.5, 0.05
			return net
		}
		_, err := EmitVerilog(t.Context(), net(), o, new(emit.Artifacts))
		short, ok := errors.AsType[*ShortError](err)
		if !ok || len(short.Instead) == 0 {
			t.Fatal(err)
		}
		t.Log(err)
		for _, text := range short.Instead {
			m := would.FindStringSubmatch(text)
			if m == nil {
				t.Fatal(text)
			}
			o := o
			switch m[1] {
			case "device":
				o.Device = m[2]
			case "bits":
				o.Bits, _ = strconv.Atoi(m[2])
			default:
				o.Learning = false
			}
			core, err := EmitVerilog(t.Context(), net(), o, new(emit.Artifacts))
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if fmt.Sprint(core.Schedule.Lanes) != m[3] || fmt.Sprint(core.Schedule.Period) != m[4] {
				t.Errorf("%s: %d lanes, %d cycles", text, core.Schedule.Lanes, core.Schedule.Period)
			}
		}
	}
}
