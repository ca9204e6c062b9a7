package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"vlec/model/source"
)

// signals are the kinds of stimulus, in the order of the documentation.
var signals = []string{"constant", "step", "pulse", "sine", "chirp", "points", "sines", "noise", "file"}

// readInputs reads [input.NAME].
func (d *decoder) readInputs(n *source.Node) map[string]Source {
	sources := map[string]Source{}
	for _, f := range d.named(n, "input") {
		in := &Input{Name: f.Key, Pos: f.KeyPos}
		t := d.Table(f)
		in.Trials = d.trials(func() []Waveform {
			if t.Has("dataset") {
				return d.datasetInput(t)
			}
			return d.channels(t, "dataset")
		})
		in.Channels = in.Trials[0]
		t.Done()
		d.net.Inputs = append(d.net.Inputs, in)
		sources[f.Key] = in
	}
	return sources
}

// trials makes the stimuli of every trial of the batch. Those that do not depend
// on the trial are made once and shared.
func (d *decoder) trials(read func() []Waveform) [][]Waveform {
	list := make([][]Waveform, d.net.Learning.Batch)
	d.drew = false
	for d.trial = range list {
		if d.trial > 0 && (!d.drew || len(d.Errors) > 0) {
			list[d.trial] = list[0]
			continue
		}
		list[d.trial] = read()
	}
	d.trial = 0
	return list
}

// channels reads the stimuli of an input or of a target: one signal (for each
// of size channels), terms that add up, or a list of channels.
func (d *decoder) channels(t *source.Table, others ...string) []Waveform {
	if n := t.Get("channels"); n != nil {
		for _, k := range []string{"signal", "terms", "size"} {
			if f := t.Get(k); f != nil {
				d.FailAt(f.KeyPos, "each channel has its own", "%s does not go with channels", k)
			}
		}
		if !n.IsArray() || len(n.Elems) == 0 {
			d.Fail(n, `write channels = [ { signal = "sine", ... }, { ... } ]`, "channels must be a list of stimuli")
			return nil
		}
		var list []Waveform
		for _, e := range n.Elems {
			if !e.IsTable() {
				d.Fail(e, `write { signal = "sine", ... }`, "%s is %s, but must be a table", e.Label(), e.Kind())
				continue
			}
			et := d.Table(e)
			list = append(list, d.stimulus(et, e.Path))
			et.Done()
		}
		return list
	}
	size := int(t.Int("size", 1, 1, int64(d.limits.neurons)))
	if s := t.Field("signal"); s != nil && s.Value == "file" {
		t.Get("signal")
		columns := d.fileSignal(t)
		if t.Field("size") != nil && size != len(columns) && columns != nil {
			t.Fail("size", "leave size out", "size is %d, but the file gives %s", size, count(len(columns), "channel"))
		}
		return columns
	}
	if !t.Has("signal") && !t.Has("terms") {
		ways := "signal, terms, channels"
		for _, o := range others {
			ways += ", " + o
		}
		d.FailAt(t.KeyPos, "give one of "+ways, "%s has no stimulus", t.Path)
		return nil
	}
	list := make([]Waveform, size)
	for i := range list {
		path := t.Path
		if size > 1 {
			path = fmt.Sprintf("%s[%d]", t.Path, i)
		}
		list[i] = d.stimulus(t, path)
	}
	return list
}

