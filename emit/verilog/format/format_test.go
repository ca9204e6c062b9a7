package format_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vlec/circuit/lower"
	"vlec/emit/verilog/format"
	"vlec/internal/randnet"
	"vlec/model"
	"vlec/sim/crosscheck"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func load(t fataler, text string) *model.Network {
	t.Helper()
	net, err := model.Parse("random.toml", []byte(text), ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return net
}

// runs plans a model and runs the integer model beside the reference.
func runs(t *testing.T, rt fataler, text string, o format.Options) (*format.Plan, *crosscheck.FixedRun) {
	rt.Helper()
	net := load(rt, text)
	p, err := crosscheck.Plan(t.Context(), net, true, o)
	if err != nil {
		rt.Fatalf("%v\n%s", err, text)
	}
	r, err := crosscheck.RunFixed(t.Context(), net, p, true)
	if err != nil {
		rt.Fatalf("%v\n%s", err, text)
	}
	return p, r
}

// What is proved of ranges holds in real numbers and, up to the distance that is
// proved of words, in integers; and what is proved of that distance holds.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := randnet.Options{
			Frozen: rapid.Bool().Draw(rt, "frozen"), Forward: rapid.Bool().Draw(rt, "forward"), Clip: true,
			Feedbacks: []string{"transpose", "fixed"}, Steps: 120, Decay: true, Rule: rapid.SampledFrom(randnet.Rules).Draw(rt, "rule"),
		}
		text := randnet.Model(rapid.Uint64Range(0, 1<<20).Draw(rt, "seed"), o)
		if !o.Forward && diverges(t, text) {
			rt.Skip("the loop does not contract")
		}
		bits := rapid.IntRange(10, 32).Draw(rt, "bits")
		p, r := runs(t, rt, text, format.Options{Bits: bits})
		far := map[string]float64{}
		for _, d := range p.Distances() {
			for kind, of := range map[string][]float64{"u": d.U, "y": d.Y, "r": d.R, "v": d.V, "e": d.E} {
				far[d.Population+"."+kind] = slices.Max(of)
			}
		}
		for name, largest := range r.Largest {
			owner, kind, _ := strings.Cut(name, ".")
			bound := p.Bound(owner, kind)
			s := r.Reference.Signal(name)
			for _, v := range s.Data {
				if math.Abs(v) > bound*(1+1e-9) {
					rt.Fatalf("the reference has %s = %g, proved are %g\n%s", name, v, bound, text)
				}
			}
			d, ok := far[name]
			if !ok {
				continue
			}
			if largest > bound+d+1e-12 && !held(r.Usage, "") {
				rt.Fatalf("%d bits have %s = %g, proved are %g and a distance of %g\n%s", bits, name, largest, bound, d, text)
			}
			if r.Distance[name] > d && !held(r.Usage, "") {
				rt.Fatalf("at %d bits %s is %g off, proved are %g\n%s", bits, name, r.Distance[name], d, text)
			}
		}
	})
}

// held tells whether something was saturated.
func held(u *format.Usage, kind string) bool {
	for name := range u.Saturated {
		if strings.HasSuffix(name, kind) {
			return true
		}
	}
	return false
}

