package main

import (
	"fmt"

	"vlec/sim"
	"vlec/sim/reference"
)

type gradcheckCmd struct {
	Model    string  `arg:"" help:"Model file (TOML)." predictor:"file"`
	Duration float64 `help:"Replace the model's duration." placeholder:"T"`
	From     float64 `help:"Leave out what is before this time." placeholder:"T"`
	To       float64 `help:"Leave out what is after this time." placeholder:"T"`
	MinCos   float64 `help:"Exit with 1 when a projection's cosine is below this." default:"-1" placeholder:"X"`
}

func (c *gradcheckCmd) Help() string {
	return `Runs the model with resting weights and compares, projection by projection, the
update that the local rule makes with the exact gradient, found by the adjoint of the
synchronous dynamics. A cosine of 1 is the direction of steepest descent.

Examples:
  vlec gradcheck examples/chain/model.toml
  vlec gradcheck examples/chain/model.toml --from 10 --to 30 --min-cos 0.9`
}

func (c *gradcheckCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	check, err := reference.CheckGradient(g.ctx, net, reference.GradientOptions{Duration: c.Duration, From: c.From, To: c.To})
	if err != nil {
		return err
	}
	type row struct {
		Projection string   `json:"projection"`
		Cosine     *float64 `json:"cosine"` // null where one of the two is zero
		NormRatio  *float64 `json:"norm_ratio"`
	}
	doc := struct {
		Model       string  `json:"model"`
		Loss        float64 `json:"loss"`
		Projections []row   `json:"projections"`
		Pass        bool    `json:"pass"`
	}{Model: net.Name, Loss: check.Loss, Pass: true}
	rows := [][]string{{"projection", "cosine", "norm ratio"}}
	for _, p := range check.Projections {
		doc.Projections = append(doc.Projections, row{p.Name, sim.Finite(p.Cosine), sim.Finite(p.NormRatio)})
		rows = append(rows, []string{p.Name, fmt.Sprintf("%.6f", p.Cosine), short(p.NormRatio)})
		if !(p.Cosine >= c.MinCos) {
			doc.Pass = false
		}
	}
	if g.JSON {
		if err := g.json(doc); err != nil {
			return err
		}
	} else {
		g.table(rows)
		g.say("\n%s: local update against the exact gradient of a loss of %s", net.Name, short(check.Loss))
	}
	if !doc.Pass {
		return errNo
	}
	return nil
}
