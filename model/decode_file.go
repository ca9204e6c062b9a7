package model

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"vlec/internal/npy"
	"vlec/model/source"
)

// An array is what a .npy file holds, as float64.
type array struct {
	shape []int
	data  []float64
}

// array reads the .npy file that a node names.
func (d *decoder) array(n *source.Node) (a array, path string, ok bool) {
	data, path, ok := d.file(n)
	if !ok {
		return a, path, false
	}
	file, err := npy.Read(bytes.NewReader(data))
	if err != nil {
		d.Fail(n, "write it with numpy.save", "cannot read %s: %v", path, err)
		return a, path, false
	}
	return array{file.Shape, file.Float64s()}, path, true
}

// fileSignal reads the columns of a .npy or .csv file as stimuli. Rows are
// samples, dt apart or at the times of a column.
func (d *decoder) fileSignal(t *source.Table) []Waveform {
	n := t.Need("path", "name a .npy or .csv file")
	column, columns, timeNode := t.Get("column"), t.Get("columns"), t.Get("time")
	dt := t.Float("dt", d.net.Dt, source.Positive)
	repeat := t.Bool("repeat", false)
	scale, offset := t.Float("scale", 1), t.Float("offset", 0)
	if n == nil {
		return nil
	}
	if column != nil && columns != nil {
		d.FailAt(column.KeyPos, "keep one of them", "column does not go with columns")
		return nil
	}
	if timeNode != nil && t.Field("dt") != nil {
		d.FailAt(timeNode.KeyPos, "keep one of them", "time does not go with dt")
		return nil
	}
	tab, ok := d.tableFile(n)
	if !ok {
		return nil
	}
	if tab.rows == 0 {
		d.Fail(n, "", "%v holds no samples", n.Value)
		return nil
	}
	times := make([]float64, tab.rows)
	timeColumn := -1
	for k := range times {
		times[k] = float64(k) * dt
	}
	if timeNode != nil {
		if timeColumn, ok = d.column(timeNode, tab); !ok {
			return nil
		}
		for k := range times {
			times[k] = tab.at(k, timeColumn)
			if k > 0 && times[k] <= times[k-1] {
				d.Fail(timeNode, "sort the file by time", "the times of %v do not rise at sample %d: %v after %v", n.Value, k+1, times[k], times[k-1])
				return nil
			}
		}
	}
	var chosen []int
	switch {
	case column != nil:
		c, ok := d.column(column, tab)
		if !ok {
			return nil
		}
		chosen = []int{c}
	case columns.IsArray():
		for _, e := range columns.Elems {
			c, ok := d.column(e, tab)
			if !ok {
				return nil
			}
			chosen = append(chosen, c)
		}
	case columns != nil:
		d.Fail(columns, "for one column write column", "columns is %s, but must be a list of columns", columns.Kind())
		return nil
	default:
		for c := range tab.cols {
			if c != timeColumn {
				chosen = append(chosen, c)
			}
		}
	}
	if len(chosen) == 0 {
		d.Fail(n, "", "%v has no column left to read", n.Value)
		return nil
	}
	total := tab.rows
	if repeat {
		if times, ok = repeated(times, d.net.Duration, dt, MaxSamples); !ok {
			t.Fail("repeat", "", "%v is too short to be repeated for a run of %v", n.Value, d.net.Duration)
			return nil
		}
		total = len(times)
	}
	if !d.reserve(n, total*len(chosen)) {
		return nil
	}
	list := make([]Waveform, len(chosen))
	for i, c := range chosen {
		w := &Sampled{Time: times, Value: make([]float64, total), Origin: fmt.Sprint(n.Value)}
		for k := range w.Value {
			w.Value[k] = offset + float64(scale*tab.at(k%tab.rows, c))
			if math.IsNaN(w.Value[k]) || math.IsInf(w.Value[k], 0) {
				d.Fail(n, "", "%v holds %v at sample %d, but all values must be finite", n.Value, w.Value[k], k+1)
				return nil
			}
		}
		list[i] = w
	}
	return list
}

