package crosscheck

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"vlec/emit"
	"vlec/emit/spice"
	"vlec/internal/compile"
	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// TrainOptions choose how a netlist trains itself.
type TrainOptions struct {
	Level    string  // of the cells; "" is ideal
	Engine   string  // "builtin" or "ngspice"; "" is builtin
	Segments int     // runs that follow each other, each from where the last one stopped; 0: 1
	MOS      string  // the library of transistors of a design kit, for ngspice; "" is the generic one
	MaxStep  float64 // longest step [model time unit]; 0: the model's choice
	Dir      string  // where netlists, checkpoints and the loss go
	NoNull   bool    // leave the offsets of transistor cells as they are
	Frozen   bool    // hold the weights: what the circuit does without learning
	NoCheck  bool    // do not train the reference beside it
	PNG      bool    // the picture of the loss as PNG, too
	Window   float64 // over which the final loss is a mean [model time unit]; 0: a twentieth of the run

	// Progress hears of the stage and its done share, 0 to 1; nil is silence.
	Progress func(stage string, done float64)
}

// A Training is how the loss of a circuit fell while it trained itself, beside the
// same in the reference.
type Training struct {
	Model    string               `json:"model"`
	Level    string               `json:"level"`
	Engine   string               `json:"engine"`
	Segments int                  `json:"segments"`
	Steps    int                  `json:"steps"`
	First    float64              `json:"loss_first"` // mean over the first window of the run
	Last     float64              `json:"loss_last"`  // over the last
	Ref      *ReferenceLoss       `json:"reference,omitempty"`
	Weights  map[string][]float64 `json:"weights"` // by signal: in_hidden.W

	Time []float64 `json:"-"` // middles of the windows of Loss [model time unit]
	Loss []float64 `json:"-"` // mean over windows
}

// A ReferenceLoss is what the model's own dynamics reached.
type ReferenceLoss struct {
	First float64 `json:"loss_first"`
	Last  float64 `json:"loss_last"`
	Ratio float64 `json:"ratio"` // of the circuit's last loss to this one
}

// lossWindows is how many windows a picture of a loss has.
const lossWindows = 200

// LossRatio is by how much the circuit's final loss may exceed the reference's.
const LossRatio = 2

// Pass tells whether the circuit learned as well as the reference.
func (t *Training) Pass() bool { return t.Ref == nil || t.Ref.Ratio <= LossRatio }

// Train lets a netlist train itself, in as many runs as are asked for: each is
// emitted with the states that the last one left as its initial conditions.
func Train(ctx context.Context, net *model.Network, o TrainOptions) (*Training, error) {
	if o.Engine == "" {
		o.Engine = "builtin"
	}
	engine, ok := spiceEngines[o.Engine]
	if !ok {
		return nil, fmt.Errorf("there is no engine %q for netlists; use builtin or ngspice", o.Engine)
	}
	if o.MOS != "" && o.Engine != "ngspice" {
		return nil, errForeignMOS
	}
	if len(net.Targets) == 0 {
		return nil, fmt.Errorf("%s has no target; nothing tells it what to learn", net.Name)
	}
	o.Segments = max(1, o.Segments)
	progress := o.Progress
	if progress == nil {
		progress = func(string, float64) {}
	}
	t := &Training{Model: net.Name, Level: o.Level, Engine: o.Engine, Segments: o.Segments, Weights: map[string][]float64{}}
	m := newLossMeter(net)
	at := 0.0
	var from *compile.Checkpoint
	for k := range o.Segments {
		stop := net.Duration
		if k+1 < o.Segments {
			stop = math.Round(net.Duration*float64(k+1)/float64(o.Segments)/net.Dt) * net.Dt
		}
		dir := o.Dir
		if o.Segments > 1 {
			dir = filepath.Join(dir, "segment"+strconv.Itoa(k+1))
		}
		var files emit.Artifacts
		side, err := compile.Spice(ctx, net, compile.SpiceOptions{
			Learning: true, Level: o.Level, MOS: o.MOS, MaxStep: o.MaxStep, Resume: from, Stop: stop, Save: m.signals, Frozen: o.Frozen, NoNull: o.NoNull,
		}, &files)
		if err != nil {
			return nil, err
		}
		if err := files.Commit(dir); err != nil {
			return nil, err
		}
		t.Level = side.Level
		raw, steps, err := engine(ctx, filepath.Join(dir, spice.NetlistFile), savedNodes(side, m.signals), instants(at, stop, net, side),
			func(done float64) { progress(o.Engine, (float64(k)+done)/float64(o.Segments)) })
		if err != nil {
			return nil, err
		}
		t.Steps += steps
		if err := m.add(at, modelUnits(raw, side)); err != nil {
			return nil, err
		}
		if from, err = checkpoint(net, stop, raw, side); err != nil {
			return nil, err
		}
		at = stop
		var kept emit.Artifacts
		kept.AddJSON("checkpoint.json", from)
		if err := kept.Commit(dir); err != nil {
			return nil, err
		}
	}
	for name, w := range from.States {
		switch sim.KindOf(name) {
		case "W", "B", "bias":
			t.Weights[name] = w
		}
	}
	window := net.Duration / 20
	if o.Window > 0 {
		window = min(o.Window, net.Duration)
	}
	t.First, t.Last = m.mean(0, window), m.mean(net.Duration-window, net.Duration)
	t.Time, t.Loss = m.windows(net.Duration, lossWindows)
	if o.NoCheck {
		return t, nil
	}
	trace, res, err := reference.Run(ctx, net, reference.Options{
		Semantics: reference.Continuous, Learning: !o.Frozen, Signals: []string{"loss"}, Every: net.Dt,
		Progress: func(done, _ float64) { progress("reference", done) },
	})
	if err != nil {
		return nil, err
	}
	t.Ref = &ReferenceLoss{res.LossFirst, res.LossLast, t.Last / res.LossLast}
	return t, t.write(o, trace.Signal("loss"), net)
}

