package crosscheck

import (
	"context"
	"math"

	"vlec/model"
	"vlec/sim/reference"
)

// Observe runs the synchronous reference for the model's duration and returns the
// largest magnitude of every signal that a fixed-point core has a format for,
// under the names of format.Options.
func Observe(ctx context.Context, net *model.Network, learning bool) (map[string]float64, error) {
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		return nil, err
	}
	if learning {
		s.Learning = reference.Local
	}
	o := observer{net: net, s: s, most: map[string]float64{}}
	o.remember()
	for range Steps(net) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.Stimulate()
		s.Step()
		o.look()
	}
	o.weights()
	return o.most, nil
}

type observer struct {
	net       *model.Network
	s         *reference.Synchronous
	most      map[string]float64
	formerU   [][]float64
	formerV   [][]float64
	formerPhi [][]float64
}

func (o *observer) note(name string, v float64) {
	v = math.Abs(v)
	if math.IsNaN(v) {
		v = math.Inf(1) // there is no range
	}
	if most, seen := o.most[name]; !seen || v > most {
		o.most[name] = v
	}
}

func (o *observer) remember() {
	for k := range o.net.Populations {
		z := o.s.Population(k)
		if len(o.formerU) <= k {
			o.formerU = append(o.formerU, nil)
			o.formerV = append(o.formerV, nil)
			o.formerPhi = append(o.formerPhi, nil)
		}
		o.formerU[k] = append(o.formerU[k][:0], z.U...)
		o.formerV[k] = append(o.formerV[k][:0], z.V...)
		o.formerPhi[k] = append(o.formerPhi[k][:0], z.Slope...)
	}
}

func (o *observer) look() {
	for k, p := range o.net.Populations {
		z := o.s.Population(k)
		for i := range p.Size {
			o.note(p.Name+".u", z.U[i])
			o.note(p.Name+".y", z.Y[i])
			o.note(p.Name+".r", z.R[i])
			o.note(p.Name+".v", z.V[i])
			o.note(p.Name+".e", z.E[i])
			o.note(p.Name+".a", z.A[i])
			o.note(p.Name+".total", z.Total[i])
			o.note(p.Name+".dU", z.Total[i]-o.formerU[k][i])
			o.note(p.Name+".dV", z.X[i]-o.formerV[k][i])
			if phi := o.formerPhi[k][i]; phi != 0 {
				o.note(p.Name+".back", z.X[i]/phi)
			}
		}
	}
	for k, in := range o.net.Inputs {
		for _, v := range o.s.Input(k) {
			o.note(in.Name+".r", v)
		}
	}
	for k, t := range o.net.Targets {
		for _, v := range o.s.Target(k) {
			o.note("target/"+t.Name, v)
		}
	}
	if o.s.Steps()%64 == 0 {
		o.weights()
	}
	o.remember()
}

func (o *observer) weights() {
	for k, p := range o.net.Projections {
		for _, w := range o.s.W(k) {
			o.note(p.Name+".W", w)
		}
		for _, b := range o.s.B(k) {
			o.note(p.Name+".B", b)
		}
	}
	for k, p := range o.net.Populations {
		for _, b := range o.s.Bias(k) {
			o.note(p.Name+".bias", b)
		}
	}
}
