package flow

// A VectorFunction is a Function that evaluates many terms in one go, operation
// by operation over all of them.
type VectorFunction interface {
	Function
	// Constants is how many of the registers behind the inputs are constants.
	Constants() int
	// Values sets out to the results of len(out) terms. Of them r[k] holds
	// register k; those behind inputs and constants are work space.
	Values(r [][]float64, out []float64)
}

// calls are the terms of one function in one level.
type calls struct {
	f        Function
	inputs   int
	register []int32 // per term
	arg      []int32 // slots, inputs per term
	dst      []int32 // slot per term

	vector    VectorFunction // nil: one by one
	constants [][]float64    // by register, then term
	r         [][]float64    // registers of a batch
	work      [][]float64
	out       []float64
}

const (
	batch         = 64 // terms at a time: registers stay in the nearest cache
	smallestBatch = 4
)

// vectorise prepares for evaluation in batches where that pays.
func (c *calls) vectorise(registers []float64) {
	v, ok := c.f.(VectorFunction)
	if !ok || len(c.dst) < smallestBatch {
		return
	}
	c.vector = v
	n := min(batch, len(c.dst))
	c.r = make([][]float64, v.Registers())
	c.out = make([]float64, n)
	c.work = make([][]float64, v.Registers())
	c.constants = make([][]float64, v.Constants())
	for k := range c.work {
		if at := k - c.inputs; at >= 0 && at < len(c.constants) {
			c.constants[at] = make([]float64, len(c.dst))
			for i, r := range c.register {
				c.constants[at][i] = registers[int(r)+k]
			}
			continue
		}
		c.work[k] = make([]float64, n)
	}
}

func (c *calls) eval(pool, registers []float64) {
	if c.vector == nil {
		n := c.f.Registers()
		for k, dst := range c.dst {
			r := registers[c.register[k] : int(c.register[k])+n]
			for i, a := range c.arg[k*c.inputs : (k+1)*c.inputs] {
				r[i] = pool[a]
			}
			pool[dst] = c.f.Value(r)
		}
		return
	}
	for lo := 0; lo < len(c.dst); lo += batch {
		hi := min(len(c.dst), lo+batch)
		n := hi - lo
		for k := range c.r {
			if at := k - c.inputs; at >= 0 && at < len(c.constants) {
				c.r[k] = c.constants[at][lo:hi]
			} else {
				c.r[k] = c.work[k][:n]
			}
		}
		args := c.arg[lo*c.inputs : hi*c.inputs]
		for i := range c.inputs {
			in := c.r[i]
			for k := range in {
				in[k] = pool[args[k*c.inputs+i]]
			}
		}
		out := c.out[:n]
		c.vector.Values(c.r, out)
		for k, dst := range c.dst[lo:hi] {
			pool[dst] = out[k]
		}
	}
}
