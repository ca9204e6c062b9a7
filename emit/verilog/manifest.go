package verilog

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math"

	"vlec/emit"
	"vlec/emit/verilog/format"
	"vlec/emit/verilog/tree"
)

// ManifestFile is the name of the manifest, beside the folder of the RTL.
const ManifestFile = "manifest.json"

// A Manifest says in JSON what a host needs to know of a core, and what was
// written where.
type Manifest struct {
	Generator string            `json:"generator"`
	Model     string            `json:"model"`
	Hash      string            `json:"model_sha256"`
	Top       string            `json:"top"`
	Device    string            `json:"device,omitempty"`
	Learning  bool              `json:"learning"`
	Dt        float64           `json:"dt"` // of a step [time unit]
	Schedule  manifestSchedule  `json:"schedule"`
	Formats   []manifestFormat  `json:"formats"`
	StreamIn  manifestStream    `json:"stream_in"`
	StreamOut manifestStream    `json:"stream_out"`
	Weights   manifestWeights   `json:"weights"`
	Memories  []manifestMemory  `json:"memories"`
	Files     map[string]string `json:"sha256"` // by file
	Bench     manifestBench     `json:"testbench"`
}

type manifestFormat struct {
	Signal   string   `json:"signal"`
	Bits     int      `json:"bits"`
	Frac     int      `json:"frac"`
	Bound    *float64 `json:"bound"`    // proved; null: none
	Observed float64  `json:"observed"` // 0: not observed
	Note     string   `json:"note,omitempty"`
}

type manifestSchedule struct {
	Lanes       int     `json:"lanes"`
	Synapses    int     `json:"synapses"`
	Period      int     `json:"cycles_per_step"`
	Latency     int     `json:"latency_cycles"` // from the last word of a sample to the first of its answer
	Efficiency  float64 `json:"efficiency"`     // share of the synaptic multipliers' cycles that work on a synapse
	Multipliers int     `json:"multipliers"`
}

type manifestStream struct {
	Width   int      `json:"width"` // of tdata
	Format  format.Q `json:"format"`
	Vectors []Vector `json:"vectors"` // in the order of the words
}

// manifestWeights tells where a stored weight is: row i and column j of an entry
// are in lane i mod lanes, at word + (i / lanes) row_words + j, and the address of
// the register port is that word times lane_addresses plus the lane.
type manifestWeights struct {
	Format        format.Q        `json:"format"`
	Offset        int64           `json:"offset"` // a word is the weight plus this
	LaneAddresses int             `json:"lane_addresses"`
	Entries       []manifestEntry `json:"entries"`
	Back          *manifestBack   `json:"back,omitempty"`
}

// manifestBack tells the same of weights of the way back where some learn: each
// is beside the one of its entry, at addresses that many higher.
type manifestBack struct {
	Rule    format.FeedbackKind `json:"rule"`
	Format  format.Q            `json:"format"`
	Offset  int64               `json:"offset"`
	Address int                 `json:"address"`
}

type manifestEntry struct {
	Name     string `json:"name"` // of a projection, or of the population whose bias it is
	Bias     bool   `json:"bias,omitempty"`
	Plastic  bool   `json:"plastic"`
	Feedback string `json:"feedback,omitempty"`
	Rows     int    `json:"rows"`
	Columns  int    `json:"columns"`
	Word     int    `json:"word"`
	RowWords int    `json:"row_words"`
}

type manifestMemory struct {
	Module string `json:"module"`
	Words  int    `json:"words"`
	Bits   int    `json:"bits"`
	Copies int    `json:"copies"`
}

type manifestBench struct {
	Top     string `json:"top"`
	Steps   int    `json:"steps"`
	Vectors int    `json:"vectors"`
}

// Manifest describes the core.
func (c *Core) Manifest() *Manifest {
	p, s := c.Plan, c.Schedule
	d := newDesign(p, s, c.Top)
	m := &Manifest{
		Generator: c.o.Generator, Model: p.Name, Hash: c.o.Hash, Top: c.Top, Device: p.Device, Learning: p.Learning, Dt: p.Dt,
		Schedule: manifestSchedule{
			Lanes: s.Lanes, Synapses: s.Synapses, Period: s.Period, Latency: s.answerLatency(), Efficiency: s.Efficiency(),
		},
		StreamIn:  manifestStream{d.stream.Width, p.Rate, s.StreamIn()},
		StreamOut: manifestStream{d.stream.Width, p.Rate, s.StreamOut()},
		Weights:   manifestWeights{Format: p.Weight, Offset: p.Half(), LaneAddresses: 1},
		Files:     map[string]string{},
	}
	for _, r := range p.Rows {
		f := manifestFormat{Signal: r.Signal, Bits: r.Format.Bits, Frac: r.Format.Frac, Observed: r.Observed, Note: r.Note}
		if !math.IsInf(r.Bound, 0) {
			f.Bound = &r.Bound
		}
		m.Formats = append(m.Formats, f)
	}
	if s.Lanes > 1 {
		m.Weights.LaneAddresses = 1 << addressBits(s.Lanes)
	}
	if s.t.rule {
		m.Weights.Back = &manifestBack{p.Rule.Kind, p.Rule.Weight, p.Rule.Half(p.Operand), m.Weights.LaneAddresses << d.word.Width}
	}
	for i := range s.Sweeps {
		w := &s.Sweeps[i]
		at := w.Word
		for _, g := range w.Segments {
			e := manifestEntry{Name: p.Populations[w.Population].Name, Bias: true, Plastic: g.Plastic, Rows: p.Populations[w.Population].Size, Columns: g.Size, Word: at, RowWords: w.Row}
			if g.Projection >= 0 {
				e.Name, e.Bias = p.Projections[g.Projection].Name, false
				if g.Learned {
					e.Feedback = string(p.Projections[g.Projection].Feedback)
				}
			}
			m.Weights.Entries = append(m.Weights.Entries, e)
			at += g.Size
		}
	}
	copies := c.copies()
	for _, mod := range c.Modules {
		for _, it := range mod.Items {
			if mem, ok := it.(*tree.Memory); ok {
				m.Memories = append(m.Memories, manifestMemory{mod.Name, mem.Depth, mem.T.Width, copies[mod]})
			}
		}
		if mod.Attrs == "keep_hierarchy" {
			m.Schedule.Multipliers += copies[mod]
		}
		var text bytes.Buffer
		if mod.Print(&text, c.header()) == nil {
			m.Files["rtl/"+mod.Name+".v"] = fmt.Sprintf("%x", sha256.Sum256(text.Bytes()))
		}
	}
	return m
}

// copies counts how often each module stands in the design.
func (c *Core) copies() map[*tree.Module]int {
	n := map[*tree.Module]int{}
	var visit func(m *tree.Module)
	visit = func(m *tree.Module) {
		n[m]++
		for _, it := range m.Items {
			if i, ok := it.(tree.Instance); ok {
				visit(i.Of)
			}
		}
	}
	visit(c.Modules[len(c.Modules)-1])
	return n
}

func (c *Core) manifest(v *Vectors, files *emit.Artifacts) {
	files.Add(ManifestFile, func(w io.Writer) error {
		m := c.Manifest()
		if v != nil {
			m.Bench = manifestBench{c.Top + "_tb", len(v.Stimulus), len(v.Stimulus)*size(c.Schedule.StreamOut()) + len(v.Weights)}
		}
		return emit.JSON(w, m)
	})
}
