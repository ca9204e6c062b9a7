package plot

import (
	"image/color"
	"math"

	"golang.org/x/image/font"

	vgfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The palette of M. Okabe and K. Ito, Color Universal Design (2008), in an order
// that keeps neighbours apart.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky
	{0x00, 0x00, 0x00, 0xff}, // black
}

var (
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff}
	quiet = color.RGBA{0x60, 0x60, 0x60, 0xff}

	gridStyle  = draw.LineStyle{Color: color.RGBA{0xe6, 0xe6, 0xe6, 0xff}, Width: 0.6}
	zeroStyle  = draw.LineStyle{Color: color.RGBA{0xb8, 0xb8, 0xb8, 0xff}, Width: 0.6}
	markStyle  = draw.LineStyle{Color: ink, Width: 0.8}
	frameStyle = draw.LineStyle{Color: color.RGBA{0x80, 0x80, 0x80, 0xff}, Width: 0.8}

	referenceStyle  = draw.LineStyle{Color: color.RGBA{0x9c, 0xcb, 0xe8, 0xff}, Width: 4}
	simulatedStyle  = draw.LineStyle{Color: palette[1], Width: 1.2}
	differenceStyle = draw.LineStyle{Color: ink, Width: 0.9}
)

var fonts = vgfont.NewCache(liberation.Collection())

const turned = math.Pi / 2

var (
	titleStyle = style(12.5, ink, font.WeightBold)
	headStyle  = style(10, ink, font.WeightBold)
	textStyle  = style(10, ink, font.WeightNormal)
	quietStyle = style(9.5, quiet, font.WeightNormal)
	tickStyle  = style(9, ink, font.WeightNormal)
	tickStyleX = aligned(tickStyle, draw.XCenter, draw.YTop)
	tickStyleY = aligned(tickStyle, draw.XRight, draw.YCenter)
)

func style(size vg.Length, c color.Color, weight font.Weight) text.Style {
	return text.Style{
		Color:   c,
		Font:    vgfont.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight, Size: size},
		Handler: text.Plain{Fonts: fonts},
	}
}

func aligned(s text.Style, x text.XAlignment, y text.YAlignment) text.Style {
	s.XAlign, s.YAlign = x, y
	return s
}

// series is the style of curve i among equals.
func series(i int) draw.LineStyle {
	s := draw.LineStyle{Color: palette[i%len(palette)], Width: 1.5}
	if round := i / len(palette); round > 0 {
		s.Dashes = []vg.Length{vg.Length(6 / round), 2}
	}
	return s
}

// faint is a style's pale companion, for what is behind it.
func faint(s draw.LineStyle) draw.LineStyle {
	r, g, b, _ := s.Color.RGBA()
	pale := func(v uint32) uint8 { return uint8(255 - (255-v>>8)/3) }
	s.Color, s.Width = color.RGBA{pale(r), pale(g), pale(b), 0xff}, 0.7
	return s
}

func mark(s draw.LineStyle) draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.Color, Radius: 2.4, Shape: draw.CircleGlyph{}}
}
