package reference

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlec/internal/npy"
	"vlec/model"
)

// A Checkpoint is the whole state of a run between two steps: weights, neurons,
// optimiser, noise, integrator, metrics. A run that resumes from it ends with the
// same bits as one that was never interrupted.
//
// On disk it is an .npz archive, so that numpy.load shows what is in it and its
// weights can be read as weights (ReadWeights). Two entries make it a checkpoint:
// the first, a Header as JSON, and the last, the SHA-256 of all before it.
type Checkpoint struct {
	Header
	entries []npy.Entry
}

// A Header says what run a checkpoint is of and how far it was. All but the last
// three fields must be the same when the run resumes.
type Header struct {
	Format    int            `json:"format"` // 1
	Model     string         `json:"model"`
	Hash      string         `json:"hash"` // of the model and its files
	Origin    string         `json:"origin,omitempty"`
	Semantics Semantics      `json:"semantics"`
	Learning  bool           `json:"learning"`
	Duration  float64        `json:"duration"`
	Every     float64        `json:"every"`
	Signals   []string       `json:"signals"`
	RelTol    float64        `json:"rel_tol"`
	Metrics   MetricsOptions `json:"metrics"`
	Stop      StopOptions    `json:"stop"`

	Time    float64 `json:"time"`    // reached [time unit]
	Samples int     `json:"samples"` // recorded
	Done    bool    `json:"done"`    // the run is over
}

const (
	checkpointFormat = 1
	headerName       = "checkpoint"
	sumName          = "sha256"
)

func headerOf(net *model.Network, o *Options) Header {
	return Header{
		Format: checkpointFormat, Model: net.Name, Hash: net.Hash, Origin: o.Origin,
		Semantics: o.Semantics, Learning: o.Learning, Duration: o.Duration, Every: o.Every, Signals: slices.Clone(o.Signals),
		RelTol: o.RelTol, Metrics: o.Metrics, Stop: o.Stop,
	}
}

// A ResumeError says why a run cannot go on from a checkpoint.
type ResumeError struct{ Reason error }

func (e *ResumeError) Error() string { return "the checkpoint does not fit: " + e.Reason.Error() }

// Unwrap returns the reason.
func (e *ResumeError) Unwrap() error { return e.Reason }

// fits returns an error where a run differs from that of the checkpoint.
func (h *Header) fits(run Header) error {
	switch {
	case h.Model != run.Model || h.Hash != run.Hash:
		return fmt.Errorf("it is of the model %s (hash %.12s), not of %s (hash %.12s): the model file, a file it reads, or the seed is another", h.Model, h.Hash, run.Model, run.Hash)
	case h.Origin != run.Origin:
		return errors.New("that run started from other weights")
	case h.Semantics != run.Semantics:
		return fmt.Errorf("that run was of the %s semantics, this one is of the %s", h.Semantics, run.Semantics)
	case h.Learning != run.Learning:
		return fmt.Errorf("learning was %s and is %s now", onOff(h.Learning), onOff(run.Learning))
	case h.Duration != run.Duration:
		return fmt.Errorf("that run was to last %g time units, this one %g", h.Duration, run.Duration)
	case !slices.Equal(h.Signals, run.Signals) || h.Every != run.Every:
		return fmt.Errorf("that run recorded %s every %g, this one %s every %g", list(h.Signals), h.Every, list(run.Signals), run.Every)
	case h.Metrics != run.Metrics:
		return fmt.Errorf("that run noted metrics every %g over %g, this one every %g over %g", h.Metrics.Every, h.Metrics.Window, run.Metrics.Every, run.Metrics.Window)
	case h.Stop != run.Stop:
		return fmt.Errorf("that run was to stop at loss %g or after %g without progress, this one at %g or after %g", h.Stop.Loss, h.Stop.Patience, run.Stop.Loss, run.Stop.Patience)
	case h.RelTol != run.RelTol:
		return fmt.Errorf("that run had the tolerance %g, this one %g", h.RelTol, run.RelTol)
	}
	return nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ",")
}

// save takes the state of a run as it is now; it shares the run's memory.
func save(h Header, keep func(*ledger)) *Checkpoint {
	var l ledger
	keep(&l)
	return &Checkpoint{h, l.entries}
}

// restore gives a run the state of a checkpoint.
func (c *Checkpoint) restore(run Header, keep func(*ledger)) error {
	if err := c.fits(run); err != nil {
		return &ResumeError{err}
	}
	l := ledger{restoring: true, known: map[string]*npy.Array{}}
	for _, e := range c.entries {
		l.known[e.Name] = e.Array
	}
	keep(&l)
	if err := l.close(); err != nil {
		return &ResumeError{fmt.Errorf("its state is not that of this model: %w", err)}
	}
	return nil
}

// Write writes the checkpoint. It must not outlive the call of Options.Save that
// it was given to.
func (c *Checkpoint) Write(w io.Writer) error {
	head, err := json.Marshal(c.Header)
	if err != nil {
		return err
	}
	entries := append([]npy.Entry{{Name: headerName, Array: npy.Of(head, len(head))}}, c.entries...)
	sum, err := sumOf(entries)
	if err != nil {
		return err
	}
	return npy.WriteArchive(w, append(entries, npy.Entry{Name: sumName, Array: npy.Of(sum, len(sum))}))
}

// sumOf is the SHA-256 of names and arrays, each as NumPy writes it.
func sumOf(entries []npy.Entry) ([]byte, error) {
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%q\n", e.Name)
		if err := npy.Write(h, e.Array); err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}

// ReadCheckpoint reads a checkpoint of the given size and refuses one that is
// damaged, cut off, or of another version.
func ReadCheckpoint(r io.ReaderAt, size int64) (*Checkpoint, error) {
	entries, err := npy.ReadArchive(r, size)
	if err != nil {
		return nil, fmt.Errorf("it is no checkpoint, or damaged: %w", err)
	}
	last := len(entries) - 1
	if last < 1 || entries[0].Name != headerName || entries[last].Name != sumName {
		return nil, errors.New("it is no checkpoint, or cut off")
	}
	head, ok1 := entries[0].Data.([]uint8)
	want, ok2 := entries[last].Data.([]uint8)
	if !ok1 || !ok2 {
		return nil, errors.New("it is no checkpoint")
	}
	got, err := sumOf(entries[:last])
	if err != nil || !bytes.Equal(got, want) {
		return nil, errors.New("it is damaged: its checksum is wrong")
	}
	c := &Checkpoint{entries: entries[1:last]}
	if err := json.Unmarshal(head, &c.Header); err != nil {
		return nil, fmt.Errorf("its header is not understood: %w", err)
	}
	if c.Format != checkpointFormat {
		return nil, fmt.Errorf("it has format %d, and this vlec knows format %d; finish the run with the vlec that began it, or start anew", c.Format, checkpointFormat)
	}
	if c.Samples < 0 || !(c.Time >= 0) {
		return nil, errors.New("its header is not understood")
	}
	return c, nil
}

// ReadCheckpointFile reads a checkpoint. The file's name stands in the error.
func ReadCheckpointFile(name string) (*Checkpoint, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// WriteFile writes the checkpoint so that at every moment, even if the machine
// stops, the name leads to a whole checkpoint, the one before or this.
func (c *Checkpoint) WriteFile(name string) (err error) {
	temporary := name + ".tmp"
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	err = errors.Join(c.writeSynced(f), f.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(name)); err == nil {
		dir.Sync() // not every system can
		dir.Close()
	}
	return nil
}

func (c *Checkpoint) writeSynced(f *os.File) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := c.Write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}
