// Package training runs a model in a folder: traces and metrics go there while
// the run goes on, checkpoints from which it resumes, and figures at its end.
//
//	trace.npz        what was recorded, one float64 array a signal
//	metrics.csv      loss, its moving average, and weights, row by row
//	metrics.json     the same with a summary
//	weights.npz      the final weights; start other runs from them
//	checkpoint.npz   the whole state; a run resumes from it bit by bit
//	loss.svg, weights.svg, traces.svg
//
// # For maintainers
//
// Whatever is left behind by a process that was killed, the next one must be able
// to go on from. So the order of things matters. Within a run: samples to the
// spool and to disk, then the checkpoint that counts on them, under a temporary
// name, to disk, renamed. At its end: the checkpoint that says so, then the
// outputs, then the spool is removed. A run that resumes cuts the spool back to
// what its checkpoint knows, makes the rest once more, and writes the same bytes.
//
// When a checkpoint is due is decided by a clock; nothing of that gets into a file.
package training

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"vlec/internal/tracefile"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// Options say how and where a model is run.
type Options struct {
	// Run is what the reference is told. Sink, Save, Due, Resume and Origin are
	// filled in here.
	Run reference.Options

	Weights string   // file with weights to start from, or ""
	Dir     string   // "": nothing is written
	Resume  bool     // go on from the checkpoint in Dir, if there is one
	Figures []string // "svg", "png"

	// A checkpoint is written every so often by the clock, or in model time, where
	// that is not 0.
	CheckpointEvery     time.Duration
	CheckpointModelTime float64

	Note func(format string, args ...any) // says what happens on the way; may be nil
}

// An Outcome is what a run came to.
type Outcome struct {
	*reference.Result
	Resumed  bool
	From     float64 // model time it resumed at
	Complete bool    // it was over already
	Files    []string
}

// Names of files in a run's folder.
const (
	CheckpointFile = "checkpoint.npz"
	spoolFile      = "trace.spool"
	lockFile       = ".lock"
)

// ErrBusy says that another run writes into the folder.
var ErrBusy = errors.New("another run is writing into this folder; wait for it, or choose another")

// Run runs a model. When ctx is cancelled it leaves a checkpoint and returns the
// context's error.
func Run(ctx context.Context, net *model.Network, o Options) (*Outcome, error) {
	if o.Note == nil {
		o.Note = func(string, ...any) {}
	}
	out := &Outcome{}
	if o.Weights != "" {
		var err error
		if net, o.Run.Origin, err = startFrom(net, o.Weights); err != nil {
			return nil, err
		}
	}
	if o.Dir == "" {
		if o.Run.Signals == nil {
			o.Run.Signals = []string{}
		}
		_, result, err := reference.Run(ctx, net, o.Run)
		out.Result = result
		return out, err
	}
	f := folder{dir: o.Dir, options: &o}
	if err := f.open(); err != nil {
		return nil, err
	}
	defer f.close()
	if err := f.look(out); err != nil {
		return nil, err
	}
	f.prepare()
	defer f.watch()()
	_, result, err := reference.Run(ctx, net, o.Run)
	if misfit, ok := errors.AsType[*reference.ResumeError](err); ok {
		err = fmt.Errorf("cannot resume from %s: %w", f.path(CheckpointFile), misfit.Reason)
	}
	if err != nil {
		return out, err
	}
	out.Result = result
	if out.Files, err = f.write(net, result); err != nil {
		return out, err
	}
	return out, f.finish()
}

// startFrom applies the weights in a file. The origin identifies them.
func startFrom(net *model.Network, file string) (*model.Network, string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	weights, err := reference.ReadWeights(file)
	if err != nil {
		return nil, "", err
	}
	if net, err = weights.Apply(net); err != nil {
		return nil, "", fmt.Errorf("%s: %w", file, err)
	}
	sum := sha256.Sum256(raw)
	return net, hex.EncodeToString(sum[:]), nil
}

