package plot

import "gonum.org/v1/plot/vg"

// A Look says how a curve of a Stack is drawn.
type Look int

// Looks of curves. Broad is pale and wide, to lie under what is compared with it.
const (
	Line Look = iota
	Broad
	Marks
	MarkedLine
	Dashed
)

// A Curve is a series in a Panel. Curves of one Colour belong together; a name is
// explained in the legend once, the empty one never. A key stands above the panel
// that the curve is in.
type Curve struct {
	Series
	Key    string
	Colour int
	Look   Look
}

// A Panel is one diagram of a Stack.
type Panel struct {
	Heading, Remark string  // above it, at the left and at the right
	Label           string  // of the vertical axis
	Log             bool    // vertical axis
	Reach           float64 // a linear axis goes at least from -Reach to Reach; 0: as the data say
	Height          float64 // in points; 0 means 130
	Curves          []Curve
}

// Stack draws panels over one horizontal axis.
func Stack(title, subtitle, xLabel string, xLog bool, panels []Panel) *Figure {
	f := &Figure{title: title, subtitle: subtitle}
	known := map[string]bool{"": true}
	var all [][]float64
	for _, p := range panels {
		q := panel{heading: p.Heading, remark: p.Remark, height: vg.Length(p.Height)}
		if p.Height == 0 {
			q.height = 130
		}
		var ys [][]float64
		for _, c := range p.Curves {
			n := min(len(c.X), len(c.Y))
			k := c.curve(n)
			all, ys = append(all, c.X[:n]), append(ys, c.Y[:n])
			q.curves = append(q.curves, k)
			if c.Key != "" {
				q.keys = append(q.keys, curve{name: c.Key, style: k.style})
			}
			if !known[c.Name] {
				known[c.Name] = true
				f.legend = append(f.legend, k)
			}
		}
		if p.Reach != 0 {
			ys = append(ys, []float64{-p.Reach, p.Reach})
		}
		q.y = newAxis(p.Label, p.Log, true, ys...)
		f.panels = append(f.panels, q)
	}
	f.x = newAxis(xLabel, xLog, false, all...)
	return f
}

func (c *Curve) curve(n int) curve {
	style := series(c.Colour)
	k := curve{name: c.Name, style: style, x: c.X[:n], y: c.Y[:n]}
	switch c.Look {
	case Line, Dashed:
		k.x, k.y = thin(k.x, k.y)
		if c.Look == Dashed {
			k.style.Dashes = []vg.Length{4, 3}
		}
	case Broad:
		k.x, k.y = thin(k.x, k.y)
		k.style = faint(style)
		k.style.Width = 4
	case Marks:
		k.points, k.style.Width = true, 0
	case MarkedLine:
		k.points = true
	}
	return k
}
