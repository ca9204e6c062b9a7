package plot

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"vlec/sim"
)

func example() map[string]*Figure {
	var time, u, got, e, egot []float64
	for k := range 20000 {
		t := float64(k) * 0.005
		time = append(time, t)
		u = append(u, math.Sin(t)*math.Exp(-t/80))
		got = append(got, math.Sin(t)*math.Exp(-t/80)+3e-5*math.Sin(5*t))
		e = append(e, 2e-4*math.Cos(t)*math.Exp(-t/20))
		egot = append(egot, 2e-4*math.Cos(t)*math.Exp(-t/20)+1e-8*math.Sin(t))
	}
	loss := Series{Name: "learned B", X: time}
	other := Series{Name: "B = transposed W", X: time}
	for _, t := range time {
		loss.Y = append(loss.Y, math.Pow(math.Sin(t), 2)*math.Exp(-t/9))
		other.Y = append(other.Y, math.Pow(math.Cos(t), 2)*math.Exp(-t/18))
	}
	var h, trap, gear []float64
	for k := range 7 {
		h = append(h, math.Pow(2, -float64(k))/10)
		trap, gear = append(trap, h[k]*h[k]), append(gear, 4*h[k]*h[k]*(1+h[k]))
	}
	return map[string]*Figure{
		"waveforms": Waveforms("chain: continuous reference and netlist", "built-in engine, level ideal, 20 000 samples", "s", []Waveform{
			{Name: "hidden.u[0]", Unit: "V", Time: time, Reference: u, Simulated: got, Remark: "nrmse 3.1e-05"},
			{Name: "hidden.e[0]", Unit: "V", Time: time, Reference: e, Simulated: egot, Remark: "nrmse 6.4e-05"},
			{Name: "rest.r[1]", Time: []float64{0, 100}, Reference: []float64{0.5, 0.5}, Simulated: []float64{0.5, 0.5}},
		}),
		"loss": Loss("chain: loss", "eta 0.2", "", 1256, []Series{loss, other}),
		"stack": Stack("response of a chain", "marks over bands", "angular frequency", true, []Panel{
			{Heading: "gain", Label: "ratio", Log: true, Remark: "one percent", Curves: []Curve{
				{Series: Series{X: h, Y: trap}, Look: Broad}, {Series: Series{Name: "measured", X: h, Y: trap}, Look: Marks},
			}},
			{Heading: "phase", Label: "rad", Reach: 0.5, Curves: []Curve{
				{Series: Series{Name: "smooth", X: h, Y: gear}, Colour: 1},
				{Series: Series{Name: "measured", X: h, Y: trap}, Look: Marks},
				{Series: Series{Name: "guide", X: h, Y: h}, Colour: 2, Look: Dashed},
				{Series: Series{Name: "joined", X: h, Y: h}, Colour: 3, Look: MarkedLine},
			}},
		}),
		"courses": Stack("chain: weights", "synchronous semantics", "time", false, []Panel{
			{Heading: "in_hidden.W", Remark: "the first 2 of 9", Label: "W", Curves: []Curve{
				{Series: Series{Name: "learned", X: time, Y: loss.Y}, Key: "[0][0]"},
				{Series: Series{Name: "teacher", X: []float64{0, 100}, Y: []float64{0.5, 0.5}}, Look: Dashed},
				{Series: Series{Name: "learned", X: time, Y: other.Y}, Key: "[0][1]", Colour: 1},
			}},
			{Heading: "distance from the teacher", Label: "distance", Curves: []Curve{{Series: Series{X: time, Y: loss.Y}}}},
		}),
		"convergence": Convergence("Convergence with the step", "nrmse of u against a tight solution", "step (time constants)", "nrmse", 2,
			[]Series{{Name: "trapezoidal", X: h, Y: trap}, {Name: "Gear 2", X: h, Y: gear}}),
	}
}

func render(t testing.TB, f *Figure) (svg, picture []byte) {
	t.Helper()
	var a, b bytes.Buffer
	if err := f.SVG(&a); err != nil {
		t.Fatal(err)
	}
	if err := f.PNG(&b); err != nil {
		t.Fatal(err)
	}
	return a.Bytes(), b.Bytes()
}

