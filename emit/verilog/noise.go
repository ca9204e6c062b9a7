package verilog

import (
	"fmt"

	"vlec/emit/verilog/tree"
)

// Stages of the next noise, after this one.
const noiseMade = 4

// noise makes the next noise of a neuron from this one.
func (d *design) noise() *tree.Module {
	n := d.p.Noise
	kick, fade, shift := n.Lifts()
	m := d.module("noise", fmt.Sprintf("Ornstein-Uhlenbeck noise in %v: x += kick g + fade x, rounded and held, where g is 2 plus the", n.State),
		"signed bytes of a generator of its own, s = s ^ s<<13, s ^ s>>17, s ^ s<<5.", fmt.Sprintf("Latency: %d cycles.", noiseMade))
	m.Clock()
	s, x := m.Input("seed_i", tree.U(32), "stage 0"), m.Input("noise_i", tree.S(n.State.Bits), "stage 0")
	a := m.Wire("shifted_13", tree.Binary{Op: "^", X: s, Y: m.Wire("left_13", tree.Cat{tree.Part{X: s, High: 18, Low: 0}, num(tree.U(13), 0)})})
	b := m.Wire("shifted_17", tree.Binary{Op: "^", X: a, Y: m.Wire("right_17", tree.Cat{num(tree.U(17), 0), tree.Part{X: a, High: 31, Low: 17}})})
	c := m.Wire("shifted_5", tree.Binary{Op: "^", X: b, Y: m.Wire("left_5", tree.Cat{tree.Part{X: b, High: 26, Low: 0}, num(tree.U(5), 0)})})
	m.Drive(m.Output("seed_o", tree.U(32), stage(noiseMade)), m.Delay(c, noiseMade))
	var byte_ [4]*tree.Net
	for i := range byte_ {
		byte_[i] = m.Wire(fmt.Sprintf("byte_%d", i), tree.Cast{Signed: true, X: tree.Part{X: s, High: 8*i + 7, Low: 8 * i}})
	}
	sum := m.Sum("bytes", m.Sum("bytes_low", byte_[0], byte_[1], 9), m.Sum("bytes_high", byte_[2], byte_[3], 9), 10)
	g := m.Follow("g_1", m.Sum("g", sum, m.Wire("two", num(tree.S(3), 2)), 11))
	constant := func(name string, bits int, v int64) *tree.Net {
		return m.Wire(name, tree.Const{T: tree.S(bits), Value: v})
	}
	up := m.Left(d.bySum(m, "kicked", g, constant("kick", n.KickQ.Bits, n.Kick), 1), kick)
	down := m.Left(d.bySum(m, "faded", m.Delay(x, 1), constant("fade", n.FadeQ.Bits, n.Fade), 1), fade)
	change := m.Follow("change_3", m.Sum("change", up, down, max(up.T.Width, down.T.Width)+1))
	next := m.Follow("next_4", m.Saturate("next", d.plus(m, "moved", "change_floor", m.Delay(x, 3), change, shift), n.State.Bits))
	m.Drive(m.Output("noise_o", tree.S(n.State.Bits), stage(noiseMade)), next)
	return m
}

// disturb adds noise to the drive, one stage later, and returns the noise at the
// drive's stage too.
func (d *design) disturb(m *tree.Module, drive, isU, neuron, noisy *tree.Net) (total, noise *tree.Net) {
	p, at := d.p, d.t.arrive
	m.Say("Noise of membranes, and what generates it.")
	x, s := map[int]int64{}, map[int]int64{}
	for k := range p.Populations {
		q := &p.Populations[k]
		for j := range q.Size {
			x[d.s.Address[k]+j], s[d.s.Address[k]+j] = 0, 1
			if q.Noise != nil {
				x[d.s.Address[k]+j], s[d.s.Address[k]+j] = q.Noise[j], int64(q.Seeds[j])
			}
		}
	}
	nextX, nextS := m.Bare("next_noise", tree.S(p.Noise.State.Bits)), m.Bare("next_seed", tree.U(32))
	re, ra := m.Delay(isU, at-1), m.Delay(neuron, at-1)
	we, wa := m.Delay(isU, at+noiseMade), m.Delay(neuron, at+noiseMade)
	noise = d.memory(m, "noise", d.ram(nextX.T, d.s.Neurons, x, "noise_state"), re, ra, we, wa, nextX)
	seed := d.memory(m, "seeds", d.ram(nextS.T, d.s.Neurons, s, "noise_seeds"), re, ra, we, wa, nextS)
	m.Place(d.noise(), "make_noise", tree.To("clk_i", clockOf(m)), tree.To("seed_i", seed), tree.To("noise_i", noise), tree.To("seed_o", nextS), tree.To("noise_o", nextX))
	heard := noise
	if noisy != nil {
		heard = m.Wire("noise_on", tree.Cond{If: m.Delay(noisy, at), Then: noise, Else: num(noise.T, 0)})
	}
	return m.Follow("disturbed", m.Sum("disturbed_drive", drive, m.Left(heard, p.Drive.Frac-p.Noise.State.Frac), p.Drive.Bits)), noise
}

