//go:build unix

package main

import (
	"os"
	"testing"
)

// TestCloses places the tops of the UP5K board of the paper's chain and of a
// learning network 1-16-16-4, on their pins, and the core 1-8-8-1: the first two
// must reach 12 MHz, the last one 2200 logic cells, 7 multipliers, 38 MHz and 115
// cycles.
func TestCloses(t *testing.T) {
	if os.Getenv("VLEC_LONG") == "" {
		t.Skip("minutes of placement: VLEC_LONG=1")
	}
	for _, c := range []struct {
		placing
		mega               float64
		cells, dsp, cycles int
	}{
		{placing{model: "../../examples/chain/model.toml", device: "up5k", board: true}, 12, 5280, 8, 1000},
		{placing{layers: "1,16,16,4", device: "up5k", board: true}, 12, 5280, 8, 1000},
		{placing{layers: "1,8,8,1", device: "up5k"}, 38, 2200, 7, 115},
	} {
		c.bits, c.lanes, c.seeds = 16, 1, 1
		made, err := c.place()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range made {
			t.Logf("%+v: %+v", c.placing, p)
			if p.mega < c.mega || p.cells > c.cells || p.dsp > c.dsp || p.cycles > c.cycles {
				t.Errorf("%+v: %+v", c.placing, p)
			}
		}
	}
}
