package training

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"vlec/emit"
	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// write writes what a run leaves behind, all or nothing, and lists it.
func (f *folder) write(net *model.Network, result *reference.Result) ([]string, error) {
	var files emit.Artifacts
	if f.spool != nil {
		files.Add("trace.npz", f.spool.Write)
	}
	if m := result.Metrics; m != nil {
		files.Add("metrics.csv", m.CSV)
		files.Add("metrics.json", func(w io.Writer) error { return f.metrics(w, net, result) })
	}
	files.Add("weights.npz", func(w io.Writer) error { return result.Weights.Write(w, net) })
	figures, err := f.figures(net, result)
	if err != nil {
		return nil, err
	}
	for _, g := range figures {
		for _, format := range f.options.Figures {
			switch format {
			case "svg":
				files.Add(g.name+".svg", g.figure.SVG)
			case "png":
				files.Add(g.name+".png", g.figure.PNG)
			default:
				return nil, fmt.Errorf("no figure is made as %q; choose svg or png", format)
			}
		}
	}
	list := append(files.Paths(), CheckpointFile)
	for _, name := range []string{"traces.png", "traces.svg", "trace.npz"} {
		if _, err := os.Stat(f.path(name)); err == nil && f.whole {
			list = slices.Insert(list, 0, name) // from before
		}
	}
	return list, files.Commit(f.dir)
}

// metrics writes the rows with a summary as JSON.
func (f *folder) metrics(w io.Writer, net *model.Network, result *reference.Result) error {
	type column struct {
		Name    string    `json:"name"`
		Teacher *float64  `json:"teacher"` // null where there is none
		Values  []float64 `json:"values"`
	}
	m := result.Metrics
	gauges := []column{}
	for _, g := range m.Gauges {
		c := column{Name: g.Name, Values: g.Values}
		if !math.IsNaN(g.Teacher) {
			c.Teacher = &g.Teacher
		}
		gauges = append(gauges, c)
	}
	enc := json.NewEncoder(w)
	return enc.Encode(struct {
		Model       string              `json:"model"`
		Hash        string              `json:"hash"`
		Semantics   reference.Semantics `json:"semantics"`
		Learning    bool                `json:"learning"`
		Steps       int                 `json:"steps"`
		Time        float64             `json:"time"`
		Stopped     string              `json:"stopped,omitempty"`
		LossFirst   float64             `json:"loss_first"`
		LossLast    float64             `json:"loss_last"`
		T           []float64           `json:"t"`
		Loss        []float64           `json:"loss"`
		LossAverage []float64           `json:"loss_average"`
		Gauges      []column            `json:"gauges"`
	}{
		net.Name, net.Hash, f.options.Run.Semantics, f.options.Run.Learning, result.Steps, result.Time, result.Stopped,
		result.LossFirst, result.LossLast, m.Time, m.Loss, m.Average, gauges,
	})
}

type figure struct {
	name   string
	figure *plot.Figure
}

const timeLabel = "time (time units)"

// tailSamples is how much of a trace its figure shows.
const tailSamples = 4000

// figures draws the loss, the weights and the end of the traces.
func (f *folder) figures(net *model.Network, result *reference.Result) ([]figure, error) {
	if len(f.options.Figures) == 0 {
		return nil, nil
	}
	var list []figure
	run := &f.options.Run
	if m := result.Metrics; m != nil && len(m.Time) > 0 && len(net.Targets) > 0 {
		window := max(1, int(math.Round(run.Metrics.Window/run.Metrics.Every)))
		about := fmt.Sprintf("%s semantics, %d steps", run.Semantics, result.Steps)
		if result.Stopped != "" {
			about += fmt.Sprintf(", stopped at t = %.6g: %s", result.Time, result.Stopped)
		}
		loss := plot.Loss(net.Name+": loss", about, "time units", window, []plot.Series{{Name: "loss", X: m.Time, Y: m.Loss}})
		if window > 1 {
			loss.Remark(fmt.Sprintf("moving average over %.4g time units", run.Metrics.Window))
		}
		list = append(list, figure{"loss", loss})
		if panels := weightPanels(m); len(panels) > 0 {
			list = append(list, figure{"weights", plot.Stack(net.Name+": weights", about, timeLabel, false, panels)})
		}
	}
	if f.spool == nil {
		return list, nil
	}
	panels, from, err := f.tracePanels()
	if err != nil || len(panels) == 0 {
		return list, err
	}
	about := "the whole run"
	if from > 0 {
		about = fmt.Sprintf("the last %.6g of %.6g time units", result.Time-from, result.Time)
	}
	return append(list, figure{"traces", plot.Stack(net.Name+": traces", about, timeLabel, false, panels)}), nil
}

