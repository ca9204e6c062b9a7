package referee

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// A plot is one analysis in a SPICE result file ("raw" file).
type plot struct {
	name      string
	variables []variable // the first is the scale, time in a transient analysis
	points    int
}

type variable struct {
	name, kind string // v(u1), voltage
	data       []float64
}

// Limits on what a result file may claim. Memory grows with the data that is
// there, whatever the header says.
const (
	maxRawLine      = 1 << 16
	maxRawVariables = 1 << 20
	maxRawPoints    = 1 << 34
)

// readRaw reads all plots; those with complex numbers come without variables.
//
// The format: header lines "Key: value", the list of variables (number, name,
// type, one a line), then "Binary:" and the samples, each a row of
// little-endian float64. The other form, with samples as text after "Values:",
// is not what ngspice writes in batch mode.
func readRaw(r io.Reader) ([]*plot, error) {
	b := bufio.NewReaderSize(r, maxRawLine)
	var plots []*plot
	for {
		p, err := readPlot(b)
		if err == io.EOF && len(plots) > 0 {
			return plots, nil
		}
		if err == io.EOF {
			err = errors.New("the file is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("result file, plot %d: %w", len(plots)+1, err)
		}
		plots = append(plots, p)
	}
}

// readPlot reads one plot; io.EOF means that there is none.
func readPlot(b *bufio.Reader) (*plot, error) {
	p := new(plot)
	variables, complexData := -1, false
	for first := true; ; first = false {
		line, err := rawLine(b)
		if err == io.EOF && !first {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		key, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "plotname":
			p.name = value
		case "flags":
			flags := strings.ToLower(value)
			complexData = strings.Contains(flags, "complex")
			if strings.Contains(flags, "unpadded") {
				return nil, errors.New("unpadded data are not understood")
			}
		case "no. variables":
			if variables, err = strconv.Atoi(value); err != nil || variables < 0 || variables > maxRawVariables {
				return nil, fmt.Errorf("%q variables", value)
			}
		case "no. points":
			if p.points, err = strconv.Atoi(value); err != nil || p.points < 0 || p.points > maxRawPoints {
				return nil, fmt.Errorf("%q points", value)
			}
		case "variables":
			if err := readVariables(b, p, variables); err != nil {
				return nil, err
			}
		case "binary":
			if len(p.variables) == 0 || len(p.variables) != variables {
				return nil, errors.New("the samples come before the list of variables")
			}
			if !complexData {
				return p, readReal(b, p)
			}
			n := 16 * int64(len(p.variables)) * int64(p.points)
			if _, err := io.CopyN(io.Discard, b, n); err != nil {
				return nil, io.ErrUnexpectedEOF
			}
			p.variables = nil
			return p, nil
		case "values":
			return nil, errors.New("samples as text are not understood; set filetype=binary")
		default: // title, date, command, option
			if !found && line != "" {
				return nil, fmt.Errorf("%.40q is no header line", line)
			}
		}
	}
}

func rawLine(b *bufio.Reader) (string, error) {
	line, err := b.ReadSlice('\n')
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err == bufio.ErrBufferFull {
		err = errors.New("a header line without end")
	}
	return strings.TrimRight(string(line), "\r\n"), err
}

func readVariables(b *bufio.Reader, p *plot, n int) error {
	for i := range n {
		line, err := rawLine(b)
		fields := strings.Fields(line)
		if err != nil || len(fields) < 3 || fields[0] != strconv.Itoa(i) {
			return fmt.Errorf("%.60q is not variable %d of %d", line, i, n)
		}
		p.variables = append(p.variables, variable{name: strings.ToLower(fields[1]), kind: fields[2]})
	}
	return nil
}

func readReal(b *bufio.Reader, p *plot) error {
	row := make([]byte, 8*len(p.variables))
	for k := range p.points {
		if _, err := io.ReadFull(b, row); err != nil {
			return fmt.Errorf("%d samples are announced, %d are there", p.points, k)
		}
		for i := range p.variables {
			v := math.Float64frombits(binary.LittleEndian.Uint64(row[8*i:]))
			p.variables[i].data = append(p.variables[i].data, v)
		}
	}
	return nil
}
