package reference

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"vlec/internal/npy"
	"vlec/model"
)

// Weights is all that learning may change, by the names of the model.
type Weights struct {
	W    map[string][]float64 // by projection, n x m row-major
	B    map[string][]float64 // by projection, m x n, where backward weights are not W^T
	Bias map[string][]float64 // by population
	TauM map[string][]float64 // by population [time unit]
}

// Write writes the weights as an .npz archive of float64 arrays called
// "PROJECTION.W", "PROJECTION.B", "POPULATION.bias" and "POPULATION.tau_m", in
// the order of the network that they are of.
func (w *Weights) Write(out io.Writer, net *model.Network) error {
	var entries []npy.Entry
	add := func(name string, v []float64, shape ...int) {
		if v != nil {
			entries = append(entries, npy.Entry{Name: name, Array: npy.Of(v, shape...)})
		}
	}
	for _, p := range net.Projections {
		n, m := p.To.Size, p.From.Width()
		add(p.Name+".W", w.W[p.Name], n, m)
		add(p.Name+".B", w.B[p.Name], m, n)
	}
	for _, p := range net.Populations {
		add(p.Name+".bias", w.Bias[p.Name], p.Size)
		add(p.Name+".tau_m", w.TauM[p.Name], p.Size)
	}
	return npy.WriteArchive(out, entries)
}

// ReadWeights reads an archive that Write wrote, or the weights of a checkpoint.
func ReadWeights(name string) (*Weights, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	entries, err := npy.ReadArchive(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	w := &Weights{W: map[string][]float64{}, B: map[string][]float64{}, Bias: map[string][]float64{}, TauM: map[string][]float64{}}
	for _, e := range entries {
		if strings.HasPrefix(e.Name, statePrefix) || e.Name == headerName || e.Name == sumName {
			continue
		}
		owner, kind, _ := cutLast(e.Name)
		to := map[string]map[string][]float64{"W": w.W, "B": w.B, "bias": w.Bias, "tau_m": w.TauM}[kind]
		if to == nil || owner == "" {
			return nil, fmt.Errorf("%s: array %.64q is no weight; they are called NAME.W, NAME.B, NAME.bias and NAME.tau_m", name, e.Name)
		}
		to[owner] = e.Float64s()
	}
	return w, nil
}

// Apply returns a network that starts from these weights; the given one is not
// changed. Every projection of the network must be there, and everything there
// must be of the network, with as many values. What is missing besides keeps the
// model's values. Backward weights of a projection whose feedback is W^T, fixed or
// not, are not used.
func (w *Weights) Apply(net *model.Network) (*model.Network, error) {
	var errs []error
	known := map[string]bool{} // "kind name"
	take := func(kind, name string, from map[string][]float64, to *[]float64, needed bool) {
		known[kind+" "+name] = true
		v, ok := from[name]
		switch {
		case !ok && needed:
			errs = append(errs, fmt.Errorf("no weights for projection %s; they are of another network", name))
		case !ok:
		case len(v) != len(*to):
			errs = append(errs, fmt.Errorf("%s of %s has %d values, the model wants %d; they are of another network", kind, name, len(v), len(*to)))
		default:
			*to = slices.Clone(v)
		}
	}
	out := *net
	pops := map[*model.Population]*model.Population{}
	out.Populations = nil
	for _, p := range net.Populations {
		q := *p
		take("bias", p.Name, w.Bias, &q.Bias, false)
		take("tau_m", p.Name, w.TauM, &q.TauM, false)
		pops[p] = &q
		out.Populations = append(out.Populations, &q)
	}
	out.Projections = nil
	for _, p := range net.Projections {
		q := *p
		q.To = pops[p.To]
		if from, ok := p.From.(*model.Population); ok {
			q.From = pops[from]
		}
		take("W", p.Name, w.W, &q.W, true)
		if known["B "+p.Name] = true; q.Feedback.B != nil {
			take("B", p.Name, w.B, &q.Feedback.B, false)
		}
		out.Projections = append(out.Projections, &q)
	}
	out.Targets = nil
	for _, t := range net.Targets {
		q := *t
		q.Population = pops[t.Population]
		out.Targets = append(out.Targets, &q)
	}
	for kind, from := range map[string]map[string][]float64{"W": w.W, "B": w.B, "bias": w.Bias, "tau_m": w.TauM} {
		for name := range from {
			if !known[kind+" "+name] {
				errs = append(errs, fmt.Errorf("%s of %s, which the model does not have; they are of another network", kind, name))
			}
		}
	}
	slices.SortStableFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return &out, errors.Join(errs...)
}

// weightsOf copies the present weights of a run.
func weightsOf(p *plan, run observed) Weights {
	w := Weights{W: map[string][]float64{}, B: map[string][]float64{}, Bias: map[string][]float64{}, TauM: map[string][]float64{}}
	for k, l := range p.links {
		w.W[l.Name] = slices.Clone(run.ofProjection("W", k))
		if b := run.ofProjection("B", k); b != nil {
			w.B[l.Name] = slices.Clone(b)
		}
	}
	for k, pop := range p.pops {
		w.Bias[pop.Name] = slices.Clone(run.ofPopulation("bias", k))
		w.TauM[pop.Name] = slices.Clone(run.ofPopulation("tau_m", k))
	}
	return w
}
