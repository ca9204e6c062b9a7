//go:build unix

package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"vlec/emit"
	emitter "vlec/emit/spice"
	"vlec/internal/compile"
	"vlec/model"
)

// A bench is one circuit and how long it is simulated.
type bench struct {
	name     string
	size     int // synapses, or nodes of a grid
	steps    int // largest steps of the netlist that fit into the run
	netlist  func(dir string) (string, error)
	ngspice  bool // is run there
	klu      bool
	scaling  string // name of the series that it belongs to
	repeat   int    // runs of vlec of which the fastest counts
	matched  bool   // run vlec's implicit engine, too: same rule, same steps as ngspice
	implicit bool   // is meant for the implicit engine
}

// benches lists the circuits of the table.
func benches() []bench {
	list := []bench{
		{name: "learning chain", size: 2, steps: 1_000_000, netlist: chain, ngspice: true, klu: true, repeat: 1, matched: true},
		{name: "5-10-10-2 learning", size: 170, steps: 4000, netlist: network("ideal"), ngspice: true, klu: true, repeat: 3, matched: true},
		{name: "100x100 static", size: 10_000, steps: 2000, netlist: layer(100, false), ngspice: true, klu: true, repeat: 3, matched: true},
		{name: "100x100 plastic", size: 10_000, steps: 300, netlist: layer(100, true), ngspice: true, klu: true, repeat: 3, matched: true},
		{name: "316x316 static", size: 99_856, steps: 100, netlist: layer(316, false), ngspice: true, klu: true, repeat: 3, matched: true},
		{name: "5-10-10-2 of op-amps", size: 170, steps: 300, netlist: network("macro"), ngspice: true, klu: true, repeat: 2, implicit: true},
		{name: "rc grid 100x100", size: 10_000, steps: 60, netlist: rcGrid(100), ngspice: true, klu: true, repeat: 2, implicit: true},
		{name: "rc grid 316x316", size: 99_856, steps: 20, netlist: rcGrid(316), repeat: 1, implicit: true},
		{name: "lc grid 70x70", size: 4900, steps: 500, netlist: lcGrid(70), ngspice: true, klu: true, repeat: 2, implicit: true, matched: true},
		{name: "ota network 32x32", size: 1024, steps: 200, netlist: otaNetwork(32), ngspice: true, klu: true, repeat: 2, implicit: true},
	}
	list = append(
		list,
		bench{name: "ttl adder, 45 transistors", size: 72, steps: 2400, netlist: ttlAdder, ngspice: true, klu: true, repeat: 5, implicit: true},
		bench{name: "learning chain of transistors", size: 335, steps: 500, netlist: transistorChain, ngspice: true, klu: true, repeat: 5, implicit: true},
		bench{name: "mos cells, 112 transistors", size: 112, steps: 2000, netlist: transistors(8), ngspice: true, klu: true, repeat: 3, implicit: true},
		bench{name: "mos cells, 896 transistors", size: 896, steps: 500, netlist: transistors(64), ngspice: true, klu: true, repeat: 3, implicit: true},
		bench{name: "mos cells, 3584 transistors", size: 3584, steps: 500, netlist: transistors(256), repeat: 2, implicit: true},
	)
	for _, plastic := range []bool{false, true} {
		series := "static"
		if plastic {
			series = "plastic"
		}
		for _, n := range []int{32, 100, 316, 1000} {
			list = append(list, bench{name: fmt.Sprintf("%dx%d %s", n, n, series), size: n * n, steps: 500, netlist: layer(n, plastic), scaling: series, repeat: 1})
		}
	}
	return list
}

const chainModel = `duration = 2000.0
[learning]
eta = 0.1
[input.drive]
signal = "sine"
amplitude = 1.5
frequency = 0.25
[population.hidden]
size = 1
tau_m = 1.0
tau_r = 0.1
[population.output]
size = 1
tau_m = 1.0
tau_r = 0.1
activation = "linear"
[projection.drive_hidden]
from = "drive"
to = "hidden"
weights = 0.5
plastic = true
[projection.hidden_output]
from = "hidden"
to = "output"
weights = 0.6
plastic = true
[teacher.population.hidden]
size = 1
tau_m = 1.0
tau_r = 0.1
[teacher.population.output]
size = 1
tau_m = 1.0
tau_r = 0.1
activation = "linear"
[teacher.projection.drive_hidden]
from = "drive"
to = "hidden"
weights = 1.0
[teacher.projection.hidden_output]
from = "hidden"
to = "output"
weights = 1.5
[target.output]
population = "output"
teacher = "output"
`

