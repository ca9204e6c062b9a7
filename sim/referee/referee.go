// Package referee runs emitted files in simulators that others wrote: ngspice
// here, and the Verilog tools in their own files. Doctor lists which are there.
//
// A referee that is missing is a *MissingError, which says how to install it.
//
// # For maintainers
//
// A referee is worth something only as long as it shares nothing with what it
// judges. So this package imports sim for the trace and nothing else that
// simulates or prints, and has its own reader of ngspice's result files although
// sim/spice may have another.
//
// Simulators find many ways to fail with exit status 0, and to succeed after an
// error message. A run counts only when the exit status, the messages and the
// results all say so.
//
// Every run has a folder of its own for what it writes, ignores the user's start
// files, reads nothing from the terminal, and ends with its context.
package referee

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Tool is a program that vlec can use and does not contain.
type Tool struct {
	Name    string // also the command, but for python3-torch
	Purpose string
	Package string // Debian's

	command string         // empty: Name
	version []string       // arguments that print the version
	pattern *regexp.Regexp // the version in what they print; default: the first number with a dot
}

var tools = []Tool{
	{Name: "ngspice", Purpose: "simulates netlists", Package: "ngspice", version: []string{"--version"}, pattern: regexp.MustCompile(`ngspice-(\d[\w.+-]*)`)},
	{Name: "iverilog", Purpose: "simulates Verilog, event by event", Package: "iverilog", version: []string{"-V"}},
	{Name: "verilator", Purpose: "simulates Verilog as C++, and lints it", Package: "verilator", version: []string{"--version"}},
	{Name: "yosys", Purpose: "synthesises Verilog", Package: "yosys", version: []string{"-V"}},
	{Name: "nextpnr-ice40", Purpose: "places and routes for iCE40", Package: "nextpnr-ice40", version: []string{"--version"}, pattern: regexp.MustCompile(`Version ([^\s)]+)`)},
	{Name: "icepack", Purpose: "packs iCE40 bitstreams", Package: "fpga-icestorm"},
	{Name: "dot", Purpose: "draws circuit graphs", Package: "graphviz", version: []string{"-V"}},
	{
		Name: "python3-torch", Purpose: "trains the baselines in bench", Package: "python3-torch", command: "python3",
		version: []string{"-c", "import torch; print('torch', torch.__version__)"}, pattern: regexp.MustCompile(`torch (\S+)`),
	},
}

var anyVersion = regexp.MustCompile(`\d+\.\d[\w.+-]*`)

// A Finding is what Doctor says about a tool.
type Finding struct {
	Name    string `json:"name"`
	Path    string `json:"path,omitempty"`    // empty when it is not there
	Version string `json:"version,omitempty"` // empty when it does not tell
	Purpose string `json:"purpose"`
	Package string `json:"package"` // Debian's
}

// Doctor looks for all tools. What does not answer within ten seconds counts as
// not there.
func Doctor(ctx context.Context) []Finding {
	findings := make([]Finding, len(tools))
	for i := range tools {
		t := &tools[i]
		findings[i] = Finding{Name: t.Name, Purpose: t.Purpose, Package: t.Package}
		findings[i].Path, findings[i].Version = t.probe(ctx)
	}
	return findings
}

func (t *Tool) probe(ctx context.Context) (path, version string) {
	command := t.command
	if command == "" {
		command = t.Name
	}
	path, err := exec.LookPath(command)
	if err != nil || len(t.version) == 0 {
		return path, ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := execute(ctx, os.TempDir(), path, t.version...)
	text := out.Stdout + out.Stderr
	pattern := t.pattern
	if pattern == nil {
		pattern = anyVersion
	}
	if m := pattern.FindStringSubmatch(text); m != nil {
		return path, m[len(m)-1]
	}
	if err != nil && (t.command != "" || ctx.Err() != nil) { // python3 without torch, or a hang
		return "", ""
	}
	return path, ""
}

// A MissingError says that a tool is not installed.
type MissingError struct{ Tool Tool }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not installed; on Debian or Ubuntu: apt-get install %s", e.Tool.Name, e.Tool.Package)
}

// Find returns the path of a tool, or a *MissingError.
func Find(name string) (string, error) {
	for _, t := range tools {
		if t.Name != name || t.command != "" {
			continue
		}
		path, err := exec.LookPath(name)
		if err != nil {
			return "", &MissingError{t}
		}
		return path, nil
	}
	return "", fmt.Errorf("no referee is called %q", name)
}

// Output is what a program printed.
type Output struct {
	Stdout, Stderr string
}

// maxOutput is how much of each stream is kept.
const maxOutput = 4 << 20

// execute runs a program in a folder, without input, in the C locale. When ctx
// ends it kills the program and says so.
func execute(ctx context.Context, dir, path string, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = 2 * time.Second // for children that hold the pipes open
	var stdout, stderr headBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("%s was stopped before it was done: %w", path, context.Cause(ctx))
	}
	return Output{stdout.String(), stderr.String()}, err
}

// A headBuffer keeps the first maxOutput bytes and drops the rest.
type headBuffer struct{ bytes.Buffer }

func (b *headBuffer) Write(p []byte) (int, error) {
	if room := maxOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// A RunError is a run that failed, with what the program said about it.
type RunError struct {
	Tool  string
	Err   error    // exit status, end of the context, unreadable results
	Lines []string // of its output, those about errors; at most maxLines
}

const maxLines = 12

func (e *RunError) Error() string {
	s := e.Tool + " failed: " + e.Err.Error()
	for _, line := range e.Lines {
		s += "\n\t" + line
	}
	return s
}

func (e *RunError) Unwrap() error { return e.Err }

// linesAbout picks the lines that contain one of the words, whatever their case,
// and the next one where such a line ends in "line" or a colon.
func linesAbout(text string, words ...string) []string {
	var lines []string
	next := false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		lower := strings.ToLower(line)
		has := func(word string) bool { return strings.Contains(lower, word) }
		found := slices.ContainsFunc(words, has)
		if found || next {
			lines = append(lines, line)
		}
		next = found && (strings.HasSuffix(line, "line") || strings.HasSuffix(line, ":"))
	}
	return lines
}