func diverges(t *testing.T, text string) bool {
	observed, err := crosscheck.Observe(t.Context(), load(t, text), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range observed {
		if !(v < 1e6) {
			return true
		}
	}
	return false
}

// A format that the report says cannot saturate never does, whatever learns.
func TestSaturations(t *testing.T) {
	for seed := range uint64(60) {
		text := randnet.Model(seed, randnet.Options{Forward: true, Clip: true, Decay: true, Feedbacks: []string{"transpose", "fixed"}, Rule: randnet.Rules[seed%uint64(len(randnet.Rules))]})
		p, r := runs(t, t, text, format.Options{Bits: 12 + int(seed)%12})
		for _, row := range p.Rows {
			kind, ok := map[string]string{"r": "r", "I - u": "dU", "back": "back", "x - v": "dV", "e": "e"}[row.Signal]
			if ok && row.Note == "cannot saturate" && held(r.Usage, "."+kind) {
				t.Errorf("seed %d: %s saturates: %v\n%s", seed, row.Signal, r.Usage.Saturated, text)
			}
		}
		inTable(t, p, r.Usage)
		if p.Noise == nil {
			continue
		}
		p.Noise.State.Bits -= 4 // holds less than half a standard deviation
		if r, err := crosscheck.RunFixed(t.Context(), load(t, text), p, true); err != nil || !held(r.Usage, ".noise") {
			t.Errorf("seed %d: the noise is not held, %v", seed, err)
		} else {
			inTable(t, p, r.Usage)
		}
	}
}

// inTable wants that all that was held is counted in the table.
func inTable(t *testing.T, p *format.Plan, u *format.Usage) {
	t.Helper()
	sum := int64(0)
	for _, row := range p.Table(u)[1:] {
		if n, err := strconv.ParseInt(row[6], 10, 64); err == nil {
			sum += n
		}
	}
	for _, n := range u.Saturated {
		sum -= n
	}
	if sum != 0 {
		t.Errorf("the table does not count all of %v", u.Saturated)
	}
}

// A network of pal whose noise nobody has told, or that has none, is refused.
func TestNoiseUntold(t *testing.T) {
	text := strings.Replace(randnet.Model(3, randnet.Options{Rule: "pal", Feedbacks: []string{"transpose"}}), "random", "pal", 1)
	c, err := lower.Network(load(t, text), lower.Options{Learning: true, Clocked: true})
	if err != nil {
		t.Fatal(err)
	}
	n, err := format.FromCircuit(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"noise of 0 and a correlation time of 0 cannot be planned", "pal without noise in its senders"} {
		if _, err := format.New(n, format.Options{Dt: 0.01}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		for i := range n.Populations {
			n.Populations[i].Noise = nil
		}
	}
}

// settled is one linear neuron with a constant input and a constant target.
func settled(steps float64, lead, in, target float64) string {
	return fmt.Sprintf(`
name = "settled"
dt = 0.01
duration = %g
[input.drive]
signal = "constant"
value = %g
[population.cell]
size = 1
activation = "linear"
tau_m = %g
tau_r = %g
[projection.w]
from = "drive"
to = "cell"
weights = 1.0
plastic = true
eta = 1e-9
[target.aim]
population = "cell"
signal = "constant"
value = %g
`, 0.01*40*steps*max(1, lead), in, 0.01*steps, 0.01*steps*lead, target)
}

// A state that is given a constant input ends within one unit of the output from
// it, however slow it is: the dead band of a leaky integrator.
func TestDeadBand(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		slow := math.Exp2(rapid.Float64Range(1, 9).Draw(rt, "log2 tau/dt"))
		lead := math.Exp2(rapid.Float64Range(-1, 1).Draw(rt, "log2 lead"))
		in, target := rapid.Float64Range(-1.5, 1.5).Draw(rt, "input"), rapid.Float64Range(-1.5, 1.5).Draw(rt, "target")
		text := settled(max(slow, 2), lead, in, target)
		net := load(rt, text)
		p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: rapid.IntRange(8, 20).Draw(rt, "bits")})
		if err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
		if u, v := deadBand(t, rt, net, p); !(u <= 1 && v <= 1) {
			rt.Fatalf("membrane %g, error neuron %g units off\n%s", u, v, text)
		}
	})
}

// deadBand runs to rest and returns how far states are from their inputs, in
// units of the outputs.
func deadBand(t *testing.T, rt fataler, net *model.Network, p *format.Plan) (membrane, neuron float64) {
	pair, err := crosscheck.NewPair(net, p, true)
	if err != nil {
		rt.Fatalf("%v", err)
	}
	for range crosscheck.Steps(net) {
		pair.Step()
	}
	z := pair.Core.Population(0)
	input := math.Ldexp(float64(z.Drive[0]), -p.Drive.Frac)
	x := math.Ldexp(float64(z.Slope[0]*z.Back[0]), -p.Slope.Frac-p.Back.Frac)
	membrane = math.Abs(p.Membrane.State.Value(z.U[0])-input) / p.Membrane.Out.LSB()
	neuron = math.Abs(p.Neuron.State.Value(z.V[0])-x) / p.Neuron.Out.LSB()
	return membrane, neuron
}

