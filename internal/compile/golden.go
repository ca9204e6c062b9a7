package compile

import (
	"vlec/emit/verilog"
	"vlec/model"
	"vlec/sim/fixed"
	"vlec/sim/reference"
)

// Golden runs the integer model on the model's own stimuli and teacher, for the
// vectors of a testbench.
func Golden(net *model.Network, core *verilog.Core, steps int) (*verilog.Vectors, error) {
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		return nil, err
	}
	p := core.Plan
	f, err := fixed.New(p)
	if err != nil {
		return nil, err
	}
	v := verilog.NewVectors(steps)
	in, out := core.Schedule.StreamIn(), core.Schedule.StreamOut()
	for step := range steps {
		if step == v.Clear {
			f.Clear()
		}
		f.Learn = p.Learning && step < v.Still
		s.Stimulate()
		s.Step()
		for k := range net.Inputs {
			for i, x := range s.Input(k) {
				f.Input(k)[i] = p.Rate.Word(x)
			}
		}
		for k, t := range net.Targets {
			for pop := range net.Populations {
				if net.Populations[pop] == t.Population {
					for i, x := range s.Target(k) {
						f.Target(pop)[i] = p.Rate.Word(x)
					}
				}
			}
		}
		f.Step()
		var sample, answer []int64
		inputs := 0
		for _, q := range in {
			if q.Population < 0 {
				sample = append(sample, f.Input(inputs)...)
				inputs++
			} else {
				sample = append(sample, f.Target(q.Population)...)
			}
		}
		for _, q := range out {
			answer = append(answer, f.Population(q.Population).R...)
		}
		v.Stimulus, v.Expected = append(v.Stimulus, sample), append(v.Expected, answer)
	}
	var w, bias [][]int64
	for k := range p.Projections {
		w = append(w, f.W(k))
	}
	for k := range p.Populations {
		bias = append(bias, f.Bias(k))
	}
	v.Weights = core.Schedule.Arrange(w, bias)
	return v, nil
}