// instants at which a run is sampled [s].
func instants(at, stop float64, net *model.Network, side *spice.Map) []float64 {
	n := max(1, int(math.Round((stop-at)/net.Dt)))
	times := make([]float64, n+1)
	for k := range times {
		times[k] = float64(k) * (stop - at) / float64(n) * side.Units.Time
	}
	return times
}

// savedNodes lists the nodes of some signals and of all states.
func savedNodes(side *spice.Map, signals []string) []string {
	var nodes []string
	seen := map[string]bool{}
	add := func(list []string) {
		for _, n := range list {
			if !seen[n] {
				seen[n] = true
				nodes = append(nodes, n)
			}
		}
	}
	for _, s := range side.Signals {
		if slices.Contains(signals, s.Name) {
			add(s.Nodes)
		}
	}
	for _, s := range side.States {
		add(s.Nodes)
	}
	return nodes
}

// checkpoint is the last sample of every state.
func checkpoint(net *model.Network, at float64, raw *sim.Trace, side *spice.Map) (*compile.Checkpoint, error) {
	c := &compile.Checkpoint{Model: net.Name, Hash: net.Hash, Time: at, States: map[string][]float64{}}
	for _, s := range side.States {
		values := make([]float64, len(s.Nodes))
		for i, n := range s.Nodes {
			v := raw.Signal("v(" + n + ")")
			if v == nil || len(v.Data) == 0 {
				return nil, fmt.Errorf("the simulator did not give node %s, a state of %s", n, s.Name)
			}
			values[i] = v.Data[len(v.Data)-1] / s.Scale
		}
		c.States[s.Name] = values
	}
	return c, nil
}

// A lossMeter collects the loss of all targets over time, from what a circuit
// shows of its outputs and targets.
type lossMeter struct {
	net     *model.Network
	signals []string
	time    []float64
	loss    []float64
}

func newLossMeter(net *model.Network) *lossMeter {
	m := &lossMeter{net: net}
	for _, t := range net.Targets {
		m.signals = append(m.signals, t.Population.Name+".r", "target/"+t.Name)
	}
	return m
}

func (m *lossMeter) add(at float64, got *sim.Trace) error {
	for k, t := range m.net.Targets {
		r, target := got.Signal(t.Population.Name+".r"), got.Signal("target/"+t.Name)
		if r == nil || target == nil {
			return fmt.Errorf("the simulator did not give target %s", t.Name)
		}
		from := len(m.time) - len(r.Time)
		if k == 0 {
			from = len(m.time)
			for _, s := range r.Time {
				m.time, m.loss = append(m.time, at+s), append(m.loss, 0)
			}
		}
		for i := range r.Time {
			m.loss[from+i] += loss(t.Loss, target.At(i), r.At(i))
		}
	}
	return nil
}

func loss(kind model.Loss, target, r []float64) float64 {
	sum := 0.0
	if kind == model.CrossEntropy {
		most := slices.Max(r)
		for _, x := range r {
			sum += math.Exp(x - most)
		}
		total := most + math.Log(sum)
		sum = 0
		for i, t := range target {
			sum += t * (total - r[i])
		}
		return sum
	}
	for i, t := range target {
		sum += (t - r[i]) * (t - r[i])
	}
	return sum / 2
}

// mean is the mean loss between two instants, by trapezoids.
func (m *lossMeter) mean(from, to float64) float64 {
	sum, length := 0.0, 0.0
	k, _ := slices.BinarySearch(m.time, from-1e-9*to)
	for k++; k < len(m.time) && m.time[k] <= to*(1+1e-9); k++ {
		h := m.time[k] - m.time[k-1]
		sum += h * (m.loss[k] + m.loss[k-1]) / 2
		length += h
	}
	return sum / length // NaN where there is no sample
}

func (m *lossMeter) windows(duration float64, n int) (time, loss []float64) {
	for k := range n {
		a, b := duration*float64(k)/float64(n), duration*float64(k+1)/float64(n)
		if x := m.mean(a, b); x == x {
			time, loss = append(time, (a+b)/2), append(loss, x)
		}
	}
	return time, loss
}

// write leaves the numbers and a picture of both losses.
func (t *Training) write(o TrainOptions, ref *sim.Signal, net *model.Network) error {
	var files emit.Artifacts
	files.AddJSON("training.json", t)
	addPicture("training", o.PNG, &files, t.picture(ref, net))
	return files.Commit(o.Dir)
}

func (t *Training) picture(ref *sim.Signal, net *model.Network) *plot.Figure {
	m := &lossMeter{time: ref.Time, loss: ref.Data}
	time, loss := m.windows(net.Duration, lossWindows)
	return plot.Loss(t.Model+" trains itself", t.Level+" cells in "+t.Engine+" against the reference", "", 0, []plot.Series{
		{Name: "reference", X: time, Y: loss}, {Name: "circuit", X: t.Time, Y: t.Loss},
	})
}

// String is the training in one line.
func (t *Training) String() string {
	text := fmt.Sprintf("%s: trained itself (%s, %s): loss %.3g to %.3g", t.Model, t.Level, t.Engine, t.First, t.Last)
	if t.Ref == nil {
		return text
	}
	word := "as well as"
	if !t.Pass() {
		word = "NOT as well as"
	}
	return text + fmt.Sprintf(", %s the reference: %.3g to %.3g, ratio %.2f", word, t.Ref.First, t.Ref.Last, t.Ref.Ratio)
}
