// Package verilog reads Verilog-2005 text, elaborates it and simulates it: the
// file that was written is what runs, also after a person edited it.
//
//	src, err := verilog.ParseFiles("rtl/top.v", "rtl/mac.v")
//	d, err := src.Elaborate("top", nil)
//	sim, err := verilog.NewSim(d)
//	sim.Set("x_i", -3)
//	sim.Step()                  // one cycle of the clock
//	y, err := sim.Get("y_o")
//
// A testbench runs with Run instead; its $fatal shows in the Result.
//
// # The language
//
// Modules with parameters, localparams, ports in both styles; wire, reg,
// integer, time, memories of one dimension, all signed or unsigned; constants
// with x and z; every operator; constant and variable parts; assign, always,
// initial; if, case, casez, casex, for, while, repeat, forever, disable;
// blocking and nonblocking assignments; functions and tasks (not recursive;
// each call has variables of its own); generate with for, if and case;
// instances with connections by name and by position; the primitives and, or,
// xor, nand, nor, xnor, not and buf; hierarchical names; macros, conditional
// text and includes; #delays, @events, wait and named events; $display, $write,
// $strobe, $error, $fatal, $finish, $stop, $readmemh, $readmemb, $dumpfile,
// $dumpvars, $time, $random, $signed, $unsigned, $clog2.
//
// Not read, each with an error that says so: inout ports below the top, real
// numbers outside of delays, defparam, fork, force, strengths, several drivers
// of one bit, delays of nets, user-defined primitives, arrays of instances or
// of nets.
//
// # Where this differs from other simulators
//
// Widths and signs follow IEEE 1364-2005, sections 5.4 and 5.5, to the letter.
// Icarus 11 needs -gstrict-expr-width for that, and still evaluates what is
// connected to a port in its own width instead of the port's, takes 'shad for
// a negative number of 8 bits, cuts an index to 32 bits, and divides nets of
// more than 64 bits wrongly.
//
// A memory file that is missing, malformed, too short or too long is an error.
//
// # For maintainers
//
// The text goes through four forms. A lexer, a preprocessor on tokens and a
// parser by recursive descent make the syntax tree (ast.go), which says what
// was written. The elaborator (elab*.go) unrolls the hierarchy, resolves names
// and settles types, which gives the typed tree (typed.go): every extension
// stands in it as a conversion, and nothing below needs to know a rule of the
// standard. Functions and tasks are copied into the place of their call. The
// compiler cuts clocked processes into registers (split.go), puts wires that are
// read once into the place where they are (inline.go), puts combinational units
// into an order of evaluation and registers that only copy one another behind
// the others (order.go, copies.go), and makes bytecode on 64-bit slots (code.go,
// compile.go, compstmt.go, fuse.go). The kernel (kernel.go) runs units as the
// standard's event queue wants it, and of those only the ones for which
// something has changed.
//
// Every operator exists twice: in eval (ops.go) on four-state vectors of any
// width, and in exec2 (exec.go) on known values of at most 64 bits. eval folds
// constants and takes over where exec2 cannot go on; the tests hold both
// against Icarus.
//
// Nothing here may import emit: a shared table of operators or names would
// read back its own mistakes.
package verilog