// TestFigures draws each kind of figure twice: the bytes are the same, the SVG
// is XML with the words it must show, and the PNG is not blank. VLEC_FIGURES
// names a folder for whoever wants to look at them.
func TestFigures(t *testing.T) {
	words := map[string][]string{
		"waveforms":   {"chain: continuous reference and netlist", "built-in engine, level ideal, 20 000 samples", "reference", "simulated", "difference", "hidden.u[0]", "nrmse 3.1e-05", "u (V)", "Δ (V)", "time (s)"},
		"courses":     {"chain: weights", "in_hidden.W", "the first 2 of 9", "W", "learned", "teacher", "[0][0]", "[0][1]", "distance from the teacher", "distance", "time"},
		"loss":        {"learned B", "B = transposed W", "moving average over 1256 samples", "loss", "−5"},
		"stack":       {"marks over bands", "one percent", "measured", "smooth", "guide", "joined", "gain", "rad", "−0.4", "0.02", "angular frequency"},
		"convergence": {"trapezoidal", "Gear 2", "order 2", "step (time constants)", "nrmse"},
	}
	again := example()
	for name, f := range example() {
		svg, picture := render(t, f)
		svg2, picture2 := render(t, again[name])
		if !bytes.Equal(svg, svg2) || !bytes.Equal(picture, picture2) {
			t.Errorf("%s: two drawings differ", name)
		}
		text := xmlText(t, svg)
		for _, word := range words[name] {
			if !strings.Contains(text, word+"\n") {
				t.Errorf("%s: %q is not in the figure", name, word)
			}
		}
		if len(svg) > 300_000 {
			t.Errorf("%s: %d bytes of SVG", name, len(svg))
		}
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		if n := dark(img); n < 2000 {
			t.Errorf("%s: %d dark pixels", name, n)
		}
		if dir := os.Getenv("VLEC_FIGURES"); dir != "" {
			os.WriteFile(filepath.Join(dir, name+".svg"), svg, 0o666)
			os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o666)
		}
	}
}

// TestCompared draws the worst neuron of each kind of a comparison.
func TestCompared(t *testing.T) {
	signal := func(name string, late float64, times ...float64) *sim.Signal {
		s := &sim.Signal{Name: name, Shape: []int{2}, Time: times}
		for _, at := range times {
			s.Append([]float64{math.Sin(at), math.Cos(at - late)})
		}
		return s
	}
	time := []float64{0, 1, 2, 3, 4, 5}
	ref := &sim.Trace{Signals: []*sim.Signal{signal("a.u", 0, time...), signal("b.u", 0, time...), signal("a.r", 0, time...), signal("a.e", 0, time...)}}
	got := &sim.Trace{Signals: []*sim.Signal{signal("a.u", 0.001, time...), signal("b.u", 0.5, time...), signal("a.r", 0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5)}}
	svg, _ := render(t, Compared("x", "", "", ref, got, sim.Compare(ref, got, sim.Options{Tolerance: 0.2})))
	text := xmlText(t, svg)
	for word, want := range map[string]bool{"b.u[1]\n": true, "a.r[": true, "a.u[": false, "a.e[": false, ", fails\n": true} {
		if strings.Contains(text, word) != want {
			t.Errorf("%q in the figure: %v, want %v", word, !want, want)
		}
	}
}

// xmlText gives the words of an SVG, one text element a line.
func xmlText(t *testing.T, svg []byte) string {
	t.Helper()
	var b strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if word, ok := token.(xml.CharData); ok {
			b.WriteString(strings.TrimSpace(string(word)) + "\n")
		}
	}
}

func dark(img image.Image) (n int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b < 3*0x8000 {
				n++
			}
		}
	}
	return n
}

// TestOdd draws what is empty, constant, not finite or of different lengths:
// a picture of a failed run must not fail itself.
func TestOdd(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, y := range [][]float64{
		nil,
		{1},
		{0, 0, 0},
		{5, 5, 5},
		{nan, nan, nan},
		{1, nan, 3},
		{1, inf, -inf},
		{-1, -2, -3},
		{1e-310, 2e-310, 0},
		{1e300, -1e300, 1},
		{1, 1 + 1e-15, 1},
		{1e-9, 2e-9, 3e-9},
		{math.MaxFloat64, -math.MaxFloat64, 0},
	} {
		x := []float64{0, 1, 2}
		render(t, Waveforms("<&>", "", "", []Waveform{{Name: "odd", Time: x, Reference: y, Simulated: y}, {}}))
		render(t, Loss("", "", "", 2, []Series{{Name: "odd", X: x, Y: y}, {}}))
		render(t, Convergence("", "", "", "", 2, []Series{{Name: "odd", X: []float64{1, 2, 3}, Y: y}, {}}))
		render(t, Stack("", "", "", false, []Panel{{Curves: []Curve{{Series: Series{Name: "odd", X: x, Y: y}, Key: strings.Repeat("wide ", 50)}, {}}}, {}}))
	}
	render(t, Waveforms("", "", "", nil))
	var many []Series
	for i := range 30 { // more than the palette, more than a row of the legend
		many = append(many, Series{Name: "a rather long name", X: []float64{1, 10}, Y: []float64{1, float64(2 + i)}})
	}
	svg, _ := render(t, Convergence(strings.Repeat("many ", 99), "", "x", "y", 0, many))
	if !strings.Contains(xmlText(t, svg), "…\n") {
		t.Error("a title of 500 characters is not cut")
	}
}

