package lower

import (
	"math"

	"vlec/circuit"
	"vlec/model"
)

// projection adds W r to the drive and, where the sender has error neurons, the
// feedback B e (theory, sections 2 and 5).
func (l *lowering) projection(k int, p *model.Projection, prefix string) {
	c, from, to := l.circuit, l.nets[p.From], l.nets[p.To]
	name := prefix + p.Name
	decay := p.Decay
	_, fromPopulation := p.From.(*model.Population)
	if p.Feedback.Rule == model.KolenPollack && fromPopulation {
		decay += p.Feedback.Decay // W and B lose the same share, which is what makes them meet
	}
	var w *circuit.Net // the weight store's content, nil where W is constant
	if p.Plastic && l.options.Learning && to.err != nil && l.learns(p, "", p.Eta, decay) {
		w = l.store(name+".W", p.Pos, from.rate, to.err, p.Eta, decay, p.Clip, p.W)
		c.Add("plastic-synapse", name, p.Pos).Connect("w", w).Connect("pre", from.rate).Connect("sum", to.sum)
		c.Observe(name+".W", w, p.To.Size, p.From.Width())
	} else {
		c.Add("synapse", name, p.Pos).Connect("pre", from.rate).Connect("sum", to.sum).Set("w", p.W...)
	}
	if !fromPopulation || prefix != "" {
		return
	}
	var xi *circuit.Net
	if p.Feedback.Rule == model.PAL || p.Feedback.Rule == model.GainAlignment && p.Feedback.NoiseSigma > 0 {
		xi = l.noise(k, p, from)
	}
	if from.err != nil && to.err != nil {
		l.feedback(p, from, to, w, decay, xi)
	}
}

// learns tells whether a rate changes a weight at all, and refuses a weight that
// can only forget: a store learns by the current that its capacitor integrates.
func (l *lowering) learns(p *model.Projection, of string, eta, decay float64) bool {
	if eta == 0 && decay != 0 {
		l.errs.Add(p.Pos, "give it a learning rate, or a decay of 0",
			"%sprojection %q decays but does not learn, which has no circuit", of, p.Name)
	}
	return eta != 0
}

func (l *lowering) feedback(p *model.Projection, from, to *neurons, w *circuit.Net, decay float64, xi *circuit.Net) {
	c, f, name := l.circuit, p.Feedback, p.Name+".feedback"
	n, m := p.To.Size, p.From.Width()
	if f.Rule == model.GainTranspose && f.Eta != 0 && l.options.Learning && !l.options.Clocked {
		l.errs.Add(p.Pos, `use "gain-alignment", or leave the learning to software: vlec run`,
			"the feedback of projection %q learns by the rule gain-transpose, for which there is no circuit", p.Name)
		return
	}
	var b *circuit.Net
	switch {
	case f.Rule == model.Transpose && w != nil:
		c.Add("transposed-synapse", name, p.Pos).Connect("w", w).Connect("post", to.err).Connect("sum", from.back)
		return
	case f.Rule == model.Transpose:
		c.Add("synapse", name, p.Pos).Connect("pre", to.err).Connect("sum", from.back).Set("w", transposed(p.W, n, m)...)
		return
	case f.Rule == model.Fixed, f.Rule == model.GainTranspose, !l.options.Learning,
		f.Rule == model.KolenPollack && !l.learns(p, "the feedback of ", f.Eta, decay), f.Eta == 0:
		c.Add("synapse", name, p.Pos).Connect("pre", to.err).Connect("sum", from.back).Set("w", f.B...)
		return
	case f.Rule == model.GainAlignment:
		b = c.Net(p.Name+".B", circuit.Potential, m*n)
		c.Add("alignment-store", p.Name+".B", p.Pos).
			Connect("pre", l.drive(p.To)).Connect("post", from.lead).Connect("total", l.total(p, from)).Connect("w", b).
			Set("rate", f.Eta).Set("init", f.B...)
	case f.Rule == model.KolenPollack:
		b = l.store(p.Name+".B", p.Pos, to.err, from.rate, f.Eta, decay, 0, f.B)
	case f.Rule == model.PAL:
		b = l.store(p.Name+".B", p.Pos, l.highPass(p, to), xi, f.Eta, f.Eta*f.Decay, 0, f.B)
	}
	c.Add("plastic-synapse", name, p.Pos).Connect("w", b).Connect("pre", to.err).Connect("sum", from.back)
	c.Observe(p.Name+".B", b, m, n)
}

// highPass returns what is left of the rates of a population when their low-pass
// has been taken away.
func (l *lowering) highPass(p *model.Projection, of *neurons) *circuit.Net {
	c, name, n := l.circuit, p.Name+".high_pass", of.rate.Width
	sum := c.Net(name+".s", circuit.Sum, n)
	low := c.Net(name+".low", circuit.Potential, n)
	out := c.Net(name, circuit.Potential, n)
	tau := make([]float64, n)
	for i := range tau {
		tau[i] = p.Feedback.HighPass
	}
	c.Add("coupling", name+".in", p.Pos).Connect("in", of.rate).Connect("sum", sum).Set("gain", 1)
	c.Add("leaky-integrator", name+".low_pass", p.Pos).Connect("sum", sum).Connect("state", low).
		Set("tau", tau...).Set("init", make([]float64, n)...)
	c.Add("difference", name+".difference", p.Pos).Connect("plus", of.rate).Connect("minus", low).Connect("out", out).Set("gain", 1)
	return out
}

// total returns the net whose square is s I^2 in the rule of gain alignment,
// with the total input I and the slope at rest s = phi'(0) of the sender.
func (l *lowering) total(p *model.Projection, from *neurons) *circuit.Net {
	slope := 1.0
	switch p.From.(*model.Population).Activation {
	case model.Softplus, model.ReLU: // the mean of both sides of the corner
		slope = 0.5
	case model.Sigmoid:
		slope = 0.25
	}
	if slope == 1 {
		return from.sum
	}
	name := p.Name + ".total"
	total := l.circuit.Net(name, circuit.Potential, from.rate.Width)
	l.circuit.Add("difference", name, p.Pos).
		Connect("plus", from.sum).Connect("minus", from.sum).Connect("out", total).Set("gain", 1-math.Sqrt(slope))
	return total
}

// drive returns the net of a population's forward drive, without gamma e.
func (l *lowering) drive(p *model.Population) *circuit.Net {
	n := l.nets[p]
	if l.net.Gamma == 0 || n.err == nil {
		return n.sum
	}
	if n.drive == nil {
		n.drive = l.circuit.Net(p.Name+".a", circuit.Potential, p.Size)
		l.circuit.Add("difference", p.Name+".drive", p.Pos).
			Connect("plus", n.sum).Connect("minus", n.err).Connect("out", n.drive).Set("gain", l.net.Gamma)
	}
	return n.drive
}

// transposed turns a row-major n x m matrix into m x n.
func transposed(w []float64, n, m int) []float64 {
	t := make([]float64, len(w))
	for i := range n {
		for j := range m {
			t[j*n+i] = w[i*m+j]
		}
	}
	return t
}
