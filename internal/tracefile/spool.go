package tracefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"

	"vlec/internal/npy"
	"vlec/sim"
)

// A Spool takes the samples of a run to a file as they come, so that a trace may
// be longer than memory, and survives the death of its process up to its last
// Sync. Written out it is the archive that Write would write of the same trace.
//
// The file is a header and blocks. A block holds some samples, signal by signal:
//
//	count (4 bytes)  CRC-32C of what follows (4)  times (8 each)  values of the first signal (8 each) …
//
// all little-endian. It is meant for the run that it belongs to alone, and is
// removed when that has ended.
type Spool struct {
	path    string
	file    *os.File
	signals []*sim.Signal
	first   []int // place of each signal in a sample, in values; times are at 0
	row     int   // values in a sample, time included
	blocks  []block
	end     int64 // of the file
	samples int   // in blocks

	// Samples that are in no block yet, signal by signal.
	held     int
	perBlock int
	columns  [][]float64
	bytes    []byte
}

type block struct {
	at      int64 // of the times
	samples int
}

// NewSpool returns a spool in the named file; Begin opens it.
func NewSpool(path string) *Spool { return &Spool{path: path} }

// blockBytes is about how much is held in memory.
const blockBytes = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head identifies the file and the signals in it.
func (s *Spool) head() []byte {
	h := sha256.New()
	for _, sig := range s.signals {
		fmt.Fprintf(h, "%q %v\n", sig.Name, sig.Shape)
	}
	return h.Sum([]byte("vlec spool 1\n"))
}

// Begin opens the file for the given signals. With kept samples it goes on after
// these, which must be there; what is behind them is cut off.
func (s *Spool) Begin(signals []*sim.Signal, _, kept int) (err error) {
	s.signals, s.row = signals, 1
	for _, sig := range signals {
		s.first = append(s.first, s.row)
		s.row += sig.Width()
	}
	s.perBlock = max(1, blockBytes/8/s.row)
	s.columns = make([][]float64, len(signals)+1)
	flags := os.O_RDWR | os.O_CREATE | os.O_TRUNC
	if kept > 0 {
		flags = os.O_RDWR
	}
	if s.file, err = os.OpenFile(s.path, flags, 0o666); err != nil {
		if kept > 0 && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s, which holds the trace so far, is not there; start anew", s.path)
		}
		return err
	}
	if kept > 0 {
		err = s.recover(kept)
	} else {
		var n int
		n, err = s.file.Write(s.head())
		s.end = int64(n)
	}
	if err != nil {
		s.file.Close()
		s.file = nil
	}
	return err
}

// recover finds the blocks of the kept samples and cuts off the rest.
func (s *Spool) recover(kept int) error {
	head := s.head()
	got := make([]byte, len(head))
	if _, err := s.file.ReadAt(got, 0); err != nil || !bytes.Equal(got, head) {
		return fmt.Errorf("%s is no trace of these signals; start anew", s.path)
	}
	s.end = int64(len(head))
	for s.samples < kept {
		var frame [8]byte
		_, err := s.file.ReadAt(frame[:], s.end)
		n := int64(binary.LittleEndian.Uint32(frame[:]))
		if err != nil || n < 1 || n > int64(min(s.perBlock, kept-s.samples)) {
			return s.damaged(kept)
		}
		b := block{s.end + 8, int(n)}
		content, err := s.read(b, 0, s.row)
		if err != nil || crc32.Checksum(content, castagnoli) != binary.LittleEndian.Uint32(frame[4:]) {
			return s.damaged(kept)
		}
		s.blocks = append(s.blocks, b)
		s.samples += b.samples
		s.end += 8 + int64(len(content))
	}
	return s.file.Truncate(s.end)
}

func (s *Spool) damaged(kept int) error {
	return fmt.Errorf("%s is damaged: it holds %d of %d samples; start anew", s.path, s.samples, kept)
}

