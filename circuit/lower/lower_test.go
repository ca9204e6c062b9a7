package lower_test

import (
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/internal/golden"
	"vlec/model"
)

func load(t *testing.T, file string) *model.Network {
	t.Helper()
	net, err := model.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestGolden lowers whole models; the text that comes out reads back.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		golden, file string
		learning     bool
	}{
		{"chain", "../../examples/chain/model.toml", true},
		{"chain-static", "../../examples/chain/model.toml", false},
		{"recurrent", "../../testdata/models/good/recurrent.toml", true},
		{"rules", "testdata/rules.toml", true},
		{"rules-static", "testdata/rules.toml", false},
	} {
		t.Run(c.golden, func(t *testing.T) {
			g, err := lower.Network(load(t, c.file), lower.Options{Learning: c.learning})
			if err != nil {
				t.Fatal(err)
			}
			text := g.String()
			golden.Check(t, "testdata/"+c.golden+".circuit", text)
			back, err := circuit.Parse(c.golden, text)
			if err != nil {
				t.Fatal(err)
			}
			if err := back.Verify(); err != nil {
				t.Error(err)
			}
			if back.String() != text {
				t.Error("the text reads back as another graph")
			}
		})
	}
}

// TestModelIsNotTouched lowers a model twice: lowering and the passes share no
// slice with it.
func TestModelIsNotTouched(t *testing.T) {
	net := load(t, "testdata/rules.toml")
	first := ""
	for range 2 {
		c, err := lower.Network(net, lower.Options{Learning: true})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = c.String()
		} else if c.String() != first {
			t.Error("changing the numbers of a graph changed the model")
		}
		for _, e := range c.Elements { // as a careless pass would
			for k := range e.Params {
				for j := range e.Params[k].Numbers {
					e.Params[k].Numbers[j] = -1
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*model.Network)
	}{
		{
			"time constants that learn", `set plastic_tau_m = false to emit a circuit`,
			func(n *model.Network) { n.Populations[0].PlasticTauM, n.Populations[0].EtaTauM = true, 0.1 },
		},
		{
			"a weight that only forgets", `projection "in_a" decays but does not learn`,
			func(n *model.Network) { n.Projections[0].Eta = 0 },
		},
		{
			"gains of the transpose", `learns by the rule gain-transpose, for which there is no circuit`,
			func(n *model.Network) { n.Projections[2].Feedback.Rule = model.GainTranspose },
		},
		{
			"feedback that only forgets", `the feedback of projection "mirror" decays but does not learn`,
			func(n *model.Network) { n.Projections[2].Feedback.Eta = 0 },
		},
	} {
		net := load(t, "testdata/rules.toml")
		c.change(net)
		_, err := lower.Network(net, lower.Options{Learning: true})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "testdata/rules.toml:") {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
		if _, err := lower.Network(net, lower.Options{}); err != nil {
			t.Errorf("%s, without learning: %v", c.name, err)
		}
	}
}
