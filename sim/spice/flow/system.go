package flow

import "math"

// A System is a circuit as differential-algebraic equations in n unknowns z,
// one a row:
//
//	E z' + A z + products + terms + sources = 0
//
// Entries of equal row and column add up.
type System struct {
	Unknowns int
	Storage  []Entry // E: capacitances and inductances
	Linear   []Entry // A: conductances, gains, incidences
	Products []Product
	Terms    []Term
	Inputs   []Entry // Col is a source
	Sources  []Source

	Functions []Function
	Args      []int32   // inputs of all terms: an unknown, Time or Ground
	Registers []float64 // registers of all terms, constants in place

	Name func(unknown int) string // for reports
}

// Time and Ground among Args stand for the time and for zero.
const (
	Time   = -1
	Ground = -2
)

// An Entry is one number of a sparse matrix.
type Entry struct {
	Row, Col int32
	Val      float64
}

// A Product adds +Coef z_A z_B to equation Plus and -Coef z_A z_B to equation
// Minus; -1 is no equation.
type Product struct {
	Plus, Minus int32
	A, B        int32
	Coef        float64
}

// A Term adds +Coef f(args) to equation Plus and -Coef f(args) to Minus.
type Term struct {
	Plus, Minus int32
	Function    int32
	Arg         int32 // where its inputs start in System.Args
	Register    int32 // where its registers start in System.Registers
	Coef        float64
}

// A Function evaluates an expression over registers. The first Inputs()
// registers are arguments, constants and work space follow.
type Function interface {
	Inputs() int
	Registers() int
	// Value returns the result.
	Value(r []float64) float64
	// Gradient, called after Value, sets the first Inputs() of d to the
	// derivatives; d is as long as r and the rest of it is work space.
	Gradient(r, d []float64)
}

// A Source is an independent source: a function of time.
type Source struct {
	Value    func(t float64) float64
	Constant bool
	// Next returns the first instant after t at which the value or a derivative
	// of it jumps, +Inf for none. Nil means never.
	Next func(t float64) float64
}

func (s *Source) next(t float64) float64 {
	if s.Next == nil {
		return math.Inf(1)
	}
	return s.Next(t)
}

// values: everything an equation may refer to has a number. Unknowns come
// first, then what terms and sources evaluate to, then time and zero.
func (s *System) term(k int32) int32   { return int32(s.Unknowns) + k }
func (s *System) source(k int32) int32 { return int32(s.Unknowns+len(s.Terms)) + k }
func (s *System) time() int32          { return int32(s.Unknowns + len(s.Terms) + len(s.Sources)) }
func (s *System) ground() int32        { return s.time() + 1 }
func (s *System) values() int          { return int(s.ground()) + 1 }

func (s *System) args(t *Term) []int32 {
	return s.Args[t.Arg : int(t.Arg)+s.Functions[t.Function].Inputs()]
}

func (s *System) name(unknown int) string {
	if s.Name == nil {
		return "unknown " + itoa(unknown)
	}
	return s.Name(unknown)
}

// equations are the rows of a System, gathered: all but E.
type equations struct {
	sys      *System
	linPtr   []int32 // row -> its linear part
	linVal   []int32 // value number
	linCoef  []float64
	prodPtr  []int32 // row -> its products
	prodA    []int32 // value numbers
	prodB    []int32
	prodCoef []float64
}

// gather sorts the entries of a system by row and adds up what belongs together.
func gather(s *System) *equations {
	n := s.Unknowns
	q := &equations{sys: s, linPtr: make([]int32, n+1), prodPtr: make([]int32, n+1)}
	each := func(lin func(row, val int32, c float64), prod func(row, a, b int32, c float64)) {
		for _, e := range s.Linear {
			lin(e.Row, e.Col, e.Val)
		}
		for k := range s.Terms {
			t := &s.Terms[k]
			if t.Plus >= 0 {
				lin(t.Plus, s.term(int32(k)), t.Coef)
			}
			if t.Minus >= 0 {
				lin(t.Minus, s.term(int32(k)), -t.Coef)
			}
		}
		for _, e := range s.Inputs {
			lin(e.Row, s.source(e.Col), e.Val)
		}
		for k := range s.Products {
			p := &s.Products[k]
			if p.Plus >= 0 {
				prod(p.Plus, p.A, p.B, p.Coef)
			}
			if p.Minus >= 0 {
				prod(p.Minus, p.A, p.B, -p.Coef)
			}
		}
	}
	each(func(row, _ int32, _ float64) { q.linPtr[row+1]++ }, func(row, _, _ int32, _ float64) { q.prodPtr[row+1]++ })
	for i := range n {
		q.linPtr[i+1] += q.linPtr[i]
		q.prodPtr[i+1] += q.prodPtr[i]
	}
	nl, np := q.linPtr[n], q.prodPtr[n]
	q.linVal, q.linCoef = make([]int32, nl), make([]float64, nl)
	q.prodA, q.prodB, q.prodCoef = make([]int32, np), make([]int32, np), make([]float64, np)
	atL, atP := append([]int32(nil), q.linPtr...), append([]int32(nil), q.prodPtr...)
	each(func(row, val int32, c float64) {
		k := atL[row]
		atL[row]++
		q.linVal[k], q.linCoef[k] = val, c
	}, func(row, a, b int32, c float64) {
		k := atP[row]
		atP[row]++
		q.prodA[k], q.prodB[k], q.prodCoef[k] = a, b, c
	})
	q.merge()
	return q
}

// merge adds up linear entries of equal row and value, in place, and drops zeros.
func (q *equations) merge() {
	n := q.sys.Unknowns
	at := make([]int32, q.sys.values())
	for i := range at {
		at[i] = -1
	}
	kept, lo := int32(0), q.linPtr[0]
	for i := range n {
		hi, first := q.linPtr[i+1], kept
		for k := lo; k < hi; k++ {
			v, c := q.linVal[k], q.linCoef[k]
			if p := at[v]; p >= first {
				q.linCoef[p] += c
				continue
			}
			at[v] = kept
			q.linVal[kept], q.linCoef[kept] = v, c
			kept++
		}
		live := first
		for k := first; k < kept; k++ {
			at[q.linVal[k]] = -1
			if q.linCoef[k] != 0 {
				q.linVal[live], q.linCoef[live] = q.linVal[k], q.linCoef[k]
				live++
			}
		}
		kept, lo = live, hi
		q.linPtr[i+1] = kept
	}
	q.linVal, q.linCoef = q.linVal[:kept], q.linCoef[:kept]
}

// linear and products are the parts of one row.
func (q *equations) linear(row int32) ([]int32, []float64) {
	lo, hi := q.linPtr[row], q.linPtr[row+1]
	return q.linVal[lo:hi], q.linCoef[lo:hi]
}

func (q *equations) products(row int32) (a, b []int32, coef []float64) {
	lo, hi := q.prodPtr[row], q.prodPtr[row+1]
	return q.prodA[lo:hi], q.prodB[lo:hi], q.prodCoef[lo:hi]
}
