// Package gradient reports how good the local rule's gradient is: Check compares
// it with the exact one over a run of a model, Sweep over frequencies. Both give
// tables, documents for programs, and pictures.
//
// # For maintainers
//
// Nothing is computed here that has to be right: numbers come from
// sim/reference, curves go to internal/plot.
package gradient

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"

	"vlec/emit"
	"vlec/internal/plot"
	"vlec/internal/table"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// A Check is the comparison over one run.
type Check struct {
	net *model.Network
	*reference.GradientCheck
	errors []course
	time   []float64
}

// A course is the error of one neuron over time, as the network has it and as the
// adjoint does.
type course struct {
	name           string
	local, adjoint []float64
}

// What is kept of a run for its picture: samples, populations and neurons of each.
const maxSamples, maxPopulations, maxNeurons = 4000, 8, 64

// NewCheck runs the comparison. With a picture wanted, it keeps the errors of the
// first trial.
func NewCheck(ctx context.Context, net *model.Network, o reference.GradientOptions, picture bool) (*Check, error) {
	c := &Check{net: net}
	if picture {
		o.Visit = c.keep(o)
	}
	var err error
	if c.GradientCheck, err = reference.CheckGradient(ctx, net, o); err != nil {
		return nil, err
	}
	c.pick()
	return c, nil
}

// keep prepares room for errors, neuron by neuron, and returns what fills it.
func (c *Check) keep(o reference.GradientOptions) func(step, population int, e, adjoint []float64) {
	duration := o.Duration
	if duration == 0 {
		duration = c.net.Duration
	}
	to := o.To
	if to == 0 {
		to = duration
	}
	first := int(o.From/c.net.Dt + 0.5)
	stride := max(1, int((to-o.From)/c.net.Dt)/maxSamples)
	samples := max(0, int((to-o.From)/c.net.Dt+0.5)/stride)
	offset := make([]int, maxPopulations)
	for k, p := range c.drawn() {
		offset[k] = len(c.errors)
		for i := range min(p.Size, maxNeurons) {
			name := p.Name
			if p.Size > 1 {
				name = fmt.Sprintf("%s[%d]", p.Name, i)
			}
			c.errors = append(c.errors, course{name, make([]float64, samples), make([]float64, samples)})
		}
	}
	for s := range samples {
		c.time = append(c.time, o.From+float64(s*stride+1)*c.net.Dt)
	}
	return func(step, k int, e, adjoint []float64) {
		s := (step - first) / stride
		if k >= maxPopulations || step < first || (step-first)%stride != 0 || s >= samples {
			return
		}
		for i := range min(c.net.Populations[k].Size, maxNeurons) {
			c.errors[offset[k]+i].local[s] = e[i]
			c.errors[offset[k]+i].adjoint[s] = adjoint[i]
		}
	}
}

// drawn are the populations that the picture has room for.
func (c *Check) drawn() []*model.Population {
	return c.net.Populations[:min(maxPopulations, len(c.net.Populations))]
}

// pick leaves of each population the neuron that matters most: the one with the
// largest adjoint.
func (c *Check) pick() {
	if c.errors == nil {
		return
	}
	var picked []course
	at := 0
	for _, p := range c.drawn() {
		n := min(p.Size, maxNeurons)
		best := at
		for i := at; i < at+n; i++ {
			if rms(c.errors[i].adjoint) > rms(c.errors[best].adjoint) {
				best = i
			}
		}
		picked = append(picked, c.errors[best])
		at += n
	}
	c.errors = picked
}

func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(max(1, len(v))))
}

// All is the comparison of all weights together.
func (c *Check) All() reference.Comparison { return reference.Join("all", c.Projections...) }

// A row is one comparison for tables and programs.
type row struct {
	kind, of string
	plastic  bool
	reference.Comparison
}

func (c *Check) rows() []row {
	var rows []row
	for k, p := range c.net.Projections {
		rows = append(rows, row{"W", p.Name, p.Plastic, c.Projections[k]})
	}
	for k, p := range c.net.Populations {
		rows = append(rows, row{"bias", p.Name, p.PlasticBias, c.Biases[k]})
	}
	for k, p := range c.net.Populations {
		rows = append(rows, row{"tau_m", p.Name, p.PlasticTauM, c.TauMs[k]})
	}
	return rows
}

// Table is for people.
func (c *Check) Table() [][]string {
	rows := [][]string{{"parameter", "of", "values", "learns", "cosine", "norm ratio", "exact norm"}}
	for _, r := range c.rows() {
		learns := ""
		if r.plastic {
			learns = "yes"
		}
		rows = append(rows, []string{
			r.kind, r.of, strconv.Itoa(len(r.Exact)), learns, fixed(r.Cosine), number(r.NormRatio), number(norm(r.Exact)),
		})
	}
	all := c.All()
	return append(rows, []string{"W", "all together", strconv.Itoa(len(all.Exact)), "", fixed(all.Cosine), number(all.NormRatio), number(norm(all.Exact))})
}

