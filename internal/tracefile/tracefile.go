// Package tracefile keeps traces in NumPy's .npz files, one float64 array a
// signal, for
//
//	>>> z = numpy.load("trace.npz")
//	>>> z["t"].shape, z["hidden.u"].shape, z["in_hidden.W"].shape
//	((6000,), (6000, 5), (6000, 5, 3))
//
// The array t holds the instants of the first signal. A signal sampled at other
// instants (weights, say, every hundredth step) has its own in NAME.t.
//
// A Spool collects a trace in a file while a run goes on.
//
// # For maintainers
//
// Units and the order of signals are the trace's own business: the order is the
// archive's, units are not kept. The sampling instants are shared where they are
// equal, not where they are the same slice, so that the bytes depend on values
// only.
package tracefile

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"vlec/internal/npy"
	"vlec/sim"
)

const timeName = "t"

// Write writes a trace as an .npz archive. Signals called "t", or like another
// one with ".t" at the end, are refused.
func Write(w io.Writer, trace *sim.Trace) error {
	entries, err := entriesOf(trace)
	if err != nil {
		return err
	}
	return npy.WriteArchive(w, entries)
}

func entriesOf(trace *sim.Trace) ([]npy.Entry, error) {
	if len(trace.Signals) == 0 {
		return nil, fmt.Errorf("the trace holds no signal; ask for at least one")
	}
	first := trace.Signals[0].Time
	entries := []npy.Entry{{Name: timeName, Array: npy.Of(first, len(first))}}
	for _, s := range trace.Signals {
		if err := checkName(s.Name); err != nil {
			return nil, err
		}
		if len(s.Data) != len(s.Time)*s.Width() {
			return nil, fmt.Errorf("signal %s: %d values for %d samples of %d", s.Name, len(s.Data), len(s.Time), s.Width())
		}
		shape := append([]int{len(s.Time)}, s.Shape...)
		entries = append(entries, npy.Entry{Name: s.Name, Array: npy.Of(s.Data, shape...)})
		if !slices.Equal(s.Time, first) {
			entries = append(entries, npy.Entry{Name: s.Name + "." + timeName, Array: npy.Of(s.Time, len(s.Time))})
		}
	}
	return entries, nil
}

func checkName(name string) error {
	if name == timeName || strings.HasSuffix(name, "."+timeName) {
		return fmt.Errorf("a signal cannot be called %q: that name holds sampling instants", name)
	}
	return nil
}

// Read reads a trace that Write wrote, or any archive of its form. Signals that
// share t share one Time slice.
func Read(r io.ReaderAt, size int64) (*sim.Trace, error) {
	entries, err := npy.ReadArchive(r, size)
	if err != nil {
		return nil, err
	}
	return traceOf(entries)
}

// ReadFile reads the trace in an .npz file.
func ReadFile(name string) (*sim.Trace, error) {
	entries, err := npy.ReadArchiveFile(name)
	if err != nil {
		return nil, err
	}
	trace, err := traceOf(entries)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return trace, nil
}

func traceOf(entries []npy.Entry) (*sim.Trace, error) {
	times := map[string][]float64{}
	for _, e := range entries {
		if e.Name != timeName && !strings.HasSuffix(e.Name, "."+timeName) {
			continue
		}
		t := e.Float64s()
		if len(e.Shape) != 1 || !slices.IsSorted(t) {
			return nil, fmt.Errorf("array %s: sampling instants are one ascending row", e.Name)
		}
		times[e.Name] = t
	}
	trace := new(sim.Trace)
	for _, e := range entries {
		if _, isTime := times[e.Name]; isTime {
			continue
		}
		t, own := times[e.Name+"."+timeName]
		if !own {
			t = times[timeName]
		}
		if len(e.Shape) == 0 || e.Shape[0] != len(t) {
			return nil, fmt.Errorf("array %s: shape %v for %d sampling instants", e.Name, e.Shape, len(t))
		}
		trace.Signals = append(trace.Signals, &sim.Signal{Name: e.Name, Shape: e.Shape[1:], Time: t, Data: e.Float64s()})
	}
	return trace, nil
}
