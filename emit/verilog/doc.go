// Package verilog emits a network as a folded fixed-point core in Verilog-2005:
// modules, a self-checking testbench with golden vectors, and what tools around
// them need.
//
//	core, err := verilog.New(plan, verilog.Options{Lanes: 1})
//	err = core.Add(vectors, &files)
//
// The plan (package format) says what every number is, the Schedule when it is
// worked on. A step takes Schedule.Period cycles, exactly.
//
// # For maintainers
//
// Three engines (control.go) issue addresses: the sweep reads each weight once,
// the slots hand the shared neuron unit one neuron a cycle, the streams bring and
// take samples. Behind them stand pipes that carry everything they need along and
// never wait: lanes (lane.go), the neuron unit (neuron.go). The schedule
// (schedule.go) is worked out here, to the cycle, so that no part asks another
// whether it is done; check.go walks through it and refuses one that would read
// too early.
//
// Weights of the way back that learn (rule.go) stand beside the forward ones and are
// read with them; they hear of a drive when it is complete, in the next step.
//
// Choices that were measured: one neuron unit serves membranes and error neurons;
// three multiplications per word of weights that is read, so that no transposed
// memory is needed; sums of w r wait in a memory for their slot, so that rows of
// one synapse do not hold up the sweep; rates have two pages, so that any order of
// populations is right and a step may begin while the last one drains; phi' is the
// slope of the table. The first step after a clear does not read memories of
// states, so that clearing costs no cycle.
//
// Modules are built as syntax trees (package tree), linted, and printed. Names from
// a model reach the text only as identifiers by emit.Names and inside comments.
package verilog
