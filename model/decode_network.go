package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"vlec/model/source"
)

// rates holds those of [learning]: the defaults of every projection and
// population.
type rates struct {
	eta, etaBias, etaTau, decay, clip float64
	feedback                          *source.Node
}

func (d *decoder) readLearning(n *source.Node) {
	t := d.Table(n)
	d.rates = rates{
		eta:      t.Float("eta", 0, source.NotNegative),
		etaTau:   t.Float("eta_tau", 0, source.NotNegative),
		decay:    t.Float("decay", 0, source.NotNegative),
		clip:     t.Float("clip", 0, source.NotNegative),
		feedback: t.Get("feedback"),
	}
	d.rates.etaBias = t.Float("eta_bias", d.rates.eta, source.NotNegative)
	l := &d.net.Learning
	l.Optimizer = source.Choice(t, "optimizer", SGD, Optimizers)
	switch l.Optimizer {
	case Momentum:
		l.Momentum = t.Float("momentum", 0.9, below1)
	case Adam:
		l.Beta1 = t.Float("beta1", 0.9, below1)
		l.Beta2 = t.Float("beta2", 0.999, below1)
		l.Epsilon = t.Float("epsilon", 1e-8, source.Positive)
	}
	l.Start = t.Float("start", 0, source.NotNegative)
	l.Batch = int(t.Int("batch", 1, 1, 1<<16))
	if schedule := t.Get("schedule"); schedule != nil {
		st := d.Table(schedule)
		l.Schedule = d.stimulus(st, schedule.Path)
		st.Done()
	}
	t.Done()
}

func below1(x float64) string {
	if 0 <= x && x < 1 {
		return ""
	}
	return "must be at least 0 and less than 1"
}

// readPopulations reads [population.NAME] and enters them into sources.
func (d *decoder) readPopulations(n *source.Node, sources map[string]Source) []*Population {
	var list []*Population
	inputs := map[string]string{} // by name in lower case
	for name := range sources {
		inputs[strings.ToLower(name)] = name
	}
	prefix := ""
	if d.inTeach {
		prefix = "teacher."
	}
	for _, f := range d.named(n, "population") {
		if other := inputs[strings.ToLower(f.Key)]; other != "" {
			d.FailAt(f.KeyPos, "rename one: a projection must know which it reads", "population %s has the name of the input %s", f.Key, other)
			continue
		}
		p := &Population{Name: f.Key, Pos: f.KeyPos}
		t := d.Table(f)
		t.Need("size", "say how many neurons it has")
		p.Size = int(t.Int("size", 1, 1, int64(d.limits.neurons)))
		if d.neurons += p.Size; d.neurons > d.limits.neurons {
			t.Fail("size", "", "the model has more than %d neurons", d.limits.neurons)
			return list
		}
		path := prefix + "population." + f.Key + "."
		t.Need("tau_m", "give the membrane time constant in time units")
		p.TauM = d.vector(t.Get("tau_m"), path+"tau_m", p.Size, 1, source.Positive)
		p.TauR = d.vector(d.tauR(t), path+"tau_r", p.Size, 0.1, source.Positive)
		p.Activation = source.Choice(t, "activation", Tanh, Activations)
		p.Bias = d.vector(t.Get("bias"), path+"bias", p.Size, 0)
		p.U0 = d.vector(t.Get("u0"), path+"u0", p.Size, 0)
		d.longEnough(t.Get("tau_m"), p.TauM)
		d.longEnough(t.Get("tau_r"), p.TauR)
		if d.inTeach {
			p.V0 = make([]float64, p.Size)
			d.staticOnly(t, "v0", "plastic_bias", "eta_bias", "plastic_tau_m", "eta_tau")
		} else {
			p.V0 = d.vector(t.Get("v0"), path+"v0", p.Size, 0)
			p.PlasticBias = t.Bool("plastic_bias", false)
			p.EtaBias = d.rate(t, "eta_bias", d.rates.etaBias, p.PlasticBias, "plastic_bias")
			p.PlasticTauM = t.Bool("plastic_tau_m", false)
			p.EtaTauM = d.rate(t, "eta_tau", d.rates.etaTau, p.PlasticTauM, "plastic_tau_m")
		}
		t.Done()
		list = append(list, p)
		sources[f.Key] = p
	}
	return list
}

