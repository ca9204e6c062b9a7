package spice_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/internal/golden"
	reader "vlec/sim/spice"
)

// refreshing is a store that learns 0.02 in a unit of time, with a strobe that is up at
// half its height from 1.15 to 2.65.
const refreshing = `circuit refreshing
net a potential 1
stimulus a out=a wave=[constant(0.4)]
net b potential 1
stimulus b out=b wave=[constant(0.5)]
net strobe potential 1
stimulus strobe out=strobe wave=[pulse(0 1 1 0.3 1.2 9)]
net w potential 1
weight-store w pre=a post=b w=w rate=0.1 init=[0.78] decay=0 clip=0
refresh w.refresh strobe=strobe w=w rate=0.1 grid=0.125 restore=0.16
`

// TestTransistorRefresh wants a weight of a store of transistors to learn, to fall to
// the nearest level while the strobe is up, and to go on from there, in both engines.
func TestTransistorRefresh(t *testing.T) {
	c := atTransistors(t, refreshing)
	dir, side := started(t, c, nulled(t, c, spice.Options{Stop: 4 * units.Time, MaxStep: units.Time / 10}))
	ours := builtin(t, dir)
	if testing.Short() {
		t.Log("-short leaves ngspice out, which takes half a minute")
	} else {
		theirs := ngspice(t, dir)
		ours = builtin(t, dir, theirs.Signals[0].Time...)
		agree(t, theirs, ours)
	}
	w := node(t, ours, signal(t, side, "w").Nodes[0])
	at := func(when float64) float64 {
		v, err := w.Resample([]float64{when * units.Time})
		if err != nil {
			t.Fatal(err)
		}
		return v.Data[0] / spice.PairVoltage
	}
	for _, c := range []struct{ when, want, within float64 }{
		{1, 0.78 + 0.02, 1e-3},
		{2.5, 0.75 + 0.02*0.16, 0.06 * 0.125}, // it still learns
		{4, at(2.8) + 0.02*1.2, 1e-3},
	} {
		got := at(c.when)
		t.Logf("at %g units of time: %.5f, should be %.5f", c.when, got, c.want)
		if !(math.Abs(got-c.want) < c.within) {
			t.Errorf("at %g units of time the weight is %g, want %g", c.when, got, c.want)
		}
	}
	if lost := at(2.5) - at(2.8); math.Abs(lost) > 0.05*0.125 {
		t.Errorf("the weight moves by %g when the strobe falls", -lost)
	}
	for _, r := range side.Bill.Rows {
		if r.Cell == "cell_weight_refresh" && (r.Transistors < 300 || !(r.Power > 1e-7) || !(r.Power < 2e-6)) {
			t.Errorf("%+v", r)
		}
	}
}

// TestRefreshedBeyond: where there are no levels, a weight is not restored but driven
// away.
func TestRefreshedBeyond(t *testing.T) {
	for init, ok := range map[string]bool{"3.9": true, "-3.9": true, "3.95": false, "-3.95": false} {
		c := atTransistors(t, strings.Replace(refreshing, "0.78", init, 1))
		_, err := spice.Emit(c, spice.Options{Level: "transistor", Stop: units.Time}, &emit.Artifacts{})
		if ok && err != nil || !ok && (err == nil || !strings.Contains(err.Error(), "w_2_a0 is "+init) || !strings.Contains(err.Error(), "a grid of 0.13 would do")) {
			t.Errorf("%s: %v", init, err)
		}
	}
}

// TestGoldenRefreshTransistors pins the bytes of stores of transistors that are
// refreshed, in all dialects.
func TestGoldenRefreshTransistors(t *testing.T) {
	net := load(t, chain)
	c, err := lower.Network(net, lower.Options{Learning: true})
	if err != nil {
		t.Fatal(err)
	}
	analog := pass.Analog(spice.UnitsAt("transistor", units, spice.Transistors{}))
	passes := slices.Insert(slices.Clone(analog), len(analog)-1, pass.Refresh(pass.Refreshing{Period: 4, Grid: 0.125}))
	if err := pass.Run(c, passes); err != nil {
		t.Fatal(err)
	}
	for _, dialect := range spice.Dialects() {
		dir, _ := started(t, c, spice.Options{
			Dialect: dialect, Dt: net.Dt * units.Time, Generator: "vlec test", Hash: strings.Repeat("0", 64), Seed: net.Seed,
			Stop: net.Duration * units.Time,
		})
		list := []string{spice.NetlistFile}
		if dialect == "ngspice" {
			list = append(list, spice.CellFile, spice.BillFile, spice.MapFile)
		}
		for _, name := range list {
			golden.Check(t, filepath.Join("testdata", "refresh-transistor-"+dialect, name), read(t, dir, name))
		}
	}
}

// TestRefreshLevels wants every level where its datasheet says, at several grids, and
// the slope of the ideal cell around it. The sweep meets folds, where the built-in engine
// once took a million volts for a solution.
func TestRefreshLevels(t *testing.T) {
	const v0, restore, rate = spice.PairVoltage, 6e-5, 100
	u := spice.UnitsAt("transistor", units, spice.Transistors{})
	p := corrected(t, atTransistors(t, refreshing))
	for _, c := range []struct{ grid, reach, within float64 }{{0.125, 18, 0.06}, {0.5, 4, 0.06}, {1.0 / 32, 31, 0.2}} {
		var files emit.Artifacts
		if _, err := spice.Bench("cell_weight_refresh", "transistor", u, p, 1, &files); err != nil {
			t.Fatal(err)
		}
		files.AddText("levels.cir", fmt.Sprintf(`* t
.param p_v0=%.16g
.param p_r0=%.16g
.include "cells.lib"
v_w w 0 0
v_strobe strobe 0 dc {p_v0}
x1 strobe w cell_weight_refresh PARAMS: p_rate=%d p_grid=%.16g p_restore=%g
.dc v_w %.16g %.16g %.16g
.save i(v_w)
.end
`, v0, u.Resistance, rate, c.grid*v0, restore, -(c.reach+0.5)*c.grid*v0, (c.reach+0.5)*c.grid*v0, 0.05*c.grid*v0))
		dir := t.TempDir()
		if err := files.Commit(dir); err != nil {
			t.Fatal(err)
		}
		list, err := reader.ParseFile(filepath.Join(dir, "levels.cir"))
		if err != nil {
			t.Fatal(err)
		}
		built, err := list.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		tr, _, err := built.DC(t.Context(), reader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		i := tr.Signal("i(v_w)")
		worst, levels := 0.0, map[float64]bool{}
		for k := 1; k < len(i.Time); k++ {
			before, after := i.Data[k-1], i.Data[k] // into the weight
			if before <= 0 || after > 0 {
				continue
			}
			slope := (after - before) / (i.Time[k] - i.Time[k-1])
			level := (i.Time[k-1] - before/slope) / (c.grid * v0)
			worst = math.Max(worst, math.Abs(level-math.Round(level)))
			levels[math.Round(level)] = true
			if off := slope * -restore * rate * u.Resistance; off < 0.85 || off > 1.15 {
				t.Errorf("grid %g: weights fall to %g with a slope of %g", c.grid, level, off)
			}
		}
		t.Logf("grid %g: %d levels, off by %.3f at most", c.grid, len(levels), worst)
		if !(worst < c.within) || len(levels) != int(2*c.reach+1) {
			t.Errorf("grid %g: %d levels, want %g; off by %g grids, want %g", c.grid, len(levels), 2*c.reach+1, worst, c.within)
		}
	}
}
