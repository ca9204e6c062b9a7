// Package main, bench/reference, measures the reference simulator against PyTorch, against the
// bandwidth of memory, and for allocations, and prints one table. All ratios are
// of times taken in the same run, turn by turn.
//
//	go run ./bench/reference
//	go run ./bench/reference -seconds 6 -python /usr/bin/python3
//
// PyTorch runs the same equations operation by operation (other/loop.py), one trial at a
// time, double precision, without gradients, with one thread or with all, whichever
// is faster. First the weights of both are compared after 200 steps. Without
// PyTorch those rows say so. The bandwidth is that of STREAM's triad; a learning
// layer is charged for reading and writing its weights once a step and nothing else.
//
// # For maintainers
//
// The loop in Python is written from the equations, as somebody would who wants
// their learning step by step: whole vectors an operation, in place where PyTorch
// offers it, since the updates of a clock step leave no batch to hide calls in. Every
// time is the best of many bursts of about two milliseconds, on both sides, because
// other work on the machine only ever makes them longer. What is wanted stands in the table, and is no test: whether
// it is reached depends on the machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"vlec/internal/table"
	"vlec/model"
	"vlec/sim/reference"
)

func main() {
	seconds := flag.Float64("seconds", 3, "time for each measurement")
	interpreter := flag.String("python", "", "interpreter that has PyTorch")
	markdown := flag.Bool("markdown", false, "print a table for a document")
	flag.Parse()
	rows, err := measure(*seconds, *interpreter)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	print := table.Text
	if *markdown {
		print = table.Markdown
	}
	fmt.Println(print(rows))
}

func measure(seconds float64, interpreter string) ([][]string, error) {
	rows := [][]string{{"what", "synapses", "vlec", "against", "", "ratio", "wanted", "allocations a step"}}
	py, why := python(interpreter)
	if why != nil {
		fmt.Fprintf(os.Stderr, "no PyTorch, so no comparison with it: %v\n", why)
	}
	for _, c := range []struct {
		sizes  []int
		wanted string
	}{
		{[]int{1, 1, 1}, ">= 100"},
		{[]int{1, 8, 8, 1}, ">= 100"},
		{[]int{28, 28, 7}, ">= 100"},
		{[]int{30, 100, 70}, ""},
		{[]int{1, 316, 316}, ""},
		{[]int{1, 1000, 1000}, ">= 3"},
	} {
		b := newNetwork(c.sizes...)
		fmt.Fprintf(os.Stderr, "%s…\n", b.name)
		z, err := b.stepper()
		if err != nil {
			return nil, err
		}
		first, allocated := z.time(seconds / 2)
		row := []string{b.name, fmt.Sprint(b.synapses()), "", "PyTorch", "–", "–", c.wanted, fmt.Sprintf("%.3g", allocated)}
		if why == nil {
			r, err := b.torch(py, seconds)
			if err != nil {
				return nil, err
			}
			again, _ := z.time(seconds / 2)
			first = min(first, again)
			row[3] = fmt.Sprintf("PyTorch %s, %d thread", r.Version, r.Threads)
			if r.Threads > 1 {
				row[3] += "s"
			}
			row[4], row[5] = fmt.Sprintf("%.4g µs/step", r.Microseconds), fmt.Sprintf("%.3g", r.Microseconds/first)
		}
		row[2] = fmt.Sprintf("%.4g µs/step", first)
		rows = append(rows, row)
	}
	bandwidth, err := layer(seconds)
	if err != nil {
		return nil, err
	}
	rows = append(rows, bandwidth)
	for _, gamma := range []float64{0, 0.01} {
		continuous, err := integrator(seconds, gamma)
		if err != nil {
			return nil, err
		}
		rows = append(rows, continuous)
	}
	return rows, nil
}

// window is how long a burst of steps takes that is timed on its own: short
// enough to be left alone by other work on the machine now and then.
const window = 2e-3

// time returns microseconds a step, the best of many short bursts, and the
// allocations of the burst that made fewest: the garbage collector and timers make
// some of their own.
func (z *stepper) time(seconds float64) (us, allocations float64) {
	z.run(20)
	n := 1
	for {
		start := time.Now()
		z.run(n)
		took := time.Since(start).Seconds()
		if took > window/2 {
			break
		}
		n *= 2
	}
	us, allocations = math.Inf(1), math.Inf(1)
	var before, after runtime.MemStats
	for begin := time.Now(); time.Since(begin).Seconds() < seconds; {
		runtime.ReadMemStats(&before)
		start := time.Now()
		z.run(n)
		us = min(us, time.Since(start).Seconds()/float64(n)*1e6)
		runtime.ReadMemStats(&after)
		allocations = min(allocations, float64(after.Mallocs-before.Mallocs)/float64(n))
	}
	return us, allocations
}

// layer compares a large learning layer with the triad, turn by turn.
func layer(seconds float64) ([]string, error) {
	const n = 4096
	b := newNetwork(1, n, n)
	fmt.Fprintf(os.Stderr, "%s…\n", b.name)
	z, err := b.stepper()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vlec-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t := newTriad(dir)
	us, allocations := z.time(seconds / 5)
	for range 5 {
		t.measure(5)
		again, _ := z.time(seconds / 5)
		us = min(us, again)
	}
	rate := 16 * n * n / (us * 1e-6)
	return []string{
		fmt.Sprintf("learning layer %d x %d", n, n), fmt.Sprint(b.synapses()), fmt.Sprintf("%.3g GB/s, %.4g µs/step", rate/1e9, us),
		"triad in " + t.by, fmt.Sprintf("%.3g GB/s", t.best/1e9), fmt.Sprintf("%.2f", rate/t.best), ">= 0.7", fmt.Sprintf("%.3g", allocations),
	}, nil
}

// integrator shows what the continuous semantics costs, without and with an
// algebraic loop; nothing is there to compare it with. Allocations are those of the longer of two runs beyond the
// shorter, as samples are kept.
func integrator(seconds, gamma float64) ([]string, error) {
	b := newNetwork(1, 8, 8, 1)
	b.net.Gamma = gamma
	b.net.Inputs[0].Channels[0] = model.Sine{Amplitude: 1, Frequency: 0.25}
	b.net.Targets[0].Signal[0] = model.Sine{Amplitude: 0.5, Frequency: 0.25}
	run := func(duration float64) (steps int, took float64, mallocs uint64, err error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, r, err := reference.Run(context.Background(), b.net, reference.Options{Learning: true, Duration: duration, Every: duration})
		if err != nil {
			return 0, 0, 0, err
		}
		took = time.Since(start).Seconds()
		runtime.ReadMemStats(&after)
		return r.Steps, took, after.Mallocs - before.Mallocs, nil
	}
	duration := 20.0
	for {
		steps, took, mallocs, err := run(duration)
		if err != nil {
			return nil, err
		}
		if took < seconds/4 {
			duration *= 2
			continue
		}
		more, tookMore, mallocsMore, err := run(2 * duration)
		if err != nil {
			return nil, err
		}
		each := min(took/float64(steps), tookMore/float64(more)) * 1e6
		return []string{
			fmt.Sprintf("continuous 1-8-8-1, gamma %g", gamma), fmt.Sprint(b.synapses()), fmt.Sprintf("%.4g µs/step of 6 evaluations", each), "", "", "", "",
			fmt.Sprintf("%.2g", max(0, float64(int64(mallocsMore)-int64(mallocs))/float64(more-steps))),
		}, nil
	}
}
