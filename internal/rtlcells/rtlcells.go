// Package rtlcells knows designs that the estimator of cells is fitted to and
// judged by, and what Yosys made of them.
//
// # For maintainers
//
// `go run ./bench/rtl -cells` synthesises every design and writes the file that
// Read reads. A test synthesises one of them anew.
package rtlcells

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/device"
	"vlec/internal/randnet"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// A Design is a core to be synthesised: a network of layers or a random one.
type Design struct {
	Name     string
	Seed     uint64 // of a random network
	Layers   []int  // or the sizes of inputs and layers
	Bits     int
	Lanes    int
	Learning bool
	Rule     string // of the backward weights of layers; "" is the transpose
	HeldOut  bool   // from the fit
}

// Designs lists those that estimates are fitted to, and those held out.
func Designs() []Design {
	var list []Design
	bits := []int{16, 12, 14, 16, 10, 15, 13, 11}
	lanes := []int{1, 2, 4, 1, 3, 1, 2, 8}
	add := func(d Design, held bool) {
		d.Name += fmt.Sprintf(" %db %dL", d.Bits, d.Lanes)
		if !d.Learning {
			d.Name += " frozen"
		}
		d.HeldOut = held
		list = append(list, d)
	}
	for i, layers := range [][]int{{2, 4, 2}, {2, 8, 8, 2}, {2, 16, 2}, {1, 16, 16, 4}, {2, 24, 8, 2}, {1, 31, 31, 1}, {1, 8, 8, 1}, {4, 12, 12, 12, 3}} {
		name := layersName(layers)
		for _, learning := range []bool{true, false} {
			add(Design{Name: name, Layers: layers, Bits: bits[i], Lanes: lanes[(i+3)%len(lanes)], Learning: learning}, i >= 5)
		}
	}
	for _, c := range []Design{
		{Layers: []int{2, 4, 2}, Bits: 14, Lanes: 1, Learning: true},
		{Layers: []int{2, 8, 8, 2}, Bits: 16, Lanes: 1, Learning: true},
		{Layers: []int{2, 8, 8, 2}, Bits: 16, Lanes: 1},
		{Layers: []int{2, 8, 8, 2}, Bits: 12, Lanes: 1, Learning: true},
		{Layers: []int{2, 8, 8, 2}, Bits: 12, Lanes: 1},
		{Layers: []int{2, 8, 8, 2}, Bits: 14, Lanes: 2, Learning: true},
		{Layers: []int{2, 8, 8, 2}, Bits: 14, Lanes: 2},
		{Layers: []int{2, 8, 8, 2}, Bits: 15, Lanes: 4},
		{Layers: []int{2, 16, 2}, Bits: 16, Lanes: 2, Learning: true},
		{Layers: []int{2, 16, 2}, Bits: 16, Lanes: 2},
		{Layers: []int{2, 16, 16, 2}, Bits: 16, Lanes: 1, Learning: true},
		{Layers: []int{2, 16, 16, 2}, Bits: 16, Lanes: 1},
		{Layers: []int{2, 16, 16, 2}, Bits: 13, Lanes: 2, Learning: true},
		{Layers: []int{2, 3, 2}, Bits: 10, Lanes: 1, Learning: true},
		{Layers: []int{2, 3, 2}, Bits: 10, Lanes: 1},
		{Layers: []int{2, 24, 8, 2}, Bits: 16, Lanes: 4, Learning: true},
		{Layers: []int{2, 24, 8, 2}, Bits: 16, Lanes: 4},
	} {
		c.Name = layersName(c.Layers)
		add(c, true)
	}
	for _, c := range []Design{
		{Layers: []int{1, 8, 8, 1}, Bits: 16, Lanes: 1, Rule: "gain-alignment"},
		{Layers: []int{2, 8, 8, 2}, Bits: 12, Lanes: 1, Rule: "gain-alignment"},
		{Layers: []int{2, 16, 2}, Bits: 14, Lanes: 2, Rule: "gain-alignment"},
		{Layers: []int{1, 8, 8, 1}, Bits: 16, Lanes: 1, Rule: "pal"},
		{Layers: []int{2, 8, 8, 2}, Bits: 12, Lanes: 1, Rule: "pal"},
		{Layers: []int{2, 16, 2}, Bits: 14, Lanes: 2, Rule: "pal"},
	} {
		c.Name, c.Learning = layersName(c.Layers)+" "+c.Rule, true
		add(c, true)
	}
	for seed := range uint64(41) {
		if seed == 1 {
			continue // the reference diverges: there is no range to plan for
		}
		add(Design{
			Name: fmt.Sprint("random ", seed), Seed: seed, Bits: bits[seed*3%8], Lanes: lanes[seed*5/2%8], Learning: seed%3 != 0,
		}, seed%2 == 1)
	}
	return list
}

