package spice

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode"

	"vlec/circuit"
)

// neuron draws one neuron of the circuit as a schematic, with the names of its
// nodes and the values of its parts: the first that learns, or the first of all.
// It returns "" for a circuit without neurons.
func (d *deck) neuron() string {
	n := d.chooseNeuron()
	if n == nil {
		return ""
	}
	s := &sketch{}
	s.forward(d, n)
	if n.err != nil {
		s.backward(d, n)
	}
	if n.store != nil {
		s.plasticity(d, n)
	}
	return s.page(d, n)
}

// A neuronParts is what one neuron is made of; what it lacks is nil.
type neuronParts struct {
	membrane, activation, synapse, store *circuit.Element
	err, gate, slope                     *circuit.Element
}

func (d *deck) chooseNeuron() *neuronParts {
	uses := d.circuit.Uses()
	owner := map[*circuit.Net]*circuit.Element{} // who drives or terminates a net
	for _, e := range d.circuit.Elements {
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; r == circuit.Drives || r == circuit.Terminates {
				owner[n] = e
			}
		}
	}
	find := func(n *circuit.Net, role circuit.Role, kinds ...string) *circuit.Element {
		for _, u := range uses[n] {
			for _, k := range kinds {
				if u.Role() == role && u.Element.Kind.Name == k && !u.Element.Testbench() {
					return u.Element
				}
			}
		}
		return nil
	}
	var plain *neuronParts
	for _, e := range d.circuit.Elements {
		if e.Testbench() || e.Kind.Name != "synapse" && e.Kind.Name != "plastic-synapse" {
			continue
		}
		m := owner[e.Pin("sum")]
		if m.Kind.Name != "lead-lag" {
			continue
		}
		n := &neuronParts{membrane: m, synapse: e, activation: find(m.Pin("lead"), circuit.Reads, "activation")}
		if e.Kind.Name == "plastic-synapse" && owner[e.Pin("w")].Kind.Name == "weight-store" {
			n.store = owner[e.Pin("w")]
			if n.err = owner[n.store.Pin("post")]; n.err.Kind.Name != "lead-lag" {
				n.err = nil
			}
			if n.err != nil {
				if n.gate = find(n.err.Pin("sum"), circuit.Injects, "gate"); n.gate != nil {
					n.slope = owner[n.gate.Pin("slope")]
				}
			}
			return n
		}
		if plain == nil {
			plain = n
		}
	}
	return plain
}

// A sketch collects the drawing.
type sketch struct{ b strings.Builder }

func (s *sketch) line(points ...float64) {
	s.b.WriteString(`<polyline points="`)
	for i := 0; i < len(points); i += 2 {
		fmt.Fprintf(&s.b, "%g,%g ", points[i], points[i+1])
	}
	s.b.WriteString("\"/>\n")
}

func (s *sketch) dot(x, y float64) {
	fmt.Fprintf(&s.b, "<circle cx=\"%g\" cy=\"%g\" r=\"3\" class=\"dot\"/>\n", x, y)
}

// text is escaped: names come from a model.
func (s *sketch) text(x, y float64, class, t string) {
	t = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, t)
	if runes := []rune(t); len(runes) > 72 {
		t = string(runes[:71]) + "…"
	}
	fmt.Fprintf(&s.b, "<text x=\"%g\" y=\"%g\" class=\"%s\">%s</text>\n", x, y, class, html.EscapeString(t))
}

func (s *sketch) ground(x, y float64) {
	s.line(x, y, x, y+8)
	s.line(x-10, y+8, x+10, y+8)
	s.line(x-6, y+12, x+6, y+12)
	s.line(x-2, y+16, x+2, y+16)
}

// resistor stands upright from y to y+60.
func (s *sketch) resistor(x, y float64, label string) {
	points := []float64{x, y, x, y + 12}
	for k := range 6 {
		points = append(points, x+7-14*float64(k%2), y+15+6*float64(k))
	}
	s.line(append(points, x, y+48, x, y+60)...)
	s.text(x+12, y+34, "value", label)
}

// capacitor stands upright from y to y+40.
func (s *sketch) capacitor(x, y float64, label string) {
	s.line(x, y, x, y+17)
	s.line(x-12, y+17, x+12, y+17)
	s.line(x-12, y+23, x+12, y+23)
	s.line(x, y+23, x, y+40)
	s.text(x+16, y+25, "value", label)
}

