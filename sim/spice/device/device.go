// Package device has the equations of semiconductor devices: from the voltages
// at the terminals of a device it computes currents, charges and the
// derivatives of both. It knows no netlist and no circuit.
//
// # For maintainers
//
// The equations are those of SPICE as ngspice 39 has them, its constants of
// nature included, since users compare with it: Nagel, SPICE2 (ERL-M520, 1975)
// for the diode and the bipolar transistor, Shichman and Hodges (IEEE J. Solid-
// State Circuits 3, 285, 1968) and Meyer (RCA Review 32, 42, 1971) for the MOS
// transistor of level 1. A device is a list of branches between terminals;
// series resistances are resistors of the circuit, not part of it.
//
// Junction voltages are limited as in SPICE: an iteration may not move one so far
// that the exponential explodes. The device is then evaluated and linearised
// where the limit put it, and the circuit iterates until nothing is limited.
package device

import "math"

// Constants of ngspice 39 (CODATA 2014), for equal currents.
const (
	boltzmann = 1.38064852e-23
	charge    = 1.6021766208e-19
	kOverQ    = boltzmann / charge
	zeroC     = 273.15
	refTemp   = 300.15
	epsOx     = 3.9 * 8.854214871e-12
	epsSi     = 11.7 * 8.854214871e-12
	maxExp    = 709.0
)

// MaxTerminals is the most that a device has.
const MaxTerminals = 5

// A Device is one instance with all its numbers. It has no memory of its own and
// may be used by several simulations at once.
type Device interface {
	// Terminals is the number of voltages that Eval wants.
	Terminals() int
	// Memory is the number of values that Eval wants from the last accepted
	// instant, 0 for a device whose charges are functions of its voltages.
	Memory() int
	// Eval fills out for the terminal voltages v. Charges are left out unless
	// wanted. Of a device with memory, last is what next was at the last accepted
	// instant; nil begins a history.
	Eval(v, last, next []float64, charges bool, out *Stamp)
	// Limit moves v, voltages of the next iteration, to where an evaluation is
	// safe after one at old, and says whether it had to. Alpha is the factor [1/s]
	// by which charges become currents.
	Limit(v, old []float64, alpha float64) bool
	// Start sets v to voltages at which to begin the search for an operating point.
	Start(v []float64)
	// Couples tells whether the current or the charge of terminal i may depend on the
	// voltage of terminal j.
	Couples(i, j int) bool
	// Stores tells which terminals hold charge.
	Stores() [MaxTerminals]bool
}

// A Stamp holds what a device of N terminals contributes: currents [A] from the
// circuit into each terminal, charges [C] there, and their derivatives by the
// terminal voltages [A/V, C/V], row by row.
type Stamp struct {
	N    int
	I, Q [MaxTerminals]float64
	G, C [MaxTerminals * MaxTerminals]float64
}

func (s *Stamp) reset(n int) { *s = Stamp{N: n} }

// current adds i from terminal a to b.
func (s *Stamp) current(a, b int, i float64) {
	s.I[a] += i
	s.I[b] -= i
}

// conduct adds the derivative of a current from a to b by the voltage from c to d.
func (s *Stamp) conduct(a, b, c, d int, g float64) {
	s.G[a*s.N+c] += g
	s.G[a*s.N+d] -= g
	s.G[b*s.N+c] -= g
	s.G[b*s.N+d] += g
}

// store adds charge q on a, with its opposite on b, and its derivative cap by
// the voltage from c to d.
func (s *Stamp) store(a, b, c, d int, q, cap float64) {
	s.Q[a] += q
	s.Q[b] -= q
	s.C[a*s.N+c] += cap
	s.C[a*s.N+d] -= cap
	s.C[b*s.N+c] -= cap
	s.C[b*s.N+d] += cap
}

// Env is what all devices of a circuit share.
type Env struct {
	Temp float64 // °C
	Tnom float64 // °C, at which model parameters hold
	Gmin float64 // S, across every junction
	// RelTol is the relative error of currents at which breakdown is matched.
	RelTol float64
}

// limitJunction keeps the voltage of a junction from growing by more than a few
// vt where its current is already large, as SPICE does (Nagel 1975, 5.1.2). The
// limit for negative voltages is that of ngspice.
func limitJunction(v, old, vt, crit float64) (float64, bool) {
	if v > crit && math.Abs(v-old) > 2*vt {
		if old <= 0 {
			return vt * math.Log(v/vt), true
		}
		if d := (v - old) / vt; d > 0 {
			return old + vt*(2+math.Log(d-2)), true
		} else {
			return old - vt*(2+math.Log(2-d)), true
		}
	}
	if v < 0 {
		least := 2*old - 1
		if old > 0 {
			least = -old - 1
		}
		if v < least {
			return least, true
		}
	}
	return v, false
}

