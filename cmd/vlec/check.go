package main

import (
	"fmt"
	"strconv"

	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/model"
)

type checkCmd struct {
	Model string `arg:"" help:"Model file (TOML)." predictor:"file"`
}

func (c *checkCmd) Help() string {
	return `Prints every error at once as file:line:col: what is wrong; what to do. A model
without errors is summarised; the loop gain bounds how strongly its instantaneous
loops (gamma > 0, recurrence) feed back on themselves.

Example:
  vlec check examples/chain/model.toml`
}

func (c *checkCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	graph, err := lower.Network(net, lower.Options{})
	if err != nil {
		return err
	}
	s, gain := net.Summary(), pass.LoopGain(graph)
	if g.JSON {
		return g.json(struct {
			model.Summary
			LoopGain float64 `json:"loop_gain"`
		}{s, gain})
	}
	g.say("%s: %s", s.Name, s.Description)
	g.say("%d neurons, %d synapses (%d plastic); tau_m %s, tau_r %s; loop gain %s; %d steps of %s\n",
		s.Neurons, s.Synapses, s.Plastic, span(s.TauM), span(s.TauR), short(gain), s.Steps, short(s.Dt))
	rows := [][]string{{"population", "neurons", "activation", "tau_m", "tau_r"}}
	for _, p := range s.Populations {
		rows = append(rows, []string{p.Name, strconv.Itoa(p.Size), string(p.Activation), span(p.TauM), span(p.TauR)})
	}
	g.table(rows)
	g.say("")
	rows = [][]string{{"projection", "from", "to", "weights", "plastic", "feedback"}}
	for _, p := range s.Projections {
		plastic := "no"
		if p.Plastic {
			plastic = "yes"
		}
		rows = append(rows, []string{p.Name, p.From, p.To, fmt.Sprintf("%d x %d", p.Rows, p.Cols), plastic, string(p.Feedback)})
	}
	g.table(rows)
	return nil
}

// span prints a range, or one number where its ends are the same.
func span(r model.Range) string {
	if r.Min == r.Max {
		return short(r.Min)
	}
	return short(r.Min) + " to " + short(r.Max)
}
