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
	p, err := newPlanner(ctx, net, learning)
	if err != nil {
		return nil, err
	}
	return p.plan(o)
}

// A planner has what all plans of a model are made from.
type planner struct {
	net      *model.Network
	learning bool
	n        *format.Network
	observed map[string]float64
}

func newPlanner(ctx context.Context, net *model.Network, learning bool) (*planner, error) {
	observed, err := Observe(ctx, net, learning)
	if err != nil {
		return nil, err
	}
	n, err := fixedNetwork(net, learning)
	if err != nil {
		return nil, err
	}
	return &planner{net, learning, n, observed}, nil
}

// plan is Plan for a model that has been observed.
func (p *planner) plan(o format.Options) (*format.Plan, error) {
	o.Dt, o.Observed = p.net.Dt, p.observed
	return format.New(p.n, o)
}

// asked is the plan of the bits or of the error that were asked for.
func (p *planner) asked(ctx context.Context, o VerilogOptions) (*format.Plan, error) {
	if o.Error > 0 {
		return p.planFor(ctx, o.formats(), o.Error)
	}
	return p.plan(o.formats())
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
	p, err := newPlanner(ctx, net, learning)
	if err != nil {
		return nil, err
	}
	return p.planFor(ctx, o, goal)
}

// planFor is PlanFor for a model that has been observed.
func (p *planner) planFor(ctx context.Context, o format.Options, goal float64) (*format.Plan, error) {
	o.Dt, o.Observed = p.net.Dt, p.observed
	return format.Meet(p.n, o, goal, func(plan *format.Plan) (float64, error) {
		r, err := RunFixed(ctx, p.net, plan, p.learning)
		if err != nil {
			return 0, err
		}
		worst := 0.0
		for _, name := range plan.Outputs() {
			worst = math.Max(worst, r.Distance[name+".r"])
		}
		return worst, nil
	})
}