// tauR returns the node of tau_r and explains why it cannot be zero.
func (d *decoder) tauR(t *source.Table) *source.Node {
	n := t.Need("tau_r", "give the prospective time constant in time units; tau_r = tau_m makes a neuron without memory")
	if n != nil && (n.Value == int64(0) || n.Value == 0.0) {
		d.Fail(n, "for an error without prospection choose tau_r well below tau_m, such as tau_m/100, and not below dt",
			"tau_r is 0, but error neurons low-pass with it (tau_r dv/dt = -v + x)")
	}
	return n
}

// longEnough wants time constants of at least one step (theory: section 3).
func (d *decoder) longEnough(n *source.Node, tau []float64) {
	if n == nil {
		return
	}
	for i, x := range tau {
		if x < d.net.Dt {
			if e := n; n.IsArray() && i < len(n.Elems) {
				e = n.Elems[i]
				d.Fail(e, "shorten dt or lengthen the time constant", "%s is %v, shorter than the step dt = %v", e.Label(), x, d.net.Dt)
			} else {
				d.Fail(n, "shorten dt or lengthen the time constant", "%s is %v, shorter than the step dt = %v", n.Label(), x, d.net.Dt)
			}
			return
		}
	}
}

// rate reads a learning rate that must be there when something is plastic.
func (d *decoder) rate(t *source.Table, key string, def float64, plastic bool, flag string) float64 {
	n := t.Get(key)
	x := t.Float(key, def, source.NotNegative)
	switch {
	case plastic && n == nil && def == 0:
		t.Fail(flag, fmt.Sprintf("set %s here or in [learning]", key), "%s is true in %s, but there is no learning rate", flag, t.Path)
	case !plastic && n != nil:
		d.FailAt(n.KeyPos, fmt.Sprintf("set %s = true or remove %s", flag, key), "%s has no effect: %s is not set in %s", key, flag, t.Path)
	}
	if !plastic {
		return 0
	}
	return x
}

// staticOnly refuses the keys of learning inside the teacher.
func (d *decoder) staticOnly(t *source.Table, keys ...string) {
	for _, k := range keys {
		if f := t.Field(k); f != nil {
			t.Get(k)
			d.FailAt(f.KeyPos, "remove it: a teacher neither learns nor carries errors", "%s does not belong into a teacher", k)
		}
	}
}

// readProjections reads [projection.NAME].
func (d *decoder) readProjections(n *source.Node, sources map[string]Source) []*Projection {
	var list []*Projection
	prefix := ""
	if d.inTeach {
		prefix = "teacher."
	}
	for _, f := range d.named(n, "projection") {
		p := &Projection{Name: f.Key, Pos: f.KeyPos}
		t := d.Table(f)
		from, okFrom := d.sourceOf(t, "from", sources)
		to, okTo := d.sourceOf(t, "to", sources)
		p.From = from
		if in, isInput := to.(*Input); isInput {
			t.Fail("to", "a projection ends at a population", "%s is an input and cannot receive", in.Name)
			okTo = false
		}
		p.To, _ = to.(*Population)
		weights := t.Need("weights", `give rows of numbers, a .npy file or an initialiser such as { init = "xavier" }`)
		feedback, own := t.Get("feedback"), true
		if feedback == nil {
			feedback, own = d.rates.feedback, false
		}
		if d.inTeach {
			d.staticOnly(t, "plastic", "eta", "decay", "clip", "feedback")
		} else {
			p.Plastic = t.Bool("plastic", false)
			p.Eta = d.rate(t, "eta", d.rates.eta, p.Plastic, "plastic")
			p.Decay = d.plasticOnly(t, "decay", d.rates.decay, p.Plastic)
			p.Clip = d.plasticOnly(t, "clip", d.rates.clip, p.Plastic)
		}
		t.Done()
		if !okFrom || !okTo {
			continue
		}
		rows, cols := p.To.Size, p.From.Width()
		if d.synapses += rows * cols; d.synapses > d.limits.synapses {
			d.FailAt(f.KeyPos, "", "with %s (%d x %d) the model has more than %d synapses", f.Key, rows, cols, d.limits.synapses)
			return list
		}
		path := prefix + "projection." + f.Key + "."
		if weights != nil {
			p.W = d.matrix(weights, path+"weights", rows, cols, p.To.Name, p.From.ID(), nil)
		}
		if _, isInput := from.(*Input); isInput {
			p.Feedback.Rule = Transpose
			if own {
				if fb := t.Field("feedback"); fb != nil && !d.inTeach {
					d.FailAt(fb.KeyPos, "remove it", "%s starts at the input %s, which no error reaches, so feedback has no effect", f.Key, from.ID())
				}
			}
		} else if p.W != nil && !d.inTeach {
			p.Feedback = d.readFeedback(feedback, path+"feedback", p)
		} else {
			p.Feedback.Rule = Transpose
		}
		list = append(list, p)
	}
	return list
}

