package spice

// A cell is the contract of one subcircuit of the library: what it computes, on
// which pins, with which parameters. A level has a body for each cell that it can
// build, so that swapping one include swaps the level of a netlist: the levels are
// rows of another table (levels.go).
//
// p_k is the factor by which a real cell is off, 1 where nothing is known of it; p_hold
// is that of the time constant by which a store forgets, where the level knows one.
// p_trim takes away what a square inside a cell is off by, which no current into an
// output can.
type cell struct {
	name     string
	equation string // as a comment above the cell
	pins     string
	params   string // with defaults, "" for none
}

// cells is the library. Potentials are in volts, p_v0 of them are one model
// unit; a current of p_v0/p_r0 into a sum stands for 1. The cell that terminates
// a sum owns its resistance p_r0, so that the potential of a sum is the sum.
var cells = []cell{
	{
		"cell_synapse", "sum += p_w (plus - minus); the presynaptic rate stands on minus where the weight is negative",
		"plus minus sum", "p_w=1",
	},
	{
		"cell_multiplier", "sum += p_k a b",
		"a b sum", "p_k=1",
	},
	{
		"cell_lead_lag_rc",
		"p_tau d(state)/dt = -state + (current into sum), v(sum) = state + p_ahead d(state)/dt; needs p_ahead < p_tau",
		"sum state", "p_tau=1 p_ahead=0.1 p_init=0",
	},
	{
		"cell_lead_lag", "p_tau d(state)/dt = -state + sum, lead = state + p_ahead d(state)/dt",
		"sum state lead", "p_tau=1 p_ahead=0.1 p_init=0",
	},
	{
		"cell_leaky_integrator", "p_tau d(state)/dt = -state + sum",
		"sum state", "p_tau=1 p_init=0",
	},
	{
		"cell_prospective", "lead = (1 - p_ahead/p_tau) state + p_ahead/p_tau sum",
		"sum state lead", "p_tau=1 p_ahead=0.1",
	},
	{"cell_tanh", "out = p_k tanh(in)", "in out", "p_k=1"},
	{"cell_tanh_slope", "out = p_k (1 - rate^2), the slope of rate = tanh(in)", "in rate out", "p_k=1"},
	{"cell_softplus", "out = p_k ln(1 + exp(in))", "in out", "p_k=1"},
	{"cell_softplus_slope", "out = p_k/(1 + exp(-in)), the slope of rate = ln(1 + exp(in))", "in rate out", "p_k=1"},
	{"cell_sigmoid", "out = p_k/(1 + exp(-in))", "in out", "p_k=1"},
	{"cell_sigmoid_slope", "out = p_k rate (1 - rate), the slope of rate = 1/(1 + exp(-in))", "in rate out", "p_k=1"},
	{"cell_relu", "out = p_k max(in, 0)", "in out", "p_k=1"},
	{"cell_relu_slope", "out = 0 below 0, p_k above, the slope of rate = max(in, 0)", "in rate out", "p_k=1"},
	{"cell_linear", "out = p_k in", "in out", "p_k=1"},
	{"cell_linear_slope", "out = p_k, the slope of rate = in", "in rate out", "p_k=1"},
	{"cell_softmax", "out = exp(in - tail), one for each neuron; all share the tail", "in out tail", ""},
	{"cell_softmax_tail", "the outputs of the cells on this tail add up to 1", "tail", ""},
	{"cell_gate", "sum += p_k slope in; terminates in", "in slope sum", "p_k=1"},
	{"cell_coupling", "sum += p_gain (plus - minus)", "plus minus sum", "p_gain=1"},
	{"cell_comparator", "sum += p_gain (target - rate)", "target rate sum", "p_gain=1"},
	{"cell_difference", "out = p_k (plus - p_gain minus)", "plus minus out", "p_gain=1 p_k=1"},
	{
		"cell_weight_store", "d(w)/dt = p_rate post pre; the learning rate is a capacitor",
		"pre post w", "p_rate=1 p_init=0 p_hold=1",
	},
	{
		"cell_alignment_store", "d(w)/dt = p_rate (post pre - total^2 w)",
		"pre post total w", "p_rate=1 p_init=0 p_hold=1 p_trim=0",
	},
	{"cell_weight_leak", "a store that learns at p_rate gets -p_decay w", "w", "p_rate=1 p_decay=1"},
	{
		"cell_weight_refresh",
		"while strobe is 1, w of a store that learns at p_rate falls to the nearest multiple of p_grid: " +
			"d(w)/dt -= strobe p_grid/(2 pi p_restore) sin(2 pi w/p_grid)",
		"strobe w", "p_rate=1 p_grid=1 p_restore=1",
	},
	{"cell_offset", "out += p_offset; where out is a store, what it integrates", "out", "p_offset=0"},
	{"cell_null", "out += p_null, found by an operating point: takes the offset of a cell away", "out", "p_null=0"},
	{"cell_weight_clamp", "holds w between -p_clip and p_clip", "w", "p_clip=1"},
	{
		"cell_sine", "out - ref = p_amplitude gate sin(2 pi p_frequency t + p_phase)",
		"gate out ref", "p_amplitude=1 p_frequency=1 p_phase=0",
	},
	{
		"cell_chirp", "out - ref = p_a sin(2 pi f t), f rising from p_f0 to p_f1 within p_l, then p_f1",
		"out ref", "p_a=1 p_f0=1 p_f1=2 p_l=1",
	},
}

// findCell is the cell of that name, nil when there is none.
func findCell(name string) *cell {
	for i := range cells {
		if cells[i].name == name {
			return &cells[i]
		}
	}
	return nil
}

// Cells lists the names of the library's cells, in its order.
func Cells() []string {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = c.name
	}
	return names
}
