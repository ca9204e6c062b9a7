package flow

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// A NotExplicitError says why a circuit is not an explicit differential
// equation. It is no fault of the circuit.
type NotExplicitError struct {
	Unknown int // where it shows, or -1
	Reason  string
}

func (e *NotExplicitError) Error() string { return e.Reason }

func notExplicit(unknown int, format string, args ...any) error {
	return &NotExplicitError{unknown, fmt.Sprintf(format, args...)}
}

func itoa(k int) string { return strconv.Itoa(k) }

// maxStorageBlock bounds the nodes joined by capacitors, or inductors coupled,
// whose storage matrix is inverted as a whole.
const maxStorageBlock = 64

// A storageBlock is a connected part of E: rows and columns that share entries.
// Its unknowns are states, since with M the inverse of its part of E
//
//	z' = -M (A z + products + terms + sources)
type storageBlock struct {
	rows, cols []int32   // of equal length, ascending
	inverse    []float64 // row-major, cols by rows
}

// chooseStates splits E into blocks. It fails where a block is singular: a
// floating capacitor leaves a voltage that no capacitor holds, and an implicit
// method is at home there.
func chooseStates(s *System) ([]storageBlock, error) {
	n := s.Unknowns
	group := make([]int32, 2*n) // union-find over rows, then columns
	for i := range group {
		group[i] = int32(i)
	}
	find := func(i int32) int32 {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	for _, e := range s.Storage {
		if e.Val != 0 {
			a, b := find(e.Row), find(int32(n)+e.Col)
			group[max(a, b)] = min(a, b)
		}
	}
	block := make([]int32, 2*n)
	for i := range block {
		block[i] = -1
	}
	touched := make([]bool, 2*n)
	for _, e := range s.Storage {
		if e.Val != 0 {
			touched[e.Row], touched[int32(n)+e.Col] = true, true
		}
	}
	var list []storageBlock
	for i := range int32(2 * n) {
		if !touched[i] {
			continue
		}
		root := find(i)
		if block[root] < 0 {
			block[root] = int32(len(list))
			list = append(list, storageBlock{})
		}
		b := &list[block[root]]
		if i < int32(n) {
			b.rows = append(b.rows, i)
		} else {
			b.cols = append(b.cols, i-int32(n))
		}
	}
	place := make([]int32, 2*n) // within the block
	for k := range list {
		b := &list[k]
		if len(b.rows) != len(b.cols) {
			return nil, notExplicit(int(b.cols[0]), "%s is held by storage elements that do not determine it", s.name(int(b.cols[0])))
		}
		if len(b.rows) > maxStorageBlock {
			return nil, notExplicit(int(b.cols[0]), "%d unknowns around %s are coupled by capacitors", len(b.cols), s.name(int(b.cols[0])))
		}
		b.inverse = make([]float64, len(b.rows)*len(b.rows))
		for p, r := range b.rows {
			place[r] = int32(p)
			place[int32(n)+b.cols[p]] = int32(p)
		}
	}
	for _, e := range s.Storage {
		if e.Val != 0 {
			b := &list[block[find(e.Row)]]
			b.inverse[int(place[e.Row])*len(b.cols)+int(place[int32(n)+e.Col])] += e.Val
		}
	}
	for k := range list {
		b := &list[k]
		if !invert(b.inverse, len(b.rows)) {
			return nil, notExplicit(int(b.cols[0]), "the capacitors at %s float", s.name(int(b.cols[0])))
		}
	}
	return list, nil
}

// invert inverts the m by m matrix in place. It reports whether that was possible.
func invert(a []float64, m int) bool {
	if m == 1 {
		a[0] = 1 / a[0]
		return !math.IsInf(a[0], 0)
	}
	d := mat.NewDense(m, m, a)
	var lu mat.LU
	lu.Factorize(d)
	if c := lu.Cond(); !(c < 1e12) {
		return false
	}
	return d.Inverse(d) == nil
}
