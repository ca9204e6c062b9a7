// Package sweep runs a model many times with something changed, and sums up what
// came of it.
//
// # For maintainers
//
// A sweep changes a copy of the model, and hands it to what anybody would call:
// crosscheck.Train for netlists. Runs share nothing, so that as many go side by
// side as there are cores, and the result does not depend on how many.
package sweep

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"vlec/internal/calibrate"
	"vlec/internal/operating"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/crosscheck"
	"vlec/sim/reference"
)

// A bench is how circuits are trained and measured.
type bench struct {
	level, engine   string
	window, maxStep float64
	noNull          bool // leave the offsets of transistor cells
}

// trains lets a circuit train itself, and returns what it learned.
func (b *bench) trains(ctx context.Context, net *model.Network, at string) (weights, error) {
	t, err := crosscheck.Train(ctx, net, crosscheck.TrainOptions{Level: b.level, Engine: b.engine, Dir: at, NoCheck: true, MaxStep: b.maxStep, NoNull: b.noNull})
	if err != nil {
		return nil, err
	}
	return t.Weights, nil
}

// unfit says why a circuit is none that could be used, "" where nothing is wrong or
// something else than the circuit.
func unfit(ctx context.Context, err error) string {
	switch offset := (*calibrate.NotNulledError)(nil); {
	case ctx.Err() != nil:
		return ""
	case errors.As(err, &offset):
		return offset.Error()
	case errors.Is(err, operating.ErrNoPoint):
		return operating.ErrNoPoint.Error()
	}
	return ""
}

// holds is the loss of a circuit with given weights, held.
func (b *bench) holds(ctx context.Context, net *model.Network, w weights, at string) (float64, error) {
	t, err := crosscheck.Train(ctx, shortened(load(clone(net), w), b.window), crosscheck.TrainOptions{
		Level: b.level, Engine: b.engine, Dir: at, Frozen: true, NoCheck: true, Window: b.window, MaxStep: b.maxStep, NoNull: b.noNull,
	})
	if err != nil {
		return 0, err
	}
	return t.Last, nil
}

// follows is how far the signals of a circuit with the weights of its model are from
// the reference's, over the same window.
func (b *bench) follows(ctx context.Context, net *model.Network, at string) (map[string]sim.Measure, error) {
	net = shortened(clone(net), b.window)
	v, err := crosscheck.Spice(ctx, net, crosscheck.SpiceOptions{
		Level: b.level, Engine: b.engine, Dir: at, From: net.Duration - b.window, MaxStep: b.maxStep, NoNull: b.noNull,
	})
	if err != nil {
		return nil, err
	}
	return v.Report.Summary(), nil
}

// holdsInReference is the loss of the reference with given weights, held.
func holdsInReference(ctx context.Context, net *model.Network, w weights, window float64) (float64, error) {
	net = shortened(load(clone(net), w), window)
	trace, _, err := reference.Run(ctx, net, reference.Options{Semantics: reference.Continuous, Signals: []string{"loss"}, Every: net.Dt})
	if err != nil {
		return 0, err
	}
	s := trace.Signal("loss")
	sum, n := 0.0, 0
	for k, t := range s.Time {
		if t > net.Duration-window {
			sum, n = sum+s.Data[k], n+1
		}
	}
	return sum / float64(n), nil
}

// parallel calls f for 0 to n-1 on as many cores as there are, and returns the
// error of the first that failed.
func parallel(ctx context.Context, n int, progress func(string, float64), f func(int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wait sync.WaitGroup
	var lock sync.Mutex
	done := 0
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for k := range next {
				if errs[k] = ctx.Err(); errs[k] == nil {
					errs[k] = f(k)
				}
				lock.Lock()
				done++
				if progress != nil {
					progress("circuits", float64(done)/float64(n))
				}
				lock.Unlock()
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// shortened lets a circuit that holds its weights run long enough to forget its
// beginning.
func shortened(net *model.Network, window float64) *model.Network {
	net.Duration = min(net.Duration, 4*window)
	return net
}

// Weights by signal: in_hidden.W, in_hidden.B, hidden.bias.
type weights map[string][]float64

func fromReference(r *reference.Result) weights {
	w := weights{}
	for name, v := range r.W {
		w[name+".W"] = v
	}
	for name, v := range r.B {
		w[name+".B"] = v
	}
	for name, v := range r.Bias {
		w[name+".bias"] = v
	}
	return w
}

// load gives a network the weights that a run learned, where it learned any.
func load(net *model.Network, from weights) *model.Network {
	take := func(name string, to *[]float64) {
		if w, ok := from[name]; ok {
			*to = slices.Clone(w)
		}
	}
	for _, p := range net.Projections {
		take(p.Name+".W", &p.W)
		take(p.Name+".B", &p.Feedback.B)
	}
	for _, p := range net.Populations {
		take(p.Name+".bias", &p.Bias)
	}
	return net
}

// clone copies what a sweep changes of a network.
func clone(net *model.Network) *model.Network {
	out := *net
	populations := map[*model.Population]*model.Population{}
	out.Populations = nil
	for _, p := range net.Populations {
		q := *p
		populations[p] = &q
		out.Populations = append(out.Populations, &q)
	}
	out.Projections = nil
	for _, p := range net.Projections {
		q := *p
		if from, ok := p.From.(*model.Population); ok {
			q.From = populations[from]
		}
		q.To = populations[p.To]
		out.Projections = append(out.Projections, &q)
	}
	out.Targets = nil
	for _, t := range net.Targets {
		q := *t
		q.Population = populations[t.Population]
		out.Targets = append(out.Targets, &q)
	}
	return &out
}
