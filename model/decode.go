package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"vlec/model/diag"
	"vlec/model/source"
)

// Limits on what a model may ask for, so that a short file cannot ask for more
// memory than a machine has.
const (
	MaxNeurons  = 1_000_000
	MaxSynapses = 1 << 28
	MaxSteps    = 1_000_000_000 // Duration / Dt
	MaxSamples  = 1 << 26       // drawn or read for stimuli, all channels together
	MaxFile     = 4 << 30       // bytes of a file that a model reads
)

// limits are the limits above; tests set lower ones.
type limits struct{ neurons, synapses, samples int }

// An Option changes how a model is read.
type Option func(*decoder)

// WithSeed replaces the seed of the model file.
func WithSeed(seed uint64) Option { return func(d *decoder) { d.seed = &seed } }

// Load reads the model file at path. Files it names are looked up from its
// folder. The error is a diag.List of everything that is wrong.
func Load(path string, opts ...Option) (*Network, error) {
	src, err := readFile(path, source.MaxBytes+1)
	if err != nil {
		var errs diag.List
		errs.Add(diag.Pos{File: path}, "", "%v", cause(err))
		return nil, errs.Err()
	}
	return Parse(path, src, filepath.Dir(path), opts...)
}

// Parse reads a model from src. The name stands in messages, and relative paths
// in the model start at dir. The error is a diag.List of everything that is
// wrong.
func Parse(name string, src []byte, dir string, opts ...Option) (*Network, error) {
	root, err := source.Parse(name, src)
	if err != nil {
		return nil, err
	}
	d := &decoder{dir: dir, net: &Network{File: name}, hash: sha256.New(), limits: limits{MaxNeurons, MaxSynapses, MaxSamples}}
	for _, opt := range opts {
		opt(d)
	}
	fmt.Fprintf(d.hash, "model %d\n", len(src))
	d.hash.Write(src)
	d.model(root)
	if err := d.Errors.Err(); err != nil {
		return nil, err
	}
	d.Warnings.Sort()
	d.net.Warnings = d.Warnings
	d.net.Hash = hex.EncodeToString(d.hash.Sum(nil))
	return d.net, nil
}

// A decoder turns one tree of nodes into one Network.
type decoder struct {
	source.Reader
	dir  string
	net  *Network
	seed *uint64 // in place of the file's
	hash hash.Hash

	loss     Loss
	rates    rates
	inTeach  bool // inside [teacher]
	limits   limits
	datasets map[string]*dataset
	tables   map[string]*numberTable // files of samples already read
	trial    int                     // which trial of the batch stimuli are made for
	drew     bool                    // a stimulus depends on the trial

	neurons, synapses, sampled int       // asked for so far
	times                      []float64 // the grid that noise is drawn on
}

// model reads the document. The order matters: what is read later refers to
// what was read before.
func (d *decoder) model(root *source.Node) {
	t := d.Table(root)
	n := d.net
	n.Name = t.String("name", modelName(n.File))
	if why := badName(n.Name); why != "" {
		t.Fail("name", nameRule, "the name %q %s", n.Name, why) // folders and netlists carry it
	}
	n.Description = t.String("description", "")
	n.Dt = t.Float("dt", 0.01, source.Positive)
	if t.Need("duration", "say how long a run lasts, in time units") != nil {
		n.Duration = t.Float("duration", 1, source.Positive)
		if n.Duration < n.Dt || n.Duration/n.Dt > MaxSteps {
			t.Fail("duration", "choose another duration or dt", "duration is %v, but must be between one and %d steps of dt = %v", n.Duration, MaxSteps, n.Dt)
		}
	}
	n.Seed = uint64(t.Int("seed", 1, 0, 1<<63-1))
	if d.seed != nil {
		n.Seed = *d.seed
		fmt.Fprintf(d.hash, "seed %d\n", n.Seed)
	}
	n.Beta = t.Float("beta", 1, source.NotNegative)
	n.Gamma = t.Float("gamma", 0, source.NotNegative)
	d.loss = source.Choice(t, "loss", Squared, Losses)
	d.readLearning(t.Get("learning"))

	d.readDatasets(t.Get("dataset"))
	sources := d.readInputs(t.Get("input"))
	d.net.Populations = d.readPopulations(t.Need("population", "add a [population.NAME] with its size"), sources)
	d.net.Projections = d.readProjections(t.Get("projection"), sources)
	d.readTeacher(t.Get("teacher"))
	d.readTargets(t.Get("target"))
	d.readProbe(t.Get("probe"))
	d.readHardware(t.Get("hardware"))
	t.Done()
	if len(d.Errors) == 0 {
		d.check()
	}
}

