// Package plot draws the figures of a run: waveforms of the reference and of a
// circuit with their difference, loss over time, and convergence on logarithmic
// axes. A Figure is written as SVG or PNG.
//
// # For maintainers
//
// gonum/plot gives canvases, fonts and clipping; the axes are our own, because a
// stack of panels reads well only when all have the same left edge and one time
// axis. Everything that explains (title, legend, names, measures) stands above
// the panels, so that nothing covers data. Colours are those of Okabe and Ito,
// which stay apart for colour-blind readers; a curve is also told by its width
// or dashes, for printers.
//
// The same figure gives the same bytes: no dates, and curves are thinned by a
// rule (thin.go) that keeps every extreme and does not depend on the canvas.
package plot

import (
	"bytes"
	"image/color"
	"io"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Figure is a stack of panels over one horizontal axis.
type Figure struct {
	title    string
	subtitle string
	x        axis
	panels   []panel
	legend   []curve // name and style only
}

type panel struct {
	heading string  // above the panel, at the left
	remark  string  // and at the right, or behind the heading where there are keys
	keys    []curve // at the right: names and styles of curves, where there are several
	y       axis
	height  vg.Length
	close   bool // to the panel above it
	bare    bool // without a vertical axis
	curves  []curve
}

type axis struct {
	label    string
	min, max float64
	log      bool
}

type curve struct {
	name   string
	x, y   []float64
	style  draw.LineStyle
	points bool // with a mark at each point
}

// Sizes in points: a figure is as wide as a page of text.
const (
	width       = 560
	left        = 58
	right       = 14
	top         = 12
	bottom      = 40
	titleHeight = 20
	lineHeight  = 15
	headHeight  = 18
	closeGap    = 9
	openGap     = 14
	pngDPI      = 144
)

// SVG writes the figure as SVG. Text stays text; its font is Liberation Sans or
// one with the same widths.
func (f *Figure) SVG(w io.Writer) error {
	c := vgsvg.New(width, f.height())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	const family = "font-family:Liberation Sans"
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte(family), []byte(family+",Arial,Helvetica,sans-serif")))
	return err
}

// PNG writes the figure as PNG, twice as large as its nominal size.
func (f *Figure) PNG(w io.Writer) error {
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, f.height()), vgimg.UseDPI(pngDPI), vgimg.UseBackgroundColor(color.White))}
	f.draw(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// Remark replaces what stands at the right above the first panel.
func (f *Figure) Remark(text string) {
	if len(f.panels) > 0 {
		f.panels[0].remark = text
	}
}

func (f *Figure) headerHeight() vg.Length {
	h := vg.Length(top)
	if f.title != "" {
		h += titleHeight
	}
	if f.subtitle != "" {
		h += lineHeight
	}
	for range f.legendRows() {
		h += lineHeight
	}
	return h
}

func (f *Figure) height() vg.Length {
	h := f.headerHeight() + bottom
	for i := range f.panels {
		h += f.panels[i].above(i == 0) + f.panels[i].height
	}
	return h
}

// above is the room between a panel and what is above it.
func (p *panel) above(first bool) vg.Length {
	gap := vg.Length(openGap)
	if p.close {
		gap = closeGap
	}
	if first {
		gap = 0
	}
	if p.heading != "" || p.remark != "" || p.y.exponent() != 0 {
		gap += headHeight
	}
	return gap
}

func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	y := c.Max.Y - top
	if f.title != "" {
		y -= titleHeight
		c.FillText(titleStyle, vg.Point{X: left, Y: y + 7}, fit(titleStyle, f.title))
	}
	if f.subtitle != "" {
		y -= lineHeight
		c.FillText(quietStyle, vg.Point{X: left, Y: y + 5}, fit(quietStyle, f.subtitle))
	}
	for _, row := range f.legendRows() {
		y -= lineHeight
		f.drawLegend(&c, y+5, row)
	}
	for i := range f.panels {
		p := &f.panels[i]
		y -= p.above(i == 0)
		p.drawHead(&c, y+6)
		area := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left, Y: y - p.height},
			Max: vg.Point{X: c.Max.X - right, Y: y},
		}}
		p.draw(area, &f.x, i == len(f.panels)-1)
		y -= p.height
	}
}