func chain(dir string) (string, error) { return fromModel(dir, chainModel, "ideal") }

// transistorChain is the same model with a hundredth of a second for each unit of
// time, so that the poles of transistors are fast beside it.
func transistorChain(dir string) (string, error) {
	return fromModel(dir, strings.Replace(chainModel, "duration = 2000.0", "duration = 3.0", 1)+"[hardware.spice]\ntime_unit = 0.01\n", "transistor")
}

// network is 5 inputs, two layers of 10 and one of 2 neurons, that learn.
func network(level string) func(dir string) (string, error) {
	return func(dir string) (string, error) { return fromModel(dir, networkModel(), level) }
}

func networkModel() string {
	var b strings.Builder
	b.WriteString("duration = 8.0\n[learning]\neta = 0.1\n[input.drive]\nsize = 5\nsignal = \"sines\"\ncount = 1\nf_min = 0.1\nf_max = 0.5\n")
	for _, p := range []string{"h1 10 tanh", "h2 10 tanh", "out 2 linear"} {
		f := strings.Fields(p)
		fmt.Fprintf(&b, "[population.%s]\nsize = %s\ntau_m = 1.0\ntau_r = 0.1\nactivation = %q\n", f[0], f[1], f[2])
	}
	for _, p := range []string{"drive h1", "h1 h2", "h2 out"} {
		f := strings.Fields(p)
		fmt.Fprintf(&b, "[projection.%s_%s]\nfrom = %q\nto = %q\nweights = { init = \"xavier\" }\nplastic = true\n", f[0], f[1], f[0], f[1])
	}
	b.WriteString("[target.out]\npopulation = \"out\"\nsize = 2\nsignal = \"sines\"\ncount = 1\nf_min = 0.1\nf_max = 0.5\n")
	return b.String()
}

// layer is n inputs, all of which reach all of n neurons.
func layer(n int, plastic bool) func(dir string) (string, error) {
	return func(dir string) (string, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "duration = 4.0\n[input.drive]\nsize = %d\nsignal = \"sines\"\ncount = 1\nf_min = 0.1\nf_max = 0.5\n", n)
		fmt.Fprintf(&b, "[population.cell]\nsize = %d\ntau_m = 1.0\ntau_r = 0.1\n", n)
		fmt.Fprintf(&b, "[projection.w]\nfrom = \"drive\"\nto = \"cell\"\nweights = { init = \"xavier\" }\n")
		if plastic {
			b.WriteString("plastic = true\neta = 0.01\n")
		}
		fmt.Fprintf(&b, "[target.cell]\npopulation = \"cell\"\nsize = %d\nsignal = \"sines\"\ncount = 1\nf_min = 0.1\nf_max = 0.5\n", n)
		return fromModel(dir, b.String(), "ideal")
	}
}

// fromModel writes the netlist of a model at a level and returns it with its cells
// in place, saving a few signals of each kind.
func fromModel(dir, text, level string) (string, error) {
	file := filepath.Join(dir, "model.toml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return "", err
	}
	net, err := model.Load(file)
	if err != nil {
		return "", err
	}
	var files emit.Artifacts
	if _, err := compile.Spice(context.Background(), net, compile.SpiceOptions{Learning: true, Level: level}, &files); err != nil {
		return "", err
	}
	if err := files.Commit(dir); err != nil {
		return "", err
	}
	deck, err := included(dir, "net.cir")
	if err != nil {
		return "", err
	}
	return keepFew(deck), nil
}

var include = regexp.MustCompile(`(?m)^\.include "(.*)"\n`)

// included is the text of a file with what it includes in place.
func included(dir, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	for {
		at := include.FindSubmatchIndex(text)
		if at == nil {
			return string(text), nil
		}
		inner, err := os.ReadFile(filepath.Join(dir, string(text[at[2]:at[3]])))
		if err != nil {
			return "", err
		}
		text = slices.Concat(text[:at[0]], inner, text[at[1]:])
	}
}

