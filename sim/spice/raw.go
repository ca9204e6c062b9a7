package spice

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"vlec/model/diag"
	"vlec/sim"
)

// A Plot is one result of a .raw file: the scale (time, frequency, a swept
// source) and the vectors over it.
type Plot struct {
	Title string
	Name  string   // "Transient Analysis", "AC Analysis", …
	Names []string // Names[0] is the scale
	Kinds []string // "time", "voltage", "current", "frequency", …
	Data  [][]float64
	// Imag is nil for real plots, else the imaginary parts, as long as Data.
	Imag [][]float64
}

// Trace returns the real vectors of the plot over its scale.
func (p *Plot) Trace() *sim.Trace {
	tr := &sim.Trace{}
	for k := 1; k < len(p.Names); k++ {
		unit := ""
		switch p.Kinds[k] {
		case "voltage":
			unit = "V"
		case "current":
			unit = "A"
		}
		tr.Signals = append(tr.Signals, &sim.Signal{Name: p.Names[k], Unit: unit, Time: p.Data[0], Data: p.Data[k]})
	}
	return tr
}

// maxRawVariables bounds the header of a .raw file.
const maxRawVariables = 10_000_000

// ReadRaw reads the binary and ASCII .raw files of ngspice and of this package.
// Names are lower case. Name is what errors call the file.
func ReadRaw(name string, r io.Reader) ([]*Plot, error) {
	rd := &rawReader{b: bufio.NewReaderSize(r, 1<<16), file: name}
	var plots []*Plot
	for {
		p, err := rd.plot()
		if p != nil {
			plots = append(plots, p)
		}
		if err != nil {
			if errors.Is(err, io.EOF) && len(plots) > 0 {
				return plots, nil
			}
			if errors.Is(err, io.EOF) {
				err = errors.New("no plot found")
			}
			return plots, diag.List{{Pos: diag.Pos{File: name, Line: rd.line}, Msg: "not a .raw file: " + err.Error(), Hint: "write one with ngspice -b -r"}}
		}
	}
}

type rawReader struct {
	b    *bufio.Reader
	file string
	line int
}

func (r *rawReader) readLine() (string, error) {
	var sb strings.Builder
	for sb.Len() < 1<<20 {
		part, err := r.b.ReadSlice('\n')
		sb.Write(part)
		if err == nil || errors.Is(err, io.EOF) && sb.Len() > 0 {
			r.line++
			return strings.TrimRight(sb.String(), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
	return "", errors.New("a line without end")
}

// plot returns io.EOF between plots.
func (r *rawReader) plot() (*Plot, error) {
	p := &Plot{}
	vars, points, isComplex := -1, -1, false
	for {
		l, err := r.readLine()
		if err != nil {
			return nil, err
		}
		key, val, _ := strings.Cut(l, ":")
		val = strings.TrimSpace(val)
		switch strings.ToLower(key) {
		case "title":
			p.Title = val
		case "plotname":
			p.Name = val
		case "flags":
			isComplex = strings.Contains(strings.ToLower(val), "complex")
		case "no. variables":
			if vars, err = strconv.Atoi(val); err != nil || vars < 1 || vars > maxRawVariables {
				return nil, fmt.Errorf("impossible number of variables %q", val)
			}
		case "no. points":
			if points, err = strconv.Atoi(val); err != nil || points < 0 {
				return nil, fmt.Errorf("impossible number of points %q", val)
			}
		case "variables":
			if vars < 0 || points < 0 {
				return nil, errors.New("variables before their number")
			}
			for k := range vars {
				l := val
				if k > 0 || l == "" {
					if l, err = r.readLine(); err != nil {
						return nil, unexpected(err)
					}
				}
				f := strings.Fields(l)
				if len(f) < 3 || f[0] != strconv.Itoa(k) {
					return nil, fmt.Errorf("variable %d is %q", k, short(l))
				}
				p.Names = append(p.Names, foldCase(f[1]))
				p.Kinds = append(p.Kinds, foldCase(f[2]))
			}
		case "binary", "values":
			if len(p.Names) == 0 {
				return nil, errors.New("values before the variables")
			}
			p.Data = make([][]float64, vars)
			if isComplex {
				p.Imag = make([][]float64, vars)
			}
			next := r.ascii
			if strings.ToLower(key) == "binary" {
				next = r.binary
			}
			return p, unexpected(r.values(p, points, isComplex, next))
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *rawReader) values(p *Plot, points int, isComplex bool, next func(point, k int, isComplex bool) (re, im float64, err error)) error {
	for i := range points {
		for k := range p.Names {
			re, im, err := next(i, k, isComplex)
			if err != nil {
				return err
			}
			p.Data[k] = append(p.Data[k], re)
			if isComplex {
				p.Imag[k] = append(p.Imag[k], im)
			}
		}
	}
	return nil
}

func (r *rawReader) binary(_, _ int, isComplex bool) (re, im float64, err error) {
	var b [16]byte
	n := 8
	if isComplex {
		n = 16
	}
	if _, err := io.ReadFull(r.b, b[:n]); err != nil {
		return 0, 0, err
	}
	re = math.Float64frombits(binary.LittleEndian.Uint64(b[:8]))
	if isComplex {
		im = math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))
	}
	return re, im, nil
}

func (r *rawReader) ascii(point, k int, isComplex bool) (re, im float64, err error) {
	var l string
	for strings.TrimSpace(l) == "" {
		if l, err = r.readLine(); err != nil {
			return 0, 0, err
		}
	}
	f := strings.Fields(l)
	if k == 0 {
		if f[0] != strconv.Itoa(point) {
			return 0, 0, fmt.Errorf("point %d begins with %q", point, short(l))
		}
		f = f[1:]
	}
	if len(f) != 1 {
		return 0, 0, fmt.Errorf("one value expected, found %q", short(l))
	}
	a, b, two := strings.Cut(f[0], ",")
	if re, err = strconv.ParseFloat(a, 64); err == nil && isComplex && two {
		im, err = strconv.ParseFloat(b, 64)
	}
	return re, im, err
}
