package main

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed other/triad.c
var triadC []byte

// triadLength makes arrays of 128 MB, beyond every cache.
const triadLength = 1 << 24

// A triad measures the bandwidth of memory as STREAM does: a = b + s c on all
// cores, 24 bytes an element, in C where there is a compiler and in Go; the better
// one counts.
type triad struct {
	a, b, c []float64
	program string // compiled, "" without a compiler
	best    float64
	by      string
}

func newTriad(dir string) *triad {
	t := &triad{a: fill(triadLength, 1), b: fill(triadLength, 2), c: fill(triadLength, 0.5)}
	source, program := filepath.Join(dir, "triad.c"), filepath.Join(dir, "triad")
	if os.WriteFile(source, triadC, 0o666) == nil &&
		exec.Command("cc", "-O3", "-march=native", "-fopenmp", "-o", program, source).Run() == nil {
		t.program = program
	}
	return t
}

// measure takes the best of some rounds.
func (t *triad) measure(rounds int) {
	for range rounds {
		start := time.Now()
		t.pass()
		t.keep(24*triadLength/time.Since(start).Seconds(), "Go")
	}
	if t.program == "" {
		return
	}
	out, err := exec.Command(t.program, strconv.Itoa(triadLength), strconv.Itoa(rounds)).Output()
	if rate, bad := strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err == nil && bad == nil {
		t.keep(rate, "C")
	}
}

func (t *triad) keep(rate float64, by string) {
	if rate > t.best {
		t.best, t.by = rate, by
	}
}

func (t *triad) pass() {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		first, last := k*triadLength/workers, (k+1)*triadLength/workers
		a, b, c := t.a[first:last], t.b[first:last], t.c[first:last]
		wg.Go(func() {
			b, c := b[:len(a)], c[:len(a)]
			for i := range a {
				a[i] = b[i] + 3*c[i]
			}
		})
	}
	wg.Wait()
}
