package plot

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newAxis spans all values that can be shown, with a little room above and
// below when padded. An axis without values spans 0 to 1, or 0.1 to 1.
func newAxis(label string, log, padded bool, values ...[]float64) axis {
	a := axis{label: label, log: log, min: math.Inf(1), max: math.Inf(-1)}
	for _, vs := range values {
		for _, v := range vs {
			if a.shows(v) {
				a.min, a.max = min(a.min, v), max(a.max, v)
			}
		}
	}
	if a.min > a.max {
		a.min, a.max = 0, 1
		if log {
			a.min = 0.1
		}
	}
	if log {
		// To the next 1, 2 or 5, so that there is always a tick near an end.
		a.min, a.max = roundLog(a.min, false), roundLog(a.max, true)
		return a
	}
	span := a.max - a.min
	if level := max(math.Abs(a.min), math.Abs(a.max)); span <= 1e-12*level || level < smallest {
		// A constant: an axis that shows its level, not its rounding.
		span = level
		if level < smallest {
			span = 1
		}
		a.min, a.max = a.min-span/4, a.max+span/4
		return a
	}
	if padded {
		a.min, a.max = a.min-0.06*span, a.max+0.06*span
	}
	return a
}

// symmetric makes zero the middle.
func (a axis) symmetric() axis {
	reach := max(math.Abs(a.min), math.Abs(a.max))
	a.min, a.max = -reach, reach
	return a
}

func roundLog(v float64, up bool) float64 {
	e := math.Floor(math.Log10(v))
	base := math.Pow(10, e)
	steps := []float64{1, 2, 5, 10}
	if up {
		for _, s := range steps {
			if s*base >= v*(1-1e-9) {
				return s * base
			}
		}
	}
	best := base
	for _, s := range steps {
		if s*base <= v*(1+1e-9) {
			best = s * base
		}
	}
	return best
}

// Beyond these magnitudes the arithmetic of axes would overflow.
const smallest, largest = 1e-250, 1e250

// shows tells whether the axis has a place for a value.
func (a *axis) shows(v float64) bool {
	return math.Abs(v) <= largest && (!a.log || v >= smallest)
}

// place maps the axis to 0 … 1.
func (a *axis) place(v float64) float64 {
	if !a.log {
		return (v - a.min) / (a.max - a.min)
	}
	if a.max == a.min {
		return 0.5
	}
	return math.Log(v/a.min) / math.Log(a.max/a.min)
}

// exponent is the power of ten that a linear axis takes out of its ticks, or 0.
func (a *axis) exponent() int {
	reach := max(math.Abs(a.min), math.Abs(a.max))
	if a.log || reach == 0 {
		return 0
	}
	e := int(math.Floor(math.Log10(reach)))
	if -3 < e && e < 5 {
		return 0
	}
	return e
}

// A tick is a labelled place of an axis. On a logarithmic axis the label may be
// a power of ten, which is drawn raised.
type tick struct {
	value float64
	label string
	power int
	isPow bool
}

// ticks gives about n ticks at round values, and at least three on a linear axis.
func (a *axis) ticks(n int) []tick {
	if a.log {
		return a.logTicks(n)
	}
	step := roundStep((a.max - a.min) / float64(n))
	for math.Floor(a.max/step+1e-9)-math.Ceil(a.min/step-1e-9) < 2 {
		step = roundStep(step / 2.5) // 5, 2, 1, 0.5 …
	}
	unit := math.Pow(10, float64(a.exponent()))
	decimals := max(0, -int(math.Floor(math.Log10(step/unit)+1e-9)))
	var ticks []tick
	for k := math.Ceil(a.min/step - 1e-9); k*step <= a.max+1e-9*step; k++ {
		v := k * step
		if math.Abs(v) < step/2 {
			v = 0
		}
		label := strconv.FormatFloat(v/unit, 'f', decimals, 64)
		ticks = append(ticks, tick{value: v, label: minus(label)})
	}
	return ticks
}

func roundStep(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, s := range []float64{1, 2, 5} {
		if v <= s*base*(1+1e-9) {
			return s * base
		}
	}
	return 10 * base
}

func (a *axis) logTicks(n int) []tick {
	low, high := int(math.Ceil(math.Log10(a.min)-1e-9)), int(math.Floor(math.Log10(a.max)+1e-9))
	every := max(1, (high-low+n)/max(n, 1))
	var ticks []tick
	for e := low; e <= high; e += every {
		ticks = append(ticks, tick{value: math.Pow(10, float64(e)), power: e, isPow: true})
	}
	// Few decades: 2 and 5 between the powers help.
	fine := ticks
	for e := low - 1; e <= high; e++ {
		for _, s := range []float64{2, 5} {
			v := s * math.Pow(10, float64(e))
			if v >= a.min*(1-1e-9) && v <= a.max*(1+1e-9) {
				fine = append(fine, tick{value: v, label: strconv.FormatFloat(s, 'g', -1, 64) + " × ", power: e, isPow: true})
			}
		}
	}
	if high-low >= 2 && len(fine) > n {
		return ticks
	}
	ticks = fine
	if a.min >= 1e-3 && a.max <= 1e4 {
		for i, t := range ticks {
			ticks[i].isPow, ticks[i].label = false, strconv.FormatFloat(t.value, 'g', 1, 64)
			if t.value >= 10 {
				ticks[i].label = strconv.FormatFloat(t.value, 'f', 0, 64)
			}
		}
	}
	return ticks
}

func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

func (a *axis) drawTick(c *draw.Canvas, at vg.Point, t tick, style text.Style) {
	if !t.isPow {
		c.FillText(style, at, t.label)
		return
	}
	if t.label == "" && (t.power == 0 || t.power == 1) {
		c.FillText(style, at, "10"[:t.power+1])
		return
	}
	w := powerWidth(t.label, t.power)
	at.Y -= 3.5
	if style.XAlign == draw.XCenter {
		at.X -= w / 2
		at.Y -= 6
	} else {
		at.X -= w
	}
	drawPower(c, at, t.label, t.power, true)
}

// drawPower writes "before 10^e" with a raised exponent from its lower left
// corner; small takes the font of ticks.
func drawPower(c *draw.Canvas, at vg.Point, before string, e int, small bool) {
	style := quietStyle
	if small {
		style = tickStyle
	}
	style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
	c.FillText(style, at, before+"10")
	at.X += style.Width(before + "10")
	at.Y += 0.38 * style.Font.Size
	style.Font.Size *= 0.75
	c.FillText(style, at, minus(strconv.Itoa(e)))
}

func powerWidth(before string, e int) vg.Length {
	raised := tickStyle
	raised.Font.Size *= 0.75
	return tickStyle.Width(before+"10") + raised.Width(minus(strconv.Itoa(e)))
}
