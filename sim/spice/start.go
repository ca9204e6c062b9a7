package spice

import (
	"math"
	"slices"
)

// start finds the solution at t = 0. With uic states begin at their initial
// values and everything else is solved for; without it the operating point is
// found, at which nodes with .ic are held. It says whether integration must
// begin with a damping step because the initial values contradict the circuit.
func (run *transient) start() (restart bool, err error) {
	c, s := run.c, run.system
	if !run.spec.uic {
		if err := c.checkDC(c.ics); err != nil {
			return false, err
		}
		if len(c.nodesets) > 0 {
			if err := c.operatingPoint(run.stats, s.x, append(append([]nodeIC(nil), c.nodesets...), c.ics...)); err != nil {
				return false, err
			}
		}
		if err := c.operatingPoint(run.stats, s.x, c.ics); err != nil {
			return false, err
		}
		s.x[s.n] = 0
		s.settle(s.x)
		s.charge(run.q, s.x, false)
		if len(c.ics) == 0 {
			run.begin()
			return false, nil
		}
		// Nodes let go: currents jump, states stay.
	} else {
		for _, ic := range c.ics {
			s.x[ic.node-1] = ic.v
		}
		run.initialCharge()
	}
	guess := append([]float64(nil), s.x...)
	if err := run.consistent(); err != nil {
		return false, run.explain(err, "initial conditions")
	}
	restart = run.holdStates(guess)
	run.begin()
	run.derivative(0, run.qdot)
	return restart, nil
}

// begin makes x the first accepted solution.
func (run *transient) begin() {
	copy(run.past[0], run.x)
	run.times[0] = 0
	run.charge(run.q, run.x, false)
	run.semis.remember()
	copy(run.pastQ[0], run.semis.charge)
	run.since, run.smooth = 1, 1
}

// initialCharge sets q from ic= of the devices. A capacitor without takes the
// difference of the .ic of its nodes, as ngspice has it. Guesses for nodes with
// grounded capacitors go into x.
func (run *transient) initialCharge() {
	c, x := run.c, run.x
	clear(run.q)
	given := make([]bool, len(c.nodes))
	for _, ic := range c.ics {
		given[ic.node] = true
	}
	v := func(node int32) float64 {
		if node == 0 {
			return 0
		}
		return x[node-1]
	}
	for i := range c.capacitors {
		d := &c.capacitors[i]
		if !d.hasIC {
			continue
		}
		if d.b == 0 && d.a != 0 && !given[d.a] {
			x[d.a-1], given[d.a] = d.ic, true
		}
		if d.a == 0 && d.b != 0 && !given[d.b] {
			x[d.b-1], given[d.b] = -d.ic, true
		}
	}
	for i := range c.capacitors {
		d := &c.capacitors[i]
		ic := d.ic
		if !d.hasIC {
			ic = v(d.a) - v(d.b)
		}
		if d.a > 0 {
			run.q[d.a-1] += d.c * ic
		}
		if d.b > 0 {
			run.q[d.b-1] -= d.c * ic
		}
	}
	for i := range c.inductors {
		d := &c.inductors[i]
		if d.hasIC {
			x[c.unknown(branchRef(d.br))] = d.ic
		}
	}
	run.initialVoltages(run.q, x)
	// C x of the inductor rows, couplings included.
	first := len(c.nodes) - 1
	for j := first; j < run.n; j++ {
		for p := run.cptr[j]; p < run.cptr[j+1]; p++ {
			if int(run.crow[p]) >= first {
				run.q[run.crow[p]] += run.cval[p] * x[j]
			}
		}
	}
}

// consistent solves a backward Euler step that is so short that charges and
// fluxes keep their values: what comes out is the solution just after t = 0.
func (run *transient) consistent() error {
	s := run.system
	h := 1e-9 * run.hmax
	s.setAlpha(1 / h)
	s.sources(0, 1)
	for k, q := range run.q {
		s.rhs[k] += q / h
	}
	s.rate = 1
	if err := s.newton(0, s.c.opts.itl1); err != nil {
		return err
	}
	if !s.balanced(0, 1e-3, 1) {
		return errDiverged
	}
	return nil
}

// holdStates puts states with a node of their own back to exactly where they
// started; the short step moved them by its length. It says whether the circuit
// forced one elsewhere: a source across a capacitor with another ic=.
func (run *transient) holdStates(guess []float64) (forced bool) {
	c, x := run.c, run.x
	for i := range c.capacitors {
		d := &c.capacitors[i]
		var k int32
		switch {
		case d.a == d.b || d.c == 0:
			continue
		case d.b == 0:
			k = d.a - 1
		case d.a == 0:
			k = d.b - 1
		default:
			continue
		}
		if math.Abs(x[k]-guess[k]) > 1e-6*(1e-6+math.Abs(x[k])+math.Abs(guess[k])) {
			forced = true
			if run.o.Log != nil {
				run.o.Log("the initial value of " + c.describe(d.dev) + " contradicts the circuit")
			}
			continue
		}
		x[k] = guess[k]
	}
	for i := range c.inductors {
		k := c.unknown(branchRef(c.inductors[i].br))
		if math.Abs(x[k]-guess[k]) > 1e-6*(1e-9+math.Abs(x[k])+math.Abs(guess[k])) {
			forced = true
			continue
		}
		x[k] = guess[k]
	}
	return forced
}

// derivative sets qdot = d/dt (C x + q(x)) at t from the equations themselves,
// which loses no digits: b - G x - f(x).
func (run *transient) derivative(t float64, qdot []float64) {
	s := run.system
	s.setAlpha(0)
	s.sources(t, 1)
	s.residual(t, false)
	clear(qdot)
	for _, row := range s.crow {
		qdot[row] = s.r[row]
	}
	for _, at := range s.semis.stores {
		row := s.semis.rows[at]
		qdot[row] = s.r[row]
	}
	// What is left of an equation is rounding, too, and that of charges over a short
	// step is large. Where no capacitor leads to ground the charges of all nodes
	// together are none and stay so: the trapezoidal rule would turn another
	// derivative around at every step, for ever.
	for _, island := range s.islands {
		sum := 0.0
		for _, row := range island {
			sum += qdot[row]
		}
		for _, row := range island {
			qdot[row] -= sum / float64(len(island))
		}
	}
}

// findIslands lists the groups of nodes that capacitances join with one another
// but not with ground.
func (s *system) findIslands() {
	c := s.c
	set := newUnion(len(c.nodes))
	for _, d := range c.capacitors {
		if d.c != 0 {
			set.join(d.a, d.b)
		}
	}
	for k := range c.semis {
		d := &c.semis[k]
		first := int32(-1)
		for i, stores := range d.model.Stores() {
			switch {
			case !stores:
			case first < 0:
				first = d.nodes[i]
			default:
				set.join(first, d.nodes[i])
			}
		}
	}
	place := map[int32]int{}
	for k := 1; k < len(c.nodes); k++ {
		root := set.find(int32(k))
		if root == set.find(0) {
			continue
		}
		if _, ok := place[root]; !ok {
			place[root] = len(s.islands)
			s.islands = append(s.islands, nil)
		}
		s.islands[place[root]] = append(s.islands[place[root]], int32(k-1))
	}
	s.islands = slices.DeleteFunc(s.islands, func(nodes []int32) bool { return len(nodes) < 2 })
}