// A folder is where a run writes.
type folder struct {
	dir     string
	options *Options
	made    bool // by us
	lock    *os.File
	spool   *tracefile.Spool // nil where nothing is recorded, or all has been
	whole   bool             // the trace is there already
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// open makes the folder and takes possession of it.
func (f *folder) open() (err error) {
	if _, err := os.Stat(f.dir); errors.Is(err, fs.ErrNotExist) {
		f.made = true
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return err
	}
	for {
		if f.lock, err = os.OpenFile(f.path(lockFile), os.O_CREATE|os.O_RDWR, 0o666); err != nil {
			return err
		}
		if !tryLock(f.lock) {
			f.lock.Close()
			return fmt.Errorf("%s: %w", f.dir, ErrBusy)
		}
		// Whoever had it may have removed it before we locked it.
		ours, err1 := f.lock.Stat()
		there, err2 := os.Stat(f.path(lockFile))
		if err1 == nil && err2 == nil && os.SameFile(ours, there) {
			break
		}
		f.lock.Close()
	}
	// What a process that was killed while it wrote left behind.
	for _, pattern := range []string{".*.*.tmp", CheckpointFile + ".tmp"} {
		litter, _ := filepath.Glob(filepath.Join(escape(f.dir), pattern))
		for _, name := range litter {
			os.Remove(name)
		}
	}
	return nil
}

// escape takes their meaning from the characters that Glob knows.
func escape(dir string) string {
	var out []rune
	for _, r := range dir {
		switch r {
		case '*', '?', '[', '\\':
			if filepath.Separator == '\\' {
				return dir // Glob has no escapes there
			}
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

func (f *folder) close() {
	if f.spool != nil {
		f.spool.Close()
	}
	if _, err := os.Stat(f.path(CheckpointFile)); errors.Is(err, fs.ErrNotExist) {
		os.Remove(f.path(spoolFile)) // nobody can go on from it
	}
	os.Remove(f.path(lockFile))
	f.lock.Close()
	if f.made {
		os.Remove(f.dir) // stays unless it is empty
	}
}

// look looks for a checkpoint. Where there is one of a run that is not over, only
// a run that resumes may go on: hours of work are not lost for a flag that was
// left out.
func (f *folder) look(out *Outcome) error {
	name := f.path(CheckpointFile)
	c, err := reference.ReadCheckpointFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.options.Resume {
			f.options.Note("no checkpoint in %s yet: starting at the beginning", f.dir)
		}
		return nil
	case !f.options.Resume && err == nil && !c.Done:
		return fmt.Errorf("%s is of a run that is not over (t = %.6g of %.6g); go on with --resume, or remove it to start anew", name, c.Time, c.Duration)
	case !f.options.Resume:
		return nil
	case err != nil:
		return err
	}
	f.options.Run.Resume = c
	out.Resumed, out.From, out.Complete = true, c.Time, c.Done
	if _, err := os.Stat(f.path(spoolFile)); c.Done && errors.Is(err, fs.ErrNotExist) {
		f.whole = true
	}
	return nil
}

// anew is a sink that, before the first sample of a new run, removes what is left
// of the one before. Until then the run may still be refused.
type anew struct {
	reference.Sink
	checkpoint string
}

func (a anew) Begin(signals []*sim.Signal, samples, kept int) error {
	if kept == 0 {
		if err := os.Remove(a.checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return a.Sink.Begin(signals, samples, kept)
}

// prepare completes the options of the run.
func (f *folder) prepare() {
	o := &f.options.Run
	o.Sink = reference.Discard
	if !f.whole && (o.Signals == nil || len(o.Signals) > 0) {
		f.spool = tracefile.NewSpool(f.path(spoolFile))
		o.Sink = f.spool
	}
	if o.Resume == nil {
		o.Sink = anew{o.Sink, f.path(CheckpointFile)}
	}
	o.Save = func(c *reference.Checkpoint) error {
		if f.whole {
			return nil // it is there already
		}
		if f.spool != nil {
			if err := f.spool.Sync(); err != nil {
				return err
			}
		}
		if err := c.WriteFile(f.path(CheckpointFile)); err != nil {
			return err
		}
		if !c.Done {
			f.options.Note("checkpoint at t = %.6g", c.Time)
		}
		return nil
	}
}

// watch decides when checkpoints are due, until stop is called.
func (f *folder) watch() (stop func()) {
	o := f.options
	if every := o.CheckpointModelTime; every > 0 {
		next := every
		if o.Run.Resume != nil {
			next += o.Run.Resume.Time
		}
		o.Run.Due = func(t float64) bool {
			if t < next {
				return false
			}
			next = t + every
			return true
		}
		return func() {}
	}
	if o.CheckpointEvery <= 0 {
		return func() {}
	}
	// The clock runs from the end of one checkpoint to the beginning of the next,
	// so that a slow disk cannot take all of the time.
	var due atomic.Bool
	clock := time.AfterFunc(o.CheckpointEvery, func() { due.Store(true) })
	o.Run.Due = func(float64) bool { return due.Load() }
	save := o.Run.Save
	o.Run.Save = func(c *reference.Checkpoint) error {
		err := save(c)
		due.Store(false)
		clock.Reset(o.CheckpointEvery)
		return err
	}
	return func() { clock.Stop() }
}

// finish removes what only a run under way needs.
func (f *folder) finish() error {
	if f.spool == nil {
		return nil
	}
	err := f.spool.Remove()
	f.spool = nil
	return err
}