// farOfDrive is what a drive with noise teaches backward weights.
func (d *design) farOfDrive() *tree.Module {
	p, r := d.p, d.p.Rule
	m := d.module("far", fmt.Sprintf("What a neuron teaches the backward weights that its error goes through: its drive, in %v.", r.Far))
	m.Clock()
	drive := m.Input("drive_i", tree.S(p.Drive.Bits), "stage 0")
	rounded := m.Follow("rounded_1", m.Near("rounded", drive, p.Drive.Frac-r.Far.Frac))
	m.Drive(m.Output("far_o", tree.S(r.Far.Bits), stage(disturbed)), m.Follow("far_2", m.Saturate("far", rounded, r.Far.Bits)))
	return m
}

// highPass is what a rate teaches backward weights.
func (d *design) highPass() *tree.Module {
	p, r := d.p, d.p.Rule
	m := d.module("high_pass", "What a neuron teaches the backward weights that its error goes through: far = r - low, where low follows",
		fmt.Sprintf("the rate, low += follow far; far in %v, low in %v.", r.Far, r.Low))
	m.Clock()
	first := m.Input("first_i", tree.U(1), "stage 0: at the start")
	rate, low := m.Input("rate_i", d.rate, "stage 0"), m.Input("low_i", tree.S(r.Low.Bits), "stage 0")
	now := m.Wire("low", tree.Cond{If: first, Then: num(low.T, 0), Else: low})
	f := max(p.Rate.Frac, r.Low.Frac)
	a, b := m.Left(rate, f-p.Rate.Frac), m.Left(now, f-r.Low.Frac)
	rounded := m.Follow("rounded_1", m.Near("rounded", m.Difference("high", a, b, max(a.T.Width, b.T.Width)+1), f-r.Far.Frac))
	far := m.Follow("far_2", m.Saturate("far", rounded, r.Far.Bits))
	m.Drive(m.Output("far_o", tree.S(r.Far.Bits), stage(highPassed)), far)
	followed := d.bySum(m, "followed", far, m.Wire("follow", tree.Const{T: tree.S(r.FollowQ.Bits), Value: r.Follow}), 1)
	next := d.plus(m, "next", "step", m.Delay(now, highPassed+1), followed, r.LowShift())
	m.Drive(m.Output("low_o", tree.S(r.Low.Bits), stage(lowWritten)), m.Follow("low_4", m.Ext(next, r.Low.Bits)))
	return m
}

// lowWritten is the stage after a rate in which its low-pass is written.
const lowWritten = 4

// heardOfNoise is what the noise of a sender teaches.
func (d *design) heardOfNoise() *tree.Module {
	r := d.p.Rule
	m := d.module("heard", fmt.Sprintf("What a neuron teaches the backward weights that lead to its error, by %s: near = m x, in %v.", r.Kind, r.Near),
		"m is the rate of a step, x the noise. Stages count from the noise.")
	m.Clock()
	x, gain := m.Input("noise_i", tree.S(r.Near.Bits), "stage 0"), m.Input("gain_i", tree.S(r.Scale.Bits), "stage 0: m")
	near := m.Near("near", d.ruled(m, "taught", x, gain), r.Scale.Frac)
	m.Drive(m.Output("near_o", tree.S(r.Near.Bits), stage(heardNoise+d.t.slow)), m.Follow("near_2", m.Ext(near, r.Near.Bits)))
	return m
}
