package sparse

import (
	"fmt"
	"testing"
)

func benchmarks() (names []string, make_ []func() *matrix) {
	add := func(name string, f func() *matrix) { names, make_ = append(names, name), append(make_, f) }
	for _, side := range []int{32, 100, 316} {
		add(fmt.Sprintf("grid/n=%d", side*side), func() *matrix { return grid(side, random(1)) })
	}
	for _, n := range []int{1000, 10000, 100000} {
		add(fmt.Sprintf("circuit/n=%d", n), func() *matrix { return local(n, random(1)) })
	}
	add("dense10x300", func() *matrix { return denseBlocks(10, 300, random(1)) })
	return names, make_
}

func each(b *testing.B, run func(b *testing.B, m *matrix)) {
	names, build := benchmarks()
	for i, name := range names {
		b.Run(name, func(b *testing.B) {
			m := build[i]()
			b.ReportAllocs()
			run(b, m)
		})
	}
}

func ready(b *testing.B, m *matrix) *LU {
	f, err := New(m.n, m.colptr, m.rowidx)
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Factor(m.values); err != nil {
		b.Fatal(err)
	}
	return f
}

func BenchmarkNew(b *testing.B) {
	each(b, func(b *testing.B, m *matrix) {
		for b.Loop() {
			if _, err := New(m.n, m.colptr, m.rowidx); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFactor(b *testing.B) {
	each(b, func(b *testing.B, m *matrix) {
		f := ready(b, m)
		for b.Loop() {
			if err := f.Factor(m.values); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(f.Entries()), "entries")
	})
}

func BenchmarkRefactor(b *testing.B) {
	each(b, func(b *testing.B, m *matrix) {
		f := ready(b, m)
		for b.Loop() {
			if err := f.Refactor(m.values); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSolve(b *testing.B) {
	each(b, func(b *testing.B, m *matrix) {
		f := ready(b, m)
		x := make([]float64, m.n)
		x[m.n/2] = 1
		for b.Loop() {
			f.Solve(x)
		}
	})
}
