// Package npy reads and writes NumPy's array files: one array (.npy) or several
// named ones in a zip archive (.npz).
//
// Element types are those of Element; files are little-endian, in C or Fortran
// order. An Array is always in C order (last axis fastest) in memory. The format
// is NumPy Enhancement Proposal 1 and its versions 1.0, 2.0 and 3.0.
//
// # For maintainers
//
// The format is a line of Python and a block of numbers. What deserves care is
// trust: a header of a hundred bytes may claim an array of exabytes. So memory
// grows with the bytes that arrive, never with the bytes that were promised, and
// MaxBytes bounds what an archive may inflate to. The header is not evaluated
// but parsed, by a parser that knows the one dictionary that can stand there.
//
// Bytes depend on the arrays alone: no time stamps, and archives are stored
// without compression, because deflate's output changes between Go releases.
//
// The table of element types in dtype.go is the only place that lists them.
package npy

import (
	"fmt"
	"math"
	"slices"

	"vlec/model/diag"
)

// Limits on what a file may ask for.
const (
	MaxBytes   = 4 << 30 // of one array, and of all arrays of an archive
	MaxDims    = 32
	MaxHeader  = 1 << 16
	MaxEntries = 1 << 16 // arrays in an archive
)

// An Array is a block of numbers with a shape. An empty shape is a scalar.
type Array struct {
	Shape []int
	Data  any // a slice of one of the types of Element, in C order
}

// Of makes an array of the given shape around data, which it keeps. It panics
// when their sizes differ: that is a mistake in the caller, not in a file.
func Of[T Element](data []T, shape ...int) *Array {
	if n, ok := count(shape); !ok || n != len(data) {
		panic(fmt.Sprintf("npy: shape %v does not hold %d values", shape, len(data)))
	}
	return &Array{Shape: slices.Clone(shape), Data: data}
}

// Len is the number of elements.
func (a *Array) Len() int {
	n, _ := count(a.Shape)
	return n
}

// Float64s returns the elements as float64, in C order: the array's own memory
// when it holds float64, a converted copy otherwise. Integers beyond 2^53 round;
// false is 0 and true is 1.
func (a *Array) Float64s() []float64 {
	switch d := a.Data.(type) {
	case []float64:
		return d
	case []float32:
		return convert(d, func(v float32) float64 { return float64(v) })
	case []Float16:
		return convert(d, Float16.Float64)
	case []int64:
		return convert(d, func(v int64) float64 { return float64(v) })
	case []int32:
		return convert(d, func(v int32) float64 { return float64(v) })
	case []uint8:
		return convert(d, func(v uint8) float64 { return float64(v) })
	case []bool:
		return convert(d, func(v bool) float64 {
			if v {
				return 1
			}
			return 0
		})
	}
	panic(fmt.Sprintf("npy: array of %T", a.Data))
}

func convert[T any](in []T, f func(T) float64) []float64 {
	out := make([]float64, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}

// count is the number of elements of a shape; ok is false when a dimension is
// negative or the product does not fit.
func count(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d > 0 && n > math.MaxInt/d {
			// A zero further on would make the product zero, but no writer
			// produces such a shape.
			return 0, false
		}
		n *= d
	}
	return n, true
}

// wrong is the error of every reader here; the file's name is added where it is
// known.
func wrong(hint, format string, args ...any) error {
	return &diag.Error{Msg: fmt.Sprintf(format, args...), Hint: hint}
}
