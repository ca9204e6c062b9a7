package rtlcells

import (
	"context"
	"math"
	"strings"

	"vlec/emit/verilog/device"
)

// Count is what counts of Yosys's cells on a device: lookup tables, registers,
// block RAMs and multipliers.
func (c Cells) Count() (lut, ff, ram, dsp int) {
	for name, n := range c {
		switch {
		case name == "SB_LUT4":
			lut += n
		case strings.HasPrefix(name, "SB_DFF"):
			ff += n
		case name == "SB_RAM40_4K":
			ram += n
		case name == "SB_MAC16":
			dsp += n
		}
	}
	return lut, ff, ram, dsp
}

// Fit finds the shares that come nearest, in relative terms, to the cells of the
// designs that are not held out.
func Fit(ctx context.Context, all Record, name string) (*device.Shares, error) {
	var rows [][]float64
	var registers [2][][]float64 // counted over found, frozen and learning
	for _, d := range Designs() {
		cells := all[name][d.Name]
		if cells == nil || d.HeldOut {
			continue
		}
		core, err := d.Core(ctx, name, "")
		if err != nil {
			return nil, err
		}
		lut, ff, _, _ := cells.Count()
		s := core.Structure()
		row := s.Features()
		for i := range row {
			row[i] /= float64(lut)
		}
		rows = append(rows, row)
		k := 0
		if d.Learning {
			k = 1
		}
		registers[k] = append(registers[k], []float64{s.FF / float64(ff)})
	}
	fit := &device.Shares{LUT: leastSquares(rows)}
	for k, ratios := range registers {
		fit.FF[k] = leastSquares(ratios)[0]
	}
	return fit, nil
}

// leastSquares minimises |A x - 1| over x >= 0, by going from one coordinate to the
// next.
func leastSquares(a [][]float64) []float64 {
	n := len(a[0])
	gram, h, x := make([][]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		gram[i] = make([]float64, n)
		for _, row := range a {
			h[i] += row[i]
			for j := range n {
				gram[i][j] += row[i] * row[j]
			}
		}
	}
	for range 100000 {
		moved := 0.0
		for i := range n {
			if gram[i][i] == 0 {
				continue
			}
			r := h[i]
			for j := range n {
				r -= gram[i][j] * x[j]
			}
			to := math.Max(0, x[i]+r/gram[i][i])
			moved = math.Max(moved, math.Abs(to-x[i]))
			x[i] = to
		}
		if moved < 1e-12 {
			break
		}
	}
	return x
}
