package device

import (
	"fmt"
	"math"
	"slices"
)

// Params are the parameters that a model or instance card gives, lower case.
type Params map[string]float64

func (p Params) or(name string, otherwise float64) float64 {
	if v, ok := p[name]; ok {
		return v
	}
	return otherwise
}

func (p Params) given(name string) bool {
	_, ok := p[name]
	return ok
}

// A Kind is a type of model with the names it understands.
type Kind struct {
	Letter   byte     // of its devices
	Types    []string // of its .model cards
	Nodes    int      // least number of terminals on a device card
	Model    []string // parameters of the .model card
	Instance []string // parameters of the device card
	IC       []string // what ic= lists
	ICPins   [][2]int // the terminals between which each of them is
	// Channels are pairs of terminals between which direct current flows, Insulated
	// those that only a capacitance joins.
	Channels, Insulated [][2]int
	// Pins lists terminals that are connected like another's pin on the card, before
	// its series resistance.
	Pins [][2]int
	// New makes a device for a model and an instance, with the resistors in series
	// with its terminals.
	New func(typ string, model, inst Params, env Env) (Device, []Resistor, []Problem)
	// Aliases are other names for parameters of the model.
	Aliases map[string]string
	// Ignored parameters have no effect on what is simulated, noise for instance.
	Ignored []string
	// Neutral parameters are not supported; the value here is the one that means
	// that there is no such effect.
	Neutral map[string]float64
}

// Paths are pairs of terminals that the device connects, at direct current or at
// all.
func (k *Kind) Paths(dc bool) [][2]int {
	if dc {
		return k.Channels
	}
	return slices.Concat(k.Channels, k.Insulated)
}

// A Problem is a wrong parameter; the caller knows where it stands.
type Problem struct {
	Name string // of the parameter, "" for the card
	Msg  string
	Hint string // what to do, if there is more to say
}

// Kinds are the devices that are understood.
var Kinds = []*Kind{diodeKind, mosKind, bjtKind}

// Find returns the kind of a .model card's type.
func Find(typ string) *Kind {
	for _, k := range Kinds {
		if slices.Contains(k.Types, typ) {
			return k
		}
	}
	return nil
}

// OfLetter returns the kind of a device's first letter.
func OfLetter(c byte) *Kind {
	for _, k := range Kinds {
		if k.Letter == c {
			return k
		}
	}
	return nil
}

// Check sorts the parameters of a model card out: it renames aliases, and says
// which have an unsupported value and which are not known.
func (k *Kind) Check(p Params) (wrong []Problem, unknown []string) {
	for _, name := range names(p) {
		if to, ok := k.Aliases[name]; ok {
			p[to] = p[name]
			delete(p, name)
			continue
		}
		if neutral, ok := k.Neutral[name]; ok {
			if p[name] != neutral {
				wrong = append(wrong, Problem{Name: name, Msg: fmt.Sprintf("%s=%g is not supported", name, p[name])})
			}
			continue
		}
		if !slices.Contains(k.Model, name) && !slices.Contains(k.Ignored, name) {
			unknown = append(unknown, name)
		}
	}
	return wrong, unknown
}

func names(p Params) []string {
	out := make([]string, 0, len(p))
	for name := range p {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// positive complains about parameters that must be above zero.
func positive(p Params, wrong []Problem, list ...string) []Problem {
	for _, name := range list {
		if v, ok := p[name]; ok && !(v > 0) {
			wrong = append(wrong, Problem{Name: name, Msg: fmt.Sprintf("%s=%g must be positive", name, v)})
		}
	}
	return wrong
}

// within complains about parameters outside a range.
func within(p Params, wrong []Problem, lo, hi float64, list ...string) []Problem {
	for _, name := range list {
		if v, ok := p[name]; ok && !(v >= lo && v <= hi) {
			bounds := fmt.Sprintf("between %g and %g", lo, hi)
			if math.IsInf(hi, 1) {
				bounds = fmt.Sprintf("at least %g", lo)
			}
			wrong = append(wrong, Problem{Name: name, Msg: fmt.Sprintf("%s=%g must be %s", name, v, bounds)})
		}
	}
	return wrong
}

// temperatures of a device [K]: its own, and that of its model's parameters.
func (e Env) temperatures(model, inst Params) (t, tnom float64, wrong []Problem) {
	t = inst.or("temp", e.Temp+inst.or("dtemp", 0)) + zeroC
	tnom = model.or("tnom", e.Tnom) + zeroC
	if !(t > 0) || !(tnom > 0) || t > 2000 || tnom > 2000 {
		wrong = append(wrong, Problem{Name: "temp", Msg: fmt.Sprintf("a temperature of %g °C is impossible", min(t, tnom)-zeroC)})
		t, tnom = refTemp, refTemp
	}
	return t, tnom, wrong
}

// A Resistor stands between a terminal of the device card and one of the device.
type Resistor struct {
	Terminal int
	R        float64 // Ω; 0 when the device brings it itself
	Suffix   string  // of the node's name
}