// fit cuts a line that is wider than the panels.
func fit(style text.Style, line string) string {
	if style.Width(line) <= width-left-right {
		return line
	}
	runes := []rune(line)
	for len(runes) > 0 && style.Width(string(runes)+"…") > width-left-right {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// legendRows breaks the legend into rows that fit the figure.
func (f *Figure) legendRows() [][]curve {
	var rows [][]curve
	room := vg.Length(0)
	for _, k := range f.legend {
		w := legendWidth(k.name)
		if room < w {
			rows, room = append(rows, nil), width-left-right
		}
		room -= w
		rows[len(rows)-1] = append(rows[len(rows)-1], k)
	}
	return rows
}

const legendLine = 22

func legendWidth(name string) vg.Length { return legendLine + 5 + textStyle.Width(name) + 16 }

func (f *Figure) drawLegend(c *draw.Canvas, y vg.Length, row []curve) {
	x := vg.Length(left)
	for _, k := range row {
		c.StrokeLine2(k.style, x, y+3, x+legendLine, y+3)
		if k.points {
			c.DrawGlyphNoClip(mark(k.style), vg.Point{X: x + legendLine/2, Y: y + 3})
		}
		c.FillText(textStyle, vg.Point{X: x + legendLine + 5, Y: y}, k.name)
		x += legendWidth(k.name)
	}
}

func (p *panel) drawHead(c *draw.Canvas, y vg.Length) {
	x := vg.Length(left)
	if p.heading != "" {
		c.FillText(headStyle, vg.Point{X: x, Y: y}, p.heading)
		x += headStyle.Width(p.heading) + 8
	}
	if e := p.y.exponent(); e != 0 {
		drawPower(c, vg.Point{X: x, Y: y}, "× ", e, false)
	}
	switch {
	case len(p.keys) > 0:
		c.FillText(quietStyle, vg.Point{X: x, Y: y}, p.remark)
		p.drawKeys(c, y, x+quietStyle.Width(p.remark)+8)
	case p.remark != "":
		style := quietStyle
		style.XAlign = draw.XRight
		c.FillText(style, vg.Point{X: c.Max.X - right, Y: y}, p.remark)
	}
}

// drawKeys names the curves, as many as fit between free and the right edge.
func (p *panel) drawKeys(c *draw.Canvas, y, free vg.Length) {
	const line, gap = 14, 10
	x := c.Max.X - right
	wide := func(k curve) vg.Length { return line + 4 + tickStyle.Width(k.name) }
	keys := p.keys
	for i, k := range keys {
		if x -= wide(k); x < free {
			keys = keys[:i]
			x += wide(k) + gap
			break
		}
		if i < len(keys)-1 {
			x -= gap
		}
	}
	for _, k := range keys {
		c.StrokeLine2(k.style, x, y+3, x+line, y+3)
		c.FillText(tickStyle, vg.Point{X: x + line + 4, Y: y}, k.name)
		x += wide(k) + gap
	}
}

func (p *panel) draw(area draw.Canvas, x *axis, last bool) {
	xs, ys := x.ticks(8), p.y.ticks(int(p.height/20)+1)
	for _, t := range xs {
		at := area.X(x.place(t.value))
		area.StrokeLine2(gridStyle, at, area.Min.Y, at, area.Max.Y)
		if last {
			x.drawTick(&area, vg.Point{X: at, Y: area.Min.Y - 5}, t, tickStyleX)
		}
	}
	if p.bare {
		ys = nil
	}
	for _, t := range ys {
		at := area.Y(p.y.place(t.value))
		style := gridStyle
		if t.value == 0 && !p.y.log {
			style = zeroStyle
		}
		area.StrokeLine2(style, area.Min.X, at, area.Max.X, at)
		p.y.drawTick(&area, vg.Point{X: area.Min.X - 5, Y: at}, t, tickStyleY)
	}
	area.StrokeLine2(frameStyle, area.Min.X, area.Min.Y, area.Max.X, area.Min.Y)
	area.StrokeLine2(frameStyle, area.Min.X, area.Min.Y, area.Min.X, area.Max.Y)
	if p.y.label != "" {
		style := textStyle
		style.Rotation, style.XAlign, style.YAlign = turned, draw.XCenter, draw.YTop
		area.FillText(style, vg.Point{X: 8, Y: (area.Min.Y + area.Max.Y) / 2}, p.y.label)
	}
	if last {
		style := textStyle
		style.XAlign, style.YAlign = draw.XCenter, draw.YTop
		area.FillText(style, vg.Point{X: (area.Min.X + area.Max.X) / 2, Y: area.Min.Y - 20}, x.label)
	}
	for i := range p.curves {
		p.curves[i].draw(&area, x, &p.y)
	}
}

// draw strokes a curve in pieces, between values that cannot be shown.
func (k *curve) draw(area *draw.Canvas, x, y *axis) {
	var pieces [][]vg.Point
	broken := true
	for i := range k.x {
		if !x.shows(k.x[i]) || !y.shows(k.y[i]) {
			broken = true
			continue
		}
		if broken {
			pieces, broken = append(pieces, nil), false
		}
		at := vg.Point{X: area.X(x.place(k.x[i])), Y: area.Y(y.place(k.y[i]))}
		pieces[len(pieces)-1] = append(pieces[len(pieces)-1], at)
	}
	if k.points {
		for _, piece := range pieces {
			for _, at := range piece {
				area.DrawGlyph(mark(k.style), at)
			}
		}
	}
	for i, piece := range pieces {
		pieces[i] = straighten(piece)
	}
	area.StrokeLines(k.style, area.ClipLinesXY(pieces...)...)
}