// amplifier points to the right from x to x+50, around y.
func (s *sketch) amplifier(x, y float64, label string) {
	s.line(x, y-26, x, y+26, x+50, y, x, y-26)
	s.text(x+5, y+4, "inner", label)
}

func (s *sketch) multiplier(x, y float64) {
	fmt.Fprintf(&s.b, "<circle cx=\"%g\" cy=\"%g\" r=\"14\"/>\n", x, y)
	s.line(x-9, y-9, x+9, y+9)
	s.line(x-9, y+9, x+9, y-9)
}

// forward draws synapse, membrane and activation from left to right.
func (s *sketch) forward(d *deck, n *neuronParts) {
	const y = 90
	r0 := d.circuit.Units.Resistance
	tau, ahead := n.membrane.Numbers("tau")[0], n.membrane.Numbers("ahead")[0]
	s.text(20, y-12, "node", d.nodes[n.synapse.Pin("pre")][0])
	s.line(20, y, 116, y)
	if n.store != nil {
		s.multiplier(130, y)
		s.line(144, y, 230, y)
	} else {
		s.amplifier(116, y, "w")
		s.line(166, y, 230, y)
	}
	s.dot(230, y)
	sum := d.nodes[n.membrane.Pin("sum")][0]
	s.resistor(230, y, "R0 "+engineering(r0, "Ω"))
	s.ground(230, y+60)
	at := 330.0
	if d.passive[n.membrane][0] {
		s.text(238, y-12, "node", sum)
		s.line(230, y, at, y, 560, y)
		s.dot(at, y)
		s.resistor(at, y, "Rp "+engineering(r0*ahead/(tau-ahead), "Ω"))
		s.capacitor(at, y+60, "C "+engineering((tau-ahead)/r0, "F"))
		s.dot(at, y+60)
		s.text(at+16, y+65, "node", d.nodes[n.membrane.Pin("state")][0])
		s.ground(at, y+100)
	} else {
		s.text(238, y-12, "node", sum)
		s.leadLag(d, n.membrane, 230, y)
		s.line(540, y, 560, y)
	}
	if lead := d.nodes[n.membrane.Pin("lead")][0]; lead != sum {
		s.text(480, y-18, "node", lead)
	}
	if n.activation != nil {
		s.amplifier(560, y, n.activation.Word("phi"))
		s.line(610, y, 720, y)
		s.text(640, y-12, "node", d.nodes[n.activation.Pin("out")][0])
	} else {
		s.line(560, y, 720, y)
	}
}

// leadLag draws a follower that puts the sum across a resistor and a capacitor,
// and the mirror of its current, from x to x+310.
func (s *sketch) leadLag(d *deck, e *circuit.Element, x, y float64) {
	r0 := d.circuit.Units.Resistance
	tau, ahead := e.Numbers("tau")[0], e.Numbers("ahead")[0]
	s.line(x, y, x+80, y)
	if d.level.biased {
		s.conductedLag(d, e, x, y)
		return
	}
	s.amplifier(x+80, y, "1")
	s.line(x+130, y, x+180, y)
	s.dot(x+150, y)
	s.resistor(x+150, y, "R "+engineering(r0, "Ω"))
	s.capacitor(x+150, y+60, "C "+engineering(tau/r0, "F"))
	s.dot(x+150, y+60)
	s.text(x+166, y+65, "node", d.nodes[e.Pin("state")][0])
	s.ground(x+150, y+100)
	fmt.Fprintf(&s.b, "<rect x=\"%g\" y=\"%g\" width=\"100\" height=\"36\" rx=\"6\"/>\n", x+180, y-18)
	s.text(x+188, y+4, "inner", fmt.Sprintf("v + %.3g R i", ahead/tau))
	s.line(x+280, y, x+310, y)
}

// conductedLag draws a transconductor that charges the state, and what adds the sum
// above it to it, from x+80 to x+310.
func (s *sketch) conductedLag(d *deck, e *circuit.Element, x, y float64) {
	r0 := d.circuit.Units.Resistance
	tau, ahead := e.Numbers("tau")[0], e.Numbers("ahead")[0]
	s.amplifier(x+80, y, "1/R")
	s.line(x+130, y, x+180, y)
	s.line(x+150, y, x+150, y+36)
	s.dot(x+150, y)
	s.dot(x+150, y+36)
	s.text(x+162, y+32, "node", d.nodes[e.Pin("state")][0])
	s.resistor(x+150, y+36, "R "+engineering(r0, "Ω"))
	s.ground(x+150, y+96)
	s.line(x+60, y+36, x+150, y+36)
	s.capacitor(x+60, y+36, "C "+engineering(tau/r0, "F"))
	s.ground(x+60, y+76)
	fmt.Fprintf(&s.b, "<rect x=\"%g\" y=\"%g\" width=\"100\" height=\"36\" rx=\"6\"/>\n", x+180, y-18)
	s.text(x+188, y+4, "inner", fmt.Sprintf("v + %.3g (sum - v)", ahead/tau))
	s.line(x+280, y, x+310, y)
}

