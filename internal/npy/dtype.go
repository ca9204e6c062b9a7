package npy

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
)

// Element lists the Go types of array elements, in NumPy's notation f8, f4, f2,
// i8, i4, u1 and b1.
type Element interface {
	float64 | float32 | Float16 | int64 | int32 | uint8 | bool
}

// A dtype is a row of the table of element types.
type dtype struct {
	descr string // as it is written; readers also take other marks of byte order
	size  int
	holds func(data any) bool
	read  func(r io.Reader, n int) (any, error)
	write func(w io.Writer, data any) error
	turn  func(data any, shape []int) any // Fortran order to C order
}

var dtypes = []dtype{
	row("<f8", 8,
		func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) },
		func(b []byte, v float64) { binary.LittleEndian.PutUint64(b, math.Float64bits(v)) }),
	row("<f4", 4,
		func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
		func(b []byte, v float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(v)) }),
	row("<f2", 2,
		func(b []byte) Float16 { return Float16(binary.LittleEndian.Uint16(b)) },
		func(b []byte, v Float16) { binary.LittleEndian.PutUint16(b, uint16(v)) }),
	row("<i8", 8,
		func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) },
		func(b []byte, v int64) { binary.LittleEndian.PutUint64(b, uint64(v)) }),
	row("<i4", 4,
		func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) },
		func(b []byte, v int32) { binary.LittleEndian.PutUint32(b, uint32(v)) }),
	row("|u1", 1,
		func(b []byte) uint8 { return b[0] },
		func(b []byte, v uint8) { b[0] = v }),
	row("|b1", 1,
		func(b []byte) bool { return b[0] != 0 },
		func(b []byte, v bool) {
			b[0] = 0
			if v {
				b[0] = 1
			}
		}),
}

func row[T Element](descr string, size int, get func([]byte) T, put func([]byte, T)) dtype {
	return dtype{
		descr: descr,
		size:  size,
		holds: func(data any) bool { _, ok := data.([]T); return ok },
		read:  func(r io.Reader, n int) (any, error) { return readElements(r, n, size, get) },
		write: func(w io.Writer, data any) error { return writeElements(w, data.([]T), size, put) },
		turn:  func(data any, shape []int) any { return toC(data.([]T), shape) },
	}
}

func dtypeOf(data any) *dtype {
	for i := range dtypes {
		if dtypes[i].holds(data) {
			return &dtypes[i]
		}
	}
	return nil
}

func dtypeNamed(descr string) (*dtype, error) {
	const types = "f8, f4, f2, i8, i4, u1 and b1"
	order, name := "", descr
	if descr != "" && strings.ContainsAny(descr[:1], "<>=|") {
		order, name = descr[:1], descr[1:]
	}
	for i := range dtypes {
		d := &dtypes[i]
		if d.descr[1:] != name {
			continue
		}
		if order == ">" && d.size > 1 {
			return nil, wrong("save it as a.astype('"+d.descr+"')", "the array is big-endian (%s)", descr)
		}
		return d, nil
	}
	return nil, wrong("element types are "+types+": save it as a.astype('<f8')", "the array has elements of type %.32q", descr)
}

// chunk is how many bytes travel between a file and an array at a time. It is a
// multiple of every element size.
const chunk = 1 << 16

// readElements reads n elements. Its memory grows with what has arrived, so that
// a header that lies costs nothing.
func readElements[T any](r io.Reader, n, size int, get func([]byte) T) ([]T, error) {
	buf := make([]byte, min(n*size, chunk))
	out := make([]T, 0, min(n, chunk))
	for len(out) < n {
		part := buf[:min((n-len(out))*size, len(buf))]
		if _, err := io.ReadFull(r, part); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = wrong("write the file again", "the array ends early: %d elements are announced, about %d are there", n, len(out))
			}
			return nil, err
		}
		if need := len(out) + len(part)/size; need > cap(out) {
			grown := make([]T, len(out), min(n, 2*need))
			copy(grown, out)
			out = grown
		}
		for ; len(part) > 0; part = part[size:] {
			out = append(out, get(part))
		}
	}
	return out, nil
}

func writeElements[T any](w io.Writer, data []T, size int, put func([]byte, T)) error {
	buf := make([]byte, min(len(data)*size, chunk))
	for len(data) > 0 {
		n := min(len(data), len(buf)/size)
		for i, v := range data[:n] {
			put(buf[i*size:], v)
		}
		if _, err := w.Write(buf[:n*size]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// toC reorders data whose first axis is the fastest so that the last one is.
func toC[T any](data []T, shape []int) []T {
	if len(shape) < 2 || len(data) == 0 {
		return data
	}
	stride := make([]int, len(shape)) // of each axis in the result
	step := 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		stride[axis] = step
		step *= shape[axis]
	}
	out := make([]T, len(data))
	index := make([]int, len(shape))
	at := 0
	for _, v := range data {
		out[at] = v
		for axis := range index { // an odometer whose first wheel is the fastest
			index[axis]++
			at += stride[axis]
			if index[axis] < shape[axis] {
				break
			}
			at -= index[axis] * stride[axis]
			index[axis] = 0
		}
	}
	return out
}