// read returns the bytes of values from to to-1 of every sample of a block; from
// and to are the ends of signals. They are valid until the next call.
func (s *Spool) read(b block, from, to int) ([]byte, error) {
	n := 8 * b.samples * (to - from)
	if cap(s.bytes) < n {
		s.bytes = make([]byte, n)
	}
	s.bytes = s.bytes[:n]
	_, err := s.file.ReadAt(s.bytes, b.at+8*int64(b.samples)*int64(from))
	return s.bytes, err
}

// Sample takes one sample.
func (s *Spool) Sample(t float64, values [][]float64) error {
	s.columns[0] = append(s.columns[0], t)
	for i, v := range values {
		s.columns[i+1] = append(s.columns[i+1], v...)
	}
	if s.held++; s.held < s.perBlock {
		return nil
	}
	return s.flush()
}

// flush writes what is held as a block.
func (s *Spool) flush() error {
	if s.held == 0 {
		return nil
	}
	s.bytes = append(s.bytes[:0], make([]byte, 8)...)
	for i, column := range s.columns {
		for _, v := range column {
			s.bytes = binary.LittleEndian.AppendUint64(s.bytes, math.Float64bits(v))
		}
		s.columns[i] = column[:0]
	}
	binary.LittleEndian.PutUint32(s.bytes, uint32(s.held))
	binary.LittleEndian.PutUint32(s.bytes[4:], crc32.Checksum(s.bytes[8:], castagnoli))
	if _, err := s.file.WriteAt(s.bytes, s.end); err != nil {
		return err
	}
	s.blocks = append(s.blocks, block{s.end + 8, s.held})
	s.samples += s.held
	s.end += int64(len(s.bytes))
	s.held = 0
	return nil
}

// Sync brings every sample to disk.
func (s *Spool) Sync() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.file.Sync()
}

// Write writes the trace as an .npz archive.
func (s *Spool) Write(w io.Writer) error {
	if err := s.flush(); err != nil {
		return err
	}
	z := npy.NewArchiveWriter(w)
	if err := s.array(z, timeName, 0, 1); err != nil {
		return err
	}
	for i, sig := range s.signals {
		if err := checkName(sig.Name); err != nil {
			return err
		}
		if err := s.array(z, sig.Name, s.first[i], s.first[i]+sig.Width(), sig.Shape...); err != nil {
			return err
		}
	}
	return z.Close()
}

func (s *Spool) array(z *npy.ArchiveWriter, name string, from, to int, shape ...int) error {
	w, err := z.Float64(name, append([]int{s.samples}, shape...)...)
	if err != nil {
		return err
	}
	for _, b := range s.blocks {
		content, err := s.read(b, from, to)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return nil
}

// Tail returns the last samples of the named signals, about as many as asked for
// and no more than fit into a block of memory each.
func (s *Spool) Tail(samples int, names ...string) (*sim.Trace, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	from, n := len(s.blocks), 0
	for from > 0 && n < samples {
		from--
		n += s.blocks[from].samples
	}
	drop := max(0, n-samples)
	column := func(first, width int) ([]float64, error) {
		var out []float64
		for _, b := range s.blocks[from:] {
			content, err := s.read(b, first, first+width)
			if err != nil {
				return nil, err
			}
			for ; len(content) > 0; content = content[8:] {
				out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(content)))
			}
		}
		return out[drop*width:], nil
	}
	time, err := column(0, 1)
	if err != nil {
		return nil, err
	}
	trace := &sim.Trace{}
	for _, name := range names {
		for i, sig := range s.signals {
			if sig.Name != name {
				continue
			}
			data, err := column(s.first[i], sig.Width())
			if err != nil {
				return nil, err
			}
			trace.Signals = append(trace.Signals, &sim.Signal{Name: name, Unit: sig.Unit, Shape: sig.Shape, Time: time, Data: data})
		}
	}
	return trace, nil
}

// Len is the number of samples.
func (s *Spool) Len() int { return s.samples + s.held }

// Signals lists what is in the spool, without data.
func (s *Spool) Signals() []*sim.Signal { return s.signals }

// Close closes the file and leaves it there, for a run that resumes.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// Remove closes and removes the file.
func (s *Spool) Remove() error {
	return errors.Join(s.Close(), os.Remove(s.path))
}
