package spice

import (
	"slices"
	"strings"

	"vlec/model/diag"
)

// A Circuit is an elaborated netlist: subcircuits flattened, parameters
// evaluated, every device in the table of its kind with numbers in it.
//
// # For maintainers
//
// Devices stand in slices by kind, because everything after elaboration walks
// one kind at a time: linear ones are added up into two constant matrices, and
// behavioural sources are evaluated program by program. Devices and nodes are
// numbered; names are put together only when somebody asks, since a million
// "x17.x4.w" cost more memory than the circuit.
//
// A ref names an unknown: a node (>= 0; 0 is ground), or a branch current (< 0,
// ^ref is its index). Unknown k of the system is node k+1 as long as there are
// nodes, then the branches.
type Circuit struct {
	Title    string
	Warnings diag.List

	net       *Netlist
	instances []instance // 0 is the top
	nodes     []place    // 0 is ground
	devices   []place    // every device, by number
	branches  []int32    // device that owns the branch current

	resistors  []resistor
	capacitors []capacitor
	inductors  []inductor
	couplings  []coupling
	vsources   []vsource
	isources   []isource
	vccs       []vccs
	vcvs       []vcvs
	cccs       []cccs
	ccvs       []ccvs
	behaviours []behaviour
	semis      []semiconductor
	programs   []*program
	refs       []ref     // inputs of all behaviours, behind one another
	consts     []float64 // constants of all behaviours, behind one another

	ics      []nodeIC // .ic
	nodesets []nodeIC
	saves    []saveItem
	opts     options
	tran     *tranSpec
	dc       []dcSpec // innermost first
	ac       *acSpec

	nodeIndex   map[string]int32 // full name -> node, made on demand
	deviceIndex map[string]int32
}

type ref int32

// An instance is one x card, flattened; a place is something inside it.
type instance struct {
	up   int32
	name string
}

type place struct {
	inst int32
	name string
	pos  pos
}

type (
	resistor struct { // current (va-vb) g from a to b
		a, b, dev int32
		g         float64
	}
	capacitor struct { // current c d(va-vb)/dt from a to b
		a, b, dev int32
		hasIC     bool
		c, ic     float64
	}
	inductor struct { // va-vb = l di/dt, i the branch current from a to b
		a, b, br, dev int32
		hasIC         bool
		l, ic         float64
	}
	coupling struct { // adds m di/dt of the other inductor to each
		l1, l2, dev int32 // indices into inductors
		m           float64
	}
	vsource struct { // va-vb = wave(t), branch current from a through the source to b
		a, b, br, dev int32
		wave          waveform
	}
	isource struct { // current wave(t) from a through the source to b
		a, b, dev int32
		mult      float64
		wave      waveform
	}
	vccs struct { // current g (vc-vd) from a to b
		a, b, c, d, dev int32
		g               float64
	}
	vcvs struct { // va-vb = g (vc-vd)
		a, b, c, d, br, dev int32
		g                   float64
	}
	cccs struct { // current g i(ctl) from a to b
		a, b, ctl, dev int32
		g              float64
	}
	ccvs struct { // va-vb = g i(ctl)
		a, b, br, ctl, dev int32
		g                  float64
	}
	// A behaviour is a b element, or an e or g with an expression: a current
	// prog from a to b (br < 0), or va-vb = prog.
	behaviour struct {
		a, b, br, dev int32
		prog          int32
		in, con       int32 // where its inputs and constants start
		mult          float64
	}
	nodeIC struct {
		node int32
		v    float64
	}
)

// timeRef stands for time among the inputs of a behaviour.
const timeRef = ref(1<<31 - 1)

func branchRef(br int32) ref { return ref(^br) }

// unknowns is the size of the system.
func (c *Circuit) unknowns() int { return len(c.nodes) - 1 + len(c.branches) }

// unknown is the place of a ref among the unknowns; ground is one past the last.
func (c *Circuit) unknown(r ref) int32 {
	switch {
	case r > 0:
		return int32(r) - 1
	case r < 0:
		return int32(len(c.nodes)-1) + int32(^r)
	}
	return int32(c.unknowns())
}

// Nodes and Elements count what elaboration found, ground not included.
func (c *Circuit) Nodes() int    { return len(c.nodes) - 1 }
func (c *Circuit) Elements() int { return len(c.devices) }

// instancePath is "x1.x2", or empty at the top.
func (c *Circuit) instancePath(k int32) string {
	if k == 0 {
		return ""
	}
	in := c.instances[k]
	if in.up == 0 {
		return in.name
	}
	return c.instancePath(in.up) + "." + in.name
}

