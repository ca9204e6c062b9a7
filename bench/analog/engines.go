//go:build unix

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vlec/sim/referee"
	"vlec/sim/spice"
)

// A result is what one engine did with one netlist.
type result struct {
	setUp   float64 // CPU seconds until the first sample of a transient
	seconds float64 // CPU seconds of the transient after that
	wall    float64 // seconds of the same, by the clock; only of vlec
	steps   int
	rss     int64 // largest, bytes
	engine  string
	trace   *trace
}

// A trace holds the saved signals, all on one time axis.
type trace struct {
	names []string
	time  []float64
	data  [][]float64 // by signal
}

var tranCard = regexp.MustCompile(`(?m)^\.tran (\S+) \S+ 0 (\S+)(.*)$`)

// cut sets the length of a netlist's transient, in its largest steps, and adds
// cards before it. It returns the step, too.
func cut(deck string, steps int, cards ...string) (string, float64) {
	m := tranCard.FindStringSubmatch(deck)
	h, err := strconv.ParseFloat(m[2], 64)
	if err != nil {
		panic(err) // the circuits are our own
	}
	card := fmt.Sprintf(".tran %s %.15g 0 %s%s", m[1], h*float64(steps), m[2], m[3])
	return tranCard.ReplaceAllLiteralString(deck, strings.Join(append(cards, card), "\n")), h
}

// shortest is the length of the transient whose cost counts as setting up, in
// steps.
const shortest = 3

// ngspice runs a netlist and takes off what a run of a few steps costs.
func ngspice(dir, deck string, steps int) (*result, error) {
	program, err := referee.Find("ngspice")
	if err != nil {
		return nil, err
	}
	run := func(steps int) (float64, int64, *trace, error) {
		text, _ := cut(deck, steps)
		file, out := filepath.Join(dir, "ng.cir"), filepath.Join(dir, "ng.raw")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return 0, 0, nil, err
		}
		cmd := exec.Command(program, "-n", "-b", "-r", out, file)
		cmd.Dir = dir
		said, err := cmd.CombinedOutput()
		if err != nil {
			return 0, 0, nil, fmt.Errorf("ngspice: %w\n%s", err, tail(said))
		}
		t, err := readRaw(out)
		return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), maxRSS(cmd), t, err
	}
	short, _, _, err := run(shortest)
	if err != nil {
		return nil, err
	}
	long, rss, t, err := run(steps)
	if err != nil {
		return nil, err
	}
	return &result{setUp: short, seconds: long - short, steps: len(t.time) - 1, rss: rss, trace: t}, nil
}

func maxRSS(cmd *exec.Cmd) int64 {
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss * 1024
	}
	return 0
}

func tail(text []byte) []byte { return text[max(0, len(text)-500):] }

func readRaw(file string) (*trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plots, err := spice.ReadRaw(file, f)
	if err != nil {
		return nil, err
	}
	if len(plots) == 0 {
		return nil, errors.New("ngspice left no results")
	}
	tr := plots[0].Trace()
	t := &trace{}
	for _, s := range tr.Signals {
		t.time = s.Time
		t.names = append(t.names, s.Name)
		t.data = append(t.data, s.Data)
	}
	if len(t.time) < 2 {
		return nil, errors.New("ngspice left no samples")
	}
	return t, nil
}

//go:embed klu.mjs
var kluDriver []byte

// A kluEngine is ngspice with KLU, compiled to WebAssembly and run by node.
type kluEngine struct {
	dir, modules string
}

// newKLU finds the package in the folder, or installs it there.
func newKLU(dir string) (*kluEngine, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return nil, errors.New("node is not installed")
	}
	e := &kluEngine{dir, filepath.Join(dir, "node_modules")}
	if _, err := os.Stat(filepath.Join(e.modules, "eecircuit-engine")); err != nil {
		if os.Getenv("VLEC_NO_INSTALL") != "" {
			return nil, errors.New("VLEC_NO_INSTALL is set")
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
		cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "eecircuit-engine@1.8.0")
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm: %w\n%s", err, tail(said))
		}
	}
	return e, os.WriteFile(filepath.Join(dir, "klu.mjs"), kluDriver, 0o666)
}