// Without guard bits the same measurement fails, as prototypes did.
func TestDeadBandWithoutGuardBits(t *testing.T) {
	net := load(t, settled(100, 1, 0.7, 0.2))
	p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: 14})
	if err != nil {
		t.Fatal(err)
	}
	unit := &p.Membrane
	cut := unit.State.Frac - unit.Out.Frac
	unit.State = format.Q{Bits: unit.State.Bits - cut, Frac: unit.Out.Frac}
	if u, _ := deadBand(t, t, net, p); u < 10 {
		t.Errorf("a state without guard bits is %g units off; the measurement cannot fail", u)
	}
}

const learner = `
name = "learner"
dt = 0.01
duration = 20.0
[learning]
eta = 0.05
[input.drive]
signal = "sine"
frequency = 0.25
[population.cell]
size = 1
tau_m = 1.0
tau_r = 0.5
activation = "linear"
[projection.w]
from = "drive"
to = "cell"
weights = 0.25
plastic = true
[target.aim]
population = "cell"
signal = "sine"
frequency = 0.25
amplitude = 0.8
`

// Weights have hidden bits enough that learning ends where real numbers do;
// without them nearly every update is lost.
func TestLostUpdates(t *testing.T) {
	_, r := runs(t, t, learner, format.Options{Bits: 14})
	if w := r.Usage.Updates[0]; w.Total < 1000 || w.Lost*20 > w.Total {
		t.Errorf("%+v", w)
	}
	if d := r.Distance["w.W"]; d > 2e-3 {
		t.Errorf("the weight ends %g off", d)
	}
	net := load(t, learner)
	p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: 10})
	if err != nil {
		t.Fatal(err)
	}
	cut := p.Hidden() - 1
	p.Weight = format.Q{Bits: p.Weight.Bits - cut, Frac: p.Weight.Frac - cut}
	for i := range p.Projections {
		l := &p.Projections[i]
		l.Low, l.High = p.Limits()
		for k := range l.W {
			l.W[k] >>= cut
		}
	}
	bad, err := crosscheck.RunFixed(t.Context(), net, p, true)
	if err != nil {
		t.Fatal(err)
	}
	if w := bad.Usage.Updates[0]; w.Lost*10 < w.Total*9 || bad.Distance["w.W"] < 0.05 {
		t.Errorf("without hidden bits: %+v, %g off", w, bad.Distance["w.W"])
	}
}

// A goal is met by the proved bound, on inputs that the planner has not seen.
func TestMeet(t *testing.T) {
	met := 0
	for seed := range uint64(30) {
		text := randnet.Model(seed, randnet.Options{Frozen: true, Forward: true, Feedbacks: []string{"transpose"}, MaxSize: 5})
		for _, goal := range []float64{1e-2, 1e-3, 1e-4} {
			p, err := crosscheck.PlanFor(t.Context(), load(t, text), true, format.Options{}, goal)
			if err != nil {
				if !strings.Contains(err.Error(), "most of it comes from") {
					t.Errorf("seed %d, goal %g: %v", seed, goal, err)
				}
				continue
			}
			met++
			unseen := load(t, unseenStimuli(text))
			r, err := crosscheck.RunFixed(t.Context(), unseen, p, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range p.Outputs() {
				if d := r.Distance[name+".r"]; d > goal {
					t.Errorf("seed %d: %s is off by %g, promised were %g at %d bits", seed, name, d, goal, p.Bits)
				}
			}
		}
	}
	if met < 60 {
		t.Errorf("only %d of 90 goals were met", met)
	}
}

// unseenStimuli changes frequencies, phases and targets but not the range.
func unseenStimuli(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.Contains(line, "frequency = ") {
			var f float64
			at := strings.Index(line, "frequency = ")
			if _, err := fmt.Sscanf(line[at:], "frequency = %g", &f); err != nil {
				panic(err)
			}
			end := strings.IndexAny(line[at:], ",}") + at
			lines[i] = line[:at] + fmt.Sprintf("frequency = %g ", f*1.7) + line[end:]
		}
	}
	return strings.Join(lines, "\n")
}