// stimulus reads one waveform from the keys of a table: a signal, or terms that
// add up. The path names random draws.
func (d *decoder) stimulus(t *source.Table, path string) Waveform {
	if terms := t.Get("terms"); terms != nil {
		if s := t.Get("signal"); s != nil {
			d.FailAt(s.KeyPos, "move the signal into the list of terms", "signal does not go with terms")
		}
		if !terms.IsArray() || len(terms.Elems) == 0 {
			d.Fail(terms, `write terms = [ { signal = "sine", ... }, { ... } ]`, "terms must be a list of stimuli")
			return Constant{}
		}
		var sum Sum
		for i, e := range terms.Elems {
			if !e.IsTable() {
				d.Fail(e, `write { signal = "sine", ... }`, "%s is %s, but must be a table", e.Label(), e.Kind())
				continue
			}
			et := d.Table(e)
			sum.Terms = append(sum.Terms, d.stimulus(et, fmt.Sprintf("%s.terms[%d]", path, i)))
			et.Done()
		}
		return sum
	}
	if t.Need("signal", "choose "+strings.Join(signals, ", ")) == nil {
		return Constant{}
	}
	dt, end := d.net.Dt, d.net.Duration
	switch kind := source.Choice(t, "signal", "", signals); kind {
	case "constant":
		t.Need("value", "give the level")
		return Constant{Value: t.Float("value", 0)}
	case "step":
		return Step{
			Low: t.Float("low", 0), High: t.Float("high", 1), Start: t.Float("start", 0, source.NotNegative),
			Rise: t.Float("rise", dt, source.Positive),
		}
	case "pulse":
		t.Need("width", "give the time at the high level")
		w := Pulse{
			Low: t.Float("low", 0), High: t.Float("high", 1), Start: t.Float("start", 0, source.NotNegative),
			Rise: t.Float("rise", dt, source.Positive), Width: t.Float("width", 1, source.NotNegative),
			Period: t.Float("period", 0, source.NotNegative),
		}
		if w.Period > 0 && w.Period < 2*w.Rise+w.Width {
			t.Fail("period", "lengthen the period or shorten the pulse", "period is %v, but the pulse lasts %v (width and two rises)", w.Period, 2*w.Rise+w.Width)
		}
		if w.Period > 0 && end/w.Period > MaxSamples {
			t.Fail("period", "", "period is %v, too short for a run of %v", w.Period, end)
		}
		return w
	case "sine":
		t.Need("frequency", "give it in periods per time unit")
		w := Sine{
			Amplitude: t.Float("amplitude", 1), Frequency: t.Float("frequency", 1, source.NotNegative),
			Phase: t.Float("phase", 0), Offset: t.Float("offset", 0),
			Start: t.Float("start", 0, source.NotNegative), Stop: t.Float("stop", 0, source.NotNegative),
			Ramp: t.Float("ramp", dt, source.Positive),
		}
		if w.Gated() {
			d.gate(t, w.Start, w.Stop, w.Ramp)
		} else {
			w.Ramp = 0
		}
		return w
	case "chirp":
		t.Need("f0", "give the first frequency")
		t.Need("f1", "give the last frequency")
		return Chirp{
			Amplitude: t.Float("amplitude", 1), F0: t.Float("f0", 1, source.NotNegative), F1: t.Float("f1", 1, source.NotNegative),
			Length: t.Float("length", end, source.Positive), Offset: t.Float("offset", 0),
		}
	case "points":
		return d.points(t)
	case "sines":
		return d.sines(t, path)
	case "noise":
		return d.noise(t, path)
	case "file":
		columns := d.fileSignal(t)
		if len(columns) != 1 {
			if columns != nil {
				t.Fail("path", "choose one with column", "the file has %s, but one channel is wanted here", count(len(columns), "column"))
			}
			return Constant{}
		}
		return columns[0]
	default:
		// An unknown signal is reported; its keys would only be noise.
		for _, f := range t.Fields {
			t.Get(f.Key)
		}
		return Constant{}
	}
}

// gate checks the window of a sine.
func (d *decoder) gate(t *source.Table, start, stop, ramp float64) {
	ramps := ramp
	if start > 0 {
		ramps += ramp
	}
	if stop > 0 && stop < start+ramps {
		t.Fail("stop", "let it stop later or ramp faster", "stop is %v, before the sine that starts at %v has ramped up and down (%v)", stop, start, ramps)
	}
}

// points reads a polyline: [[time, value], ...] with rising times.
func (d *decoder) points(t *source.Table) Waveform {
	n := t.Need("points", "write [[time, value], [time, value], ...]")
	if n == nil {
		return Constant{}
	}
	if !n.IsArray() || len(n.Elems) == 0 {
		d.Fail(n, "write [[time, value], [time, value], ...]", "points must be a list of pairs")
		return Constant{}
	}
	w := &Sampled{Origin: "points"}
	for _, e := range n.Elems {
		if !e.IsArray() || len(e.Elems) != 2 {
			d.Fail(e, "write [time, value]", "%s must be a pair of numbers", e.Label())
			continue
		}
		at, ok1 := d.Number(e.Elems[0], source.NotNegative)
		value, ok2 := d.Number(e.Elems[1])
		if !ok1 || !ok2 {
			continue
		}
		if k := len(w.Time); k > 0 && at <= w.Time[k-1] {
			d.Fail(e.Elems[0], "a jump needs a short ramp", "times must rise, but %v comes after %v", at, w.Time[k-1])
			continue
		}
		w.Time, w.Value = append(w.Time, at), append(w.Value, value)
	}
	return w
}

