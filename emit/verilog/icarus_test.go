package verilog_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit/verilog"
	"vlec/sim/referee"
)

// job is a run of the emitted testbench.
func job(t *testing.T, c *verilog.Core, dir string) referee.VerilogJob {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		t.Fatal(err)
	}
	return referee.VerilogJob{Files: append(files, filepath.Join(dir, "tb", c.Top+"_tb.v")), Top: c.Top + "_tb", Dir: dir}
}

type simulator func(context.Context, referee.VerilogJob) (*referee.VerilogRun, error)

// passes runs a testbench and wants it to be content, without a warning.
func passes(t *testing.T, run simulator, j referee.VerilogJob) {
	t.Helper()
	r, err := run(context.Background(), j)
	if _, missing := errors.AsType[*referee.MissingError](err); missing {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed() || !strings.Contains(r.Output.Stdout, "PASS: ") {
		t.Fatalf("%s: exit %d\n%s%s", r.Tool, r.Status, r.Output.Stdout, r.Output.Stderr)
	}
	for _, w := range r.Warnings {
		t.Error(w)
	}
}

// TestRandomInIcarus holds random cores against the integer model: 6 of them, 200
// with VLEC_LONG=1.
func TestRandomInIcarus(t *testing.T) {
	n := 6
	if os.Getenv("VLEC_LONG") != "" {
		n = 200
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			net, o := randomNetwork(r)
			lanes := 1 + r.IntN(5)
			c, dir := write(t, net, o, lanes, 60, r)
			t.Logf("%d lanes, %d synapses, %d cycles", lanes, c.Schedule.Synapses, c.Schedule.Period)
			passes(t, referee.Icarus, job(t, c, dir))
		})
	}
}