// A learning model has no bound, and is measured.
func TestMeetLearning(t *testing.T) {
	p, err := crosscheck.PlanFor(t.Context(), load(t, learner), true, format.Options{}, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := crosscheck.RunFixed(t.Context(), load(t, strings.Replace(learner, "frequency = 0.25", "frequency = 0.4", 1)), p, true)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Distance["cell.r"]; d > 1e-3 || p.Bits > 20 {
		t.Errorf("%d bits, %g off", p.Bits, d)
	}
}

// What cannot be had is refused with the reason.
func TestRefusals(t *testing.T) {
	tanh := strings.Replace(strings.Replace(learner, `"linear"`, `"tanh"`, 1), "plastic = true", "", 1)
	for _, c := range []struct {
		text string
		o    format.Options
		goal float64
		want string
	}{
		{tanh, format.Options{}, 1e-9, "most of it comes from the activation tables"},
		{tanh, format.Options{Bits: 10}, 1e-4, "at 10 bits"},
		{learner, format.Options{Bits: 40}, 0, "operands of 40 bits cannot be planned"},
		{learner, format.Options{Device: "tube"}, 0, `no device "tube"`},
		{learner, format.Options{Segments: 100}, 0, "a table of 100 segments"},
		{strings.Replace(learner, "tau_m = 1.0", "tau_m = 1e9", 1), format.Options{Bits: 8}, 0, "population cell: the coefficient of tau_m, 1e-11, is zero"},
	} {
		var err error
		if c.goal > 0 {
			_, err = crosscheck.PlanFor(t.Context(), load(t, c.text), true, c.o, c.goal)
		} else {
			_, err = crosscheck.Plan(t.Context(), load(t, c.text), true, c.o)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v, goal %g: %v; want %q", c.o, c.goal, err, c.want)
		}
	}
}

// The effective time constants are those of the words.
func TestTimeConstants(t *testing.T) {
	p, _ := runs(t, t, strings.Replace(learner, "tau_m = 1.0", "tau_m = 1.37", 1), format.Options{Bits: 8})
	for _, c := range p.TimeConstants() {
		if c.Name != "tau_m" {
			continue
		}
		got := p.Dt / p.Membrane.Lag.Value(p.Populations[0].Lag[0])
		if c.Wanted != 1.37 || c.Effective != got || c.Effective == c.Wanted || math.Abs(got/1.37-1) > 0.02 {
			t.Errorf("%+v, the word says %g", c, got)
		}
	}
	if rows := p.TimeTable(); len(rows) != 3 || !strings.Contains(rows[1][4], "%") {
		t.Errorf("%q", rows)
	}
}

// The table has a line a signal, and counts what was held.
func TestTable(t *testing.T) {
	p, r := runs(t, t, learner, format.Options{Bits: 16})
	r.Usage.Saturated["cell.dU"] = 7
	found := 0
	for _, row := range p.Table(r.Usage) {
		switch row[0] {
		case "I - u":
			found++
			if row[6] != "7" {
				t.Errorf("%q", row)
			}
		case "u", "e", "w stored":
			found++
		}
	}
	if found != 4 {
		t.Errorf("%q", p.Table(nil))
	}
	if rows := r.Usage.LearningTable(); len(rows) != 2 || rows[1][0] != "w.W" {
		t.Errorf("%q", rows)
	}
}

// Formats stay at the width that a device multiplies in one block, and the table
// says so where a width was asked for that does not fit.
func TestDeviceWidths(t *testing.T) {
	for device, bits := range map[string]int{"up5k": 16, "hx8k": 16, "ecp5": 18, "xilinx": 18} {
		p, _ := runs(t, t, learner, format.Options{Device: device})
		if p.Bits != bits || strings.Contains(fmt.Sprint(p.Table(nil)), "several") {
			t.Errorf("%s: %d bits", device, p.Bits)
		}
		p, _ = runs(t, t, learner, format.Options{Device: device, Bits: bits + 1})
		if !strings.Contains(fmt.Sprint(p.Table(nil)), "each of these takes several") {
			t.Errorf("%s: %d bits are taken as one block", device, bits+1)
		}
	}
}