// limitGate bounds how far the voltage of a gate moves, by where it stands
// against the threshold on.
func limitGate(v, old, on float64) float64 {
	up := math.Abs(2*(old-on)) + 2
	down := math.Abs(old-on) + 1
	rising := v > old
	switch {
	case old >= on+3.5 && rising:
		return math.Min(v, old+up)
	case old >= on+3.5:
		if v >= on+3.5 {
			return math.Max(v, old-down)
		}
		return math.Max(v, on+2)
	case old >= on && rising:
		return math.Min(v, on+4)
	case old >= on:
		return math.Max(v, on-0.5)
	case !rising:
		return math.Max(v, old-up)
	case v <= on+0.5:
		return math.Min(v, old+down)
	}
	return on + 0.5
}

// limitDrain bounds how far a drain-source voltage moves.
func limitDrain(v, old float64) float64 {
	rising := v > old
	switch {
	case old >= 3.5 && rising:
		return math.Min(v, 3*old+2)
	case old >= 3.5 && v < 3.5:
		return math.Max(v, 2)
	case old >= 3.5:
		return v
	case rising:
		return math.Min(v, 4)
	}
	return math.Max(v, -0.5)
}

// critical is the voltage at which the curvature of a junction's exponential is
// largest.
func critical(vt, is float64) float64 { return vt * math.Log(vt/(math.Sqrt2*is)) }

// fast is crit for a junction whose diffusion charge multiplies its current: in a
// short step that charge is what limits have to watch, which SPICE's do not.
func fast(crit, vt, transit, alpha float64) float64 {
	if alpha*transit < 1 {
		return crit
	}
	return math.Max(2*vt, crit-vt*math.Log1p(alpha*transit))
}

// bandgap of silicon [eV] (Sze, Physics of Semiconductor Devices).
func bandgap(t float64) float64 { return 1.16 - 7.02e-4*t*t/(t+1108) }

// potentialShift is the part of a built-in potential's temperature dependence
// that does not scale with it.
func potentialShift(t float64) float64 {
	arg := -bandgap(t)/(2*boltzmann*t) + 1.1150877/(2*boltzmann*refTemp)
	return -2 * kOverQ * t * (1.5*math.Log(t/refTemp) + charge*arg)
}

// A junction is a depletion capacitance: c0 (1 - v/pot)^-m, continued as a
// straight line above fc pot.
type junction struct {
	c0, pot, m float64
	knee       float64 // fc pot
	f1, f2, f3 float64
}

// newJunction takes zero-bias capacitance and potential from tnom to t [K].
func newJunction(c0, pot, m, fc, t, tnom float64) junction {
	at0 := (pot - potentialShift(tnom)) / (tnom / refTemp)
	c0 /= 1 + m*(4e-4*(tnom-refTemp)-(pot-at0)/at0)
	pot = potentialShift(t) + t/refTemp*at0
	c0 *= 1 + m*(4e-4*(t-refTemp)-(pot-at0)/at0)
	x := math.Log(1 - fc)
	return junction{
		c0: c0, pot: pot, m: m, knee: fc * pot,
		f1: pot * (1 - math.Exp((1-m)*x)) / (1 - m),
		f2: math.Exp((1 + m) * x),
		f3: 1 - fc*(1+m),
	}
}

// charge returns the charge at v and its derivative.
func (j *junction) charge(v float64) (q, c float64) {
	if j.c0 == 0 {
		return 0, 0
	}
	if v < j.knee {
		arg := 1 - v/j.pot
		s := math.Exp(-j.m * math.Log(arg))
		return j.pot * j.c0 * (1 - arg*s) / (1 - j.m), j.c0 * s
	}
	k := j.c0 / j.f2
	q = j.c0*j.f1 + k*(j.f3*(v-j.knee)+j.m/(2*j.pot)*(v*v-j.knee*j.knee))
	return q, k * (j.f3 + j.m*v/j.pot)
}

// exponential is is (exp(v/vt) - 1), and below -3 vt the rational function by
// which SPICE goes on, with its derivative.
func exponential(v, vt, is float64) (i, g float64) {
	if is == 0 {
		return 0, 0 // nothing limits the voltage of a junction that is not there
	}
	if v >= -3*vt {
		e := math.Exp(v / vt)
		return is * (e - 1), is * e / vt
	}
	a := 3 * vt / (v * math.E)
	a = a * a * a
	return -is * (1 + a), is * 3 * a / v
}
