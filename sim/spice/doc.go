// Package spice reads SPICE netlists and simulates them: operating point, dc
// sweep, small-signal and transient analysis of circuits of linear elements,
// independent sources, behavioural sources, diodes, MOS and bipolar
// transistors.
//
//	n, err := spice.ParseFile("net.cir")  // syntax: all errors at once
//	c, err := n.Elaborate()               // flat circuit, all values known
//	trace, stats, err := c.Tran(ctx, spice.Options{})
//
// # What is understood
//
// Elements r, c (ic=), l (ic=), k, v, i, e, g, f, h, b, d, m, q and x. Values are numbers
// with scale suffixes, parameters, or expressions in braces or single quotes.
// Independent sources take dc, ac, pulse, sin, pwl (r=, td=), exp, sffm and am.
// Behavioural sources are b with v= or i=, and e or g with value=, vol= or cur=;
// their expressions may use v(node), v(node,node), i(device), time and the
// functions + - * / ^ ** < <= > >= == != && || ! ?: abs sgn u u2 uramp sqrt exp
// ln log log10 sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
// floor ceil int nint min max pow pwr hypot limit if pwl, and those of .func.
//
// Devices d, m and q have a .model of type d, of type nmos or pmos and level 1, of
// type npn or pnp; parameters for effects that are not simulated are refused, unknown ones ignored with a
// warning.
//
// Cards .model .subckt (nested, with parameters) .ends .param .func .include .lib .ic
// .nodeset .global .options .temp .tran .op .dc .ac .measure .step .save .end.
// Printing cards are read over; .control blocks
// are skipped with a warning. Everything else is an error that says what to do.
//
// # What it means
//
// Where simulators differ, ngspice decides: case does not matter, the first line
// is a title, "1m" and "1M" are thousandths, ^ and ** take the magnitude of
// their base and associate to the left, log is the natural logarithm, u(0) is
// 1/2, division by zero gives 1e32 times the numerator, exp saturates at 1e99.
// Three things are better than there: limit(x,a,b) limits, literals keep all
// their digits, and if(c,a,b) exists.
//
// # For maintainers
//
// The way of a netlist through the package:
//
//	lines.go       file -> logical lines, fields
//	number.go      numbers with suffixes
//	expr.go        text -> expression tree (a Pratt parser)
//	parse.go, directives.go, source.go
//	               lines -> Netlist (netlist.go): a tree of definitions
//	census.go      how large the circuit will be
//	elaborate.go   Netlist -> Circuit (circuit.go): flat tables of devices
//	semiconductors.go, device
//	               models and devices with equations of their own
//	compile.go     expression tree -> program (program.go, softplus.go)
//	check.go       circuits that cannot have a solution
//	system.go      Circuit -> d/dt (C x + q(x)) + G x + f(x,t) = b(t), and its Jacobian
//	bypass.go, lanes.go
//	               behaviours: those that hardly moved, and many side by side
//	team           two cores
//	newton.go      one solve, and what to say when it fails
//	damped.go, op.go, sweep.go
//	               operating point, from far away too; dc sweep, small signals
//	start.go, tran.go
//	               t = 0, integration
//	equations.go, explicit.go, flow
//	               the other way to integrate: sorted equations, no matrix
//	measure.go     .measure on a trace
//	step.go        .step
//	record.go, output.go, raw.go
//	               what is saved, how it is written, and read
//
// The reader shares nothing with the packages that print netlists: were there a
// common table, it would read its own mistakes back and call them right.
//
// Modified nodal analysis is done on vectors, not device by device: all linear
// devices, reactive ones included, are two constant matrices G and C, and an
// integration method is a number alpha and a history vector. Per step and
// iteration only the behavioural sources are evaluated, program by program, with
// the instances of each side by side.
//
// Semiconductors bring charges that are functions of voltages, q(x), and limits on
// how far an iteration may move a junction. A device that was limited stands
// elsewhere than the circuit; it is linearised there, and the iteration goes on
// until none is.
//
// Newton's iteration works on corrections (r = b - F(x), J dx = r). SPICE solves
// for x itself; corrections lose no digits to large unknowns, and one
// iteration's error is visible as the size of the next.
//
// The trapezoidal rule keeps the charge derivative C dx/dt of the last instant,
// so it needs a consistent start. With uic that is a backward Euler step of no
// length worth mentioning from the given charges, after which states are put
// back where they were and the derivative is taken from the equations; the same
// solve serves any other jump. After a corner of a source one short backward
// Euler step damps what the trapezoidal rule would let ring for ever.
//
// With trtol of 1e4 and more no truncation error is computed and every step has
// the largest length: fixed-step integration, which netlists of ideal networks
// ask for, and whose factors of the matrix survive from step to step.
package spice
