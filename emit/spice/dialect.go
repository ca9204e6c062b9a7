package spice

import (
	"fmt"
	"strings"
)

// A dialect is what a simulator wants said differently. The devices, the cells
// and the stimuli are the same text in all of them; what differs is how options
// and results are asked for.
type dialect struct {
	name string
	// options are the lines that set tolerances for potentials of the order of
	// volt [V] and currents of the order of amp [A], at a fixed step: step
	// control by truncation error is less accurate on ideal cells.
	options func(volt, amp float64) []string
	// tran is the analysis, with all four times: what the first means differs.
	// Every simulator begins at the initial conditions, without an operating point.
	tran func(step, stop string) string
	// save returns the words of the statement that records these nodes.
	save func(nodes []string) []string
}

var dialects = []dialect{
	{
		name: "ngspice",
		options: func(volt, amp float64) []string {
			return []string{
				".options method=trap trtol=1e6 reltol=1e-6 num_threads=1",
				".options vntol=" + rounded(1e-9*volt) + " abstol=" + rounded(1e-9*amp),
			}
		},
		tran: func(step, stop string) string { return ".tran " + step + " " + stop + " 0 " + step + " uic" },
		save: func(nodes []string) []string {
			words := []string{".save"}
			for _, n := range nodes {
				words = append(words, "v("+n+")")
			}
			return words
		},
	},
}

func findDialect(name string) (*dialect, error) {
	if name == "" {
		name = "ngspice"
	}
	var known []string
	for i := range dialects {
		if dialects[i].name == name {
			return &dialects[i], nil
		}
		known = append(known, dialects[i].name)
	}
	return nil, fmt.Errorf("there is no SPICE dialect %q; known are %s", name, strings.Join(known, ", "))
}
