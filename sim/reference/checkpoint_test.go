package reference

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlec/model"
	"vlec/sim"
)

// everyRule is a random network whose projections have all rules for backward
// weights, with noise, and whose target comes from a teacher.
func everyRule(seed uint64, gamma float64, l model.Learning) *model.Network {
	net := randomNetwork(seed, true, gamma)
	net.Duration, net.Learning = 2, l
	rng := rand.New(rand.NewPCG(seed, 3))
	for k, p := range net.Projections {
		p.Decay = 0.1
		if _, isPop := p.From.(*model.Population); !isPop {
			continue
		}
		rule := model.FeedbackRules[(k+int(seed))%len(model.FeedbackRules)]
		if rule == model.KolenPollack && l.Optimizer != "" {
			rule = model.PAL
		}
		p.Feedback = model.Feedback{Rule: rule, Eta: 0.2, Decay: 0.3, NoiseSigma: 0.1, NoiseTau: 0.1, HighPass: 0.2}
		if rule != model.Transpose {
			for range p.W {
				p.Feedback.B = append(p.Feedback.B, 0.2*rng.NormFloat64())
			}
		}
	}
	net.Teacher = randomNetwork(seed, true, 0)
	net.Targets[0].Signal, net.Targets[0].Teacher = nil, net.Teacher.Populations[2]
	return net
}

// outcome is all that a run leaves behind.
type outcome struct {
	Trace  *sim.Trace
	Result *Result
	Final  []byte // the last checkpoint
}

// complete runs without interruption.
func complete(t interface{ Fatal(...any) }, net *model.Network, o Options) outcome {
	var out outcome
	o.Save = func(c *Checkpoint) error {
		var b bytes.Buffer
		err := c.Write(&b)
		out.Final = b.Bytes()
		return err
	}
	var err error
	if out.Trace, out.Result, err = Run(context.Background(), net, o); err != nil {
		t.Fatal(err)
	}
	return out
}

var errKilled = errors.New("killed")

