package reference

import (
	"context"
	"math"
	"testing"

	"vlec/model"
	"vlec/sim"
)

// independentEnergy evaluates the energy from the definition, with membranes,
// rates, stimuli and weights alone: du/dt is given, drives are summed here.
func independentEnergy(net *model.Network, at int, tr *sim.Trace, u, dudt func(pop string, i int) float64, r func(source string) []float64) (total float64, terms map[string]float64) {
	terms = map[string]float64{}
	for _, p := range net.Populations {
		for i := range p.Size {
			eps := u(p.Name, i) + p.TauM[i]*dudt(p.Name, i) - p.Bias[i]
			for _, q := range net.Projections {
				if q.To != p {
					continue
				}
				for j, v := range r(q.From.ID()) {
					eps -= q.W[i*q.From.Width()+j] * v
				}
			}
			terms[p.Name+".E"] += eps * eps / 2
		}
		total += terms[p.Name+".E"]
	}
	for _, t := range net.Targets {
		rates, target := tr.Signal(t.Population.Name+".r").At(at), tr.Signal(t.Name+".target").At(at)
		c, partition := 0.0, 0.0
		for i := range rates {
			partition += math.Exp(rates[i])
			c += (target[i] - rates[i]) * (target[i] - rates[i]) / 2
		}
		if t.Loss == model.CrossEntropy {
			c = 0
			for i := range rates {
				c -= target[i] * math.Log(math.Exp(rates[i])/partition)
			}
		}
		terms[t.Name+".cost"] = net.Beta * c
		total += net.Beta * c
	}
	return total, terms
}

// energyNetworks are one with a loop and squared loss and one with cross-entropy.
func energyNetworks() []*model.Network {
	squared := randomNetwork(6, true, 0.2)
	crossed := randomNetwork(7, false, 0.1)
	crossed.Populations[2].Activation, crossed.Targets[0].Loss = model.Linear, model.CrossEntropy
	crossed.Targets[0].Signal = []model.Waveform{model.Constant{Value: 0.3}, model.Constant{Value: 0.7}}
	return []*model.Network{squared, crossed}
}

const margin = 3 // samples at either end without a central difference

// energyError compares a trace with the definition, for a network that should be
// the one it is of, and returns the largest difference of energies, and the action
// between the margins.
func energyError(net *model.Network, tr *sim.Trace, semantics Semantics) (worst, action float64) {
	samples := len(tr.Signal("S").Time)
	for k := margin; k < samples-margin; k++ {
		value := func(name string, at, i int) float64 { return tr.Signal(name).At(at)[i] }
		u := func(pop string, i int) float64 { return value(pop+".u", k, i) }
		// A central difference of sixth order.
		dudt := func(pop string, i int) float64 {
			sum := 0.0
			for d, c := range []float64{3. / 4, -3. / 20, 1. / 60} {
				sum += c * (value(pop+".u", k+d+1, i) - value(pop+".u", k-d-1, i)) / net.Dt
			}
			return sum
		}
		r := func(source string) []float64 {
			if s := tr.Signal(source + ".r"); s != nil {
				return s.At(k)
			}
			return tr.Signal(source + ".in").At(k)
		}
		if semantics == Clocked {
			// The step that ends at this sample starts from the one before and hears
			// the rates of the one before.
			u = func(pop string, i int) float64 { return value(pop+".u", k-1, i) }
			dudt = func(pop string, i int) float64 {
				return (value(pop+".u", k, i) - value(pop+".u", k-1, i)) / net.Dt
			}
			r = func(source string) []float64 {
				if s := tr.Signal(source + ".r"); s != nil {
					return s.At(k - 1)
				}
				return tr.Signal(source + ".in").At(k)
			}
		}
		total, terms := independentEnergy(net, k, tr, u, dudt, r)
		terms["E"] = total
		for name, want := range terms {
			worst = max(worst, math.Abs(value(name, k, 0)-want))
		}
		if E := tr.Signal("E"); k > 0 {
			action += (E.At(k)[0] + E.At(k - 1)[0]) / 2 * net.Dt
		}
	}
	return worst, action
}

func TestEnergy(t *testing.T) {
	for _, semantics := range []Semantics{Continuous, Clocked} {
		for _, net := range energyNetworks() {
			net.Duration, net.Dt = 2, 0.005
			tr, _, err := Run(context.Background(), net, Options{
				Semantics: semantics, Signals: []string{"u", "r", "in", "target", "E", "S", "eps"}, RelTol: 1e-11,
			})
			if err != nil {
				t.Fatal(err)
			}
			worst, action := energyError(net, tr, semantics)
			samples := len(tr.Signal("S").Time)
			S := tr.Signal("S")
			if d := math.Abs(S.At(samples - margin - 1)[0] - S.At(margin - 1)[0] - action); d > 1e-12 {
				t.Errorf("%s: the action is off by %.2g", semantics, d)
			}
			for name, spoil := range map[string]*float64{
				"a weight": &net.Projections[1].W[0], "a bias": &net.Populations[0].Bias[0],
				"tau_m": &net.Populations[1].TauM[1], "beta": &net.Beta,
			} {
				was := *spoil
				*spoil *= 1.01
				if wrong, _ := energyError(net, tr, semantics); wrong < 1e-7 {
					t.Errorf("%s: %s off by a percent changes energies by %.2g only", semantics, name, wrong)
				}
				*spoil = was
			}
			eps := tr.Signal(net.Populations[1].Name + ".eps")
			largest := 0.0
			for _, v := range eps.Data {
				largest = max(largest, math.Abs(v))
			}
			t.Logf("%s, %s: energies off by at most %.2g; mismatches up to %.2g", semantics, net.Targets[0].Loss, worst, largest)
			if worst > 1e-10 || largest < 1e-3 {
				t.Errorf("%s: energies off by %.2g, mismatches up to %.2g", semantics, worst, largest)
			}
		}
	}
}

// Without coupling of errors the membranes follow their drives, and the energy is
// the cost.
func TestEnergyWithoutCoupling(t *testing.T) {
	net := randomNetwork(6, false, 0)
	tr, _, err := Run(context.Background(), net, Options{Signals: []string{"E", "loss"}, Every: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	for k, e := range tr.Signal("E").Data {
		if want := net.Beta * tr.Signal("loss").Data[k]; math.Abs(e-want) > 1e-15 {
			t.Fatalf("E = %g where beta C is %g", e, want)
		}
	}
}
