package reference

import (
	"math"
	"testing"

	"vlec/model"
)

// still makes every forward weight of a network rest, so that only backward
// weights learn.
func still(net *model.Network) *model.Network {
	for _, p := range net.Projections {
		p.Plastic = false
	}
	return net
}

var bothSemantics = []Semantics{Continuous, Clocked}

// Under one sine gain alignment ends at
// B* = W (1 + w^2 tau_r^2)/(1 + w^2 tau_m^2), at which the feedback's gain is
// that of the adjoint.
func TestGainAlignmentFixedPoint(t *testing.T) {
	for _, tauM := range []float64{0.3, 1, 3} {
		for _, s := range bothSemantics {
			net := still(chainNetwork(model.Linear))
			net.Duration = 800
			net.Populations[0].TauM[0] = tauM
			q := net.Projections[1]
			q.Feedback = model.Feedback{Rule: model.GainAlignment, B: []float64{-0.5}, Eta: 0.15}
			_, res := mustRun(t, net, Options{Semantics: s, Learning: true, Every: 1})
			w2 := math.Pow(2*math.Pi*0.1, 2)
			want := q.W[0] * (1 + w2*0.01) / (1 + w2*tauM*tauM)
			got := res.B[q.Name][0]
			if math.Abs(got/want-1) > 0.02 {
				t.Errorf("%s, tau_m %g: B = %.5f, want %.5f", s, tauM, got, want)
			}
		}
	}
}

// meanB runs a network and returns the mean of its backward weights over the
// last ten time units.
func meanB(t *testing.T, net *model.Network, s Semantics) []float64 {
	t.Helper()
	trace, _ := mustRun(t, net, Options{Semantics: s, Learning: true, Signals: []string{"B"}, Every: 0.1, RelTol: 1e-5})
	b := trace.Signals[0]
	mean := make([]float64, b.Width())
	for k := range 100 {
		axpy(0.01, b.At(len(b.Time)-1-k), mean)
	}
	return mean
}

// The slope at rest of the sender takes no part in B*.
func TestGainAlignmentOfEveryActivation(t *testing.T) {
	for _, phi := range model.Activations {
		for _, s := range bothSemantics {
			net := still(chainNetwork(phi))
			net.Duration = 200
			q := net.Projections[1]
			q.Feedback = model.Feedback{Rule: model.GainAlignment, B: []float64{-0.5}, Eta: 0.3 / restSlope(phi)}
			w2 := math.Pow(2*math.Pi*0.1, 2)
			want := q.W[0] * (1 + w2*0.01) / (1 + w2)
			if got := meanB(t, net, s)[0]; math.Abs(got/want-1) > 0.06 {
				t.Errorf("%s, %s: B = %.4f, want %.4f", phi, s, got, want)
			}
		}
	}
}

// Under one sine the gains of the transpose are those of the adjoint, however
// much the neurons of a population have in common.
func TestGainTransposeFixedPoint(t *testing.T) {
	for _, s := range bothSemantics {
		net := &model.Network{Dt: 0.01, Duration: 1000, Beta: 1, Inputs: []*model.Input{sines("drive", 0.1)}}
		h, o := population("hidden", 3, model.Tanh, 1, 0.1), population("out", 2, model.Linear, 1, 0.1)
		h.TauM = []float64{0.3, 1, 3}
		net.Populations = []*model.Population{h, o}
		project(net, net.Inputs[0], h, 1, 2, -1.5)
		q := project(net, h, o, 0.5, -0.4, 0.3, 0.2, 0.7, -0.6)
		q.Feedback = model.Feedback{Rule: model.GainTranspose, B: make([]float64, 6), Eta: 0.02}
		got := meanB(t, still(net), s)
		w2 := math.Pow(2*math.Pi*0.1, 2)
		for i, tau := range h.TauM {
			for j := range o.Size {
				want := q.W[j*3+i] * (1 + w2*0.01) / (1 + w2*tau*tau)
				if got := got[i*2+j]; math.Abs(got/want-1) > 0.02 {
					t.Errorf("%s: B[%d][%d] = %.4f, want %.4f", s, i, j, got, want)
				}
			}
		}
	}
}