// plasticOnly reads a rate that only plastic projections have.
func (d *decoder) plasticOnly(t *source.Table, key string, def float64, plastic bool) float64 {
	if n := t.Get(key); n != nil && !plastic {
		d.FailAt(n.KeyPos, "set plastic = true or remove it", "%s has no effect: %s is not plastic", key, t.Path)
	}
	x := t.Float(key, def, source.NotNegative)
	if !plastic {
		return 0
	}
	return x
}

// sourceOf resolves a name in from or to.
func (d *decoder) sourceOf(t *source.Table, key string, sources map[string]Source) (Source, bool) {
	n := t.Need(key, "name an input or a population")
	if n == nil {
		return nil, false
	}
	name, ok := d.Text(n)
	if !ok {
		return nil, false
	}
	s := sources[name]
	if s == nil {
		d.Fail(n, source.Suggest(name, slices.Sorted(maps.Keys(sources)), "there are"), "%s names %q, which is neither an input nor a population", key, name)
	}
	return s, s != nil
}

// readFeedback reads feedback = "RULE" or feedback = { rule = "RULE", ... }.
func (d *decoder) readFeedback(n *source.Node, path string, p *Projection) Feedback {
	fb := Feedback{Rule: Transpose}
	if n == nil {
		return fb
	}
	rows, cols := p.From.Width(), p.To.Size
	fromTranspose := func() {
		fb.B = make([]float64, rows*cols)
		for j := range rows {
			for i := range cols {
				fb.B[j*cols+i] = p.W[i*rows+j]
			}
		}
	}
	if !n.IsTable() {
		rule, ok := d.Text(n)
		if !ok {
			return fb
		}
		switch FeedbackRule(rule) {
		case Transpose:
		case Fixed, GainAlignment, GainTranspose, PAL, KolenPollack:
			need := "eta"
			if FeedbackRule(rule) == Fixed {
				need = "weights"
			}
			d.Fail(n, fmt.Sprintf("write { rule = %q, %s = ... }", rule, need), "feedback rule %q needs %s", rule, need)
		default:
			names := make([]string, len(FeedbackRules))
			for i, r := range FeedbackRules {
				names[i] = string(r)
			}
			d.Fail(n, source.Suggest(rule, names, "choose"), "unknown feedback rule %q", rule)
		}
		return fb
	}
	t := d.Table(n)
	t.Need("rule", "choose one of transpose, fixed, gain-alignment, gain-transpose, pal, kolen-pollack")
	fb.Rule = source.Choice(t, "rule", Transpose, FeedbackRules)
	if fb.Rule != Transpose {
		if w := t.Get("weights"); w != nil {
			fb.B = d.matrix(w, path+".weights", rows, cols, p.From.ID(), p.To.Name, p.W)
		} else if fb.Rule == Fixed {
			t.Need("weights", `give them, or an initialiser such as { init = "xavier" }`)
		} else {
			fromTranspose()
		}
	}
	switch fb.Rule {
	case GainAlignment, GainTranspose, PAL, KolenPollack:
		t.Need("eta", "give the learning rate of the backward weights")
		fb.Eta = t.Float("eta", 0, source.NotNegative)
	}
	switch fb.Rule {
	case PAL:
		fb.Decay = t.Float("decay", 1, source.NotNegative)
		t.Need("noise_sigma", "give the strength of the injected noise")
		t.Need("noise_tau", "give the correlation time of the injected noise")
		t.Need("high_pass", "give the time constant of the high-pass")
		fb.NoiseSigma = t.Float("noise_sigma", 0, source.NotNegative)
		fb.NoiseTau = t.Float("noise_tau", 1, source.Positive)
		fb.HighPass = t.Float("high_pass", 1, source.Positive)
	case GainAlignment:
		fb.NoiseSigma = t.Float("noise_sigma", 0, source.NotNegative)
		if fb.NoiseSigma > 0 {
			t.Need("noise_tau", "give the correlation time of the injected noise")
		}
		fb.NoiseTau = t.Float("noise_tau", 0, source.Positive)
	case KolenPollack:
		t.Need("decay", "both weights must forget their start: W gets the same decay")
		fb.Decay = t.Float("decay", 0, source.Positive)
	}
	t.Done()
	return fb
}
