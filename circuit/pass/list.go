// Package pass rewrites circuit graphs between lowering and emission. Each pass
// is a file of its own; list.go holds their order and the reason for it.
//
// # For maintainers
//
// A pass changes the graph in place and leaves it verified: Run checks the
// graph after every pass and says which pass broke it. Add a pass as a row of
// the list with its reason; a pass that needs another to have run names it in
// After, and Run refuses a list in the wrong order.
package pass

import (
	"fmt"

	"vlec/circuit"
)

// A Pass is one rewriting of the graph.
type Pass struct {
	Name   string
	Reason string   // why it exists and why it stands where it stands
	After  []string // passes that must have run before it
	Run    func(*circuit.Circuit) error
}

// Analog is the list for circuits in volts and seconds.
func Analog(units circuit.Units) []Pass {
	return []Pass{
		Fold, Fuse,
		{
			Name:   "scale",
			Reason: "last, so that all other passes see model units, in which 1 is an ordinary size",
			After:  []string{"fold", "fuse"},
			Run:    func(c *circuit.Circuit) error { return Scale(c, units) },
		},
	}
}

// Digital is the list for circuits that stay in model units.
func Digital() []Pass { return []Pass{Fold, Fuse} }

// Run applies the passes in order and verifies the graph after each.
func Run(c *circuit.Circuit, passes []Pass) error {
	done := map[string]bool{}
	for _, p := range passes {
		for _, name := range p.After {
			if !done[name] {
				return fmt.Errorf("pass %s must run after %s", p.Name, name)
			}
		}
		if err := p.Run(c); err != nil {
			return fmt.Errorf("pass %s: %w", p.Name, err)
		}
		c.Prune()
		if err := c.Verify(); err != nil {
			return fmt.Errorf("pass %s broke the circuit: %w", p.Name, err)
		}
		done[p.Name] = true
	}
	return nil
}