func (e *kluEngine) run(dir, deck string, steps int) (*result, error) {
	short, long := filepath.Join(dir, "short.cir"), filepath.Join(dir, "long.cir")
	for file, n := range map[string]int{short: shortest, long: steps} {
		text, _ := cut(deck, n, ".options klu")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	// The first run warms up the engine, whose code is compiled as it is used.
	cmd := exec.CommandContext(ctx, "node", "--max-old-space-size=8000", filepath.Join(e.dir, "klu.mjs"), e.modules, short, short, long)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("node: %w\n%s", err, tail(stderr.Bytes()))
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var said [3]struct {
		Seconds float64
		Points  int
		Names   []string
	}
	if len(lines) != 3 {
		return nil, fmt.Errorf("node: unexpected output\n%s", tail(out))
	}
	for k, line := range lines {
		if err := json.Unmarshal(line, &said[k]); err != nil {
			return nil, err
		}
	}
	last := said[2]
	raw, err := os.ReadFile(long + ".f64")
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(raw)/8)
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, values); err != nil {
		return nil, err
	}
	t := &trace{names: last.Names[1:], data: make([][]float64, len(last.Names)-1)}
	for k := range last.Points {
		row := values[k*len(last.Names):]
		t.time = append(t.time, row[0])
		for c := range t.data {
			t.data[c] = append(t.data[c], row[c+1])
		}
	}
	return &result{setUp: said[1].Seconds, seconds: last.Seconds - said[1].Seconds, steps: last.Points - 1, rss: maxRSS(cmd), trace: t}, nil
}

// A job is what a child process of ours is to do.
type job struct {
	Netlist string
	Times   []float64 // to report, the netlist's own when empty
	Engine  string
	RelTol  float64
	MaxStep float64
	Profile string
}

// report is what it prints.
type report struct {
	SetUp, Seconds, Wall float64
	RSS                  int64
	Steps                int
	Method, Structure    string
	Stats                *spice.Stats
	Names                []string
}

// vlec runs a netlist in a process of its own.
func vlec(dir string, j job) (*result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "job.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-child", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("vlec: %w\n%s", err, tail(stderr.Bytes()))
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, err
	}
	t, err := readRaw(j.Netlist + ".raw")
	if err != nil {
		return nil, err
	}
	return &result{setUp: r.SetUp, seconds: r.Seconds, wall: r.Wall, steps: r.Steps, rss: r.RSS, engine: r.Method, trace: t}, nil
}

// cpu is the time that this process has computed so far.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return math.NaN()
	}
	s := func(t syscall.Timeval) float64 { return float64(t.Sec) + 1e-6*float64(t.Usec) }
	return s(u.Utime) + s(u.Stime)
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peak is the most memory that this process ever had resident. What the system
// reports to the parent may be the parent's own.
func peak() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	m := peakLine.FindSubmatch(text)
	if m == nil {
		return 0, errors.New("the system does not tell the peak of memory")
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return 1024 * kb, err
}

// A stopwatch is a sink that notes when the first sample comes.
type stopwatch struct {
	spice.Sink
	cpu  float64
	wall time.Time
}

func (s *stopwatch) Sample(t float64, values []float64) error {
	if s.wall.IsZero() {
		s.cpu, s.wall = cpu(), time.Now()
	}
	return s.Sink.Sample(t, values)
}

// child does a job and reports on standard output.
func child(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	stop, err := profile(j.Profile)
	if err != nil {
		return err
	}
	start := cpu()
	n, err := spice.ParseFile(j.Netlist)
	if err != nil {
		return err
	}
	c, err := n.Elaborate()
	if err != nil {
		return err
	}
	out, err := os.Create(j.Netlist + ".raw")
	if err != nil {
		return err
	}
	defer out.Close()
	watch := &stopwatch{Sink: spice.NewRawWriter(out, "bench", false)}
	_, stats, err := c.Tran(context.Background(), spice.Options{Sink: watch, Times: j.Times, Engine: j.Engine, RelTol: j.RelTol, MaxStep: j.MaxStep})
	if err != nil {
		return err
	}
	end, wall := cpu(), time.Since(watch.wall).Seconds()
	if err := stop(); err != nil {
		return err
	}
	rss, err := peak()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report{
		RSS:   rss,
		SetUp: watch.cpu - start, Seconds: end - watch.cpu, Wall: wall, Steps: stats.Steps, Method: stats.Method, Structure: stats.Structure, Stats: stats,
	})
}