// keepFew replaces the .save cards by one that keeps the first and the last of
// every group of signals, those whose names differ by their indices.
func keepFew(deck string) string {
	var out strings.Builder
	out.Grow(len(deck))
	var stems []string
	ends := map[string][2]string{}
	saving := false
	for line := range strings.Lines(deck) {
		saving = strings.HasPrefix(line, ".save ") || saving && strings.HasPrefix(line, "+")
		if saving {
			for _, name := range strings.Fields(line)[1:] {
				stem := strings.TrimRight(strings.TrimSuffix(name, ")"), "0123456789_")
				if _, ok := ends[stem]; !ok {
					stems = append(stems, stem)
					ends[stem] = [2]string{name, name}
				}
				ends[stem] = [2]string{ends[stem][0], name}
			}
			continue
		}
		if strings.HasPrefix(line, ".tran") {
			for _, stem := range stems {
				first, last := ends[stem][0], ends[stem][1]
				if first == last {
					last = ""
				}
				fmt.Fprintf(&out, ".save %s %s\n", first, last)
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// rcGrid is an n by n grid of resistors with a capacitor at each node, driven in
// one corner, its values spread by a factor of two.
func rcGrid(n int) func(string) (string, error) {
	return func(string) (string, error) {
		var b strings.Builder
		r := rand.New(rand.NewPCG(1, 1))
		spread := func(x float64) float64 { return x * math.Pow(2, r.Float64()-0.5) }
		b.WriteString("* rc grid\nvin in 0 pulse(0 1 0 1e-4 1e-4 5e-3 1e-2)\nrin in n0_0 100\n")
		for i := range n {
			for j := range n {
				fmt.Fprintf(&b, "c%d_%d n%d_%d 0 %.6g\n", i, j, i, j, spread(1e-8))
				if i+1 < n {
					fmt.Fprintf(&b, "rv%d_%d n%d_%d n%d_%d %.6g\n", i, j, i, j, i+1, j, spread(1e3))
				}
				if j+1 < n {
					fmt.Fprintf(&b, "rh%d_%d n%d_%d n%d_%d %.6g\n", i, j, i, j, i, j+1, spread(1e3))
				}
			}
		}
		fmt.Fprintf(&b, "rl n%d_%d 0 1e4\n", n-1, n-1)
		fmt.Fprintf(&b, ".options method=trap trtol=1e6 reltol=1e-6 vntol=1e-9 abstol=1e-12\n")
		fmt.Fprintf(&b, ".save v(n0_0) v(n1_1) v(n%d_%d)\n.tran 2e-5 1 0 2e-5\n.end\n", n/4, n/4)
		return b.String(), nil
	}
}

// lcGrid is an n by n grid of lossy inductors with capacitors to ground.
func lcGrid(n int) func(string) (string, error) {
	return func(string) (string, error) {
		var b strings.Builder
		b.WriteString("* lc grid\nvin in 0 sin(0 1 1e6)\nrin in n0_0 50\n")
		for i := range n {
			for j := range n {
				fmt.Fprintf(&b, "c%d_%d n%d_%d 0 1e-10\nrg%d_%d n%d_%d 0 1e5\n", i, j, i, j, i, j, i, j)
				for _, to := range [][2]int{{i + 1, j}, {i, j + 1}} {
					if to[0] < n && to[1] < n {
						id := fmt.Sprintf("%d_%d_%d_%d", i, j, to[0], to[1])
						fmt.Fprintf(&b, "l%s n%d_%d m%s 1e-6\nr%s m%s n%d_%d 1\n", id, i, j, id, id, id, to[0], to[1])
					}
				}
			}
		}
		b.WriteString(".options method=trap trtol=1e6 reltol=1e-6 vntol=1e-9 abstol=1e-12\n")
		fmt.Fprintf(&b, ".save v(n0_0) v(n1_1) v(n%d_%d)\n.tran 1e-9 1 0 1e-9\n.end\n", n/4, n/4)
		return b.String(), nil
	}
}

// otaNetwork is a recurrent network of n neurons at the level of macro models:
// every synapse is a transconductor that saturates, every neuron an amplifier
// with finite gain, bandwidth and rails.
func otaNetwork(n int) func(string) (string, error) {
	return func(string) (string, error) {
		var b strings.Builder
		r := rand.New(rand.NewPCG(2, 2))
		b.WriteString(`* ota network
.subckt ota inp inn out params: gm=1e-6 imax=1e-6
b1 0 out i={imax*tanh(gm*v(inp,inn)/imax)}
ro out 0 1e8
co out 0 1e-14
.ends
.subckt opamp inp inn out params: gain=1e4 gbw=1e6
b1 0 x i={1e-3*tanh(1e3*gain/1e3*v(inp,inn)/10)}
rx x 0 {1e4}
cx x 0 {gain/(1e4*6.283185307179586*gbw)}
b2 o1 0 v={10*tanh(v(x)/10)}
ro o1 out 100
.ends
`)
		for j := range n {
			fmt.Fprintf(&b, "v%d in%d 0 sin(0 0.3 %g)\n", j, j, 200+50*float64(j))
		}
		for i := range n {
			fmt.Fprintf(&b, "xa%d 0 s%d y%d opamp\nrf%d s%d y%d 1e6\ncf%d s%d y%d 1e-10\n", i, i, i, i, i, i, i, i, i)
			for j := range n {
				from := fmt.Sprintf("in%d", j)
				if (i+j)%2 == 1 {
					from = fmt.Sprintf("y%d", j)
				}
				in := from + " 0"
				if r.Float64() < 0.5 {
					in = "0 " + from
				}
				fmt.Fprintf(&b, "xs%d_%d %s s%d ota params: gm=%.6g imax=1e-6\n", i, j, in, i, 2e-6*r.Float64()/math.Sqrt(float64(n)))
			}
		}
		b.WriteString(".options method=trap trtol=1e6 reltol=1e-6 vntol=1e-9 abstol=1e-15\n")
		fmt.Fprintf(&b, ".save v(y0) v(y1) v(y%d)\n.tran 5e-6 1 0 5e-6\n.end\n", n-1)
		return b.String(), nil
	}
}

//go:embed ttl_adder.cir
var ttlText string

// ttlAdder is a full adder of nine gates, of 45 bipolar transistors and 27 diodes.
func ttlAdder(string) (string, error) { return ttlText, nil }

// transistors is a ring of n leaky integrators in weak inversion, each of which is
// driven by its neighbour times a sine: a transconductor of five transistors
// that follows its input, and a multiplier of nine.
func transistors(n int) func(string) (string, error) {
	return func(string) (string, error) {
		var b strings.Builder
		r := rand.New(rand.NewPCG(3, 3))
		b.WriteString("* transistors\n" + emitter.GenericMOS + `
.subckt ota inp inn out bias vdd vss
x1 m inp t vss mos_n
x2 out inn t vss mos_n
x3 t bias vss vss mos_n PARAMS: p_l=4e-06 p_w=4e-06
x4 m m vdd vdd mos_p PARAMS: p_l=4e-06 p_w=4e-06
x5 out m vdd vdd mos_p PARAMS: p_l=4e-06 p_w=4e-06
.ends
.subckt gilbert xp xn yp yn out bias vdd vss
x1 t bias vss vss mos_n PARAMS: p_l=4e-06 p_w=4e-06
x2 a xp t vss mos_n
x3 e xn t vss mos_n
x4 m yp a vss mos_n
x5 out yn a vss mos_n
x6 out yp e vss mos_n
x7 m yn e vss mos_n
x8 m m vdd vdd mos_p PARAMS: p_l=4e-06 p_w=4e-06
x9 out m vdd vdd mos_p PARAMS: p_l=4e-06 p_w=4e-06
.ends
vdd vdd 0 0.9
vss vss 0 -0.9
vcm cm 0 -0.3
ib vdd bias 1e-9
xb bias bias vss vss mos_n PARAMS: p_l=4e-06 p_w=4e-06
`)
		for i := range n {
			fmt.Fprintf(&b, "v%d in%d 0 sin(-0.3 0.05 %.6g)\n", i, i, 10+30*r.Float64())
			fmt.Fprintf(&b, "xm%d in%d cm y%d 0 p%d bias vdd vss gilbert\nrp%d p%d 0 6.72e7\ncp%d p%d 0 1e-12\n", i, i, (i+1)%n, i, i, i, i, i)
			fmt.Fprintf(&b, "xl%d p%d y%d y%d bias vdd vss ota\ncl%d y%d 0 1e-11\n", i, i, i, i, i, i)
			fmt.Fprintf(&b, "id%d p%d 0 sin(0 5e-10 %.6g)\n", i, i, 10+30*r.Float64())
		}
		b.WriteString(".options method=gear trtol=7 reltol=1e-4 vntol=6.7e-8 abstol=1e-15\n")
		fmt.Fprintf(&b, ".save v(y0) v(y1) v(p%d)\n.tran 1e-4 1 0 1e-4\n.end\n", n-1)
		return b.String(), nil
	}
}
