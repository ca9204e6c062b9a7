package training

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlec/internal/tracefile"
	"vlec/model"
	"vlec/sim/reference"
)

const text = `
name = "cell"
duration = 100.0
[learning]
eta = 0.1
[input.drive]
signal = "sine"
frequency = 0.25
[population.cell]
size = 1
tau_m = 1.0
tau_r = 0.1
[projection.w]
from = "drive"
to = "cell"
weights = 0.5
plastic = true
[target.cell]
population = "cell"
signal = "sine"
frequency = 0.25
amplitude = 0.5
`

func cell(t *testing.T) *model.Network {
	t.Helper()
	net, err := model.Parse("cell.toml", []byte(text), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func options(net *model.Network, dir string) Options {
	return Options{
		Run: reference.Options{Semantics: reference.Clocked, Learning: true, Metrics: reference.DefaultMetrics(net, 0)},
		Dir: dir,
	}
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// The trace in the folder is the trace that the reference returns.
func TestTraceInTheFolder(t *testing.T) {
	net, dir := cell(t), t.TempDir()
	out, err := Run(context.Background(), net, options(net, dir))
	if err != nil {
		t.Fatal(err)
	}
	want, res, err := reference.Run(context.Background(), net, options(net, "").Run)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tracefile.ReadFile(filepath.Join(dir, "trace.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Signals) != len(want.Signals) || res.LossLast != out.LossLast {
		t.Fatalf("%d signals, want %d", len(got.Signals), len(want.Signals))
	}
	for i, s := range want.Signals {
		for k, v := range s.Data {
			if got.Signals[i].Data[k] != v {
				t.Fatalf("%s differs at %d", s.Name, k)
			}
		}
	}
}

// Two runs do not write into one folder, and a killed one locks nobody out.
func TestOneRunAFolder(t *testing.T) {
	net, dir := cell(t), t.TempDir()
	f := folder{dir: dir, options: &Options{}}
	if err := f.open(); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), net, options(net, dir)); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want %v", err, ErrBusy)
	}
	f.lock.Close() // as when its process dies: the file stays
	if _, err := Run(context.Background(), net, options(net, dir)); err != nil {
		t.Error(err)
	}
	if exists(dir, lockFile) {
		t.Error("the lock is still there")
	}
}

// interrupt runs until the first checkpoint and some way further.
func interrupt(t *testing.T, net *model.Network, o Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Run.Progress = func(done, _ float64) {
		if done > 0.5 {
			cancel()
		}
		time.Sleep(10 * time.Microsecond)
	}
	if _, err := Run(ctx, net, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancellation", err)
	}
}

// What a finished run left does not pass for the state of the next one.
func TestFolderUsedAgain(t *testing.T) {
	net, dir := cell(t), t.TempDir()
	if _, err := Run(context.Background(), net, options(net, dir)); err != nil {
		t.Fatal(err)
	}
	// A mistake costs nothing.
	wrong := options(net, dir)
	wrong.Run.Signals = []string{"nonsense"}
	if _, err := Run(context.Background(), net, wrong); err == nil || !exists(dir, CheckpointFile) || !exists(dir, "trace.npz") {
		t.Errorf("a refused run removed something (%v)", err)
	}
	interrupt(t, net, options(net, dir))
	o := options(net, dir)
	if _, err := Run(context.Background(), net, o); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("got %v, want a hint at --resume", err)
	}
	o.Resume = true
	out, err := Run(context.Background(), net, o)
	if err != nil {
		t.Fatal(err)
	}
	if !out.Resumed || out.Complete || !(out.From > 0.4*net.Duration) || exists(dir, spoolFile) {
		t.Errorf("resumed %v at %g of a run that was over: %v", out.Resumed, out.From, out.Complete)
	}
}

// A run that is refused leaves no folder behind.
func TestRefusedRunLeavesNothing(t *testing.T) {
	net, dir := cell(t), filepath.Join(t.TempDir(), "a", "b")
	o := options(net, dir)
	o.Run.Signals = []string{"nonsense"}
	if _, err := Run(context.Background(), net, o); err == nil {
		t.Fatal("nonsense is recorded")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there")
	}
}

// A spool that is gone is missed before anything is written.
func TestLostSpool(t *testing.T) {
	net, dir := cell(t), t.TempDir()
	interrupt(t, net, options(net, dir))
	if err := os.Remove(filepath.Join(dir, spoolFile)); err != nil {
		t.Fatal(err)
	}
	o := options(net, dir)
	o.Resume = true
	if _, err := Run(context.Background(), net, o); err == nil || !strings.Contains(err.Error(), "trace.spool") {
		t.Errorf("got %v", err)
	}
	if !exists(dir, CheckpointFile) {
		t.Error("the checkpoint is gone")
	}
}

// Checkpoints fall where model time says.
func TestCheckpointsInModelTime(t *testing.T) {
	net, dir := cell(t), t.TempDir()
	o := options(net, dir)
	o.CheckpointModelTime = 30
	var notes []string
	o.Note = func(format string, args ...any) { notes = append(notes, format) }
	if _, err := Run(context.Background(), net, o); err != nil {
		t.Fatal(err)
	}
	if len(notes) != 3 {
		t.Errorf("%d checkpoints on the way, want 3", len(notes))
	}
}
