package verilog_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlec/sim/referee"
)

// corruptions are what every generated testbench must notice.
var corruptions = []struct {
	name, file, want string
	change           func(t *testing.T, text string) string
}{
	{"least bit of an answer", "tb/expected.hex", "is not what was written", flip(5)},
	{"least bit of a sample", "tb/stimulus.hex", "is not what was written", flip(7)},
	{"least bit of a weight", "tb/weights.hex", "is not what was written", flip(1)},
	{"dropped vector", "tb/expected.hex", "is not what was written", lines(func(l []string) []string { return append(l[:3:3], l[4:]...) })},
	{"extra vector", "tb/stimulus.hex", "is not what was written", lines(func(l []string) []string { return append(l[:3:3], l[2:]...) })},
	{"vector behind the end", "tb/expected.hex", "is longer than what was written", lines(func(l []string) []string { return append(l, l[0]) })},
	{"truncated file", "tb/weights.hex", "is not what was written", lines(func(l []string) []string { return l[:len(l)-1] })},
	{"empty file", "tb/expected.hex", "is not what was written", func(*testing.T, string) string { return "" }},
	{"latency one too short", "tb/random_tb.v", "wrong latency", count("LATENCY", -1)},
	{"latency one too long", "tb/random_tb.v", "wrong latency", count("LATENCY", 1)},
	{"period one too long", "tb/random_tb.v", "wrong number of cycles", count("PERIOD", 1)},
	// The same mistakes in the core.
	{"answer one cycle late", "rtl/random_stream_out.v", "wrong latency", replace("fetch <= begins;", "fetch <= late; late <= begins && !late;", "reg fetch;", "reg fetch; reg late = 1'b0;")},
	{"least bit of the core's answers", "rtl/random_stream_out.v", "wrong answer", replace("assign m_tdata_o = ", "assign m_tdata_o = 1 ^ ")},
	{"wrong weight", "rtl/random_weights_0_0.v", "wrong ", replace("mem[waddr_i] <=", "if (waddr_i != 0) mem[waddr_i] <=")},
	{"tlast is missing", "rtl/random_stream_out.v", "tlast is wrong", replace("m_tlast_o <= last;", "m_tlast_o <= 1'b0;")},
	{"an answer is swallowed", "rtl/random_stream_out.v", "", replace("m_tvalid_o <= 1'd1;", "m_tvalid_o <= (n != 5) || !fetch; n <= n + fetch;", "reg fetch;", "reg fetch; integer n = 0;")},
}

func flip(line int) func(*testing.T, string) string {
	return lines(func(l []string) []string {
		last := len(l[line]) - 1
		digit := strings.IndexByte("0123456789abcdef", l[line][last])
		l[line] = l[line][:last] + string("0123456789abcdef"[digit^1])
		return l
	})
}

func lines(f func([]string) []string) func(*testing.T, string) string {
	return func(_ *testing.T, text string) string {
		return strings.Join(f(strings.Split(strings.TrimSpace(text), "\n")), "\n") + "\n"
	}
}

func count(name string, by int) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		re := regexp.MustCompile(`(localparam \[31:0\] ` + name + ` = 32'd)(\d+)`)
		if !re.MatchString(text) {
			t.Fatalf("no %s in the testbench", name)
		}
		sign := map[int]string{-1: " - 32'd1", 1: " + 32'd1"}[by]
		return re.ReplaceAllString(text, "$1$2"+sign)
	}
}

func replace(pairs ...string) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("no %q in\n%s", pairs[i], text)
			}
			text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
		}
		return text
	}
}

// small is a core with whatever the corruptions need.
func small(t *testing.T) (referee.VerilogJob, string) {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 2))
	for {
		net, o := randomNetwork(r)
		if !net.Learning || len(net.Populations) > 2 {
			continue
		}
		c, dir := write(t, net, o, 2, 24, r)
		return job(t, c, dir), dir
	}
}

// TestTestbenchNotices breaks vectors, counts and cores one at a time and wants a
// failure by exit status; unbroken they pass.
func TestTestbenchNotices(t *testing.T) {
	for name, run := range map[string]simulator{"icarus": referee.Icarus, "verilator": referee.Verilator} {
		t.Run(name, func(t *testing.T) {
			if name == "verilator" && os.Getenv("VLEC_LONG") == "" {
				t.Skip("Verilator takes seconds for each of them; VLEC_LONG=1 runs it")
			}
			j, dir := small(t)
			passes(t, run, j)
			for _, c := range corruptions {
				file := filepath.Join(dir, filepath.FromSlash(c.file))
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(c.change(t, string(text))), 0o666); err != nil {
					t.Fatal(err)
				}
				r, err := run(context.Background(), j)
				if _, missing := errors.AsType[*referee.MissingError](err); missing {
					t.Skip(err)
				}
				switch {
				case err != nil:
					t.Errorf("%s: %v", c.name, err)
				case r.Status != 0 && strings.Contains(r.Output.Stdout+r.Output.Stderr, "beyond bounds of array"): // Verilator's own word
				case r.Status == 0 || !strings.Contains(r.Output.Stdout+r.Output.Stderr, c.want):
					t.Errorf("%s: exit %d, want a failure that says %q\n%s%s", c.name, r.Status, c.want, r.Output.Stdout, r.Output.Stderr)
				}
				if err := os.WriteFile(file, text, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
