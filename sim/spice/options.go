package spice

import (
	"math"
	"slices"
)

// options are the numbers of .options that this simulator knows, at ngspice's
// defaults.
type options struct {
	reltol, abstol, vntol, chgtol, trtol float64
	gmin, rshunt                         float64
	itl1, itl4, maxord                   int
	gear                                 bool
	temp, tnom                           float64
}

func defaultOptions() options {
	return options{
		reltol: 1e-3, abstol: 1e-12, vntol: 1e-6, chgtol: 1e-14, trtol: 7,
		gmin: 1e-12, itl1: 100, itl4: 20, maxord: 2, temp: 27, tnom: 27,
	}
}

// ignoredOptions change how other simulators work or print, not what a circuit
// means.
var ignoredOptions = map[string]bool{
	"num_threads": true, "numdgt": true, "xtrtol": true, "noacct": true, "acct": true, "list": true, "node": true, "nopage": true,
	"opts": true, "post": true, "seed": true, "klu": true, "sparse": true, "savecurrents": true, "warn": true, "pivtol": true, "pivrel": true,
	"itl2": true, "itl3": true, "itl5": true, "itl6": true, "srcsteps": true, "gminsteps": true, "interp": true, "nomod": true, "brief": true,
	"noinit": true, "noopiter": true, "plotwinsize": true, "ingold": true, "probe": true, "autostop": true, "nostepsizelimit": true,
	"filetype": true, "scale": true, "rseries": true, "seedinfo": true, "timeint": true, "bypass": true, "cshunt": true,
}

// tranSpec is .tran with numbers in it.
type tranSpec struct {
	pos                     pos
	step, stop, start, tmax float64
	uic                     bool
}

// analyses evaluates .tran, .dc and .ac.
func (el *elaborator) analyses() {
	n, c := el.n, el.c
	s := el.top.scope
	el.sweeps()
	el.frequencies()
	if t := n.tran; t != nil {
		tr := &tranSpec{pos: t.pos, uic: t.uic}
		tr.step = el.eval(s, t.step, "the step", t.pos)
		tr.stop = el.eval(s, t.stop, "the stop time", t.pos)
		tr.start = el.eval(s, t.start, "the start time", t.pos)
		tr.tmax = el.eval(s, t.tmax, "the maximum step", t.pos)
		if !(tr.stop > 0) || !(tr.step > 0) || tr.start < 0 || tr.start >= tr.stop || tr.tmax < 0 {
			el.errorf(t.pos, "step and stop are positive, and 0 <= start < stop", ".tran %g %g %g %g is impossible", tr.step, tr.stop, tr.start, tr.tmax)
		}
		c.tran = tr
	}
}

// readOptions runs before elaboration: temperature enters values.
func (el *elaborator) readOptions() {
	o := defaultOptions()
	s := el.top.scope
	numbers := map[string]*float64{
		"reltol": &o.reltol, "abstol": &o.abstol, "vntol": &o.vntol, "chgtol": &o.chgtol, "trtol": &o.trtol,
		"gmin": &o.gmin, "rshunt": &o.rshunt, "temp": &o.temp, "tnom": &o.tnom,
	}
	counts := map[string]*int{"itl1": &o.itl1, "itl4": &o.itl4, "maxord": &o.maxord}
	for _, name := range sortedKeys(el.n.options) {
		opt := el.n.options[name]
		val := func() float64 {
			if opt.str != "" {
				if v, ok := el.lookup(s, opt.str, opt.pos); ok {
					return v
				}
				el.errorf(opt.pos, "", "option %s needs a number", name)
			}
			return el.eval(s, opt.val, "option "+name, opt.pos)
		}
		if dst := numbers[name]; dst != nil {
			if *dst = val(); *dst <= 0 && name != "temp" && name != "tnom" {
				el.errorf(opt.pos, "", "option %s must be positive", name)
			}
			continue
		}
		if dst := counts[name]; dst != nil {
			v := val()
			if v < 1 || v > 1e6 || v != math.Trunc(v) {
				el.errorf(opt.pos, "", "option %s must be a positive whole number", name)
				continue
			}
			*dst = int(v)
			continue
		}
		switch {
		case name == "method":
			switch opt.str {
			case "gear":
				o.gear = true
			case "trap", "trapezoidal":
			default:
				el.errorf(opt.pos, "use trap or gear", "unknown integration method %q", opt.str)
			}
		case !ignoredOptions[name]:
			el.warnf(opt.pos, "", "option %s is not known and ignored", name)
		}
	}
	if el.n.temp != nil {
		o.temp = el.eval(s, *el.n.temp, "the temperature", pos{})
	}
	el.c.opts = o
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