// Figures show this many panels and curves at most.
const (
	maxPanels = 8
	maxCurves = 7
)

// weightPanels makes a panel of every set of gauges: the weights of a projection,
// its backward weights, the distances of all, …
func weightPanels(m *reference.Metrics) []plot.Panel {
	var panels []plot.Panel
	used := map[string]int{} // gauges, by panel
	gauges := slices.Clone(m.Gauges)
	slices.SortStableFunc(gauges, func(a, b reference.Gauge) int { return cmp.Compare(rank(a), rank(b)) })
	for _, g := range gauges {
		name, label, note := g.Set()
		i := slices.IndexFunc(panels, func(p plot.Panel) bool { return p.Heading == name })
		if i < 0 {
			if len(panels) == maxPanels {
				continue
			}
			i = len(panels)
			panels = append(panels, plot.Panel{Heading: name, Label: label, Remark: note, Log: label == "distance"})
		}
		colour := used[name]
		if used[name]++; colour >= maxCurves {
			panels[i].Remark = firstOf(used[name])
			continue
		}
		key := strings.TrimPrefix(g.Name, name) // "[0][1]"
		if rank(g) > 0 {
			key, _, _ = strings.Cut(g.Name, ".") // whose it is
		}
		learned := plot.Curve{Series: plot.Series{X: m.Time, Y: g.Values}, Key: key, Colour: colour}
		if math.IsNaN(g.Teacher) {
			panels[i].Curves = append(panels[i].Curves, learned)
			continue
		}
		learned.Name = "learned"
		span := []float64{m.Time[0], m.Time[len(m.Time)-1]}
		teacher := plot.Curve{
			Series: plot.Series{Name: "teacher", X: span, Y: []float64{g.Teacher, g.Teacher}}, Colour: colour, Look: plot.Dashed,
		}
		panels[i].Curves = append(panels[i].Curves, learned, teacher)
	}
	return shaped(panels)
}

// shaped chooses the heights of panels, and keeps keys where there is something
// to be told apart.
func shaped(panels []plot.Panel) []plot.Panel {
	for i := range panels {
		p := &panels[i]
		switch {
		case len(panels) == 1:
			p.Height = 230
		case len(panels) > 4:
			p.Height = 72
		default:
			p.Height = 92
		}
		keys := 0
		for _, c := range p.Curves {
			if c.Key != "" {
				keys++
			}
		}
		for j := range p.Curves {
			if keys == 1 {
				p.Curves[j].Key = ""
			}
		}
	}
	return panels
}

func firstOf(n int) string { return fmt.Sprintf("the first %d of %d", maxCurves, n) }

// rank puts single values before what sums up many.
func rank(g reference.Gauge) int {
	if strings.HasSuffix(g.Name, "]") {
		return 0
	}
	return 1
}

// tracePanels makes a panel of every signal, and tells when the traces start.
func (f *folder) tracePanels() (panels []plot.Panel, from float64, err error) {
	var names []string
	for _, s := range f.spool.Signals() {
		if len(names) < maxPanels && s.Width() > 0 {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil, 0, nil
	}
	show := tailSamples
	if f.spool.Len() <= 2*tailSamples {
		show = f.spool.Len()
	}
	trace, err := f.spool.Tail(show, names...)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range trace.Signals {
		width := s.Width()
		p := plot.Panel{Heading: s.Name, Label: sim.KindOf(s.Name)}
		if width > maxCurves {
			p.Remark = firstOf(width)
		}
		for j := range min(width, maxCurves) {
			y := make([]float64, len(s.Time))
			for k := range y {
				y[k] = s.At(k)[j]
			}
			p.Curves = append(p.Curves, plot.Curve{Series: plot.Series{X: s.Time, Y: y}, Key: fmt.Sprintf("[%d]", j), Colour: j})
		}
		panels = append(panels, p)
		from = s.Time[0]
	}
	return shaped(panels), from, nil
}
