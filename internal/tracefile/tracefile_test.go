package tracefile_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlec/internal/tracefile"
	"vlec/sim"
)

func example() *sim.Trace {
	t := []float64{0, 0.5, 1}
	return &sim.Trace{Signals: []*sim.Signal{
		{Name: "hidden.u", Shape: []int{2}, Time: t, Data: []float64{1, 2, 3, 4, 5, 6}},
		{Name: "loss", Time: t, Data: []float64{3, 2, 1}},
		{Name: "in_hidden.W", Shape: []int{2, 1}, Time: []float64{0, 1}, Data: []float64{1, 2, 3, 4}},
	}}
}

func TestRoundTrip(t *testing.T) {
	want := example()
	name := filepath.Join(t.TempDir(), "trace.npz")
	var file bytes.Buffer
	if err := tracefile.Write(&file, want); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := tracefile.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want.Signals[1].Shape = []int{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if &got.Signals[0].Time[0] != &got.Signals[1].Time[0] {
		t.Error("signals sampled together do not share their instants")
	}

	// The same file, to NumPy.
	script := `import sys, numpy; z = numpy.load(sys.argv[1]); print([(k, z[k].shape, z[k].sum()) for k in z])`
	out, err := exec.Command("python3", "-c", script, name).Output()
	if err != nil {
		t.Skip("python3 with NumPy is not here: its reading of the file is not checked")
	}
	const list = "[('t', (3,), 1.5), ('hidden.u', (3, 2), 21.0), ('loss', (3,), 6.0), ('in_hidden.W', (2, 2, 1), 10.0), ('in_hidden.W.t', (2,), 1.0)]"
	if strings.TrimSpace(string(out)) != list {
		t.Errorf("NumPy reads %s", out)
	}
}

func TestWriteRefuses(t *testing.T) {
	for want, change := range map[string]func(*sim.Trace){
		"holds no signal":       func(tr *sim.Trace) { tr.Signals = nil },
		"holds sampling":        func(tr *sim.Trace) { tr.Signals[1].Name = "hidden.u.t" },
		"5 values for 3":        func(tr *sim.Trace) { tr.Signals[0].Data = tr.Signals[0].Data[:5] },
		`are called "hidden.u"`: func(tr *sim.Trace) { tr.Signals[1].Name = "hidden.u" },
	} {
		trace := example()
		change(trace)
		if err := tracefile.Write(io.Discard, trace); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	var file bytes.Buffer
	if err := tracefile.Write(&file, example()); err != nil {
		t.Fatal(err)
	}
	noTime := bytes.ReplaceAll(file.Bytes(), []byte("t.npy"), []byte("T.npy"))
	_, err := tracefile.Read(bytes.NewReader(noTime), int64(len(noTime)))
	if want := "shape [3] for 0 sampling instants"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}

	backward := example()
	backward.Signals[2].Time = []float64{1, 0}
	file.Reset()
	if err := tracefile.Write(&file, backward); err != nil {
		t.Fatal(err)
	}
	_, err = tracefile.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if want := "in_hidden.W.t: sampling instants are one ascending row"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
