package spice_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vlec/circuit/lower"
	"vlec/emit/spice"
	"vlec/model"
)

// hostileNames break netlists, or get out of them, where a printer trusts them.
var hostileNames = []string{
	"x\n.control\nquit 1\n.endc", "a b", `"`, "'", "$(reboot)", "{p_v0}", "gnd", "0", "time", "temper", "v", "e",
	"Hidden", "hidden", "HIDDEN", "hidden.u", "hidden_u0", "hidden_u", "p_v0", "cell_tanh", "x_hidden_membrane0",
	"", " ", "*", "+", ".end", ";", "\\", "\x00", "\u2028", "über", "τ", "w3_7", "w", "w3", "drive0_0_sum", "teacher/a", "target/a",
	strings.Repeat("long", 100), "1meg", "-1", "a=b", "(", "PARAMS:",
}

// hostileNet is a chain of three populations, a target and an input that all
// have such names; what they are called must not change what they do.
func hostileNet(names []string) *model.Network {
	one := []float64{1}
	in := &model.Input{Name: names[0], Channels: []model.Waveform{
		model.Sum{Terms: []model.Waveform{model.Constant{Value: 0.5}, model.Sine{Amplitude: 1, Frequency: 0.5, Start: 0.1, Ramp: 0.1}}},
		model.Constant{Value: 1},
	}}
	net := &model.Network{Name: names[5], Dt: 0.01, Duration: 1, Beta: 1, Inputs: []*model.Input{in}}
	from, w := model.Source(in), []float64{0.5, 0.25}
	for k, name := range names[1:4] {
		p := &model.Population{
			Name: name, Size: 1, TauM: one, TauR: []float64{0.1}, Activation: model.Tanh, Bias: []float64{0.1},
			PlasticBias: true, EtaBias: 0.1,
		}
		net.Populations = append(net.Populations, p)
		net.Projections = append(net.Projections, &model.Projection{
			Name: names[6+k], From: from, To: p, W: w, Plastic: k > 0, Eta: 0.1,
			Feedback: model.Feedback{Rule: model.Transpose},
		})
		from, w = p, []float64{0.7}
	}
	last := net.Populations[2]
	net.Targets = []*model.Target{{Name: names[4], Population: last, Loss: model.Squared, Signal: []model.Waveform{in.Channels[0]}}}
	return net
}

// TestHostileNames emits networks with hostile names: the text stays in the
// subset, both simulators accept it, every variable has a node of its own, and
// the waveforms are those of the same network with plain names.
func TestHostileNames(t *testing.T) {
	plain := []string{"in", "first", "second", "third", "target", "net", "p1", "p2", "p3"}
	dir, side := emitted(t, lowered(t, hostileNet(plain), true), spice.Options{Stop: 1e-3})
	want := ngspice(t, dir)
	for shift := range len(hostileNames) - len(plain) {
		names := hostileNames[shift : shift+len(plain)]
		for _, level := range []string{"ideal", "macro"} {
			for _, dialect := range spice.Dialects() {
				dir, side := emitted(t, lowered(t, hostileNet(names), true), spice.Options{
					Stop: 1e-3, Generator: hostileNames[0], Hash: hostileNames[0], Level: level, Dialect: dialect, Process: parts,
				})
				oneNodeEach(t, side)
				soundSVG(t, read(t, dir, spice.NeuronFile))
			}
		}
		dir, hostile := emitted(t, lowered(t, hostileNet(names), true), spice.Options{
			Stop: 1e-3, Generator: hostileNames[0], Hash: hostileNames[0],
		})
		if shift%8 != 0 {
			continue // the reader has seen it; ngspice need not see them all
		}
		got := ngspice(t, dir)
		for i, s := range hostile.Signals {
			for k, n := range s.Nodes {
				a, b := node(t, got, n), node(t, want, side.Signals[i].Nodes[k])
				last := len(a.Data) - 1
				if len(a.Data) != len(b.Data) || math.Abs(a.Data[last]-b.Data[last]) > 1e-9 {
					t.Fatalf("%q: %s differs from %s", names, n, side.Signals[i].Nodes[k])
				}
			}
		}
	}
}

// soundSVG wants a picture that is XML, and holds nothing but shapes and text.
func soundSVG(t testing.TB, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok &&
			!slices.Contains([]string{"svg", "style", "polyline", "circle", "rect", "text"}, e.Name.Local) {
			t.Errorf("an element %s", e.Name.Local)
		}
	}
}

// oneNodeEach wants that no two variables share a node unless they stand on the
// same net, and that the map can be written and read.
func oneNodeEach(t testing.TB, side *spice.Map) {
	t.Helper()
	text, err := json.Marshal(side)
	if err != nil {
		t.Fatal(err)
	}
	var back spice.Map
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	owner := map[string]string{}
	for _, s := range side.Signals {
		all := strings.Join(s.Nodes, " ")
		for _, n := range s.Nodes {
			if other, ok := owner[n]; ok && other != all {
				t.Errorf("node %s belongs to %q and to %q", n, other, all)
			}
			owner[n] = all
		}
	}
	bases := map[string]bool{}
	for _, e := range side.Elements {
		if bases[e.Base] {
			t.Errorf("two elements are called %s", e.Base)
		}
		bases[e.Base] = true
	}
}

// TestHostileNamesAtRandom lets names be anything, and wants text that the lint
// and the reader accept. The lint finds devices that are defined twice.
func TestHostileNamesAtRandom(t *testing.T) {
	name := rapid.OneOf(
		rapid.String(), rapid.SampledFrom(hostileNames),
		rapid.StringMatching(`[hH]idden(|0|_u|_u0|\.u|_0_sum|_n|_gate)`),
	)
	rapid.Check(t, func(r *rapid.T) {
		// Names of one kind differ; populations and inputs share a name space.
		sources := rapid.SliceOfNDistinct(name, 4, 4, rapid.ID).Draw(r, "sources")
		others := rapid.SliceOfNDistinct(name, 5, 5, rapid.ID).Draw(r, "others")
		net := hostileNet(append(sources, others...))
		if _, err := lower.Network(net, lower.Options{Learning: true}); err != nil {
			return // "a/b" and "a.b" are not names of a model; here two parts may end with one
		}
		d, side := emitted(t, lowered(t, net, true), spice.Options{Stop: 1e-3})
		oneNodeEach(t, side)
		if t.Failed() {
			r.Fatalf("sources %q, others %q:\n%s", sources, others, read(t, d, spice.NetlistFile))
		}
	})
}
