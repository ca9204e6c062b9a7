package tracefile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"vlec/internal/npy"
)

// Columns writes an .npz file of a run of unknown length whose samples come one
// by one, in bounded memory: samples go to a temporary file, from which columns
// are gathered some at a time. Its methods are those of a sink of samples.
type Columns struct {
	w     io.Writer
	spool *os.File
	b     *bufio.Writer
	names []string
	rows  int
	buf   []byte
}

// gathered is how many values are in memory at once while columns are written.
const gathered = 1 << 24

// NewColumns writes to w; the temporary file is in dir.
func NewColumns(w io.Writer, dir string) (*Columns, error) {
	f, err := os.CreateTemp(dir, ".vlec-*")
	if err != nil {
		return nil, err
	}
	return &Columns{w: w, spool: f, b: bufio.NewWriterSize(f, 1<<18)}, nil
}

// Begin takes the names of the signals.
func (c *Columns) Begin(names, _ []string) error {
	c.names = append([]string{timeName}, names...)
	return nil
}

// Sample takes one sample.
func (c *Columns) Sample(t float64, values []float64) error {
	c.buf = binary.LittleEndian.AppendUint64(c.buf[:0], math.Float64bits(t))
	for _, v := range values {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, math.Float64bits(v))
	}
	c.rows++
	_, err := c.b.Write(c.buf)
	return err
}

// End writes the archive.
func (c *Columns) End() error {
	if err := c.b.Flush(); err != nil {
		return err
	}
	if len(c.names) < 2 {
		return fmt.Errorf("the trace holds no signal; ask for at least one")
	}
	z := npy.NewArchiveWriter(c.w)
	group := max(1, gathered/max(1, c.rows))
	for first := 0; first < len(c.names); first += group {
		last := min(first+group, len(c.names))
		columns, err := c.gather(first, last)
		if err != nil {
			return err
		}
		for k, data := range columns {
			m, err := z.Float64(c.names[first+k], len(data))
			if err != nil {
				return err
			}
			if err := writeFloats(m, data); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

// gather reads columns first to last of the spool.
func (c *Columns) gather(first, last int) ([][]float64, error) {
	if _, err := c.spool.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(c.spool, 1<<18)
	row := make([]byte, 8*len(c.names))
	columns := make([][]float64, last-first)
	for k := range columns {
		columns[k] = make([]float64, c.rows)
	}
	for i := range c.rows {
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, err
		}
		for k := range columns {
			columns[k][i] = math.Float64frombits(binary.LittleEndian.Uint64(row[8*(first+k):]))
		}
	}
	return columns, nil
}

// Close removes the temporary file.
func (c *Columns) Close() error {
	return errors.Join(c.spool.Close(), os.Remove(c.spool.Name()))
}

func writeFloats(w io.Writer, data []float64) error {
	b := make([]byte, 0, 1<<16)
	for len(data) > 0 {
		n := min(len(data), cap(b)/8)
		b = b[:0]
		for _, v := range data[:n] {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
