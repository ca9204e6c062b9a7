package spice

import (
	"fmt"
	"strings"
)

// A dialect is what a simulator wants said differently. The devices, the cells
// and the stimuli are the same text in all of them; what differs is how options
// and results are asked for, and how a node inside an instance is called.
type dialect struct {
	name string
	// options are the lines that choose how to integrate potentials of the order
	// of volt [V] and currents of the order of amp [A].
	options func(n integration, volt, amp float64) []string
	// tran is the analysis, with all four times: what the first means differs.
	// It begins at the initial conditions, without an operating point, unless begin is
	// false: then at the operating point, while what has an initial condition is held.
	tran func(step, stop string, begin bool) string
	// save returns the words of the statement that records these nodes.
	save func(nodes []string) []string
	// separator stands between an instance and a node inside it.
	separator string
}

// An integration says how a level wants to be integrated.
type integration struct {
	method string // trap or gear
	// controlled lets truncation error choose steps below the longest one. Ideal
	// cells are more accurate at a fixed step; parasitic poles need short steps
	// where something jumps, and only there.
	controlled bool
	perTau     float64 // longest steps in the smallest time constant; 0: StepsPerTau
	charge     float64 // [C] that truncation error may neglect; 0: the simulator's choice
}

func (n integration) stepsPerTau() float64 {
	if n.perTau > 0 {
		return n.perTau
	}
	return StepsPerTau
}

// charges is the charge that counts as none, where it is not the simulator's own
// choice of 1e-14 C: gates hold less.
func (n integration) charges() string {
	if n.charge == 0 {
		return ""
	}
	return " chgtol=" + number(n.charge)
}

func (n integration) reltol() string {
	if n.controlled {
		return "0.0001"
	}
	return "1e-06"
}

// tolerances of potentials and currents, absolute. Where truncation error is
// controlled they decide about the length of steps, too.
func (n integration) absolute(volt, amp float64) (v, i string) {
	if n.controlled {
		return rounded(1e-6 * volt), rounded(1e-6 * amp)
	}
	return rounded(1e-9 * volt), rounded(1e-9 * amp)
}

var dialects = []dialect{
	{
		name: "ngspice",
		options: func(n integration, volt, amp float64) []string {
			trtol := "1e6"
			if n.controlled {
				trtol = "7"
			}
			vntol, abstol := n.absolute(volt, amp)
			return []string{
				".options method=" + n.method + " trtol=" + trtol + " reltol=" + n.reltol() + " num_threads=1",
				".options vntol=" + vntol + " abstol=" + abstol + n.charges(),
			}
		},
		tran:      tran,
		save:      func(nodes []string) []string { return potentials(nodes, ".save") },
		separator: ".",
	},
	{
		// .save would write the operating point there; results are .print, of one
		// file. The longest step is the fourth number of .tran.
		name: "xyce",
		options: func(n integration, volt, _ float64) []string {
			vntol, _ := n.absolute(volt, 0)
			return []string{
				".options timeint method=" + n.method + " reltol=" + n.reltol() + " abstol=" + vntol,
				".options nonlin-tran reltol=" + n.reltol() + " abstol=" + vntol,
			}
		},
		tran: tran,
		save: func(nodes []string) []string {
			return potentials(nodes, ".print", "tran", "format=raw", "file="+strings.TrimSuffix(NetlistFile, ".cir")+".raw")
		},
		separator: ":",
	},
	{
		// Results are compressed with loss, and in single precision, unless asked not to.
		name: "ltspice",
		options: func(n integration, volt, amp float64) []string {
			vntol, abstol := n.absolute(volt, amp)
			return []string{
				".options method=" + n.method + " reltol=" + n.reltol() + " vntol=" + vntol + " abstol=" + abstol,
				".options plotwinsize=0 numdgt=15",
			}
		},
		tran:      tran,
		save:      func(nodes []string) []string { return potentials(nodes, ".save") },
		separator: ":",
	},
}

// tran is the same in all of them, once its numbers are all given.
func tran(step, stop string, begin bool) string {
	line := ".tran " + step + " " + stop + " 0 " + step
	if begin {
		line += " uic"
	}
	return line
}

func potentials(nodes []string, words ...string) []string {
	for _, n := range nodes {
		words = append(words, "v("+n+")")
	}
	return words
}

// Dialects lists the names of the dialects.
func Dialects() []string {
	names := make([]string, len(dialects))
	for i := range dialects {
		names[i] = dialects[i].name
	}
	return names
}

func findDialect(name string) (*dialect, error) {
	if name == "" {
		name = "ngspice"
	}
	for i := range dialects {
		if dialects[i].name == name {
			return &dialects[i], nil
		}
	}
	return nil, fmt.Errorf("there is no SPICE dialect %q; known are %s", name, strings.Join(Dialects(), ", "))
}
