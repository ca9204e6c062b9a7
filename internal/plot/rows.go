package plot

// A Row is a line of Rows: a value of each group.
type Row struct {
	Name   string
	Values []float64
}

// Rows draws a line for each row with a mark for the value of each group, on a
// logarithmic axis. A vertical line marks a value to compare with.
func Rows(title, subtitle, xLabel string, groups []string, at float64, rows []Row) *Figure {
	f := &Figure{title: title, subtitle: subtitle}
	for i, name := range groups {
		f.legend = append(f.legend, curve{name: name, style: series(i), points: true})
	}
	all := [][]float64{{at}}
	for _, r := range rows {
		all = append(all, r.Values)
	}
	f.x = newAxis(xLabel, true, false, all...)
	for i, r := range rows {
		p := panel{heading: r.Name, height: 13, bare: true, close: i > 0, y: axis{min: 0, max: 1}}
		p.curves = append(p.curves, markAt(at))
		for k, v := range r.Values {
			p.curves = append(p.curves, curve{style: series(k), points: true, x: []float64{v}, y: []float64{0.5}})
		}
		f.panels = append(f.panels, p)
	}
	return f
}
