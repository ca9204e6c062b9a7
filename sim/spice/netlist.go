package spice

import "vlec/model/diag"

// A Netlist is a parsed file with what it includes: cards, not yet a circuit.
// It is not changed by Elaborate and may be elaborated more than once.
type Netlist struct {
	Title    string
	Warnings diag.List // what was read over: control blocks, analyses that do not exist here

	files   []string
	top     *subckt
	options map[string]option
	ics     []nodeValue // .ic
	sets    []nodeValue // .nodeset
	saves   []saveItem
	globals map[string]bool
	temp    *quantity
	tran    *tranCard
	dc      *dcCard
	ac      *acCard
	op      bool
	meas    []measCard
	steps   []stepCard
	point   Point // what of the steps is being elaborated
}

// A quantity is a number, or an expression over parameters that will be one.
type quantity struct {
	num float64
	x   *expr
}

type option struct {
	val quantity
	str string
	pos pos
}

type nodeValue struct {
	node string
	val  quantity
	pos  pos
}

type saveItem struct {
	name string
	pos  pos
}

type tranCard struct {
	pos                     pos
	step, stop, start, tmax quantity
	uic                     bool
}

type dcSweep struct {
	source            string
	start, stop, step quantity
	pos               pos
}

type dcCard struct {
	pos    pos
	sweeps []dcSweep // innermost first
}

type acCard struct {
	pos                pos
	scale              string // dec, oct, lin
	points, fmin, fmax quantity
}

type param struct {
	name string
	val  quantity
	pos  pos
}

type function struct {
	name   string
	params []string
	body   *expr
	pos    pos
}

// A subckt is a definition; the netlist itself is one without ports. Node names
// are numbered when the cards are read, so that an instance is flattened by
// indexing: slot 0 is ground, then the ports, then local nodes as they appear.
type subckt struct {
	name   string
	pos    pos
	parent *subckt
	ports  int
	nodes  []string
	slot   map[string]int32
	params []param // defaults and .param, in order
	index  map[string]int
	ninst  int // the first ninst parameters may be set by an instance
	elems  []element
	names  map[string]int32 // element name -> index
	defs   map[string]*subckt
	funcs  map[string]*function
	models map[string]*modelCard
}

func newSubckt(name string, at pos, parent *subckt) *subckt {
	return &subckt{
		name: name, pos: at, parent: parent, nodes: []string{"0"}, slot: map[string]int32{"0": 0, "gnd": 0},
		index: map[string]int{}, names: map[string]int32{}, defs: map[string]*subckt{}, funcs: map[string]*function{},
		models: map[string]*modelCard{},
	}
}

// expect makes room for elements, so that large flat netlists are not copied
// over and over while they are read.
func (s *subckt) expect(n int) {
	if len(s.elems) == 0 && n > 1000 {
		s.elems = make([]element, 0, n)
		s.names = make(map[string]int32, n)
	}
}

// node numbers a node name.
func (s *subckt) node(name string) int32 {
	if k, ok := s.slot[name]; ok {
		return k
	}
	k := int32(len(s.nodes))
	s.nodes = append(s.nodes, name)
	s.slot[name] = k
	return k
}

// lookup finds a definition in this scope or one around it.
func (s *subckt) lookup(name string) *subckt {
	for ; s != nil; s = s.parent {
		if d := s.defs[name]; d != nil {
			return d
		}
	}
	return nil
}

func (s *subckt) function(name string) *function {
	for ; s != nil; s = s.parent {
		if f := s.funcs[name]; f != nil {
			return f
		}
	}
	return nil
}

// An element is one device or instance card.
type element struct {
	kind  byte // its letter: r c l k v i e g f h b d m q x
	pos   pos
	name  string
	node  [4]int32 // slots; x keeps its nodes in inst
	value quantity
	extra *extra
	inst  *instanceCard // x
}

// An instanceCard is an x card: nodes, the subcircuit's name, parameters.
type instanceCard struct {
	sub   string
	nodes []int32
	args  []param
}

// extra holds what few elements have.
type extra struct {
	ic   *quantity
	mult *quantity // m=
	tc   [2]*quantity
	ctrl [2]string // f, h: the source whose current controls; k: the two inductors
	wave *waveCard
	body *expr   // b, and e and g with an expression
	volt bool    // body is a voltage
	args []param // d, m: dimensions

	terminals int // d, m
	model     string
	modelPos  pos
	ics       []quantity
}

// A waveCard is the value of an independent source as it is written.
type waveCard struct {
	dc     *quantity
	acMag  *quantity
	acPh   *quantity
	kind   string // "", pulse, sin, exp, sffm, am, pwl
	args   []quantity
	repeat *quantity // pwl r=
	delay  *quantity // pwl td=
	pos    pos
}
