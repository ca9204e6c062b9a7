// Package characterize measures the cells of netlists, each beside its ideal twin,
// and writes their datasheets.
//
// # For maintainers
//
// A cell and its twin stand in one netlist with the same inputs; the built-in
// simulator reads its text. The error is what remains between their outputs, over
// the output of the twin. Nothing here knows what a cell is supposed to do.
package characterize

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vlec/circuit"
	"vlec/emit"
	emitter "vlec/emit/spice"
	"vlec/internal/operating"
	"vlec/internal/table"
	"vlec/sim/spice"
)

// Amplitudes are those at which a cell is driven, in model units.
var Amplitudes = []float64{0.25, 0.5, 1, 2, 4}

// MostError is the error up to which a cell counts as usable.
const MostError = 0.02

// A Sheet is the measured datasheet of a cell at one level.
type Sheet struct {
	*emitter.Datasheet
	Errors []float64 // by Amplitudes: RMS of the difference from the twin over the RMS of the twin
	Range  float64   // largest amplitude with at most MostError
}

// DefaultUnits are those of a model that declares none.
var DefaultUnits = circuit.Units{Time: 1e-3, Voltage: 1, Resistance: 1e6}

// Options are the units and the parts that cells are characterised with.
type Options struct {
	Units    circuit.Units
	Process  emitter.Process
	Progress func(stage string, done float64)
}

