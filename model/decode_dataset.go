package model

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"vlec/model/source"
)

// A dataset is a list of samples that are shown one after the other, each for
// sampleTime. A sample is a vector of features, held, or a series in time.
type dataset struct {
	name       string
	sampleTime float64
	rise       float64
	count      int
	x, y       *samples
	order      []int // which sample is shown when: presentation k of trial b is order[k*batch+b]
}

// samples is an array of samples x points x channels. Features have one point.
type samples struct {
	node             *source.Node
	points, channels int
	labels           bool // whole numbers, one a sample
	data             []float64
}

// readDatasets reads [dataset.NAME].
func (d *decoder) readDatasets(n *source.Node) {
	d.datasets = map[string]*dataset{}
	for _, f := range d.named(n, "dataset") {
		t := d.Table(f)
		s := &dataset{name: f.Key}
		t.Need("x", "name a .npy file: samples x features, samples x time, or samples x time x channels")
		t.Need("sample_time", "say how long each sample is shown, in time units")
		s.sampleTime = t.Float("sample_time", 1, source.Positive)
		if s.sampleTime <= 2*d.net.Dt {
			t.Fail("sample_time", "", "sample_time is %v, but must be longer than two steps of dt = %v", s.sampleTime, d.net.Dt)
		}
		s.rise = t.Float("rise", d.net.Dt, source.Positive)
		if s.rise >= s.sampleTime {
			t.Fail("rise", "", "rise is %v, but must be shorter than sample_time = %v", s.rise, s.sampleTime)
		}
		layout := source.Choice(t, "layout", "features", []string{"features", "series"})
		order := source.Choice(t, "order", "sequential", []string{"sequential", "shuffled"})
		s.x = d.samples(t.Get("x"), layout == "series", &s.count)
		if y := t.Get("y"); y != nil {
			rows := s.count
			s.y = d.samples(y, false, &rows)
			if s.x != nil && s.y != nil && rows != s.count {
				d.Fail(y, "", "%v has %s, but x has %d", y.Value, count(rows, "sample"), s.count)
			}
		}
		s.count = int(t.Int("count", int64(s.count), 1, max(1, int64(s.count))))
		seed := t.Int("seed", -1, 0, math.MaxInt64)
		t.Done()
		d.datasets[f.Key] = s
		if s.x != nil && len(d.Errors) == 0 {
			s.order = d.presentations(s, f, order == "shuffled", seed)
		}
	}
}

// samples reads x or y of a dataset; count receives the number of samples.
func (d *decoder) samples(n *source.Node, series bool, count *int) *samples {
	if n == nil {
		return nil
	}
	a, path, ok := d.array(n)
	if !ok {
		return nil
	}
	for _, x := range a.data {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			d.Fail(n, "", "%s holds %v, but all values must be finite", path, x)
			return nil
		}
	}
	s := &samples{node: n, points: 1, channels: 1, data: a.data}
	switch shape := a.shape; {
	case len(a.data) == 0:
		d.Fail(n, "", "%s is empty", path)
		return nil
	case len(shape) == 1:
		s.labels = true
	case len(shape) == 2 && series:
		s.points = shape[1]
	case len(shape) == 2:
		s.channels = shape[1]
	case len(shape) == 3:
		s.points, s.channels = shape[1], shape[2]
	default:
		d.Fail(n, "", "%s has shape %s, but must be samples x features, samples x time, or samples x time x channels", path, shapeText(shape))
		return nil
	}
	*count = a.shape[0]
	return s
}

// presentations decides which sample is shown when. Each pass over the samples
// is shuffled anew.
func (d *decoder) presentations(s *dataset, f *source.Node, shuffled bool, seed int64) []int {
	shows := math.Ceil(d.net.Duration/s.sampleTime-1e-9) * float64(d.net.Learning.Batch)
	if shows > float64(d.limits.samples) {
		d.FailAt(f.KeyPos, "shorten the run or lengthen sample_time", "a run shows %v samples of %s, more than %d", shows, s.name, d.limits.samples)
		return nil
	}
	rng := d.rng(f.Path + ".order")
	if seed >= 0 {
		rng = seeded(uint64(seed), f.Path+".order")
	}
	order := make([]int, 0, int(shows))
	for len(order) < int(shows) {
		pass := make([]int, s.count)
		for i := range pass {
			pass[i] = i
		}
		if shuffled {
			rng.Shuffle(len(pass), func(i, j int) { pass[i], pass[j] = pass[j], pass[i] })
		}
		order = append(order, pass[:min(len(pass), int(shows)-len(order))]...)
	}
	return order
}

