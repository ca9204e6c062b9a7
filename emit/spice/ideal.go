package spice

// idealBodies is the ideal level: R, C and controlled sources. Outputs are
// currents into p_r0, which nothing loads because everything that reads a
// potential is a controlled source.
var idealBodies = map[string]string{
	"cell_synapse": `
gw 0 sum plus minus {p_w/p_r0}`,

	"cell_multiplier": `
bm 0 sum i={v(a)*v(b)*p_k/(p_v0*p_r0)}`,

	// Two resistors and a capacitor. The current into sum splits between rs and
	// rp with cm; that gives v(sum) = state + p_ahead d(state)/dt exactly.
	"cell_lead_lag_rc": `
rs sum 0 {p_r0}
rp sum state {p_r0*p_ahead/(p_tau-p_ahead)}
cm state 0 {(p_tau-p_ahead)/p_r0} ic={p_init}`,

	// The lead as a weighted sum of the state and its own input: a derivative
	// would amplify rounding by tau over the step.
	"cell_lead_lag": `
rs sum 0 {p_r0}
gm 0 state sum 0 {1/p_r0}
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}
gl 0 lead sum 0 {p_ahead/(p_tau*p_r0)}
gu 0 lead state 0 {(1-p_ahead/p_tau)/p_r0}
rl lead 0 {p_r0}`,

	"cell_leaky_integrator": `
rs sum 0 {p_r0}
gm 0 state sum 0 {1/p_r0}
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}`,

	"cell_prospective": `
gl 0 lead sum 0 {p_ahead/(p_tau*p_r0)}
gu 0 lead state 0 {(1-p_ahead/p_tau)/p_r0}
rl lead 0 {p_r0}`,

	"cell_tanh": `
bo 0 out i={p_v0*tanh(v(in)/p_v0)*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_tanh_slope": `
bo 0 out i={(p_v0-v(rate)*v(rate)/p_v0)*p_k/p_r0}
ro out 0 {p_r0}`,

	// Written so that no exponential overflows.
	"cell_softplus": `
bo 0 out i={(max(v(in),0)+p_v0*ln(1+exp(-abs(v(in))/p_v0)))*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_softplus_slope": `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_v0))*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_sigmoid": `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_v0))*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_sigmoid_slope": `
bo 0 out i={v(rate)*(1-v(rate)/p_v0)*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_relu": `
bo 0 out i={max(v(in),0)*p_k/p_r0}
ro out 0 {p_r0}`,

	// A step would stop the simulator, so it rises within 1e-6 of a unit.
	"cell_relu_slope": `
bo 0 out i={p_v0*min(1,max(0,1000000*v(in)/p_v0))*p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_linear": `
go 0 out in 0 {p_k/p_r0}
ro out 0 {p_r0}`,

	"cell_linear_slope": `
io 0 out dc {p_k*p_v0/p_r0}
ro out 0 {p_r0}`,

	// As in transistors: every neuron draws exp(in - tail) from a tail that gets 1,
	// and the tail finds its potential. No argument is above 0 in the end; beyond 1
	// the exponential goes on as a straight line, for the sake of the iteration.
	"cell_softmax": `
be x 0 v={(v(in)-v(tail))/p_v0}
bt tail 0 i={p_v0*exp(min(v(x),1))*(1+max(v(x)-1,0))/p_r0}
bo 0 out i={p_v0*exp(min(v(x),1))*(1+max(v(x)-1,0))/p_r0}
ro out 0 {p_r0}`,

	"cell_softmax_tail": `
it 0 tail dc {p_v0/p_r0}
rt tail 0 {1e+09*p_r0}`,

	"cell_gate": `
ri in 0 {p_r0}
bm 0 sum i={v(in)*v(slope)*p_k/(p_v0*p_r0)}`,

	"cell_coupling": `
gc 0 sum plus minus {p_gain/p_r0}`,

	"cell_comparator": `
gt 0 sum target rate {p_gain/p_r0}`,

	"cell_difference": `
gp 0 out plus 0 {p_k/p_r0}
gm out 0 minus 0 {p_k*p_gain/p_r0}
ro out 0 {p_r0}`,

	"cell_weight_store": `
bw 0 w i={v(post)*v(pre)/(p_v0*p_r0)}
cw w 0 {1/(p_rate*p_r0)} ic={p_init}`,

	"cell_alignment_store": `
bw 0 w i={(v(post)*v(pre)-v(total)*v(total)*v(w)/p_v0)/(p_v0*p_r0)}
cw w 0 {1/(p_rate*p_r0)} ic={p_init}`,

	"cell_weight_leak": `
rw w 0 {p_r0*p_rate/p_decay}`,

	"cell_weight_refresh": `
br w 0 i={v(strobe)*p_grid*sin(p_turn*v(w)/p_grid)/(p_turn*p_v0*p_restore*p_rate*p_r0)}`,

	"cell_offset": `
io 0 out dc {p_offset/p_r0}`,

	// There is nothing to take away.
	"cell_null": `
io 0 out dc {0*p_null}`,

	// A conductance ten thousand times 1/p_r0 beyond the limits: an update of one
	// unit squared drives the weight 0.0001 units past them.
	"cell_weight_clamp": `
bw w 0 i={10000*(max(v(w)-p_clip,0)-max(-p_clip-v(w),0))/p_r0}`,

	"cell_sine": `
bs out ref v={p_amplitude*v(gate)*sin(p_turn*p_frequency*time+p_phase)}`,

	// The phase is the integral of the frequency: f1 t + (f0 - f1) (s - s^2/(2 l))
	// with s = min(t, l).
	"cell_chirp": `
bc out ref v={p_a*sin(p_turn*(p_f1*time+(p_f0-p_f1)*min(time,p_l)*(1-0.5*min(time,p_l)/p_l)))}`,
}