func norm(v []float64) float64 { return rms(v) * math.Sqrt(float64(len(v))) }

func fixed(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', 6, 64)
}

func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

// Silent explains the rows without a cosine, if there are any.
func (c *Check) Silent() string {
	for _, r := range c.rows() {
		switch {
		case !math.IsNaN(r.Cosine):
		case norm(r.Exact) == 0:
			return "–: the parameter has no effect on the loss of this run"
		default:
			return "–: no error reaches the parameter; is beta 0, or is the feedback?"
		}
	}
	return ""
}

// JSON is for programs; numbers that are not finite are null.
func (c *Check) JSON(pass bool) any {
	type comparison struct {
		Projection string   `json:"projection,omitempty"`
		Population string   `json:"population,omitempty"`
		Plastic    *bool    `json:"plastic,omitempty"`
		Cosine     *float64 `json:"cosine"` // null where one of the two is zero
		NormRatio  *float64 `json:"norm_ratio"`
		LocalNorm  float64  `json:"local_norm"`
		ExactNorm  float64  `json:"exact_norm"`
	}
	doc := struct {
		Model         string       `json:"model"`
		Loss          float64      `json:"loss"`
		Steps         int          `json:"steps"`
		Trials        int          `json:"trials"`
		Projections   []comparison `json:"projections"`
		Biases        []comparison `json:"biases"`
		TimeConstants []comparison `json:"time_constants"`
		All           comparison   `json:"all_weights"`
		Pass          bool         `json:"pass"`
	}{Model: c.net.Name, Loss: c.Loss, Steps: c.Steps, Trials: c.Trials, Pass: pass}
	of := func(c reference.Comparison) comparison {
		return comparison{Cosine: sim.Finite(c.Cosine), NormRatio: sim.Finite(c.NormRatio), LocalNorm: norm(c.Local), ExactNorm: norm(c.Exact)}
	}
	for _, r := range c.rows() {
		q := of(r.Comparison)
		q.Plastic = &r.plastic
		switch r.kind {
		case "W":
			q.Projection = r.of
			doc.Projections = append(doc.Projections, q)
		case "bias":
			q.Population = r.of
			doc.Biases = append(doc.Biases, q)
		default:
			q.Population = r.of
			doc.TimeConstants = append(doc.TimeConstants, q)
		}
	}
	doc.All = of(c.All())
	return doc
}

// Figure draws, for the neuron of each population that matters most, its error
// over the adjoint's. Both are divided by their RMS: the factor between them
// stands beside, and what is seen is whether they point the same way at the same
// time.
func (c *Check) Figure() *plot.Figure {
	var panels []plot.Panel
	for _, e := range c.errors {
		local, adjoint := rms(e.local), rms(e.adjoint)
		p := plot.Panel{Heading: e.name, Label: "error / rms", Height: 110}
		if local == 0 || adjoint == 0 {
			p.Remark = "hears no error"
		} else {
			p.Remark = fmt.Sprintf("rms ratio %.3g, correlation %.4f", local/adjoint, correlation(e.local, e.adjoint))
			p.Curves = []plot.Curve{
				{Series: plot.Series{Name: "adjoint", X: c.time, Y: divided(e.adjoint, adjoint)}, Look: plot.Broad},
				{Series: plot.Series{Name: "local error e", X: c.time, Y: divided(e.local, local)}, Colour: 1},
			}
		}
		panels = append(panels, p)
	}
	subtitle := "the neuron with the largest adjoint of each population; weights at rest"
	if more := len(c.net.Populations) - len(c.errors); more > 0 {
		subtitle = fmt.Sprintf("the neuron with the largest adjoint of each of the first %d populations of %d; weights at rest", len(c.errors), len(c.net.Populations))
	}
	return plot.Stack(c.net.Name+": local error against the adjoint", subtitle, "time", false, panels)
}

func divided(v []float64, by float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i] / by
	}
	return out
}

func correlation(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum / (rms(a) * rms(b) * float64(len(a)))
}

// Write leaves gradcheck.csv and a picture in a folder.
func (c *Check) Write(dir string) error {
	var files emit.Artifacts
	files.Add("gradcheck.csv", text(table.CSV(c.Table())+"\n"))
	figure(&files, "errors", c.Figure())
	return files.Commit(dir)
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func figure(files *emit.Artifacts, name string, f *plot.Figure) {
	files.Add(name+".svg", f.SVG)
	files.Add(name+".png", f.PNG)
}
