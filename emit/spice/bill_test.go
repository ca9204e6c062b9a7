package spice_test

import (
	"math"
	"strings"
	"testing"

	"vlec/emit/spice"
)

// TestBill counts the chain by hand.
func TestBill(t *testing.T) {
	net := load(t, chain)
	_, side := emitted(t, lowered(t, net, true), spice.Options{Process: parts, Dt: 1e-5, Stop: 1e-3})
	rows := map[string]spice.BillRow{}
	for _, r := range side.Bill.Rows {
		rows[r.Cell] = r
		if strings.HasPrefix(r.Cell, "bench") {
			t.Errorf("the testbench is billed: %s", r.Cell)
		}
	}
	for cell, count := range map[string]int{
		"cell_multiplier": 3, "cell_lead_lag_rc": 2, "cell_lead_lag": 2, "cell_tanh": 1, "cell_weight_store": 2, "cell_comparator": 1, "cell_gate": 1,
	} {
		if rows[cell].Count != count {
			t.Errorf("%d of %s, want %d", rows[cell].Count, cell, count)
		}
	}
	// C = (tau_m - tau_r)/R0, Rp = tau_r/C, and R0: two membranes at 1 ms and 100 kohm.
	if rc := rows["cell_lead_lag_rc"]; math.Abs(rc.Farads-2*9e-9) > 1e-15 || math.Abs(rc.Ohms-2*(1e5+1e5/9)) > 1 || rc.Bias != 0 {
		t.Errorf("membranes: %+v", rc)
	}
	// 1/(eta R0), eta = 0.1 a millisecond.
	if store := rows["cell_weight_store"]; math.Abs(store.Farads-2*1e-7) > 1e-13 {
		t.Errorf("stores: %+v", store)
	}
	// range^2/(v0 r0) is 500 uA a multiplier.
	if m := rows["cell_multiplier"]; math.Abs(m.Bias-3*5e-4) > 1e-9 || math.Abs(m.Power-m.Bias*10) > 1e-9 {
		t.Errorf("multipliers: %+v", m)
	}
	b := side.Bill
	if b.Synapses != 3 || math.Abs(b.EnergyStep-1e-5*b.Total.Power) > 1e-15 || math.Abs(b.EnergyUpdate*2-b.EnergyStep) > 1e-15 {
		t.Errorf("%+v", b)
	}
	count, power := 0, 0.0
	for _, r := range b.Rows {
		count, power = count+r.Count, power+r.Power
	}
	if count != b.Total.Count || math.Abs(power-b.Total.Power) > 1e-12 {
		t.Errorf("the total %+v is not the sum of its rows", b.Total)
	}
	if n := len(b.Table()); n != len(b.Rows)+2 {
		t.Errorf("%d rows", n)
	}
}
