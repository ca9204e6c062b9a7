// Package format plans fixed-point numbers for a network of neurons: which
// format every signal has, and every weight, coefficient and table entry as a
// word of it.
//
// FromCircuit finds the network in a circuit graph, New plans it. A Plan is plain
// data that the integer model (package sim/fixed) and the RTL printer (package
// emit/verilog) both read. What they share is the plan, on purpose; each does its
// own arithmetic.
//
// # The arithmetic
//
// Words are two's complement integers. For a word x and a shift k,
//
//	floor(x, k)  is x * 2^-k rounded down (x * 2^-k itself for k <= 0)
//	near(x, k)   is floor(x + 2^(k-1), k)
//	sat(x)       holds x within [-(2^(bits-1)-1), 2^(bits-1)-1] of its format
//
// Sums are exact. One step is, for every population that has error neurons,
//
//	c  = sat(near(sum of w e of the step before, BackSum.Frac - Back.Frac))
//	t  = near(target - r, Rate.Frac - Back.Frac)             at a target, beta = 1
//	t  = near(beta (target - r), Rate.Frac + Nudge.Frac - Back.Frac)     otherwise
//	g  = sat(c + t)
//	x  = slope g                                 at Slope.Frac + Back.Frac
//	d  = sat(near(x - v))                        on Neuron.Delta
//	e  = sat(near(v + floor(lead d, LeadShift), OutShift))
//	v  = v + near(lag d, LagShift)
//	s  = sat(near(mantissa e, Scale.Frac))       on Error; s = e when all are 1
//
// with the rates r and the slopes of the step before, and for every population
//
//	a  = sum of w r, bias included               at Drive.Frac
//	a  = a + gamma e                             exact
//	d  = sat(near(a - u))                        on Membrane.Delta
//	y  = sat(near(u + floor(lead d, LeadShift), OutShift))
//	u  = u + near(lag d, LagShift)
//	r  = base[y] + floor(slope[y] rest(y), InterpolationShift)      from a table
//	r  = sat(near(y, Potential.Frac - Rate.Frac))                   linear, or relu
//
// where a sum of w r multiplies the operand floor(word, Hidden) of a stored weight
// by the sender's rate of the step before, or its input of this step. Every stored
// word has half an operand unit added, so that the floor is the nearest operand.
// A difference of two words of unequal fraction is taken at the finer of the two.
// Last, for every plastic weight,
//
//	word = min(max(word + near(s r, UpdateShift) + near(decay w, DecayShift), Low), High)
//
// with the s of the receiver, the r that this step's sum of w r saw, and the operand w; the
// word of a decay is negative. A bias sees r = 1 and does not decay. This step's sums of w e, which the next step uses, see the weights
// before the update. Backward weights that learn do so by a Rule. Everything starts at zero, states at their initial words.
//
// # For maintainers
//
// Why these choices (measured in prototypes, see docs/verilog.md): a state as wide
// as its operand stops up to tau/dt units short of its target, hence guard bits; a
// weight as wide as its operand loses nearly every update, hence hidden bits;
// rounding down drifts, hence near; the slope of the table is good enough as phi'
// and needs no table of its own.
//
// All populations share formats because they share multipliers.
package format
