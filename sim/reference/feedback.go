package reference

import "vlec/model"

// decay returns the rate at which W decays. Under kolen-pollack W and B lose
// the same share, which is what makes them meet.
func (l *link) decay() float64 {
	if l.Feedback.Rule == model.KolenPollack && l.from >= 0 {
		return l.Decay + l.Feedback.Decay
	}
	return l.Decay
}

// A feedback holds the backward weights B (m x n, row-major) of one link from m
// neurons to n neurons and their rule, in the synchronous semantics. Signals of
// the m neurons are called near, those of the n neurons far.
type feedback struct {
	rule       model.FeedbackRule
	b          []float64
	m, n       int
	trials     int
	keep, rate float64
	slope      float64 // of the near neurons at rest

	xi *noise // injected into the near drives, trials x m; nil without
	// Phaseless alignment learning.
	low    []float64 // low-passed far rates, trials x n
	follow float64   // dt over the time constant of the high-pass
}

func newFeedback(l *link, trials int, dt float64, seed, stream uint64) feedback {
	f := feedback{rule: l.Feedback.Rule, m: l.m, n: l.n, trials: trials, keep: 1}
	if !l.ownFeedback() {
		return f
	}
	f.b = append([]float64(nil), l.Feedback.B...)
	f.slope = restSlope(l.From.(*model.Population).Activation)
	if l.noisy() {
		f.xi = newNoise(trials*l.m, l.Feedback.NoiseSigma, l.Feedback.NoiseTau, dt, seed, stream)
	}
	if f.rule == model.PAL {
		f.low = make([]float64, trials*l.n)
		f.follow = dt / l.Feedback.HighPass
	}
	return f
}

// setRates sets how far a step of the rule goes when every rate is multiplied by
// a factor.
func (f *feedback) setRates(l *link, dt, factor float64) {
	f.rate = dt * l.Feedback.Eta * factor / float64(f.trials)
	switch f.rule {
	case model.KolenPollack:
		f.keep = 1 - float64(dt*l.decay()*factor)
	case model.PAL:
		f.keep = 1 - float64(dt*l.Feedback.Eta*l.Feedback.Decay*factor)
	}
}

// carry adds B e to the feedback of the near neurons.
func (f *feedback) carry(e, back []float64) {
	for t := range f.trials {
		far := e[t*f.n : (t+1)*f.n]
		for i := range f.m {
			back[t*f.m+i] += dot(f.b[i*f.n:(i+1)*f.n], far)
		}
	}
}

// inject adds the noise to the near drives.
func (f *feedback) inject(drive []float64) {
	if f.xi == nil {
		return
	}
	for i, v := range f.xi.start {
		drive[i] += v
	}
}

// learn applies the rule to the values of one step. Where a far value heard of a
// near one, the near one is of the step before. The forward weights w (n x m)
// are those before the update of this step.
func (f *feedback) learn(near, far *Neurons, w []float64) {
	switch f.rule {
	case model.GainAlignment:
		f.alignGain(near.formerY, near.formerTotal, far.A)
	case model.GainTranspose:
		f.scaleGain(near.formerY, near.formerTotal, w)
	case model.KolenPollack:
		f.mirror(near.formerR, far.E)
	case model.PAL:
		f.listen(f.xi.former, far.R)
	}
}

// alignGain is the rule of gain alignment [ours],
//
//	dB_ij/dt = eta_B (y_i a_j - s_i I_i^2 B_ij)
//
// with the prospective potential y_i, the total input I_i and the slope at rest
// s_i = phi'(0) of the near neuron and the drive a_j of the far one. Without s_i
// the fixed point would have a factor of 1/2 for softplus and 1/4 for sigmoid:
// a_j hears of y_i through phi.
func (f *feedback) alignGain(y, total, drive []float64) {
	for i := range f.m {
		row := f.b[i*f.n : (i+1)*f.n]
		power := 0.0
		for t := range f.trials {
			v := total[t*f.m+i]
			power += float64(v * v)
		}
		scale(1-float64(f.rate*f.slope*power), row)
		for t := range f.trials {
			axpy(f.rate*y[t*f.m+i], drive[t*f.n:(t+1)*f.n], row)
		}
	}
}

// scaleGain is the rule of the transpose with learned gains [ours],
//
//	dB_ij/dt = eta_B (y_i^2 W_ji - I_i^2 B_ij)
//
// gain alignment in which a synapse hears what it adds to the drive itself,
// W_ji y_i, and not the whole drive with what all the other neurons add.
func (f *feedback) scaleGain(y, total, w []float64) {
	for i := range f.m {
		ahead, power := 0.0, 0.0
		for t := range f.trials {
			y, total := y[t*f.m+i], total[t*f.m+i]
			ahead += float64(y * y)
			power += float64(total * total)
		}
		keep, gain := 1-float64(f.rate*power), f.rate*ahead
		row := f.b[i*f.n : (i+1)*f.n]
		for j, b := range row {
			row[j] = float64(keep*b) + float64(gain*w[j*f.m+i])
		}
	}
}

// mirror is the rule of Kolen and Pollack, dB/dt = eta_B r e^T - lambda B: the
// update of W transposed.
func (f *feedback) mirror(r, e []float64) {
	for i := range f.m {
		row := f.b[i*f.n : (i+1)*f.n]
		scale(f.keep, row)
		for t := range f.trials {
			axpy(f.rate*r[t*f.m+i], e[t*f.n:(t+1)*f.n], row)
		}
	}
}

// listen is phaseless alignment learning, dB/dt = eta_B (xi r_hp^T - alpha B):
// B follows how strongly the near neuron's noise is heard in the far rates.
func (f *feedback) listen(xi, far []float64) {
	for i := range f.m {
		row := f.b[i*f.n : (i+1)*f.n]
		scale(f.keep, row)
		for t := range f.trials {
			k := f.rate * xi[t*f.m+i]
			for j := range row {
				row[j] += float64(k * (far[t*f.n+j] - f.low[t*f.n+j]))
			}
		}
	}
}

// advance moves the noise and the high-pass on by one step.
func (f *feedback) advance(far []float64) {
	for j := range f.low {
		f.low[j] += float64(f.follow * (far[j] - f.low[j]))
	}
	if f.xi != nil {
		f.xi.advance()
	}
}