// interrupted dies again and again: it saves now and then and dies somewhat later,
// so that what comes after the last checkpoint has to be done once more.
func interrupted(t interface{ Fatal(...any) }, net *model.Network, o Options, next func(most int) int) (outcome, int) {
	var last []byte
	deaths := 0
	for {
		var out outcome
		saveIn, dieIn := next(120), next(150)
		o.Due = func(float64) bool { saveIn--; return saveIn == 0 || dieIn <= 0 }
		o.Save = func(c *Checkpoint) error {
			if dieIn <= 0 && !c.Done {
				return errKilled
			}
			var b bytes.Buffer
			err := c.Write(&b)
			last = b.Bytes()
			return err
		}
		due := o.Due
		o.Due = func(float64) bool { dieIn--; return due(0) }
		o.Resume = nil
		if last != nil {
			var err error
			if o.Resume, err = ReadCheckpoint(bytes.NewReader(last), int64(len(last))); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		out.Trace, out.Result, err = Run(context.Background(), net, o)
		out.Final = last
		switch {
		case err == nil:
			return out, deaths
		case !errors.Is(err, errKilled):
			t.Fatal(err)
		}
		deaths++
	}
}

func checkpointed() map[string]func(seed uint64) (*model.Network, Options) {
	adam := model.Learning{
		Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-3, Batch: 3, Start: 0.3,
		Schedule: &model.Sampled{Time: []float64{0, 1, 2}, Value: []float64{1, 0.3, 1}},
	}
	options := func(s Semantics, signals ...string) Options {
		return Options{
			Semantics: s, Learning: true, Signals: signals, Every: 0.05, RelTol: 1e-6,
			Metrics: MetricsOptions{Every: 0.1, Window: 0.3},
		}
	}
	return map[string]func(seed uint64) (*model.Network, Options){
		"synchronous": func(seed uint64) (*model.Network, Options) {
			return everyRule(seed, 0.1, model.Learning{}), options(Clocked, "u", "e", "W", "B", "tau_m", "loss", "in", "target", "E", "S")
		},
		"synchronous, adam": func(seed uint64) (*model.Network, Options) {
			return batched2(everyRule(seed, 0.1, adam)), options(Clocked, "r", "W", "B", "loss")
		},
		"synchronous, momentum": func(seed uint64) (*model.Network, Options) {
			return everyRule(seed, 0, model.Learning{Optimizer: model.Momentum, Momentum: 0.8}), options(Clocked, "r", "bias")
		},
		"continuous, coupled": func(seed uint64) (*model.Network, Options) {
			return everyRule(seed, 0.1, model.Learning{Start: 0.7}), options(Continuous, "S", "u", "e", "W", "B", "loss")
		},
		"continuous, recurrent": func(seed uint64) (*model.Network, Options) {
			return everyRule(seed, 0, model.Learning{}), options(Continuous, "r", "W")
		},
		"continuous, chain": func(seed uint64) (*model.Network, Options) {
			net := chainNetwork(model.Tanh)
			net.Learning.Schedule = model.Step{Low: 1, High: 0.1, Start: 4, Rise: 1}
			return net, options(Continuous, "S", "u", "W", "target")
		},
		"nothing recorded": func(seed uint64) (*model.Network, Options) {
			o := options([]Semantics{Clocked, Continuous}[seed%2])
			o.Signals = []string{}
			return everyRule(seed, 0, model.Learning{}), o
		},
		"stops early": func(seed uint64) (*model.Network, Options) {
			o := options([]Semantics{Clocked, Continuous}[seed%2], "loss")
			o.Stop = StopOptions{Patience: 0.4}
			return everyRule(seed, 0, model.Learning{}), o
		},
	}
}

// batched2 gives the inputs of a network trials of their own.
func batched2(net *model.Network) *model.Network {
	targets := net.Targets
	net.Targets = nil
	batched(net, net.Learning.Batch)
	net.Targets = targets
	return net
}

// However often a run is killed, it ends with the bits of one that was not.
func TestResumeIsBitIdentical(t *testing.T) {
	for name, build := range checkpointed() {
		t.Run(name, func(t *testing.T) {
			deaths, seeds := 0, uint64(4)
			if os.Getenv("VLEC_LONG") != "" {
				seeds = 60
			}
			for seed := range seeds {
				net, o := build(seed + 1)
				want := complete(t, net, o)
				rng := rand.New(rand.NewPCG(seed, 1))
				got, n := interrupted(t, net, o, func(most int) int { return 1 + rng.IntN(most) })
				deaths += n
				if d := cmp.Diff(want, got, cmp.Comparer(sameFloat)); d != "" {
					t.Fatalf("seed %d: differs after %d deaths:\n%.2000s", seed+1, n, d)
				}
			}
			t.Logf("%d deaths", deaths)
			if deaths == 0 {
				t.Error("nothing was ever killed")
			}
		})
	}
}

func sameFloat(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// What the ledger forgets shows: each state that it keeps matters to some run.
func TestCheckpointNeedsItsState(t *testing.T) {
	net, o := checkpointed()["synchronous, adam"](1)
	want := complete(t, net, o)
	var middle []byte
	asked := 0
	o.Due = func(float64) bool { asked++; return asked == 101 }
	o.Save = func(c *Checkpoint) error {
		var b bytes.Buffer
		err := c.Write(&b)
		if !c.Done {
			middle = b.Bytes()
		}
		return err
	}
	if _, _, err := Run(context.Background(), net, o); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"layer0_layer1.W", "state/layer0_layer1.W.first", "state/layer0_layer1.W.second", "state/optimizer", "state/layer1.neurons",
		"state/teacher/layer1.neurons", "state/layer2.bias.first", "state/layer0.tau_m.second", "state/factor", "state/metrics/loss",
	} {
		c, err := ReadCheckpoint(bytes.NewReader(middle), int64(len(middle)))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range c.entries {
			if e.Name == name {
				found = true
				v := e.Data.([]float64)
				v[0] += 0.01
			}
		}
		if !found {
			t.Errorf("no %s in the checkpoint", name)
			continue
		}
		again := o
		again.Resume, again.Save = c, nil
		_, res, err := Run(context.Background(), net, again)
		if err != nil {
			t.Fatal(err)
		}
		// The factor is set anew by the schedule.
		if same := cmp.Equal(want.Result, res, cmp.Comparer(sameFloat)); same != (name == "state/factor") {
			t.Errorf("%s: changing it in a checkpoint changes the run: %v", name, !same)
		}
	}
}

// A cancelled run saves where it was.
func TestCancelledRunSaves(t *testing.T) {
	for _, s := range []Semantics{Clocked, Continuous} {
		net := chainNetwork(model.Tanh)
		net.Duration = 500
		o := Options{Semantics: s, RelTol: 1e-6, Learning: true, Signals: []string{}, Metrics: MetricsOptions{Every: 10}}
		want := complete(t, net, o)
		ctx, cancel := context.WithCancel(context.Background())
		var saved *Checkpoint
		cut := o
		cut.Progress = func(done, _ float64) {
			if done > 0.3 {
				cancel()
			}
		}
		var raw bytes.Buffer
		cut.Save = func(c *Checkpoint) error { return c.Write(&raw) }
		if _, _, err := Run(ctx, net, cut); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want a cancellation", s, err)
		}
		saved, err := ReadCheckpoint(bytes.NewReader(raw.Bytes()), int64(raw.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if saved.Done || saved.Time < 0.3*net.Duration || saved.Time > 0.9*net.Duration {
			t.Errorf("%s: saved at t = %g, done: %v", s, saved.Time, saved.Done)
		}
		o.Resume = saved
		if got := complete(t, net, o); !cmp.Equal(want, got, cmp.Comparer(sameFloat)) {
			t.Errorf("%s: the resumed run differs", s)
		}
	}
}

func TestForeignCheckpoints(t *testing.T) {
	net := everyRule(1, 0.1, model.Learning{})
	net.Hash = "0123456789abcdef"
	o := Options{Semantics: Clocked, Learning: true, Signals: []string{"u"}, Every: 0.1, Metrics: MetricsOptions{Every: 0.1}}
	raw := complete(t, net, o).Final
	read := func() *Checkpoint {
		c, err := ReadCheckpoint(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for want, change := range map[string]func(*model.Network, *Options){
		"the model file, a file it reads, or the seed":                func(n *model.Network, _ *Options) { n.Hash = "other" },
		"of the synchronous semantics, this one is of the continuous": func(_ *model.Network, o *Options) { o.Semantics = Continuous },
		"learning was on and is off":                                  func(_ *model.Network, o *Options) { o.Learning = false },
		"was to last 2 time units, this one 3":                        func(_ *model.Network, o *Options) { o.Duration = 3 },
		"recorded u every 0.1, this one u,W every 0.1":                func(_ *model.Network, o *Options) { o.Signals = []string{"u", "W"} },
		"started from other weights":                                  func(_ *model.Network, o *Options) { o.Origin = "w.npz" },
		"noted metrics every 0.1":                                     func(_ *model.Network, o *Options) { o.Metrics.Every = 0.2 },
		"was to stop at loss 0":                                       func(_ *model.Network, o *Options) { o.Stop.Loss = 1 },
		// The same hash, and yet another network: no model file can do that.
		"its state is not that of this model": func(n *model.Network, _ *Options) {
			other := everyRule(2, 0.1, model.Learning{})
			other.Hash = n.Hash
			*n = *other
		},
	} {
		n, opts := *net, o
		change(&n, &opts)
		opts.Resume = read()
		_, _, err := Run(context.Background(), &n, opts)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestDamagedCheckpoints(t *testing.T) {
	net := everyRule(1, 0.1, model.Learning{})
	o := Options{Semantics: Clocked, Learning: true, Signals: []string{"u"}, Every: 0.5, Duration: 1}
	raw := complete(t, net, o).Final
	name := filepath.Join(t.TempDir(), "checkpoint.npz")
	refuse := func(what string, bad []byte) {
		t.Helper()
		if err := os.WriteFile(name, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadCheckpointFile(name); err == nil {
			t.Errorf("%s: accepted", what)
		} else if !strings.Contains(err.Error(), "checkpoint") {
			t.Errorf("%s: the error does not say what is wrong: %v", what, err)
		}
	}
	for _, n := range []int{0, 1, 30, len(raw) / 2, len(raw) - 1} {
		refuse("cut off", raw[:n])
	}
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 300 {
		bad := bytes.Clone(raw)
		bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		c, err := ReadCheckpoint(bytes.NewReader(bad), int64(len(bad)))
		if err == nil {
			// A bit that says nothing, of a time stamp, say. The content must be whole.
			accepted++
			var b bytes.Buffer
			if c.Write(&b) != nil || !bytes.Equal(b.Bytes(), raw) {
				t.Fatal("a damaged checkpoint was read as another one")
			}
		}
	}
	t.Logf("%d of 300 flipped bits say nothing", accepted)
	if accepted > 100 {
		t.Error("too much of a checkpoint says nothing")
	}
	// A header of another format, with a right checksum.
	c, err := ReadCheckpoint(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	c.Format = 2
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	refuse("another format", b.Bytes())
	// An archive that is no checkpoint.
	b.Reset()
	z := zip.NewWriter(&b)
	w, _ := z.Create("x.npy")
	io.WriteString(w, "no array")
	z.Close()
	refuse("another archive", b.Bytes())
}

// The weights of a checkpoint can be read as weights.
func TestWeightsOfCheckpoint(t *testing.T) {
	for _, s := range []Semantics{Clocked, Continuous} {
		net := everyRule(1, 0.1, model.Learning{})
		out := complete(t, net, Options{Semantics: s, Learning: true, Signals: []string{}})
		name := filepath.Join(t.TempDir(), "checkpoint.npz")
		if err := os.WriteFile(name, out.Final, 0o666); err != nil {
			t.Fatal(err)
		}
		w, err := ReadWeights(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&out.Result.Weights, w); d != "" {
			t.Errorf("%s: %s", s, d)
		}
	}
}

// The reader meets arbitrary bytes, and a run meets whatever the reader accepts.
func FuzzCheckpoint(f *testing.F) {
	net := chainNetwork(model.Tanh)
	o := Options{Semantics: Clocked, Learning: true, Signals: []string{"u"}, Every: 0.5, Duration: 1, Metrics: MetricsOptions{Every: 0.1}}
	raw := complete(f, net, o).Final
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCheckpoint(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		again := o
		again.Resume = c
		Run(context.Background(), net, again)
	})
}

// A checkpoint whose checksum is right may still lie; it must not bring a run down.
func TestLyingCheckpoints(t *testing.T) {
	for _, s := range []Semantics{Clocked, Continuous} {
		net := everyRule(3, 0.1, model.Learning{Batch: 1})
		o := Options{Semantics: s, Learning: true, Signals: []string{"u"}, Every: 0.5, Duration: 1, Metrics: MetricsOptions{Every: 0.1}, RelTol: 1e-6}
		raw := complete(t, net, o).Final
		rng := rand.New(rand.NewPCG(5, uint64(len(s))))
		c, err := ReadCheckpoint(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.entries {
			for range 3 {
				c, _ := ReadCheckpoint(bytes.NewReader(raw), int64(len(raw)))
				switch v := c.entries[i].Data.(type) {
				case []float64:
					for k := range v {
						v[k] = []float64{math.NaN(), -1, 1e300, math.Inf(1)}[rng.IntN(4)]
					}
				case []int64:
					for k := range v {
						v[k] = []int64{-1, 1 << 62, 3, -1 << 63}[rng.IntN(4)]
					}
				case []bool:
					for k := range v {
						v[k] = !v[k]
					}
				case []uint8:
					c.entries[i].Data = v[:len(v)/2]
					c.entries[i].Shape[0] = len(v) / 2
				}
				again := o
				again.Resume = c
				ctx, cancel := context.WithCancel(context.Background())
				calls := 0
				again.Due = func(float64) bool { // a lie about the time may make it long
					if calls++; calls > 500 {
						cancel()
					}
					return false
				}
				Run(ctx, net, again)
				cancel()
			}
		}
	}
}
