package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vlec/internal/plot"
)

// draw writes a figure to the folder VLEC_FIGURES, if there is one. The pictures
// of the READMEs were made so; network and gain-alignment with VLEC_LONG=1.
func draw(t *testing.T, name string, f *plot.Figure) {
	t.Helper()
	dir := os.Getenv("VLEC_FIGURES")
	if dir == "" {
		return
	}
	file, err := os.Create(filepath.Join(dir, name+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := f.SVG(file); err != nil {
		t.Fatal(err)
	}
}

// curve is the moving average of a training's loss as a share of the untrained.
func (r *training) curve(name string, colour int) plot.Curve {
	mean := r.average()
	c := plot.Curve{Series: plot.Series{Name: name}, Colour: colour}
	for k := 0; k < len(mean); k += max(1, len(mean)/600) {
		c.X = append(c.X, r.window+float64(k)*r.net.Dt)
		c.Y = append(c.Y, mean[k]/r.untrained)
	}
	return c
}

func losses(title, subtitle string, curves []plot.Curve) *plot.Figure {
	return plot.Stack(title, subtitle, "time", false, []plot.Panel{
		{Label: "loss / untrained", Log: true, Height: 230, Curves: curves},
	})
}

func TestFigures(t *testing.T) {
	if os.Getenv("VLEC_FIGURES") == "" {
		t.Skip("VLEC_FIGURES=DIR draws the pictures of the READMEs")
	}
	var chain []plot.Curve
	for k, c := range [][2]string{{"learned", "B learns, from −0.5"}, {"transpose", "B = W^T"}, {"fixed", "B = −0.5"}} {
		chain = append(chain, train(t, load(t, "chain/"+c[0]+".toml", 0), 20).curve(c[1], k))
	}
	draw(t, "chain", losses("Chain", "loss, moving average over five periods", chain))

	var xor []plot.Curve
	for k, c := range [][2]string{{"model", "B learns"}, {"transpose", "B = W^T"}} {
		for seed := range uint64(5) {
			xor = append(xor, train(t, load(t, "temporal-xor/"+c[0]+".toml", seed+1), 20).curve(c[1], k))
		}
	}
	draw(t, "temporal-xor", losses("Temporal XOR", "loss of five seeds, moving average over five periods of a; eta 0.2 for both", xor))

	line := train(t, load(t, "lagline/model.toml", 0), 20)
	draw(t, "lagline", losses("Lag line", fmt.Sprintf("two weights and two time constants; at the end tau_m = %.3f, %.3f",
		line.run.Population(0).TauM[0], line.run.Population(1).TauM[0]), []plot.Curve{line.curve("loss", 0)}))
	net := train(t, load(t, "lagnet/model.toml", 0), 100)
	draw(t, "lagnet", losses("Lag network", "gradient descent with momentum, moving average over 100 time units", []plot.Curve{net.curve("loss", 0)}))
}