// repeated extends times until they cover end. From the last sample of one
// round to the first of the next it takes as long as between the last two.
func repeated(times []float64, end, dt float64, limit int) ([]float64, bool) {
	n := len(times)
	last := dt
	if n > 1 {
		last = times[n-1] - times[n-2]
	}
	period := times[n-1] - times[0] + last
	if !(period > 0) || end/period*float64(n) > float64(limit) {
		return nil, false
	}
	out := times
	for round := 1; out[len(out)-1] < end; round++ {
		for _, t := range times[:n] {
			out = append(out, t+float64(round)*period)
		}
	}
	return out, true
}

// A numberTable is a file of samples: a row each.
type numberTable struct {
	names      []string // of columns, nil when the file has none
	rows, cols int
	data       []float64
}

func (t *numberTable) at(row, col int) float64 { return t.data[row*t.cols+col] }

// column finds a column by name or by number, counted from 0.
func (d *decoder) column(n *source.Node, tab *numberTable) (int, bool) {
	switch v := n.Value.(type) {
	case int64:
		if v < 0 || v >= int64(tab.cols) {
			d.Fail(n, "columns count from 0", "there is no column %d: the file has %s", v, count(tab.cols, "column"))
			return 0, false
		}
		return int(v), true
	case string:
		for i, name := range tab.names {
			if name == v {
				return i, true
			}
		}
		if tab.names == nil {
			d.Fail(n, "give its number, counted from 0", "there is no column %q: the file has no line of names", v)
		} else {
			d.Fail(n, source.Suggest(v, tab.names, "there are"), "there is no column %q", v)
		}
		return 0, false
	}
	d.Fail(n, "", "%s is %s, but must be the name or the number of a column", n.Label(), n.Kind())
	return 0, false
}

// tableFile reads a .npy file (samples, or samples x columns) or a .csv file.
func (d *decoder) tableFile(n *source.Node) (*numberTable, bool) {
	path, ok := d.Text(n)
	if !ok {
		return nil, false
	}
	if tab := d.tables[path]; tab != nil {
		return tab, true
	}
	tab, ok := d.readTable(n, path)
	if ok {
		if d.tables == nil {
			d.tables = map[string]*numberTable{}
		}
		d.tables[path] = tab
	}
	return tab, ok
}

func (d *decoder) readTable(n *source.Node, path string) (*numberTable, bool) {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		data, _, ok := d.file(n)
		if !ok {
			return nil, false
		}
		tab, err := parseCSV(string(data))
		if err != nil {
			d.Fail(n, "", "cannot read %s: %v", path, err)
			return nil, false
		}
		return tab, true
	}
	a, _, ok := d.array(n)
	if !ok {
		return nil, false
	}
	switch len(a.shape) {
	case 1:
		return &numberTable{rows: a.shape[0], cols: 1, data: a.data}, true
	case 2:
		return &numberTable{rows: a.shape[0], cols: a.shape[1], data: a.data}, true
	}
	d.Fail(n, "", "%s has shape %s, but must be samples or samples x columns", path, shapeText(a.shape))
	return nil, false
}

// parseCSV reads numbers separated by commas, a sample a line. A first line
// that is not numbers names the columns; lines from # on are comments.
func parseCSV(text string) (*numberTable, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	r.TrimLeadingSpace = true
	r.ReuseRecord = true
	t := &numberTable{}
	for {
		record, err := r.Read()
		if record == nil {
			if err != nil && err.Error() != "EOF" {
				return nil, err
			}
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if t.cols == 0 {
			t.cols = len(record)
			if _, err := strconv.ParseFloat(strings.TrimSpace(record[0]), 64); err != nil {
				for _, f := range record {
					t.names = append(t.names, strings.TrimSpace(f))
				}
				continue
			}
		}
		for _, f := range record {
			x, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", line, f)
			}
			t.data = append(t.data, x)
		}
		t.rows++
	}
}
