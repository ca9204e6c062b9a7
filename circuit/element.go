package circuit

import "strings"

// Prefixes of the names of elements that are no part of the circuit itself. No name
// of a model has a slash.
const (
	TeacherPrefix = "teacher/" // what only gives targets
	NoisePrefix   = "noise/"   // what stands for the noise of parts
)

// Testbench tells what is not part of the circuit itself: the stimuli, a teacher,
// and sources of noise.
func (e *Element) Testbench() bool {
	return e.Kind.Name == "stimulus" || strings.HasPrefix(e.Name, TeacherPrefix) || strings.HasPrefix(e.Name, NoisePrefix)
}

// Passive finds the neurons of a lead-lag whose lead is shorter than their lag and
// whose sum nobody else reads. Two resistors and a capacitor make both the state
// and the lead of such a neuron, and the lead is the potential on which currents
// add up. Uses is what c.Uses returns.
func (e *Element) Passive(uses map[*Net][]Use) []bool {
	read := false
	for _, u := range uses[e.Pin("sum")] {
		read = read || u.Role() == Reads
	}
	tau, ahead := e.Numbers("tau"), e.Numbers("ahead")
	passive := make([]bool, len(tau))
	for i := range passive {
		passive[i] = !read && ahead[i] < tau[i]
	}
	return passive
}