func TestThin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40000).Draw(t, "samples")
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 1))
		x, y := make([]float64, n), make([]float64, n)
		for k := range x {
			x[k], y[k] = float64(k), random.NormFloat64()
		}
		for range rapid.IntRange(0, 3).Draw(t, "gaps") {
			y[random.IntN(n)] = math.NaN()
		}
		tx, ty := thin(x, y)
		if len(tx) != len(ty) || len(tx) > 4*(slots+8) && len(tx) != n {
			t.Fatalf("%d of %d points", len(tx), n)
		}
		if !slices.IsSorted(tx) || tx[0] != x[0] || tx[len(tx)-1] != x[n-1] {
			t.Fatal("order or ends are lost")
		}
		extremes := func(v []float64) (low, high float64, gaps int) {
			low, high = math.Inf(1), math.Inf(-1)
			for _, v := range v {
				if v != v {
					gaps++
					continue
				}
				low, high = min(low, v), max(high, v)
			}
			return low, high, gaps
		}
		low, high, gaps := extremes(y)
		tlow, thigh, tgaps := extremes(ty)
		if low != tlow || high != thigh || gaps != tgaps {
			t.Fatalf("extremes %g, %g became %g, %g; %d gaps became %d", low, high, tlow, thigh, gaps, tgaps)
		}
		for k := range tx {
			if v := y[int(tx[k])]; v != ty[k] && v == v {
				t.Fatal("a point moved")
			}
		}
	})
}

// TestStraighten wants every point that is left out within the tolerance of the
// line that replaces it, and few points for what is smooth.
func TestStraighten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var piece []vg.Point
		for k := range rapid.IntRange(0, 500).Draw(t, "points") {
			piece = append(piece, vg.Point{X: vg.Length(k) / 10, Y: vg.Length(random.NormFloat64()) / 20})
		}
		kept := straighten(slices.Clone(piece))
		if len(piece) > 0 && (kept[0] != piece[0] || kept[len(kept)-1] != piece[len(piece)-1]) {
			t.Fatal("an end is lost")
		}
		k := 0
		for _, p := range piece {
			for k+1 < len(kept) && kept[k+1].X <= p.X {
				k++
			}
			if kept[k] == p {
				continue
			}
			a, b := kept[k], kept[k+1]
			at := a.Y + (b.Y-a.Y)*(p.X-a.X)/(b.X-a.X)
			if math.Abs(float64(at-p.Y)) > 2*tolerance {
				t.Fatalf("%v is off by %v", p, at-p.Y)
			}
		}
	})
	var sine []vg.Point
	for k := range 5000 {
		x := float64(k) / 10
		sine = append(sine, vg.Point{X: vg.Length(x), Y: vg.Length(20 * math.Sin(x/10))})
	}
	if n := len(straighten(sine)); n < 50 || n > 400 {
		t.Errorf("%d points for eight periods of a sine", n)
	}
}

func TestTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		magnitude := math.Pow(10, rapid.Float64Range(-12, 12).Draw(t, "magnitude"))
		at := rapid.Float64Range(-1, 1).Draw(t, "from") * magnitude
		span := rapid.Float64Range(1e-3, 2).Draw(t, "span") * magnitude
		n := rapid.IntRange(2, 9).Draw(t, "n")
		a := newAxis("", false, true, []float64{at, at + span})
		ticks := a.ticks(n)
		if len(ticks) < 3 || len(ticks) > max(8, 2*n+2) {
			t.Fatalf("%d ticks for %d from %g to %g", len(ticks), n, a.min, a.max)
		}
		labels := map[string]bool{}
		for _, tick := range ticks {
			if p := a.place(tick.value); p < -1e-6 || p > 1+1e-6 || labels[tick.label] || len([]rune(tick.label)) > 9 {
				t.Fatalf("tick %q at %g among %v", tick.label, p, ticks)
			}
			labels[tick.label] = true
		}

		log := newAxis("", true, false, []float64{magnitude, magnitude * math.Pow(10, rapid.Float64Range(0, 15).Draw(t, "decades"))})
		ticks = log.ticks(n)
		if len(ticks) < 1 || len(ticks) > max(9, n+2) {
			t.Fatalf("%d ticks for %d from %g to %g", len(ticks), n, log.min, log.max)
		}
		for _, tick := range ticks {
			if p := log.place(tick.value); p < -1e-6 || p > 1+1e-6 {
				t.Fatalf("tick at %g: %v", p, ticks)
			}
		}
	})
}

func TestMovingAverage(t *testing.T) {
	want := []float64{4, 3, 2, 1, 4}
	if diff := cmp.Diff(want, movingAverage([]float64{4, 2, 2, 0, 8}, 2)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkWaveforms(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := example()["waveforms"].PNG(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
