package lower

import (
	"vlec/circuit"
	"vlec/model"
)

// projection adds W r to the drive and, where the sender has error neurons, the
// feedback B e (theory, sections 2 and 5).
func (l *lowering) projection(p *model.Projection, prefix string) {
	c, from, to := l.circuit, l.nets[p.From], l.nets[p.To]
	name := prefix + p.Name
	var w *circuit.Net // the weight store's content, nil where W is constant
	if p.Plastic && l.options.Learning && to.err != nil {
		w = l.store(name+".W", p.Pos, from.rate, to.err, p.Eta, p.Decay, p.Clip, p.W)
		c.Add("plastic-synapse", name, p.Pos).Connect("w", w).Connect("pre", from.rate).Connect("sum", to.sum)
		c.Observe(name+".W", w, p.To.Size, p.From.Width())
	} else {
		c.Add("synapse", name, p.Pos).Connect("pre", from.rate).Connect("sum", to.sum).Set("w", p.W...)
	}
	if from.err == nil || to.err == nil {
		return
	}
	l.feedback(p, from, to, w)
}

func (l *lowering) feedback(p *model.Projection, from, to *neurons, w *circuit.Net) {
	c, f, name := l.circuit, p.Feedback, p.Name+".feedback"
	n, m := p.To.Size, p.From.Width()
	var b *circuit.Net
	switch {
	case f.Rule == model.Transpose && w != nil:
		c.Add("transposed-synapse", name, p.Pos).Connect("w", w).Connect("post", to.err).Connect("sum", from.back)
		return
	case f.Rule == model.Transpose:
		c.Add("synapse", name, p.Pos).Connect("pre", to.err).Connect("sum", from.back).Set("w", transposed(p.W, n, m)...)
		return
	case f.Rule == model.Fixed || !l.options.Learning:
		c.Add("synapse", name, p.Pos).Connect("pre", to.err).Connect("sum", from.back).Set("w", f.B...)
		return
	case f.Rule == model.GainAlignment:
		b = c.Net(p.Name+".B", circuit.Potential, m*n)
		c.Add("alignment-store", p.Name+".B", p.Pos).
			Connect("pre", l.drive(p.To)).Connect("post", from.lead).Connect("total", from.sum).Connect("w", b).
			Set("rate", f.Eta).Set("init", f.B...)
	case f.Rule == model.KolenPollack:
		b = l.store(p.Name+".B", p.Pos, to.err, from.rate, f.Eta, f.Decay, 0, f.B)
	default:
		l.errs.Add(p.Pos, "use transpose, fixed, gain-alignment or kolen-pollack for a circuit",
			"the feedback rule %q of projection %q has no circuit", f.Rule, p.Name)
		return
	}
	c.Add("plastic-synapse", name, p.Pos).Connect("w", b).Connect("pre", to.err).Connect("sum", from.back)
	c.Observe(p.Name+".B", b, m, n)
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
