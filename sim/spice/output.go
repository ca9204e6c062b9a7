package spice

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"vlec/sim"
)

// A rawPlot says how ngspice heads the result of an analysis in a .raw file.
type rawPlot struct {
	name, scale, kind string
	complex           bool
}

var rawPlots = map[string]rawPlot{
	"op":   {"Operating Point", "", "", false},
	"dc":   {"DC transfer characteristic", "v-sweep", "voltage", false},
	"ac":   {"AC Analysis", "frequency", "frequency", true},
	"tran": {"Transient Analysis", "time", "time", false},
}

// RawWriter is a Sink that writes an ngspice .raw file, which ngspice and other
// viewers load. Neither a date nor a revision goes into it: the same run gives
// the same bytes.
type RawWriter struct {
	w       io.WriteSeeker
	b       *bufio.Writer
	title   string
	plot    rawPlot
	ascii   bool
	patch   int64 // where the number of points stands
	points  int
	scratch []byte
}

// NewRawWriter writes a transient to w, in binary or as text. The writer must
// seek: the number of points stands in the header and is known at the end.
func NewRawWriter(w io.WriteSeeker, title string, ascii bool) *RawWriter {
	return &RawWriter{w: w, b: bufio.NewWriterSize(w, 1<<16), title: oneLine(title), plot: rawPlots["tran"], ascii: ascii}
}

// oneLine keeps a title from ending its line of the header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Begin writes the header.
func (r *RawWriter) Begin(names, units []string) error {
	flags, vars := "real", len(names)
	if r.plot.complex {
		flags = "complex"
	}
	if r.plot.scale != "" {
		vars++
	}
	head := fmt.Sprintf("Title: %s\nPlotname: %s\nFlags: %s\nNo. Variables: %d\nNo. Points: ", r.title, r.plot.name, flags, vars)
	r.patch = int64(len(head))
	fmt.Fprintf(r.b, "%s%-20d\nVariables:\n", head, 0)
	k := 0
	if r.plot.scale != "" {
		fmt.Fprintf(r.b, "\t0\t%s\t%s\n", r.plot.scale, r.plot.kind)
		k++
	}
	for i, name := range names {
		kind := "voltage"
		if units[i] == "A" {
			kind = "current"
		}
		fmt.Fprintf(r.b, "\t%d\t%s\t%s\n", k+i, name, kind)
	}
	block := "Binary:\n"
	if r.ascii {
		block = "Values:\n"
	}
	_, err := r.b.WriteString(block)
	return err
}

// Sample writes one point; of a complex plot each value is a pair.
func (r *RawWriter) Sample(t float64, values []float64) error {
	width := 1
	if r.plot.complex {
		width = 2
	}
	b := r.scratch[:0]
	if r.ascii {
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(r.points), 10)
		b = append(b, '\t')
		if r.plot.scale != "" {
			b = r.text(b, t, 0)
		}
		for k := 0; k < len(values); k += width {
			im := 0.0
			if width == 2 {
				im = values[k+1]
			}
			b = r.text(b, values[k], im)
		}
		b = append(b, '\n')
	} else {
		if r.plot.scale != "" {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(t))
			if width == 2 {
				b = binary.LittleEndian.AppendUint64(b, 0)
			}
		}
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	r.scratch = b
	r.points++
	_, err := r.b.Write(b)
	return err
}

func (r *RawWriter) text(b []byte, re, im float64) []byte {
	b = strconv.AppendFloat(append(b, '\t'), re, 'e', 17, 64)
	if r.plot.complex {
		b = strconv.AppendFloat(append(b, ','), im, 'e', 17, 64)
	}
	return append(b, '\n')
}

// End completes the header. It does not close the file.
func (r *RawWriter) End() error {
	if err := r.b.Flush(); err != nil {
		return err
	}
	if _, err := r.w.Seek(r.patch, io.SeekStart); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(r.w, "%-20d", r.points); err != nil {
		return err
	}
	_, err := r.w.Seek(0, io.SeekEnd)
	return err
}

// WriteRaw writes the trace of an analysis ("op", "dc", "ac", "tran").
func WriteRaw(w io.WriteSeeker, title, analysis string, ascii bool, tr *sim.Trace) error {
	r := NewRawWriter(w, title, ascii)
	r.plot = rawPlots[analysis]
	return replay(tr, r)
}

// WriteCSV writes the trace of an analysis. Complex values take two columns.
func WriteCSV(w io.Writer, analysis string, tr *sim.Trace) error {
	c := NewCSVWriter(w)
	if plot := rawPlots[analysis]; plot.scale != "" {
		c.scale = plot.scale
	}
	if !rawPlots[analysis].complex {
		return replay(tr, c)
	}
	parts := &sim.Trace{}
	for _, s := range tr.Signals {
		for k, part := range []string{"re", "im"} {
			p := &sim.Signal{Name: part + "(" + s.Name + ")", Unit: s.Unit, Time: s.Time}
			for i := range s.Time {
				p.Data = append(p.Data, s.At(i)[k])
			}
			parts.Signals = append(parts.Signals, p)
		}
	}
	return replay(parts, c)
}

// replay hands a trace to a sink.
func replay(tr *sim.Trace, to Sink) error {
	var names, units []string
	for _, s := range tr.Signals {
		names, units = append(names, s.Name), append(units, s.Unit)
	}
	if err := to.Begin(names, units); err != nil {
		return err
	}
	if len(tr.Signals) > 0 {
		var values []float64
		for k, t := range tr.Signals[0].Time {
			values = values[:0]
			for _, s := range tr.Signals {
				values = append(values, s.At(k)...)
			}
			if err := to.Sample(t, values); err != nil {
				return err
			}
		}
	}
	return to.End()
}

// CSVWriter is a Sink that writes comma-separated values: a line of names,
// then a line a sample, each number with the digits it needs to be read back.
type CSVWriter struct {
	b       *bufio.Writer
	scale   string
	scratch []byte
}

// NewCSVWriter writes to w.
func NewCSVWriter(w io.Writer) *CSVWriter {
	return &CSVWriter{b: bufio.NewWriterSize(w, 1<<16), scale: "time"}
}

// Begin writes the line of names.
func (c *CSVWriter) Begin(names, _ []string) error {
	c.scratch = append(c.scratch[:0], c.scale...)
	for _, n := range names {
		c.scratch = append(c.scratch, ',')
		if strings.ContainsAny(n, ",\"") {
			n = `"` + strings.ReplaceAll(n, `"`, `""`) + `"`
		}
		c.scratch = append(c.scratch, n...)
	}
	c.scratch = append(c.scratch, '\n')
	_, err := c.b.Write(c.scratch)
	return err
}

// Sample writes one line.
func (c *CSVWriter) Sample(t float64, values []float64) error {
	b := strconv.AppendFloat(c.scratch[:0], t, 'g', -1, 64)
	for _, v := range values {
		b = append(b, ',')
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	c.scratch = append(b, '\n')
	_, err := c.b.Write(c.scratch)
	return err
}

// End flushes what is buffered.
func (c *CSVWriter) End() error { return c.b.Flush() }
