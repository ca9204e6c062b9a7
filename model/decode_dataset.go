package model

import "vlec/model/source"

type dataset struct{}

func (d *decoder) readDatasets(n *source.Node) {
	if n != nil {
		d.Errors.Add(n.KeyPos, "use an input from a file", "datasets cannot be read yet")
	}
}

func (d *decoder) datasetInput(t *source.Table) []Waveform {
	d.Fail(t.Get("dataset"), "use an input from a file", "datasets cannot be read yet")
	return nil
}

func (d *decoder) datasetTarget(t *source.Table, _ int) []Waveform { return d.datasetInput(t) }
