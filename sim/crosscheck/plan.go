package crosscheck

import (
	"context"

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
	c, err := lower.Network(net, lower.Options{Learning: learning})
	if err != nil {
		return nil, err
	}
	return format.FromCircuit(c)
}