// Kolen and Pollack's rule makes B meet W^T, wherever they start.
func TestKolenPollackMeets(t *testing.T) {
	for _, s := range bothSemantics {
		net := chainNetwork(model.Tanh)
		net.Duration = 600
		q := net.Projections[1]
		q.Eta = 0.05
		q.Feedback = model.Feedback{Rule: model.KolenPollack, B: []float64{-0.4}, Eta: q.Eta, Decay: 0.02}
		_, res := mustRun(t, net, Options{Semantics: s, Learning: true, Every: 1})
		// Their difference decays as exp(-lambda t), whatever the signals are.
		want := 1.0 * math.Exp(-0.02*600)
		if d := res.W[q.Name][0] - res.B[q.Name][0]; math.Abs(d/want-1) > 0.01 {
			t.Errorf("%s: W - B = %.4g, want %.4g", s, d, want)
		}
	}
}

// Phaseless alignment ends at the correlation of the injected noise with what
// the far neuron makes of it: for linear neurons, and a far neuron that does not
// filter (tau_r = tau_m),
//
//	B = sigma^2/alpha  W (tau_r + tau_xi)/(tau_m + tau_xi)  tau_hp/(tau_hp + tau_xi)
func TestPhaselessAlignmentFixedPoint(t *testing.T) {
	for _, s := range bothSemantics {
		net := still(chainNetwork(model.Linear))
		net.Duration = 4000
		net.Dt = 0.02
		net.Populations[1].TauR[0] = 1
		net.Inputs[0].Channels[0] = model.Constant{Value: 0.5}
		q := net.Projections[1]
		q.Feedback = model.Feedback{
			Rule: model.PAL, B: []float64{0}, Eta: 0.02, Decay: 1,
			NoiseSigma: 1, NoiseTau: 0.2, HighPass: 2,
		}
		tr, _ := mustRun(t, net, Options{Semantics: s, Learning: true, Signals: []string{"B"}, Every: 1, RelTol: 1e-6})
		b := tr.Signals[0].Data
		mean := 0.0
		for _, v := range b[400:] {
			mean += v / float64(len(b)-400)
		}
		want := q.W[0] * (0.1 + 0.2) / (1 + 0.2) * 2 / 2.2
		t.Logf("%s: mean B %.4f, expected %.4f", s, mean, want)
		if math.Abs(mean/want-1) > 0.08 {
			t.Errorf("%s: mean B = %.4f, want %.4f", s, mean, want)
		}
	}
}

// All five rules mean the same in both semantics.
func TestFeedbackRulesConverge(t *testing.T) {
	for _, rule := range model.FeedbackRules {
		net := randomNetwork(11, false, 0.2)
		net.Duration = 3
		for _, p := range net.Projections {
			p.Feedback = model.Feedback{Rule: rule, Eta: 0.3, Decay: 0.1, NoiseSigma: 0.1, NoiseTau: 0.3, HighPass: 1}
			if rule != model.Transpose {
				p.Feedback.B = make([]float64, len(p.W))
				for i := range p.Feedback.B {
					p.Feedback.B[i] = 0.3 * math.Sin(float64(3*i+1))
				}
			}
		}
		signals := []string{"u", "e", "W", "B"}
		want, _ := mustRun(t, net, Options{Learning: true, Signals: signals, Every: 0.1})
		got, _ := mustRun(t, net, Options{Semantics: Clocked, Learning: true, Signals: signals, Every: 0.1})
		moved := 0.0
		for k, s := range want.Signals {
			d := widest(s.Data[s.Width():], got.Signals[k].Data[s.Width():])
			if d > 0.03 {
				t.Errorf("%s: %s differs by %.3g between the semantics", rule, s.Name, d)
			}
			if len(s.Shape) == 2 {
				moved = max(moved, widest(s.At(0), s.At(len(s.Time)-1)))
			}
		}
		t.Logf("%s: weights moved by %.3g", rule, moved)
	}
}