// dataset resolves the key dataset of an input or a target.
func (d *decoder) dataset(t *source.Table) *dataset {
	n := t.Get("dataset")
	for _, k := range []string{"signal", "terms", "channels"} {
		if x := t.Field(k); x != nil {
			t.Get(k)
			d.FailAt(x.KeyPos, "keep one of them", "%s does not go with dataset", k)
		}
	}
	name, ok := d.Text(n)
	if !ok {
		return nil
	}
	s := d.datasets[name]
	if s == nil {
		d.Fail(n, source.Suggest(name, slices.Sorted(maps.Keys(d.datasets)), "there are"), "there is no dataset %q", name)
	}
	return s
}

// datasetInput makes the channels of an input that shows a dataset.
func (d *decoder) datasetInput(t *source.Table) []Waveform {
	scale, offset := t.Float("scale", 1), t.Float("offset", 0)
	s := d.dataset(t)
	if s == nil || s.x == nil || s.order == nil {
		return nil
	}
	return d.show(t, s, s.x, s.x.channels, func(v float64, _ int) float64 { return offset + float64(scale*v) })
}

// datasetTarget makes the signals of a target: labels become one-hot vectors.
func (d *decoder) datasetTarget(t *source.Table, size int) []Waveform {
	s := d.dataset(t)
	if s == nil || s.x == nil {
		return nil
	}
	n := t.Get("dataset")
	if s.y == nil {
		d.Fail(n, fmt.Sprintf("add y = \"...\" to [dataset.%s]", s.name), "dataset %s has no y to aim at", s.name)
		return nil
	}
	if !s.y.labels {
		if s.y.channels != size {
			d.Fail(n, "", "y of dataset %s has %s a sample, but the population has %s", s.name, count(s.y.channels, "value"), count(size, "neuron"))
			return nil
		}
		return d.show(t, s, s.y, size, func(v float64, _ int) float64 { return v })
	}
	if size == 1 {
		return d.show(t, s, s.y, 1, func(v float64, _ int) float64 { return v })
	}
	for i, v := range s.y.data[:min(s.count, len(s.y.data))] {
		if v != math.Trunc(v) || v < 0 || v >= float64(size) {
			d.Fail(n, "labels count from 0, one neuron each", "sample %d of dataset %s has the label %v, but the population has %s", i, s.name, v, count(size, "neuron"))
			return nil
		}
	}
	return d.show(t, s, s.y, size, func(v float64, c int) float64 {
		if int(v) == c {
			return 1
		}
		return 0
	})
}

// show makes the waveforms of one trial. Held samples ramp to the next within
// rise; series are interpolated linearly, also from one sample to the next.
func (d *decoder) show(t *source.Table, s *dataset, a *samples, channels int, value func(v float64, c int) float64) []Waveform {
	d.drew = d.drew || d.net.Learning.Batch > 1
	batch := d.net.Learning.Batch
	shows := len(s.order) / batch
	perShow := a.points
	if a.points == 1 {
		perShow = 2
	}
	if shows > d.limits.samples/perShow/channels || !d.reserve(t.Get("dataset"), shows*perShow*(channels+1)) {
		t.Fail("dataset", "shorten the run", "the stimuli of this model need more than %d samples", d.limits.samples)
		return nil
	}
	times := make([]float64, 0, shows*perShow)
	for k := range shows {
		start := float64(k) * s.sampleTime
		switch {
		case a.points > 1:
			for j := range a.points {
				times = append(times, start+float64(j)*s.sampleTime/float64(a.points))
			}
		case k == 0:
			times = append(times, 0, s.sampleTime)
		default:
			times = append(times, start+s.rise, start+s.sampleTime)
		}
	}
	list := make([]Waveform, channels)
	for c := range list {
		w := &Sampled{Time: times, Value: make([]float64, 0, len(times)), Origin: "dataset " + s.name}
		for k := range shows {
			sample := s.order[k*batch+d.trial]
			for j := range perShow {
				at := sample * a.points
				if a.points > 1 {
					at += j
				}
				if a.channels == channels {
					w.Value = append(w.Value, value(a.data[at*channels+c], c))
				} else {
					w.Value = append(w.Value, value(a.data[at], c))
				}
			}
		}
		list[c] = w
	}
	return list
}
