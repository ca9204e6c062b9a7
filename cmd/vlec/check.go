package main

import (
	"vlec/circuit/lower"
	"vlec/circuit/pass"
)

type checkCmd struct {
	Model string `arg:"" help:"Model file (TOML)." predictor:"file"`
}

func (c *checkCmd) Help() string {
	return `Prints every error at once as file:line:col: what is wrong; what to do.

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
	s := net.Summary()
	s.LoopGain = pass.LoopGain(graph)
	if g.JSON {
		return g.json(s)
	}
	g.table(s.Table())
	return nil
}