func layersName(layers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(layers), " ", "-"), "[]")
}

// Model is the network of a design.
func (d *Design) Model() (*model.Network, error) {
	text := ""
	if d.Layers == nil {
		text = randnet.Model(d.Seed, randnet.Options{Frozen: !d.Learning, Steps: 60, MaxSize: 4 + int(d.Seed%13), Feedbacks: []string{"transpose", "fixed"}})
	} else {
		text = layered(d.Layers, feedbacks[d.Rule])
	}
	net, err := model.Parse("design.toml", []byte(text), ".")
	if err == nil {
		net.Name = "design"
	}
	return net, err
}

// feedbacks are the rules of backward weights, as in a model.
var feedbacks = map[string]string{
	"gain-alignment": "feedback = { rule = \"gain-alignment\", eta = 0.02 }\n",
	"pal":            "feedback = { rule = \"pal\", eta = 0.5, decay = 0.02, noise_sigma = 0.1, noise_tau = 0.2, high_pass = 0.5 }\n",
}

// layered is a chain of layers that all learn, with the text of a feedback. The first
// has time constants of its neurons' own.
func layered(layers []int, feedback string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name = \"layers\"\ndt = 0.01\nduration = 0.6\n[learning]\neta = 0.1\n[input.in0]\nsize = %d\nsignal = \"sine\"\nfrequency = 0.5\n", layers[0])
	for k, n := range layers[1:] {
		tau := []string{`{ init = "uniform", low = 0.3, high = 1.0 }`, "0.5"}[min(k, 1)]
		fmt.Fprintf(&b, "[population.in%d]\nsize = %d\ntau_m = %s\ntau_r = 0.1\n", k+1, n, tau)
		if k == len(layers)-2 {
			b.WriteString("activation = \"linear\"\n")
		}
		fmt.Fprintf(&b, "[projection.w%d]\nfrom = \"in%d\"\nto = \"in%d\"\nweights = { init = \"xavier\" }\nplastic = true\n", k+1, k, k+1)
		if k > 0 {
			b.WriteString(feedback)
		}
	}
	fmt.Fprintf(&b, "[target.aim]\npopulation = \"in%d\"\nsize = %d\nsignal = \"sine\"\nfrequency = 0.25\namplitude = 0.4\n", len(layers)-1, layers[len(layers)-1])
	return b.String()
}

// Core emits the core of a design for a device; a folder other than "" gets its
// files.
func (d *Design) Core(ctx context.Context, device, dir string) (*verilog.Core, error) {
	net, err := d.Model()
	if err != nil {
		return nil, err
	}
	var files emit.Artifacts
	core, err := crosscheck.EmitVerilog(ctx, net, crosscheck.VerilogOptions{Learning: d.Learning, Bits: d.Bits, Lanes: d.Lanes, Device: device, Steps: 8}, &files)
	if err != nil || dir == "" {
		return core, err
	}
	return core, files.Commit(dir)
}

// Cells are what Yosys counts, by type of cell.
type Cells map[string]int

// A Record holds the cells of designs by device and name.
type Record map[string]map[string]Cells

// Synthesise lets Yosys count the cells of a design.
func (d *Design) Synthesise(ctx context.Context, part *device.Device) (Cells, error) {
	dir, err := os.MkdirTemp("", "vlec-cells-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	core, err := d.Core(ctx, part.Name, dir)
	if err != nil {
		return nil, err
	}
	job := referee.SynthJob{Target: part.Family.Name, DSP: part.DSP > 0}
	job.Top = core.Top
	if job.Files, err = filepath.Glob(filepath.Join(dir, "rtl", "*.v")); err != nil {
		return nil, err
	}
	s, err := referee.Yosys(ctx, job)
	if err != nil {
		return nil, err
	}
	if len(s.Conflicts) > 0 {
		return nil, fmt.Errorf("%s: %s", d.Name, s.Conflicts[0])
	}
	return s.Cells, nil
}

// Read reads a file of records.
func Read(name string) (Record, error) {
	r := Record{}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(text, &r)
}

// Write writes a file of records, sorted.
func (r Record) Write(name string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o666)
}