// Run characterises all cells at all levels, in the order of the library.
func Run(ctx context.Context, o Options) ([]*Sheet, error) {
	dir, err := os.MkdirTemp("", "vlec-cells-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var sheets []*Sheet
	names, levels := emitter.Benched(), emitter.Levels()
	if o.Process.Corrections, err = operating.Correct(ctx, o.Process.Units("transistor", o.Units), o.Process, ""); err != nil {
		return nil, err
	}
	for k, name := range names {
		for _, level := range levels {
			if !emitter.Has(level, name) {
				continue
			}
			s := &Sheet{}
			for _, amplitude := range Amplitudes {
				e, sheet, err := measure(ctx, dir, name, level, o, amplitude)
				if err != nil {
					return nil, fmt.Errorf("%s, level %s, amplitude %g: %w", name, level, amplitude, err)
				}
				s.Datasheet = sheet
				s.Errors = append(s.Errors, e)
				if e <= MostError {
					s.Range = amplitude
				}
			}
			sheets = append(sheets, s)
		}
		if o.Progress != nil {
			o.Progress("cells", float64(k+1)/float64(len(names)))
		}
	}
	return sheets, nil
}

// measure runs the bench of one cell at one amplitude.
func measure(ctx context.Context, dir, name, level string, o Options, amplitude float64) (float64, *emitter.Datasheet, error) {
	var files emit.Artifacts
	units := o.Process.Units(level, o.Units)
	sheet, err := emitter.Bench(name, level, units, o.Process, amplitude, &files)
	if err != nil {
		return 0, nil, err
	}
	if err := files.Commit(dir); err != nil {
		return 0, nil, err
	}
	list, err := spice.ParseFile(filepath.Join(dir, emitter.NetlistFile))
	if err != nil {
		return 0, nil, err
	}
	c, err := list.Elaborate()
	if err != nil {
		return 0, nil, err
	}
	times := make([]float64, 20*emitter.BenchLength)
	for k := range times {
		times[k] = float64(k+1) / 20 * units.Time
	}
	trace, _, err := c.Tran(ctx, spice.Options{Times: times})
	if err != nil {
		return 0, nil, err
	}
	got, twin := trace.Signal("v("+sheet.Out+")"), trace.Signal("v("+sheet.Twin+")")
	if got == nil || twin == nil {
		return 0, nil, fmt.Errorf("the bench shows no output")
	}
	difference, power := 0.0, 0.0
	for k, x := range twin.Data {
		difference += (got.Data[k] - x) * (got.Data[k] - x)
		power += x * x
	}
	return math.Sqrt(difference / power), sheet, nil
}

// Table lists all sheets for people.
func Table(sheets []*Sheet) [][]string {
	rows := [][]string{{"cell", "level", "error at 1", "range", "noise V", "area um2", "power W"}}
	for _, s := range sheets {
		rows = append(rows, append([]string{s.Cell}, s.row()...))
	}
	return rows
}

// Pages are the datasheets as Markdown, one file a cell, and README.md that lists
// them and says how the numbers came about.
func Pages(sheets []*Sheet, o Options, files *emit.Artifacts) {
	list := [][]string{{"cell", "", "level", "error at 1", "range", "noise V", "area um2", "power W"}}
	var order []string
	by := map[string][]*Sheet{}
	for _, s := range sheets {
		if by[s.Cell] == nil {
			order = append(order, s.Cell)
		}
		by[s.Cell] = append(by[s.Cell], s)
	}
	for _, name := range order {
		file := strings.TrimPrefix(name, "cell_") + ".md"
		for i, s := range by[name] {
			link, equation := "["+name+"]("+file+")", s.Equation
			if i > 0 {
				link, equation = "", ""
			}
			list = append(list, append([]string{link, equation}, s.row()...))
		}
		files.AddText(file, page(name, by[name]))
	}
	files.AddText("README.md", "# Datasheets of the cells\n\n"+how(o)+"\n"+table.Markdown(list)+"\n")
}

func how(o Options) string {
	u, t := o.Units, o.Process.Units("transistor", o.Units)
	return fmt.Sprintf(`Measured by `+"`vlec characterize`"+`: every cell beside its ideal twin, in the built-in simulator, with sines at its inputs.
1 stands for %g V, the unit of resistance is %g ohms, a time unit %g s. The error is the RMS difference of the outputs over the RMS of the
twin's; the range is the largest amplitude that was tried at which it is at most %g %%. Noise is sqrt(kT/C) at 300 K, area and power are
estimates (`+"`vlec emit spice --bill`"+` says what they stand on). At the ideal level they are those of the parts that would realise the cell.
A leak and a clamp are measured on a store, a slope beside its activation, a softmax is one of two neurons; what these add to the error is in it.
At the transistor level 1 stands for %.4g V, the unit of resistance is %.4g ohms; transistors are counted; the noise of an output that is no state is not known.
`, u.Voltage, u.Resistance, u.Time, 100*MostError, t.Voltage, t.Resistance)
}

// row is level, error, range, noise, area and power.
func (s *Sheet) row() []string {
	level, reach := s.Level, strconv.FormatFloat(s.Range, 'g', -1, 64)
	if s.Range == 0 {
		reach = "below " + strconv.FormatFloat(Amplitudes[0], 'g', -1, 64)
	}
	noise := two(s.Noise)
	if level == "ideal" {
		noise = "0"
	} else if s.Noise == 0 {
		noise = ""
	}
	return []string{level, share(s.Errors[2]), reach, noise, two(s.Built.Area), two(s.Built.Power)}
}

func page(name string, sheets []*Sheet) string {
	s := sheets[0]
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n    %s\n\nPins: `%s`", name, s.Equation, strings.Join(s.Pins, "`, `"))
	if s.Params != "" {
		fmt.Fprintf(&b, ". Parameters and defaults: `%s`", strings.Join(strings.Fields(s.Params), "`, `"))
	}
	b.WriteString(".\n\n")
	rows := [][]string{{"level"}}
	for _, a := range Amplitudes {
		rows[0] = append(rows[0], "error at "+strconv.FormatFloat(a, 'g', -1, 64))
	}
	rows[0] = append(rows[0], "range", "noise V", "area um2", "power W")
	for _, s := range sheets {
		row := []string{s.Level}
		for _, e := range s.Errors {
			row = append(row, share(e))
		}
		rows = append(rows, append(row, s.row()[2:]...))
	}
	b.WriteString(table.Markdown(rows) + "\n")
	for _, s := range sheets {
		fmt.Fprintf(&b, "\nLevel %s:\n\n    %s\n", s.Level, strings.ReplaceAll(s.Body, "\n", "\n    "))
		if s.Note != "" {
			b.WriteString("\n" + s.Note + "\n")
		}
	}
	return b.String()
}

func two(x float64) string { return strconv.FormatFloat(x, 'g', 2, 64) }

// share writes a relative error; what is below 1e-6 is the simulator's.
func share(x float64) string {
	if x < 1e-6 {
		return "below 1e-6"
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}
