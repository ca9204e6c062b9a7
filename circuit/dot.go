package circuit

import (
	"fmt"
	"strings"
)

// Dot prints the circuit as a Graphviz digraph: elements are boxes, nets are
// the edges from the elements that feed them to the elements that read them.
func (c *Circuit) Dot() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", dotQuote(c.Name))
	b.WriteString("  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.7];\n")
	index := make(map[*Element]int, len(c.Elements))
	for i, e := range c.Elements {
		index[e] = i
		fmt.Fprintf(&b, "  e%d [label=%s%s];\n", i, dotQuote(e.Kind.Name+"\n"+e.Name), dotStyle(e))
	}
	uses := c.Uses()
	for _, n := range c.Nets {
		label := n.Name
		if n.Width > 1 {
			label = fmt.Sprintf("%s [%d]", n.Name, n.Width)
		}
		for _, from := range uses[n] {
			if r := from.Role(); r != Drives && r != Injects {
				continue
			}
			for _, to := range uses[n] {
				r := to.Role()
				// What injects into a sum feeds the element that owns it; whoever
				// only reads that sum hangs on the owner's edge, drawn once below.
				if r == Terminates || (r == Reads && from.Role() == Drives) {
					fmt.Fprintf(&b, "  e%d -> e%d [label=%s];\n", index[from.Element], index[to.Element], dotQuote(label))
				}
			}
		}
		for _, owner := range uses[n] {
			if owner.Role() != Terminates {
				continue
			}
			for _, to := range uses[n] {
				if to.Role() == Reads {
					fmt.Fprintf(&b, "  e%d -> e%d [label=%s, style=dashed];\n", index[owner.Element], index[to.Element], dotQuote(label))
				}
			}
		}
	}
	b.WriteString("}\n")
	return b.String()
}

func dotStyle(e *Element) string {
	switch {
	case e.Kind.State != "":
		return ", fillcolor=\"#cfe3f5\", style=\"rounded,filled\""
	case e.Kind.Name == "stimulus":
		return ", fillcolor=\"#f6e3c3\", style=\"rounded,filled\""
	}
	return ""
}

// dotQuote quotes for DOT, where only the quote and the backslash are special.
func dotQuote(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, `"`, `\"`)
	return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"`
}
