package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vlec/model/source"
)

// readTeacher reads [teacher.population.NAME] and [teacher.projection.NAME].
// The teacher sees the inputs of the model.
func (d *decoder) readTeacher(n *source.Node) {
	if n == nil {
		return
	}
	t := d.Table(n)
	net := d.net
	teacher := &Network{
		Name: net.Name + "-teacher", File: net.File, Dt: net.Dt, Duration: net.Duration, Seed: net.Seed, Beta: net.Beta,
		Learning: Learning{Optimizer: SGD, Batch: net.Learning.Batch}, Inputs: net.Inputs, Probe: Probe{Every: net.Dt},
	}
	sources := map[string]Source{}
	for _, in := range net.Inputs {
		sources[in.Name] = in
	}
	d.inTeach = true
	teacher.Populations = d.readPopulations(t.Need("population", "add a [teacher.population.NAME]"), sources)
	teacher.Projections = d.readProjections(t.Get("projection"), sources)
	d.inTeach = false
	t.Done()
	net.Teacher = teacher
}

// readTargets reads [target.NAME].
func (d *decoder) readTargets(n *source.Node) {
	owner := map[*Population]string{}
	for _, f := range d.named(n, "target") {
		t := d.Table(f)
		tg := &Target{Name: f.Key, Pos: f.KeyPos}
		tg.Population = d.population(t, "population", d.net.Populations, "")
		tg.Loss = source.Choice(t, "loss", d.loss, Losses)
		size := 1
		if p := tg.Population; p != nil {
			size = p.Size
			if first := owner[p]; first != "" {
				t.Fail("population", "keep one of them", "%s already has the target %s", p.Name, first)
			}
			owner[p] = f.Key
			if tg.Loss == CrossEntropy && p.Activation != Linear {
				at := t.Get("loss")
				if at == nil {
					at = t.Get("population")
				}
				d.Fail(at, `give it activation = "linear": the softmax is its nonlinearity`, "cross-entropy needs a linear population, but %s is %s", p.Name, p.Activation)
			}
		}
		switch {
		case t.Has("teacher"):
			for _, k := range []string{"signal", "terms", "channels", "dataset"} {
				if x := t.Field(k); x != nil {
					t.Get(k)
					d.FailAt(x.KeyPos, "keep one of them", "%s does not go with teacher", k)
				}
			}
			if d.net.Teacher == nil {
				t.Fail("teacher", "add [teacher.population.NAME] and its projections", "there is no teacher in this model")
				break
			}
			tg.Teacher = d.population(t, "teacher", d.net.Teacher.Populations, "teacher's ")
			if tg.Teacher != nil && tg.Population != nil && tg.Teacher.Size != size {
				t.Fail("teacher", "", "the teacher's %s has %s, but %s has %d", tg.Teacher.Name, count(tg.Teacher.Size, "neuron"), tg.Population.Name, size)
			}
		case t.Has("dataset"):
			tg.Trials = d.trials(func() []Waveform { return d.datasetTarget(t, size) })
			tg.Signal = tg.Trials[0]
		default:
			tg.Trials = d.trials(func() []Waveform { return d.channels(t, "teacher", "dataset") })
			tg.Signal = tg.Trials[0]
			if tg.Population != nil && tg.Signal != nil && len(tg.Signal) != size {
				at := f.KeyPos
				for _, k := range []string{"channels", "size"} {
					if x := t.Field(k); x != nil {
						at = x.Pos
					}
				}
				d.FailAt(at, "give as many channels as neurons", "target %s has %s, but %s has %s", f.Key, count(len(tg.Signal), "channel"), tg.Population.Name, count(size, "neuron"))
			}
		}
		t.Done()
		d.net.Targets = append(d.net.Targets, tg)
	}
}

// population resolves the name of a population.
func (d *decoder) population(t *source.Table, key string, among []*Population, whose string) *Population {
	n := t.Need(key, "name a population")
	if n == nil {
		return nil
	}
	name, ok := d.Text(n)
	if !ok {
		return nil
	}
	names := make([]string, len(among))
	for i, p := range among {
		if p.Name == name {
			return p
		}
		names[i] = p.Name
	}
	d.Fail(n, source.Suggest(name, names, "there are"), "%s names %q, which is none of the %spopulations", key, name, whose)
	return nil
}

// SignalKinds lists what a run can record: of a population its potentials u and
// v, the prospective y, rate r, instantaneous and prospective errors x and e,
// forward drive a, bias and tau_m, mismatch eps and its energy E; of a projection W
// and B; of an input "in" and of a target "target" and its cost; and of the network
// the loss of all targets, the energy E and the action S.
var SignalKinds = []string{
	"u", "v", "y", "r", "x", "e", "a", "bias", "tau_m", "W", "B", "in", "target", "loss", "eps", "E", "cost", "S",
}

func (d *decoder) readProbe(n *source.Node) {
	t := d.Table(n)
	net := d.net
	net.Probe = Probe{Every: t.Float("every", net.Dt, source.Positive)}
	if k := net.Probe.Every / net.Dt; math.Abs(k-math.Round(k)) > 1e-6*k || k < 0.5 {
		t.Fail("every", fmt.Sprintf("choose %v", math.Max(1, math.Round(k))*net.Dt), "every is %v, but must be a multiple of dt = %v", net.Probe.Every, net.Dt)
	}
	if list := t.Get("signals"); list != nil {
		if !list.IsArray() {
			d.Fail(list, `write signals = ["u", "hidden.r"]`, "signals is %s, but must be a list", list.Kind())
		}
		known := map[string]bool{}
		for _, kind := range SignalKinds {
			known[kind] = true
			for _, owner := range d.owners(kind) {
				known[owner+"."+kind] = true
			}
		}
		for _, e := range list.Elems {
			name, ok := d.Text(e)
			if !ok {
				continue
			}
			if known[name] {
				net.Probe.Signals = append(net.Probe.Signals, name)
				continue
			}
			owner, kind, dotted := strings.Cut(name, ".")
			switch {
			case !dotted:
				d.Fail(e, source.Suggest(name, SignalKinds, "choose"), "there is no signal %q", name)
			case !slices.Contains(SignalKinds, kind):
				d.Fail(e, source.Suggest(kind, SignalKinds, "choose"), "there is no signal %q", kind)
			default:
				d.Fail(e, source.Suggest(owner, d.owners(kind), "there are"), "nothing called %q has a signal %s", owner, kind)
			}
		}
	}
	t.Done()
}

// owners returns the names of what has a signal of some kind.
func (d *decoder) owners(kind string) (names []string) {
	switch kind {
	case "W":
		for _, p := range d.net.Projections {
			names = append(names, p.Name)
		}
	case "B":
		for _, p := range d.net.Projections {
			if p.Feedback.Rule != Transpose {
				names = append(names, p.Name)
			}
		}
	case "in":
		for _, in := range d.net.Inputs {
			names = append(names, in.Name)
		}
	case "target", "cost":
		for _, t := range d.net.Targets {
			names = append(names, t.Name)
		}
	case "loss", "S":
	default:
		for _, p := range d.net.Populations {
			names = append(names, p.Name)
		}
	}
	return names
}
