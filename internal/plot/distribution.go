package plot

import "slices"

// A Distribution is one panel of Distributions: a sample of each group.
type Distribution struct {
	Name   string
	Groups [][]float64
}

// Distributions draws, in a panel for each condition, what share of each group
// lies below a value, on a logarithmic axis that all panels share. A vertical line
// marks a value to compare with.
func Distributions(title, subtitle, xLabel string, groups []string, mark float64, all []Distribution) *Figure {
	f := &Figure{title: title, subtitle: subtitle}
	for i, name := range groups {
		f.legend = append(f.legend, curve{name: name, style: series(i)})
	}
	xs := [][]float64{{mark}}
	for _, d := range all {
		xs = append(xs, d.Groups...)
	}
	f.x = newAxis(xLabel, true, false, xs...)
	for _, d := range all {
		p := panel{heading: d.Name, height: 56, y: axis{label: "share", min: 0, max: 1}}
		p.curves = append(p.curves, markAt(mark))
		for i, g := range d.Groups {
			p.curves = append(p.curves, stairs(curve{style: series(i)}, g, &f.x))
		}
		f.panels = append(f.panels, p)
	}
	return f
}

// markAt is a vertical line from 0 to 1.
func markAt(x float64) curve { return curve{style: markStyle, x: []float64{x, x}, y: []float64{0, 1}} }

// stairs rises by an equal share at each value of a sample.
func stairs(k curve, sample []float64, x *axis) curve {
	sorted := slices.Sorted(slices.Values(sample))
	share := 0.0
	k.x, k.y = append(k.x, x.min), append(k.y, 0)
	for i, v := range sorted {
		k.x, k.y = append(k.x, v), append(k.y, share)
		share = float64(i+1) / float64(len(sorted))
		k.x, k.y = append(k.x, v), append(k.y, share)
	}
	k.x, k.y = append(k.x, x.max), append(k.y, share)
	return k
}
