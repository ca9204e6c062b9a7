package crosscheck

import (
	"context"
	"math"

	"vlec/circuit/lower"
	"vlec/emit/verilog/format"
	"vlec/model"
)

// Plan plans the formats of a model: it runs the reference to observe ranges,
// lowers the model and asks the planner. Options.Dt and Options.Observed are
// filled in.
func Plan(ctx context.Context, net *model.Network, learning bool, o format.Options) (*format.Plan, error) {
	observed, err := Observe(ctx, net, learning)
	if err != nil {
		return nil, err
	}
	n, err := fixedNetwork(net, learning)
	if err != nil {
		return nil, err
	}
	o.Dt, o.Observed = net.Dt, observed
	return format.New(n, o)
}

func fixedNetwork(net *model.Network, learning bool) (*format.Network, error) {
	c, err := lower.Network(net, lower.Options{Learning: learning, Clocked: true})
	if err != nil {
		return nil, err
	}
	n, err := format.FromCircuit(c)
	if err != nil {
		return nil, err
	}
	for i := range n.Projections {
		l := &n.Projections[i]
		for _, p := range net.Projections {
			if f := p.Feedback; learning && p.Name == l.Name && l.From >= 0 && f.Rule == model.GainTranspose && f.Eta != 0 {
				n.Learning = true
				l.Feedback = format.Feedback{Kind: format.Scaled, B: format.Transposed(f.B, p.From.Width(), p.To.Size), Rate: f.Eta, Slope: 1}
			}
		}
	}
	// A circuit has noise as samples; hardware makes its own.
	for i := range n.Populations {
		z := n.Populations[i].Noise
		for _, p := range net.Projections {
			if z != nil && p.Name == z.Projection {
				z.Sigma, z.Tau, z.Seed = p.Feedback.NoiseSigma, p.Feedback.NoiseTau, net.Seed
			}
		}
	}
	return n, nil
}

// PlanFor plans with the fewest bits with which the rates that leave the network
// stay within goal of the synchronous reference (format.Meet). Where no bound is
// proved it runs the integer model beside the reference.
func PlanFor(ctx context.Context, net *model.Network, learning bool, o format.Options, goal float64) (*format.Plan, error) {
	observed, err := Observe(ctx, net, learning)
	if err != nil {
		return nil, err
	}
	n, err := fixedNetwork(net, learning)
	if err != nil {
		return nil, err
	}
	o.Dt, o.Observed = net.Dt, observed
	return format.Meet(n, o, goal, func(p *format.Plan) (float64, error) {
		r, err := RunFixed(ctx, net, p, learning)
		if err != nil {
			return 0, err
		}
		worst := 0.0
		for _, name := range p.Outputs() {
			worst = math.Max(worst, r.Distance[name+".r"])
		}
		return worst, nil
	})
}
