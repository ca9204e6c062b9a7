package spice

// A census counts what a definition makes when it is flattened.
type census struct {
	kinds                     [26]int // devices by letter, without behaviours
	instances, nodes, devices int
	branches, behaviours      int
}

// add counts n of another; numbers beyond all limits stay there.
func (c *census) add(d *census, n int) {
	sum := func(to *int, from int) { *to = min(*to+n*from, maxElements+1) }
	for k := range c.kinds {
		sum(&c.kinds[k], d.kinds[k])
	}
	sum(&c.instances, d.instances)
	sum(&c.nodes, d.nodes)
	sum(&c.devices, d.devices)
	sum(&c.branches, d.branches)
	sum(&c.behaviours, d.behaviours)
}

// expect makes room in the tables of a large circuit, so that they are not
// copied over and over while they grow.
func (el *elaborator) expect() {
	total := el.census(el.n.top, map[*subckt]*census{})
	if total.devices < 1000 || max(total.devices, total.instances, total.nodes) > maxElements {
		return
	}
	c := el.c
	c.instances = append(make([]instance, 0, 1+total.instances), c.instances...)
	c.nodes = append(make([]place, 0, 1+total.nodes), c.nodes...)
	c.devices = make([]place, 0, total.devices)
	c.branches = make([]int32, 0, total.branches)
	of := func(letter byte) int { return total.kinds[letter-'a'] }
	c.resistors = make([]resistor, 0, of('r'))
	c.capacitors = make([]capacitor, 0, of('c'))
	c.inductors = make([]inductor, 0, of('l'))
	c.vsources = make([]vsource, 0, of('v'))
	c.isources = make([]isource, 0, of('i'))
	c.vccs = make([]vccs, 0, of('g'))
	c.vcvs = make([]vcvs, 0, of('e'))
	c.behaviours = make([]behaviour, 0, total.behaviours)
}

// census counts one definition, which is busy while it is nil in known: one that
// contains itself is complained about later.
func (el *elaborator) census(s *subckt, known map[*subckt]*census) *census {
	if c, ok := known[s]; ok {
		if c == nil {
			return &census{}
		}
		return c
	}
	known[s] = nil
	c := &census{nodes: len(s.nodes) - 1 - s.ports}
	uses := map[*subckt]int{}
	for i := range s.elems {
		e := &s.elems[i]
		if e.kind == 'x' {
			if sub := s.lookup(e.inst.sub); sub != nil {
				uses[sub]++
			}
			continue
		}
		c.devices++
		if e.hasBranch() {
			c.branches++
		}
		if e.extra != nil && e.extra.body != nil {
			c.behaviours++
		} else if 'a' <= e.kind && e.kind <= 'z' {
			c.kinds[e.kind-'a']++
		}
	}
	for sub, n := range uses {
		d := el.census(sub, known)
		c.instances += n
		c.add(d, n)
	}
	known[s] = c
	return c
}
