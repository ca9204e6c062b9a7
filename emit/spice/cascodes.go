package spice

// cascodes bias the gates of cascodes: halfway to the supplies, or, where units follow
// the temperature, by transistors, so that what is below a cascode has 5 Ut whatever
// threshold and supply are. In weak inversion, of two transistors on a gate that carry
// the same current, the upper one k times as wide for its length, the lower one has
// ln(1 + k) Ut, and ln(1 + 2 k) where it carries twice as much (Vittoz and Neyroud,
// IEEE JSSC 14, 573, 1979): 2.2 and 2.8 at k = 8.
func (p Process) cascodes() []string {
	if !p.PTAT {
		return []string{
			"v_nc nc 0 dc {0-0.5*p_vs}",
			"v_pc pc 0 dc {0.5*p_vs}",
		}
	}
	const upper, lower = " PARAMS: p_w={p_mw} p_l={p_ml}", " PARAMS: p_w={p_mw} p_l={8*p_ml}"
	return []string{
		"i_nca 0 bias_d dc {p_v0/p_r0}",
		"x_nca bias_d bias_d bias_e vss mos_n" + upper,
		"x_ncb bias_e bias_d vss vss mos_n" + lower,
		"i_ncb 0 nc dc {p_v0/p_r0}",
		"x_ncc nc nc bias_f vss mos_n" + upper,
		"x_ncd bias_f nc bias_e vss mos_n" + lower,
		"i_pca bias_g 0 dc {p_v0/p_r0}",
		"x_pca bias_g bias_g bias_h vdd mos_p" + upper,
		"x_pcb bias_h bias_g vdd vdd mos_p" + lower,
		"i_pcb pc 0 dc {p_v0/p_r0}",
		"x_pcc pc pc bias_i vdd mos_p" + upper,
		"x_pcd bias_i pc bias_h vdd mos_p" + lower,
	}
}