// sines draws overlaid sines: count of them, each with a frequency uniform in
// [f_min, f_max] and a random phase; with a window each sounds only that long,
// beginning at a random time.
func (d *decoder) sines(t *source.Table, path string) Waveform {
	t.Need("count", "say how many sines are overlaid")
	t.Need("f_min", "give the lowest frequency")
	t.Need("f_max", "give the highest frequency")
	n := int(t.Int("count", 1, 1, 100_000))
	low, high := d.bounds(t, "f_min", "f_max", 1, 1, source.NotNegative)
	amplitude := t.Float("amplitude", 1)
	window := t.Float("window", 0, source.NotNegative)
	ramp := t.Float("ramp", d.net.Dt, source.Positive)
	end := d.net.Duration
	if window > 0 && window < 2*ramp {
		t.Fail("window", "", "window is %v, too short to ramp up and down (%v)", window, 2*ramp)
	}
	rng := d.stimulusRNG(t, path)
	var sum Sum
	if !d.reserve(t.Get("signal"), 8*n) { // a sine takes the memory of 8 samples
		return sum
	}
	for range n {
		w := Sine{Amplitude: amplitude, Frequency: low + float64((high-low)*rng.Float64()), Phase: 2 * math.Pi * rng.Float64()}
		if start := rng.Float64(); window > 0 && window < end {
			w.Start = start * (end - window)
			w.Stop = w.Start + window
			w.Ramp = ramp
		}
		sum.Terms = append(sum.Terms, w)
	}
	return sum
}

// noise draws an Ornstein-Uhlenbeck process at every step of dt by its exact
// update, starting from its stationary distribution:
//
//	x(t+dt) = x(t) exp(-dt/tau) + sigma sqrt(1 - exp(-2 dt/tau)) N(0, 1)
func (d *decoder) noise(t *source.Table, path string) Waveform {
	t.Need("tau", "give the correlation time")
	sigma, tau := t.Float("sigma", 1, source.NotNegative), t.Float("tau", 1, source.Positive)
	offset := t.Float("offset", 0)
	rng := d.stimulusRNG(t, path)
	n := d.net.Steps() + 1
	if !d.reserve(t.Get("signal"), n) {
		return Constant{}
	}
	keep, kick := math.Exp(-d.net.Dt/tau), sigma*math.Sqrt(-math.Expm1(-2*d.net.Dt/tau))
	w := &Sampled{Time: d.grid(n), Value: make([]float64, n), Origin: "noise"}
	x := sigma * rng.NormFloat64()
	for k := range w.Value {
		w.Value[k] = offset + x
		x = float64(keep*x) + float64(kick*rng.NormFloat64())
	}
	return w
}

// reserve books n samples of a stimulus and reports when there are too many.
func (d *decoder) reserve(n *source.Node, samples int) bool {
	if samples > d.limits.samples-d.sampled {
		d.Fail(n, "shorten the run or lengthen dt", "the stimuli of this model need more than %d samples", d.limits.samples)
		return false
	}
	d.sampled += samples
	return true
}

// grid returns the times 0, dt, 2 dt, ... of n samples; all callers share it.
func (d *decoder) grid(n int) []float64 {
	for k := len(d.times); k < n; k++ {
		d.times = append(d.times, float64(k)*d.net.Dt)
	}
	return slices.Clip(d.times[:n])
}

// stimulusRNG is rng, with a seed of the stimulus' own where it has one. Every
// trial draws its own.
func (d *decoder) stimulusRNG(t *source.Table, path string) *rand.Rand {
	d.drew = true
	if d.trial > 0 {
		path = fmt.Sprintf("%s#%d", path, d.trial)
	}
	if s := t.Int("seed", -1, 0, math.MaxInt64); s >= 0 {
		return seeded(uint64(s), path)
	}
	return d.rng(path)
}
