//go:build unix

// Package main, bench/rtl, measures the built-in evaluator of Verilog text and the
// integer model against Icarus and Verilator, on one emitted core with the same
// stimulus in one run, and prints one table.
//
//	go run ./bench/rtl
//	go run ./bench/rtl -layers 1,31,31,1 -lanes 4 -steps 500
//	go run ./bench/rtl -place -device up5k            logic cells and clock of the core, by nextpnr-ice40
//	go run ./bench/rtl -place -device up5k -board     and of the board's top, on its pins
//	go run ./bench/rtl -cells FILE                    what Yosys counts, for the estimator
//
// The core learns; its testbench feeds it the model's samples and compares every
// answer. Time is CPU time of the process that runs, without compiling or
// building; the built-in engine's has reading and elaborating the text in it.
//
// # For maintainers
//
// The built-in engine runs as a child of this program, so that its CPU time counts
// as that of the others. CPU time is what a busy machine changes least; trust the
// ratios.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/device"
	"vlec/internal/rtlrun"
	"vlec/internal/table"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/fixed"
)

func main() {
	var (
		layers = flag.String("layers", "1,8,8,1", "neurons of input and layers")
		bits   = flag.Int("bits", 16, "width of the operands")
		lanes  = flag.Int("lanes", 1, "multipliers side by side")
		steps  = flag.Int("steps", 4000, "steps of the run")
		child  = flag.String("child", "", "for internal use")

		cells   = flag.String("cells", "", "instead, let Yosys count the cells of the designs that estimates are judged by, into this `file`")
		devices = flag.String("devices", strings.Join(device.Names(), ","), "of -cells")
		place   = flag.Bool("place", false, "instead, place and route the core for an iCE40 part")
		device  = flag.String("device", "up5k", "of -place: up5k or hx8k")
		file    = flag.String("model", "", "with -place: a model `file` instead of layers")
		frozen  = flag.Bool("frozen", false, "with -place: without learning")
		rule    = flag.String("feedback", "transpose", "with -place: the rule of backward weights")
		board   = flag.Bool("board", false, "with -place: the board's top on its pins")
		seeds   = flag.Int("seeds", 1, "with -place: this many placements")
		match   = flag.String("match", "", "with -cells: only designs whose name this regular expression matches")
		again   = flag.Bool("again", false, "with -cells: also designs that the file has")
	)
	flag.Parse()
	if *cells != "" {
		if err := count(*cells, strings.Split(*devices, ","), *match, *again); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if *child != "" {
		run, err := rtlrun.Run(context.Background(), rtlrun.Options{Files: []string{*child}, Stdout: os.Stdout})
		if err != nil || !run.Pass {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if *place {
		p := placing{layers: *layers, device: *device, model: *file, feedback: *rule, bits: *bits, lanes: *lanes, frozen: *frozen, board: *board, seeds: *seeds}
		made, err := p.place()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		show(made)
		return
	}
	if err := measure(*layers, *bits, *lanes, *steps); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// feedbacks are the rules of backward weights that can be placed, as in a model.
var feedbacks = map[string]string{
	"transpose":      "",
	"gain-alignment": "feedback = { rule = \"gain-alignment\", eta = 0.02 }\n",
	"gain-transpose": "feedback = { rule = \"gain-transpose\", eta = 0.02 }\n",
	"kolen-pollack":  "feedback = { rule = \"kolen-pollack\", eta = 0.03125, decay = 0.01 }\n",
	"pal":            "feedback = { rule = \"pal\", eta = 0.5, decay = 0.02, noise_sigma = 0.1, noise_tau = 0.2, high_pass = 0.5 }\n",
}

// source writes a chain of layers that all learn, with the text of a feedback.
func source(layers []string, feedback string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name = \"bench\"\ndt = 0.0078125\nduration = 40.0\n[learning]\neta = 0.03125\n[input.in0]\nsize = %s\nsignal = \"sine\"\nfrequency = 0.25\n", layers[0])
	for k := 1; k < len(layers); k++ {
		fmt.Fprintf(&b, "[population.in%d]\nsize = %s\ntau_m = 1.0\ntau_r = 0.1\n", k, layers[k])
		if k == len(layers)-1 {
			b.WriteString("activation = \"linear\"\n")
		}
		fmt.Fprintf(&b, "[projection.w%d]\nfrom = \"in%d\"\nto = \"in%d\"\nweights = { init = \"xavier\" }\nplastic = true\n", k, k-1, k)
		if k > 1 {
			b.WriteString(feedback)
		}
	}
	fmt.Fprintf(&b, "[target.aim]\npopulation = \"in%d\"\nsize = %s\nsignal = \"sine\"\nfrequency = 0.25\namplitude = 0.4\n", len(layers)-1, layers[len(layers)-1])
	return b.String()
}

func measure(layers string, bits, lanes, steps int) error {
	net, err := model.Parse("bench.toml", []byte(source(strings.Split(layers, ","), "")), ".")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vlec-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var files emit.Artifacts
	core, err := crosscheck.EmitVerilog(context.Background(), net, crosscheck.VerilogOptions{Learning: true, Bits: bits, Lanes: lanes, Steps: steps}, &files)
	if err != nil {
		return err
	}
	if err := files.Commit(dir); err != nil {
		return err
	}
	tb := core.Top + "_tb"
	rtl, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		return err
	}
	text := append(rtl, filepath.Join(dir, "tb", tb+".v"))
	fmt.Fprintf(os.Stderr, "%s, %d bits, %d lanes: %d synapses, %d cycles a step, %d steps\n", layers, bits, lanes, core.Schedule.Synapses, core.Schedule.Period, steps)

	rows := [][]string{{"engine", "CPU s", "cycles/s", "steps/s", "times Icarus"}}
	var icarus float64 // steps per second
	add := func(name string, seconds, cycles, steps float64) {
		perStep := steps / seconds
		if name == "Icarus" {
			icarus = perStep
		}
		row := []string{name, fmt.Sprintf("%.2f", seconds), "", fmt.Sprintf("%.3g", perStep), ""}
		if cycles > 0 {
			row[2] = fmt.Sprintf("%.3g", cycles/seconds)
		}
		if icarus > 0 {
			row[4] = fmt.Sprintf("%.3g", perStep/icarus)
		}
		rows = append(rows, row)
	}
	engine := func(name, program string, args ...string) error {
		seconds, cycles, err := timed(dir, program, args...)
		if err == nil {
			add(name, seconds, cycles, float64(steps))
		}
		return err
	}
	if compiler, err := exec.LookPath("iverilog"); err == nil {
		vvp := filepath.Join(dir, "tb.vvp")
		if out, err := exec.Command(compiler, append([]string{"-g2005-sv", "-s", tb, "-o", vvp}, text...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w", out, err)
		}
		if err := engine("Icarus", "vvp", "-n", vvp); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := engine("built-in, text", self, "-child", text[len(text)-1]); err != nil {
		return err
	}
	if compiler, err := exec.LookPath("verilator"); err == nil {
		args := []string{"--binary", "--timing", "-O3", "-Wno-fatal", "-Mdir", filepath.Join(dir, "obj"), "--top-module", tb, "-o", "tb"}
		if out, err := exec.Command(compiler, append(args, text...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w", out, err)
		}
		if err := engine("Verilator", filepath.Join(dir, "obj", "tb")); err != nil {
			return err
		}
	}
	seconds, made, err := integers(core)
	if err != nil {
		return err
	}
	add("integer model", seconds, 0, float64(made))
	fmt.Println(table.Text(rows))
	return nil
}

var cyclesSaid = regexp.MustCompile(`PASS: .* (\d+) cycles`)

// timed runs a testbench and returns its CPU time and the cycles it counted.
func timed(dir, program string, args ...string) (seconds, cycles float64, err error) {
	c := exec.Command(program, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	said := cyclesSaid.FindSubmatch(out)
	if err != nil || said == nil {
		return 0, 0, fmt.Errorf("%s does not pass: %v\n%s", program, err, out)
	}
	cycles, err = strconv.ParseFloat(string(said[1]), 64)
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), cycles, err
}

// integers steps the integer model for a second of CPU time, with inputs that move.
func integers(core *verilog.Core) (seconds float64, steps int, err error) {
	f, err := fixed.New(core.Plan)
	if err != nil {
		return 0, 0, err
	}
	in := f.Input(0)
	start := used()
	for seconds < 1 {
		for range 1000 {
			for i := range in {
				in[i] = int64(steps*37%20001) - 10000
			}
			f.Step()
			steps++
		}
		seconds = (used() - start).Seconds()
	}
	if slices.Max(f.Population(0).R) == 0 {
		return 0, 0, fmt.Errorf("the integer model stands still")
	}
	return seconds, steps, nil
}

// used is the CPU time of this process.
func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