// named lists the tables inside [kind.NAME] and checks their names.
func (d *decoder) named(n *source.Node, kind string) []*source.Node {
	if n == nil {
		return nil
	}
	var list []*source.Node
	seen := map[string]*source.Node{}
	for _, f := range d.Table(n).Fields {
		if !f.IsTable() {
			d.FailAt(f.KeyPos, fmt.Sprintf("start a table [%s.NAME] for each %s", n.Path, kind), "%s is %s, but must be a table", f.Path, f.Kind())
			continue
		}
		if why := badName(f.Key); why != "" {
			d.FailAt(f.KeyPos, nameRule, "%s name %q %s", kind, f.Key, why)
			continue
		}
		fold := strings.ToLower(f.Key)
		if first := seen[fold]; first != nil {
			d.FailAt(f.KeyPos, "rename one: circuits do not tell upper from lower case",
				"%s %s is also called %s on line %d", kind, f.Key, first.Key, first.KeyPos.Line)
			continue
		}
		seen[fold] = f
		list = append(list, f)
	}
	return list
}

const nameRule = "use a letter, then letters, digits, _ or -"

// CheckName returns an error for what cannot be the name of a population, a
// projection, an input or a target.
func CheckName(name string) error {
	if why := badName(name); why != "" {
		return fmt.Errorf("the name %q %s; %s", name, why, nameRule)
	}
	return nil
}

// badName says what is wrong with a name, "" when nothing is.
func badName(name string) string {
	if name == "" {
		return "is empty"
	}
	if len(name) > 64 {
		return "is longer than 64 characters"
	}
	for i, c := range name {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80
		switch {
		case letter, i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '-'):
		case i == 0:
			return "does not start with a letter"
		default:
			return fmt.Sprintf("contains %q", c)
		}
	}
	return ""
}

// rng returns the generator for what is drawn at a path of the model, such as
// "projection.in_hidden.weights". Adding something to a model changes no other
// draw.
func (d *decoder) rng(path string) *rand.Rand {
	return seeded(d.net.Seed, path)
}

func seeded(seed uint64, path string) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, path)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// file reads a file that a node names.
func (d *decoder) file(n *source.Node) ([]byte, string, bool) {
	path, ok := d.Text(n)
	if !ok {
		return nil, "", false
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(d.dir, filepath.FromSlash(path))
	}
	data, err := readFile(full, MaxFile)
	if err != nil {
		d.Fail(n, "paths start at the folder of the model file", "cannot read %s: %v", path, cause(err))
		return nil, "", false
	}
	fmt.Fprintf(d.hash, "file %q %d\n", path, len(data))
	d.hash.Write(data)
	return data, path, true
}

// readFile reads a regular file of at most limit bytes. Devices and pipes are
// refused: they may never end.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file")
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("it has %d bytes, more than the %d allowed", info.Size(), limit)
	}
	return os.ReadFile(path)
}

// cause drops the path from a file error: the message has it already.
func cause(err error) error {
	if perr, ok := err.(*os.PathError); ok {
		return perr.Err
	}
	return err
}

// modelName is the name of a model that gives none: that of its file, with - for
// what no name may contain.
func modelName(file string) string {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name := strings.Map(func(c rune) rune {
		if badName("a"+string(c)) != "" {
			return '-'
		}
		return c
	}, base)
	if badName(name) != "" {
		return "model"
	}
	return name
}
