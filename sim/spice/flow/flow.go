// Package flow simulates circuits that are, once their algebra is sorted out,
// explicit differential equations: x' = f(x, t). Networks of ideal cells are.
//
// Compile takes a circuit as a differential-algebraic System and either returns
// a Field, which evaluates x' and every other unknown from x and t, or says
// with a *NotExplicitError why the circuit needs an implicit method. Integrate
// follows a Field through time with an explicit Runge-Kutta method of high
// order under error control.
//
// # For maintainers
//
// A circuit simulator puts all equations into one matrix and factors it at
// every time step. An equation-based compiler (Dymola, OpenModelica,
// ModelingToolkit) first asks what determines what. Most equations of a
// netlist then turn out to be assignments:
//
//	system.go    the equations as they come from the netlist
//	states.go    capacitor voltages and inductor currents become states; what
//	             holds the rest together is algebraic
//	sorted.go    the algebraic equations are matched to unknowns and sorted into
//	             strongly connected blocks (Tarjan), nearly all of size one: a
//	             node with a resistor to ground is the sum of its currents over
//	             its conductance
//	schedule.go  what is needed is laid out in levels of independent work, what
//	             is not needed is dropped, voltages that equal another are aliases
//	calls.go     the functions of a level, operation by operation over all terms
//	rows.go      a level of summing nodes as one sparse kernel,
//	dense.go     of which layers are recognised and become dense matrices
//	plastic.go   layers that learn: matrices of states that move by outer products
//	loop.go      blocks that are true algebraic loops are solved by Newton
//	field.go     one evaluation of x' = f(x, t)
//	integrate.go step control, breakpoints, dense output
//	dopri5.go, dop853.go   the methods
//
// The passive prospective membrane shows what happens. The netlist has a node s
// with currents I into R0, and Rp with C in series:
//
//	(1/R0 + 1/Rp) s - u/Rp = I,   C u' = (s - u)/Rp
//
// u is a state, s is matched to the first equation, which becomes the
// assignment s = (I + u/Rp)/(1/R0 + 1/Rp), that is (1-k) u + k R0 I with
// k = tau_r/tau_m: the lead, without a differentiator and without a matrix.
//
// Explicit methods are limited by the fastest time constant. Field.Stiffness
// measures it, so that the caller can decide; nothing here guesses.
package flow
