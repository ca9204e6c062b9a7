package spice

import (
	"math"
	"strings"
)

// check looks for circuits that have no solution whatever the values are.
func (el *elaborator) check() {
	c := el.c
	el.checkSensed()
	el.checkVoltageLoops()
	if set := c.connected(false); len(c.nodes) > 1 {
		for k := 1; k < len(c.nodes); k++ {
			if root := set.find(int32(k)); root != set.find(0) && !set.told(root) {
				why := "only current sources lead to it"
				if others := c.island(set, int32(k)); others != "" {
					why = "nothing connects it and " + others + " to ground"
				}
				el.errorf(c.whereNode(int32(k)), "connect a resistor or capacitor to ground",
					"node %s floats: %s", c.nodeName(int32(k)), why)
			}
		}
	}
	if len(c.devices) == 0 {
		el.errorf(pos{0, 1, 0}, "remember that the first line is the title", "the netlist has no devices")
	}
}

// island names the other nodes that float together with one.
func (c *Circuit) island(set *union, k int32) (names string) {
	count := 0
	for j := range int32(len(c.nodes)) {
		if j == k || set.find(j) != set.find(k) {
			continue
		}
		switch count++; {
		case count > 3:
			return names + " …"
		case count > 1:
			names += ", "
		}
		names += c.nodeName(j)
	}
	return names
}

// checkSensed finds nodes that no device drives, and warns of loose ends.
func (el *elaborator) checkSensed() {
	c := el.c
	degree := make([]int32, len(c.nodes))
	c.terminals(func(_ int32, nodes ...int32) {
		for _, n := range nodes {
			degree[n]++
		}
	})
	sensed := make([]bool, len(c.nodes))
	for _, g := range c.vccs {
		sensed[g.c], sensed[g.d] = true, true
	}
	for _, e := range c.vcvs {
		sensed[e.c], sensed[e.d] = true, true
	}
	for _, r := range c.refs {
		if r > 0 && r != timeRef {
			sensed[r] = true
		}
	}
	for k := 1; k < len(c.nodes); k++ {
		switch {
		case degree[k] == 0 && sensed[k]:
			el.errorf(c.whereNode(int32(k)), "check the name", "node %s is sensed but no device drives it", c.nodeName(int32(k)))
		case degree[k] == 0:
			el.warnf(c.whereNode(int32(k)), "", "node %s is connected to nothing", c.nodeName(int32(k)))
		case degree[k] == 1 && !sensed[k] && !strings.Contains(c.nodes[k].name, "#"):
			el.warnf(c.whereNode(int32(k)), "is the name misspelt?", "node %s has one connection only", c.nodeName(int32(k)))
		}
	}
}

// checkVoltageLoops refuses circles of sources that fix voltages.
func (el *elaborator) checkVoltageLoops() {
	c := el.c
	set := newUnion(len(c.nodes))
	tie := func(a, b, dev int32) {
		if !set.join(a, b) {
			el.errorf(c.devices[dev].pos, "put a resistor into the loop or remove the source",
				"%s closes a loop of voltage sources", c.deviceName(dev))
		}
	}
	for _, v := range c.vsources {
		tie(v.a, v.b, v.dev)
	}
	for _, v := range c.vcvs {
		tie(v.a, v.b, v.dev)
	}
	for _, v := range c.ccvs {
		tie(v.a, v.b, v.dev)
	}
	for _, v := range c.behaviours {
		if v.br >= 0 {
			tie(v.a, v.b, v.dev)
		}
	}
}

// connected joins nodes between which a device carries a current that depends
// on its voltage; at direct current capacitors do not.
func (c *Circuit) connected(dc bool) *union {
	set := newUnion(len(c.nodes))
	for _, d := range c.resistors {
		set.join(d.a, d.b)
	}
	if !dc {
		for _, d := range c.capacitors {
			set.join(d.a, d.b)
		}
	}
	for _, d := range c.inductors {
		set.join(d.a, d.b)
	}
	for _, d := range c.vsources {
		set.join(d.a, d.b)
	}
	for _, d := range c.vccs {
		set.join(d.a, d.b)
	}
	for _, d := range c.vcvs {
		set.join(d.a, d.b)
	}
	for _, d := range c.ccvs {
		set.join(d.a, d.b)
	}
	for _, d := range c.behaviours {
		own := d.br >= 0
		for _, r := range c.refs[d.in : d.in+int32(c.programs[d.prog].inputs)] {
			own = own || r > 0 && r != timeRef && (int32(r) == d.a || int32(r) == d.b)
		}
		if own {
			set.join(d.a, d.b)
		}
	}
	for i := range c.semis {
		d := &c.semis[i]
		for _, pair := range d.kind.Paths(dc) {
			set.join(d.nodes[pair[0]], d.nodes[pair[1]])
		}
	}
	return set
}

// whereNode is the place of the first device at a node.
func (c *Circuit) whereNode(k int32) pos {
	if t := c.touching(int(k) - 1); len(t) > 0 {
		first := c.devices[t[0]].pos
		for _, d := range t {
			p := c.devices[d].pos
			if p.file < first.file || p.file == first.file && p.line < first.line {
				first = p
			}
		}
		return first
	}
	for _, d := range c.behaviours {
		for _, r := range c.refs[d.in : d.in+int32(c.programs[d.prog].inputs)] {
			if int32(r) == k {
				return c.devices[d.dev].pos
			}
		}
	}
	for _, g := range c.vccs {
		if g.c == k || g.d == k {
			return c.devices[g.dev].pos
		}
	}
	for _, g := range c.vcvs {
		if g.c == k || g.d == k {
			return c.devices[g.dev].pos
		}
	}
	return c.nodes[k].pos
}

// A union is a disjoint-set forest.
type union struct {
	up   []int32
	said map[int32]bool
}

func newUnion(n int) *union {
	u := &union{up: make([]int32, n), said: map[int32]bool{}}
	for k := range u.up {
		u.up[k] = int32(k)
	}
	return u
}

func (u *union) find(k int32) int32 {
	for u.up[k] != k {
		u.up[k] = u.up[u.up[k]]
		k = u.up[k]
	}
	return k
}

// join merges two sets and says whether they were apart.
func (u *union) join(a, b int32) bool {
	a, b = u.find(a), u.find(b)
	if a == b {
		return false
	}
	u.up[max(a, b)] = min(a, b)
	return true
}

// told remembers which sets were complained about.
func (u *union) told(root int32) bool {
	was := u.said[root]
	u.said[root] = true
	return was
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
