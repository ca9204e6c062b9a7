package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/internal/compile"
	"vlec/model"
)

type lowerCmd struct {
	Model    string `arg:"" help:"Model file (TOML)." predictor:"file"`
	Format   string `help:"Form of the graph: ${enum}; svg needs Graphviz." enum:"text,dot,svg" default:"text"`
	Learning bool   `help:"Include the weight stores that learn." negatable:"" default:"true"`
	Passes   string `help:"Stop after: ${enum}. none is the graph as lowered, in model units." enum:"none,all" default:"all"`
}

func (c *lowerCmd) Help() string {
	return `Examples:
  vlec lower examples/chain/model.toml
  vlec lower examples/chain/model.toml --format svg > chain.svg`
}

func (c *lowerCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	text, err := c.render(g.ctx, net)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.json(map[string]string{"model": net.Name, "format": c.Format, "circuit": text})
	}
	_, err = fmt.Fprint(g.stdout, text)
	return err
}

func (c *lowerCmd) render(ctx context.Context, net *model.Network) (string, error) {
	build := analog
	if c.Passes == "none" {
		build = lowered
	}
	graph, err := build(ctx, net, c.Learning)
	switch {
	case err != nil:
		return "", err
	case c.Format == "text":
		return graph.String(), nil
	case c.Format == "dot":
		return graph.Dot(), nil
	}
	dot, err := exec.LookPath("dot")
	if err != nil {
		return "", errors.New("svg needs Graphviz, and there is no dot on PATH; install it, or use --format dot")
	}
	cmd := exec.Command(dot, "-Tsvg")
	cmd.Stdin = strings.NewReader(graph.Dot())
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("dot: %w: %s", err, complaint.String())
	}
	return out.String(), nil
}

var analog = func(ctx context.Context, net *model.Network, learning bool) (*circuit.Circuit, error) {
	c, _, err := compile.Analog(ctx, net, compile.SpiceOptions{Learning: learning})
	return c, err
}

var lowered = func(_ context.Context, net *model.Network, learning bool) (*circuit.Circuit, error) {
	return lower.Network(net, lower.Options{Learning: learning})
}