// nodeName is the full name of a node as ngspice writes it: x1.w.
func (c *Circuit) nodeName(k int32) string {
	p := c.nodes[k]
	if p.inst == 0 {
		return p.name
	}
	return c.instancePath(p.inst) + "." + p.name
}

// deviceName is the full name of a device as ngspice writes it: b.x1.bw.
func (c *Circuit) deviceName(k int32) string {
	p := c.devices[k]
	if p.inst == 0 {
		return p.name
	}
	return p.name[:1] + "." + c.instancePath(p.inst) + "." + p.name
}

// unknownName names the unknown k as a saved vector.
func (c *Circuit) unknownName(k int) string {
	if k < len(c.nodes)-1 {
		return "v(" + c.nodeName(int32(k)+1) + ")"
	}
	return "i(" + c.deviceName(c.branches[k-len(c.nodes)+1]) + ")"
}

// describe is "rs of x1 (file:line)".
func (c *Circuit) describe(dev int32) string {
	return c.deviceName(dev) + " (" + c.net.toPos(c.devices[dev].pos).String() + ")"
}

func (c *Circuit) findNode(name string) (int32, bool) {
	if name == "0" || name == "gnd" {
		return 0, true
	}
	if c.nodeIndex == nil {
		c.nodeIndex = make(map[string]int32, len(c.nodes))
		for k := 1; k < len(c.nodes); k++ {
			c.nodeIndex[c.nodeName(int32(k))] = int32(k)
		}
	}
	k, ok := c.nodeIndex[name]
	return k, ok
}

// findBranch looks for the branch current of a device called v1, v.x1.v2 or
// x1.v2.
func (c *Circuit) findBranch(name string) (br int32, device, ok bool) {
	if c.deviceIndex == nil {
		c.deviceIndex = make(map[string]int32, len(c.branches))
		for b, dev := range c.branches {
			c.deviceIndex[c.deviceName(dev)] = int32(b)
		}
	}
	if br, ok = c.deviceIndex[name]; ok {
		return br, true, true
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 && dot+1 < len(name) {
		if br, ok = c.deviceIndex[name[dot+1:dot+2]+"."+name]; ok {
			return br, true, true
		}
	}
	return 0, false, false
}

// touching lists devices at an unknown in the order of the netlist, for
// diagnoses.
func (c *Circuit) touching(k int) []int32 {
	if k >= len(c.nodes)-1 {
		return []int32{c.branches[k-len(c.nodes)+1]}
	}
	n := int32(k) + 1
	var out []int32
	c.terminals(func(dev int32, nodes ...int32) {
		for _, m := range nodes {
			if m == n {
				out = append(out, dev)
				return
			}
		}
	})
	slices.Sort(out)
	return out
}

// terminals calls f with the nodes that each device drives or loads; nodes that
// it only senses are left out.
func (c *Circuit) terminals(f func(dev int32, nodes ...int32)) {
	for i := range c.resistors {
		f(c.resistors[i].dev, c.resistors[i].a, c.resistors[i].b)
	}
	for i := range c.capacitors {
		f(c.capacitors[i].dev, c.capacitors[i].a, c.capacitors[i].b)
	}
	for i := range c.inductors {
		f(c.inductors[i].dev, c.inductors[i].a, c.inductors[i].b)
	}
	for i := range c.vsources {
		f(c.vsources[i].dev, c.vsources[i].a, c.vsources[i].b)
	}
	for i := range c.isources {
		f(c.isources[i].dev, c.isources[i].a, c.isources[i].b)
	}
	for i := range c.vccs {
		f(c.vccs[i].dev, c.vccs[i].a, c.vccs[i].b)
	}
	for i := range c.vcvs {
		f(c.vcvs[i].dev, c.vcvs[i].a, c.vcvs[i].b)
	}
	for i := range c.cccs {
		f(c.cccs[i].dev, c.cccs[i].a, c.cccs[i].b)
	}
	for i := range c.ccvs {
		f(c.ccvs[i].dev, c.ccvs[i].a, c.ccvs[i].b)
	}
	for i := range c.behaviours {
		f(c.behaviours[i].dev, c.behaviours[i].a, c.behaviours[i].b)
	}
	for i := range c.semis {
		d := &c.semis[i]
		f(d.dev, d.nodes[:d.model.Terminals()]...)
	}
}
