package tracefile

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/sim"
)

// spooled is a trace of a scalar, a vector and a matrix.
func spooled(samples int) *sim.Trace {
	rng := rand.New(rand.NewPCG(1, 1))
	trace := &sim.Trace{Signals: []*sim.Signal{{Name: "loss", Shape: []int{}}, {Name: "a.u", Shape: []int{3}}, {Name: "w.W", Shape: []int{40, 90}}}}
	var time []float64
	for k := range samples {
		time = append(time, 0.1*float64(k))
		for _, s := range trace.Signals {
			for range s.Width() {
				s.Data = append(s.Data, rng.NormFloat64())
			}
		}
	}
	for _, s := range trace.Signals {
		s.Time = time
	}
	return trace
}

func bare(trace *sim.Trace) (signals []*sim.Signal) {
	for _, s := range trace.Signals {
		signals = append(signals, &sim.Signal{Name: s.Name, Shape: s.Shape})
	}
	return signals
}

func feed(t *testing.T, s *Spool, trace *sim.Trace, from, to int) {
	t.Helper()
	for k := from; k < to; k++ {
		var values [][]float64
		for _, sig := range trace.Signals {
			values = append(values, sig.At(k))
		}
		if err := s.Sample(trace.Signals[0].Time[k], values); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t *testing.T, path string, trace *sim.Trace, kept int) *Spool {
	t.Helper()
	s := NewSpool(path)
	if err := s.Begin(bare(trace), 0, kept); err != nil {
		t.Fatal(err)
	}
	return s
}

// A spool that was interrupted at its syncs writes the bytes that Write writes.
func TestSpoolIsATrace(t *testing.T) {
	const samples = 200 // of 28 kB: several blocks
	trace := spooled(samples)
	var want, got bytes.Buffer
	if err := Write(&want, trace); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "spool")
	rng := rand.New(rand.NewPCG(2, 2))
	s := begin(t, path, trace, 0)
	synced, at := 0, 0
	for at < samples {
		n := min(samples-at, 1+rng.IntN(60))
		feed(t, s, trace, at, at+n)
		at += n
		if rng.IntN(2) == 0 {
			if err := s.Sync(); err != nil {
				t.Fatal(err)
			}
			synced = at
		}
		if rng.IntN(3) == 0 { // the process dies
			s.file.Close()
			s = begin(t, path, trace, synced)
			at = synced
		}
	}
	if err := s.Write(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Error("the spool's archive is not that of the trace")
	}
	tail, err := s.Tail(70, "a.u", "loss")
	if err != nil {
		t.Fatal(err)
	}
	u, all := tail.Signal("a.u"), trace.Signal("a.u")
	if len(u.Time) != 70 || u.Time[0] != all.Time[130] || u.At(69)[2] != all.At(199)[2] || tail.Signal("loss").Data[0] != trace.Signal("loss").Data[130] {
		t.Errorf("a tail of %d samples from %g", len(u.Time), u.Time[0])
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is still there")
	}
}

func TestDamagedSpool(t *testing.T) {
	trace := spooled(100)
	path := filepath.Join(t.TempDir(), "spool")
	s := begin(t, path, trace, 0)
	feed(t, s, trace, 0, 100)
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, signals []*sim.Signal, kept int, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := NewSpool(path).Begin(signals, 0, kept); err == nil || !strings.Contains(err.Error(), "start anew") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	signals := bare(trace)
	refuse("too short", signals, 100, whole[:len(whole)-1])
	refuse("too few", signals, 101, whole)
	refuse("between blocks", signals, 99, whole)
	refuse("other signals", signals[:2], 100, whole)
	refuse("nothing", signals, 100, nil)
	for range 20 {
		bad := bytes.Clone(whole)
		bad[rand.N(len(bad))] ^= 4
		refuse("a flipped bit", signals, 100, bad)
	}
	os.Remove(path)
	if err := NewSpool(path).Begin(signals, 0, 100); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("a spool that is gone: %v", err)
	}
}