// backward draws gate and error neuron below.
func (s *sketch) backward(d *deck, n *neuronParts) {
	const y, left, sum = 290, 110, 260
	if n.gate != nil {
		s.text(left, y-18, "node", d.nodes[n.gate.Pin("in")][0])
		s.line(left, y, 196, y)
		s.multiplier(210, y)
		s.line(224, y, sum, y)
		s.line(210, y+14, 210, y+60)
		s.text(left, y+76, "node", d.nodes[n.gate.Pin("slope")][0])
		s.text(left, y+92, "note", n.slope.Word("phi")+"' of "+d.nodes[n.slope.Pin("in")][0])
	} else {
		s.text(left, y-12, "note", "errors add up here")
		s.line(left, y, sum, y)
	}
	s.dot(sum, y)
	s.resistor(sum, y, "R0")
	s.ground(sum, y+60)
	s.text(sum, y-18, "node", d.nodes[n.err.Pin("sum")][0])
	if d.passive[n.err][0] {
		s.line(sum, y, 660, y)
	} else {
		s.leadLag(d, n.err, sum, y)
		s.line(570, y, 660, y)
	}
	s.text(580, y-18, "node", d.nodes[n.err.Pin("lead")][0])
}

// plasticity draws the store between the two paths.
func (s *sketch) plasticity(d *deck, n *neuronParts) {
	const x, y = 130, 450
	rate := n.store.Number("rate")
	s.line(660, 290, 660, y, 354, y)
	s.multiplier(340, y)
	s.text(360, y-12, "note", "update: error times rate")
	s.line(340, y+14, 340, y+76, 60, y+76, 60, 90)
	s.dot(60, 90)
	s.dot(660, 290)
	s.line(326, y, x-40, y, x-40, 180, x, 180, x, 104)
	s.dot(200, y)
	s.text(x-30, y-12, "node", d.nodes[n.store.Pin("w")][0])
	if rate > 0 {
		s.capacitor(200, y, "C "+engineering(1/(rate*d.circuit.Units.Resistance), "F"))
	}
	s.ground(200, y+40)
}

func (s *sketch) page(d *deck, n *neuronParts) string {
	height := 240
	switch {
	case n.store != nil:
		height = 560
	case n.err != nil:
		height = 440
	}
	var page strings.Builder
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 %d" width="760" height="%d">
<style>
svg { background: white; font-family: "Liberation Sans", Arial, Helvetica, sans-serif; font-size: 12px; }
polyline, circle, rect { fill: none; stroke: #222; stroke-width: 1.4; }
circle.dot { fill: #222; }
text { fill: #222; } .title { font-size: 15px; font-weight: bold; } .node { fill: #0072b2; } .value { fill: #606060; font-size: 11px; }
.note { fill: #606060; } .inner { font-size: 11px; }
</style>
`, height, height)
	title := &sketch{}
	title.text(20, 28, "title", d.circuit.Name+": neuron 0 of "+n.membrane.Name)
	built := "as the macro level builds it"
	if d.level.biased {
		built = "triangles, crosses and boxes are transistors"
	}
	title.text(20, 46, "note", built+"; one synapse; blue: nodes")
	page.WriteString(title.b.String())
	page.WriteString(s.b.String())
	page.WriteString("</svg>\n")
	return page.String()
}

// engineering writes a value with the prefix of its unit, for people.
func engineering(x float64, unit string) string {
	const prefixes = "afpnµm kMGT"
	if x <= 0 || math.IsInf(x, 0) {
		return fmt.Sprintf("%g %s", x, unit)
	}
	k := int(math.Floor(math.Log10(x)/3 + 1e-9))
	k = max(-6, min(4, k))
	prefix := strings.TrimSpace(string([]rune(prefixes)[k+6]))
	return fmt.Sprintf("%.3g %s%s", x/math.Pow(1000, float64(k)), prefix, unit)
}
