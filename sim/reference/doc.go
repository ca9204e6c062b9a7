// Package reference computes the dynamics of a network straight from its model:
// membranes, prospective rates, error neurons and local plasticity, in the two
// semantics that circuits are compared with.
//
//	Continuous   the differential equations, to a tight tolerance; analog circuits
//	Synchronous  forward Euler on a clock of step dt; clocked hardware
//
// Run simulates a model and records a sim.Trace. Synchronous steps a network
// under the caller's control, several trials side by side, and is what training
// and gradient checks are built on.
//
// The equations are those of Variational Latent Equilibrium (arXiv 2603.09600)
// and of Generalized Latent Equilibrium (arXiv 2403.16933). With the symbols of
// package model, for every population:
//
//	drive        a = sum_q W_q r_pre(q) + b
//	membrane     tau_m du/dt = -u + a + gamma e
//	rate         r = phi(y),  y = u + tau_r du/dt
//	error in     x = phi'(y) sum_q B_q e_post(q)        from the populations it drives
//	             x += phi'(y) beta (target - r)         at a target, squared loss
//	             x += beta (target - softmax(r))        at a target, cross-entropy
//	error        tau_r dv/dt = -v + x,  e = v + tau_m dv/dt
//	plasticity   dW/dt = eta e r_pre^T,  db/dt = eta_b e
//	             dtau_m/dt = -eta_tau e du/dt
//
// # For maintainers
//
// This package is the yardstick: everything that vlec emits is measured against
// it. Therefore it imports model and sim and nothing else of vlec; a table
// shared with the lowering or with an emitter would measure that table against
// itself.
//
// The files, in reading order: plan.go numbers the populations and checks the
// shapes; activation.go holds phi; stimulus.go evaluates inputs, targets and
// noise; kernel.go makes the one pass over a weight matrix that a clock step
// needs and synchronous.go is built from it; flow.go is the right-hand side of
// the differential equations, loop.go the algebraic loop inside it, ode.go the
// integrator, continuous.go the run; feedback.go holds the rules for backward
// weights in both semantics; optimizer.go what other optimisers make of an update;
// run.go is the front door, record.go, metrics.go and weights.go are what comes out
// of it.
//
// state.go lists everything that a run has to remember, once, for writing and for
// taking back; checkpoint.go is the file. Whoever adds to the state of a run adds
// it there, and TestResumeIsBitIdentical tells when it was forgotten.
//
// Gradients: tape.go keeps a run of any length in little memory, adjoint.go is the
// reverse sweep over it, gradcheck.go compares the local rule with what it finds.
// frequency.go measures the same at single frequencies, and smallsignal.go says what
// has to come out, from the linearised network.
//
// No lead is ever formed as a difference quotient: y and e are weighted sums of
// a state and its own input, because a quotient amplifies rounding by tau/dt.
package reference
