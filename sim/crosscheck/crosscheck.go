// Package crosscheck proves how closely an emitted circuit follows its model: it
// emits, reads the text back, simulates what it read, runs the reference
// dynamics, and compares every waveform.
//
// # For maintainers
//
// What is simulated is the file that was written, also after a person edited it
// (Options.Artifact). The reference never sees the circuit and the simulator
// never sees the model; the side map, which says which node carries which
// variable, is all that joins them.
package crosscheck

import (
	"vlec/sim"
)

// A Verdict is the outcome of one cross-check.
type Verdict struct {
	Model     string
	Target    string // "spice" or "verilog"
	Level     string
	Engine    string // which simulator read the text
	Learning  bool
	Tolerance float64
	Because   string  // why the tolerance is what it is; "" where the step says it
	Steps     int     // of the simulator that read the text
	Elapsed   float64 // of the whole check [s]

	Report    *sim.Report // signal by signal
	Reference *sim.Trace  // the model's dynamics, in model units
	Simulated *sim.Trace  // the circuit's, converted to model units
}

// Pass tells whether the circuit follows the model within the tolerance.
func (v *Verdict) Pass() bool { return v.Report.Pass() }

// verdictDocument is the JSON form of a verdict, a contract with scripts.
type verdictDocument struct {
	Model     string                 `json:"model"`
	Target    string                 `json:"target"`
	Level     string                 `json:"level"`
	Engine    string                 `json:"engine"`
	Learning  bool                   `json:"learning"`
	Pass      bool                   `json:"pass"`
	Tolerance float64                `json:"tolerance"`
	NRMSEMax  *float64               `json:"nrmse_max"` // null when a signal could not be compared
	Worst     *worstSignal           `json:"worst,omitempty"`
	Signals   map[string]sim.Measure `json:"signals"`
	Steps     int                    `json:"steps"`
	Elapsed   *float64               `json:"elapsed_s,omitempty"`
	Problems  []string               `json:"problems,omitempty"`
}

type worstSignal struct {
	Signal string  `json:"signal"`
	NRMSE  float64 `json:"nrmse"`
	At     float64 `json:"at"`
}

// JSON is the form that scripts read. A file that must not change from run to
// run leaves the elapsed time out.
func (v *Verdict) JSON(withElapsed bool) any { return v.document(withElapsed) }

func (v *Verdict) document(withElapsed bool) verdictDocument {
	out := verdictDocument{
		Model: v.Model, Target: v.Target, Level: v.Level, Engine: v.Engine, Learning: v.Learning,
		Pass: v.Pass(), Tolerance: v.Tolerance, Signals: v.Report.Summary(), Steps: v.Steps,
	}
	for i := range v.Report.Results {
		if r := &v.Report.Results[i]; r.Problem != "" {
			out.Problems = append(out.Problems, r.Name+": "+r.Problem)
		}
	}
	out.NRMSEMax = sim.Finite(v.Report.NRMSEMax())
	if w := v.Report.Worst(); w != nil && w.Problem == "" {
		out.Worst = &worstSignal{w.Worst, w.NRMSE, w.At}
	}
	if withElapsed {
		out.Elapsed = &v.Elapsed
	}
	return out
}
