package plot

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Waveform is one quantity in the reference and in a simulation, at the same
// instants.
type Waveform struct {
	Name      string // "hidden.u[3]"
	Unit      string // "V"; empty for model units
	Time      []float64
	Reference []float64
	Simulated []float64
	Remark    string // at the right, say "nrmse 3.1e-06"
}

// Waveforms draws each waveform in a panel and the difference, simulated less
// reference, in another below it. The time axis is common; its unit may be empty.
func Waveforms(title, subtitle, timeUnit string, waves []Waveform) *Figure {
	f := &Figure{
		title:    title,
		subtitle: subtitle,
		legend: []curve{
			{name: "reference", style: referenceStyle},
			{name: "simulated", style: simulatedStyle},
			{name: "difference", style: differenceStyle},
		},
	}
	var times [][]float64
	for _, w := range waves {
		n := min(len(w.Time), len(w.Reference), len(w.Simulated))
		time, ref, got := w.Time[:n], w.Reference[:n], w.Simulated[:n]
		difference := make([]float64, n)
		for k := range difference {
			difference[k] = got[k] - ref[k]
		}
		times = append(times, time)
		f.panels = append(
			f.panels,
			panel{
				heading: w.Name, remark: w.Remark, height: 92, y: newAxis(withUnit(shortName(w.Name), w.Unit), false, true, ref, got),
				curves: []curve{thinned(referenceStyle, time, ref), thinned(simulatedStyle, time, got)},
			},
			panel{
				height: 40, close: true, y: newAxis(withUnit("Δ", w.Unit), false, true, difference).symmetric(),
				curves: []curve{thinned(differenceStyle, time, difference)},
			},
		)
	}
	f.x = newAxis(withUnit("time", timeUnit), false, false, times...)
	return f
}

// A Series is a named curve.
type Series struct {
	Name string
	X, Y []float64
}

// Loss draws losses over time on a logarithmic axis: pale as they are, and
// strong as moving averages over window samples. A window below 2 draws the
// losses alone.
func Loss(title, subtitle, timeUnit string, window int, losses []Series) *Figure {
	f := &Figure{title: title, subtitle: subtitle}
	p := panel{height: 230}
	var pale, strong []curve
	var xs, ys, means [][]float64
	for i, s := range losses {
		n := min(len(s.X), len(s.Y))
		mean := movingAverage(s.Y[:n], max(1, window))
		// An average over fewer samples than the others is another quantity.
		from := 0
		if window > 1 && n >= window {
			from = window - 1
		}
		xs, ys, means = append(xs, s.X[:n]), append(ys, s.Y[:n]), append(means, mean[from:])
		pale = append(pale, thinned(faint(series(i)), s.X[:n], s.Y[:n]))
		strong = append(strong, thinned(series(i), s.X[from:n], mean[from:]))
		f.legend = append(f.legend, curve{name: s.Name, style: series(i)})
	}
	p.y = newAxis("loss", true, false, ys...)
	p.curves = strong
	if window > 1 {
		// Where a loss crosses zero it dips without bound: a decade below the
		// averages says enough.
		p.y.min = max(p.y.min, newAxis("", true, false, means...).min/10)
		p.remark = fmt.Sprintf("moving average over %d samples", window)
		p.curves = append(pale, strong...)
	}
	f.panels = []panel{p}
	f.x = newAxis(withUnit("time", timeUnit), false, false, xs...)
	return f
}

// movingAverage averages the last window values; before there are so many, all.
func movingAverage(y []float64, window int) []float64 {
	out := make([]float64, len(y))
	sum := 0.0
	for k, v := range y {
		sum += v
		if k >= window {
			sum -= y[k-window]
		}
		// Rounding may leave a sum of positive numbers a bit below zero.
		out[k] = math.Max(0, sum) / float64(min(k+1, window))
	}
	return out
}

// Convergence draws series on two logarithmic axes with a mark at each point. A
// dashed line shows what the given order of accuracy would look like; order 0
// draws none.
func Convergence(title, subtitle, xLabel, yLabel string, order float64, all []Series) *Figure {
	f := &Figure{title: title, subtitle: subtitle}
	p := panel{height: 260}
	var xs, ys [][]float64
	for i, s := range all {
		n := min(len(s.X), len(s.Y))
		k := curve{name: s.Name, x: s.X[:n], y: s.Y[:n], style: series(i), points: true}
		xs, ys = append(xs, k.x), append(ys, k.y)
		p.curves = append(p.curves, k)
		f.legend = append(f.legend, k)
	}
	f.x, p.y = newAxis(xLabel, true, false, xs...), newAxis(yLabel, true, false, ys...)
	if order != 0 {
		guide := curve{name: fmt.Sprintf("order %g", order), style: frameStyle}
		guide.style.Dashes = []vg.Length{4, 3}
		x, y := lowestAtEnd(&f.x, &p.y, all)
		for _, at := range []float64{f.x.min, f.x.max} {
			guide.x, guide.y = append(guide.x, at), append(guide.y, y/3*math.Pow(at/x, order))
		}
		p.curves = append(p.curves, guide)
		f.legend = append(f.legend, guide)
	}
	f.panels = []panel{p}
	return f
}

// lowestAtEnd finds the lowest of the points that are farthest to the right.
func lowestAtEnd(xAxis, yAxis *axis, all []Series) (x, y float64) {
	x, y = xAxis.min, yAxis.max
	for _, s := range all {
		for k := range min(len(s.X), len(s.Y)) {
			if !xAxis.shows(s.X[k]) || !yAxis.shows(s.Y[k]) || s.X[k] < x {
				continue
			}
			if s.X[k] > x || s.Y[k] < y {
				x, y = s.X[k], s.Y[k]
			}
		}
	}
	return x, y
}

func thinned(style draw.LineStyle, x, y []float64) curve {
	k := curve{style: style}
	k.x, k.y = thin(x, y)
	return k
}

func withUnit(name, unit string) string {
	if unit == "" {
		return name
	}
	return name + " (" + unit + ")"
}

// shortName is what an axis calls a quantity whose panel has its full name.
func shortName(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	name, _, _ = strings.Cut(name, "[")
	return name
}
