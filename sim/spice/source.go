package spice

import (
	"math"
	"sort"

	"vlec/model/diag"
)

var waveKinds = map[string]int{ // name -> most arguments
	"pulse": 8, "sin": 6, "exp": 6, "sffm": 7, "am": 6, "pwl": 1 << 30,
}

// source reads the value of v and i: dc, ac and a waveform, in any order.
func (p *parser) source(s *scanner, el *element) {
	w := &waveCard{pos: el.pos}
	el.x().wave = w
	for {
		f := s.next()
		if f.kind == fieldEnd {
			return
		}
		word := ""
		if f.kind == fieldWord {
			word = s.text(f)
		}
		_, isWave := waveKinds[word]
		switch {
		case word == "dc":
			if s.is(s.peek(), '=') {
				s.next()
			}
			v := p.quantity(s, s.next(), "the dc value")
			w.dc = &v
		case word == "ac":
			one := quantity{num: 1}
			w.acMag = &one
			if q := s.peek(); p.isValue(s, q) {
				v := p.quantity(s, s.next(), "the ac magnitude")
				w.acMag = &v
			}
			if q := s.peek(); p.isValue(s, q) {
				v := p.quantity(s, s.next(), "the ac phase")
				w.acPh = &v
			}
		case isWave:
			p.wave(s, w, f)
		case word == "m" && el.kind == 'i' && s.is(s.peek(), '='):
			s.next()
			v := p.assigned(s, "m")
			el.extra.mult = &v
		case word == "trnoise" || word == "trrandom":
			p.errorf(s.pos(f), "draw the noise before simulating and write it as pwl, so that every simulator sees the same", "%s is not supported", word)
			return
		case word == "external" || word == "distof1" || word == "distof2" || word == "portnum" || word == "wavefile":
			p.errorf(s.pos(f), "use dc, ac, pulse, sin, exp, sffm, am or pwl", "%s is not supported", word)
			return
		case p.isValue(s, f) && w.dc == nil:
			v := p.quantity(s, f, "the value")
			w.dc = &v
		default:
			p.errorf(s.pos(f), "use dc, ac, pulse, sin, exp, sffm, am or pwl", "unexpected %q in the source %s", short(s.raw(f)), el.name)
			return
		}
	}
}

// isValue tells whether a field can be a number, a parameter or an expression.
func (p *parser) isValue(s *scanner, f field) bool {
	switch f.kind {
	case fieldExpr, fieldBad:
		return true
	case fieldWord:
		t := s.text(f)
		_, wave := waveKinds[t]
		return !wave && t != "dc" && t != "ac" && t != "r" && t != "td" && t != "trnoise" && t != "external"
	}
	return false
}

// wave reads the arguments of a waveform, with or without parentheses.
func (p *parser) wave(s *scanner, w *waveCard, f field) {
	if w.kind != "" {
		p.errorf(s.pos(f), "remove one", "the source has a waveform already")
	}
	w.kind, w.pos = s.text(f), s.pos(f)
	parens := s.is(s.peek(), '(')
	if parens {
		s.next()
	}
	for {
		q := s.peek()
		switch {
		case parens && s.is(q, ')'):
			s.next()
			parens = false
			continue
		case w.kind == "pwl" && q.kind == fieldWord && (s.text(q) == "r" || s.text(q) == "td") && p.assigns(s):
			s.next()
			s.next()
			v := p.assigned(s, "the value of "+s.text(q))
			if s.text(q) == "r" {
				w.repeat = &v
			} else {
				w.delay = &v
			}
			continue
		case w.kind == "pwl" && q.kind == fieldWord && s.text(q) == "file":
			p.errorf(s.pos(q), "write the points, or generate the source with an expression", "pwl files are not supported")
			s.off = len(s.l.text)
			return
		case parens && q.kind == fieldEnd:
			p.errorf(w.pos, "close it with ')'", "%s( does not end", w.kind)
			return
		case parens && !p.isValue(s, q):
			p.errorf(s.pos(q), "", "unexpected %q in %s", short(s.raw(q)), w.kind)
			s.off = len(s.l.text)
			return
		case !p.isValue(s, q) || (len(w.args) > 0 && !parens && p.waveEnded(s, w)):
			if len(w.args) == 0 {
				p.errorf(w.pos, "", "%s has no arguments", w.kind)
			}
			return
		}
		if len(w.args) == waveKinds[w.kind] {
			p.errorf(s.pos(q), "", "too many arguments of %s", w.kind)
			s.off = len(s.l.text)
			return
		}
		w.args = append(w.args, p.quantity(s, s.next(), "an argument of "+w.kind))
	}
}

// waveEnded tells, after a closing parenthesis, that what follows is not an
// argument any more.
func (p *parser) waveEnded(s *scanner, _ *waveCard) bool {
	for i := s.off - 1; i >= 0; i-- {
		if c := s.l.text[i]; !isSpace(c) {
			return c == ')'
		}
	}
	return false
}

// A waveform is an independent source with numbers in it. It is a pure function
// of time, with the instants at which it has a corner.
type waveform struct {
	kind   string
	dc     float64
	hasDC  bool
	acMag  float64
	acPh   float64 // radians
	arg    []float64
	given  int
	repeat float64 // pwl: start of the repeated part, or NaN
	delay  float64
}

// resolve fills the defaults that depend on the transient's step and stop time,
// as ngspice has them.
func (w *waveform) resolve(step, stop float64) waveform {
	r := *w
	if w.kind == "pwl" || w.kind == "" {
		return r
	}
	r.arg = make([]float64, 8)
	copy(r.arg, w.arg)
	zero := func(i int, v float64) { // absent and 0 mean the same here
		if r.arg[i] == 0 {
			r.arg[i] = v
		}
	}
	switch w.kind {
	case "pulse":
		zero(3, step)
		zero(4, step)
		zero(5, stop)
		zero(6, stop)
	case "sin":
		zero(2, 1/stop)
	case "exp":
		if w.given < 3 {
			r.arg[2] = step
		}
		zero(3, step)
		if w.given < 5 {
			r.arg[4] = r.arg[2] + step
		}
		zero(5, step)
	case "sffm":
		zero(2, 1/stop)
		zero(4, 1/stop)
	case "am":
		zero(2, 1/stop)
	}
	return r
}

// at is the value at time t.
func (w *waveform) at(t float64) float64 {
	a := w.arg
	switch w.kind {
	case "pulse":
		t -= a[2]
		if per := a[6]; per > 0 && t >= per {
			t -= per * math.Floor(t/per)
		}
		tr, tf, pw := a[3], a[4], a[5]
		switch {
		case t <= 0 || t >= tr+pw+tf:
			return a[0]
		case t < tr:
			return a[0] + float64((a[1]-a[0])*t/tr)
		case t <= tr+pw:
			return a[1]
		}
		return a[1] + float64((a[0]-a[1])*(t-tr-pw)/tf)
	case "sin":
		phase := a[5] * math.Pi / 180
		if t -= a[3]; t <= 0 {
			return a[0] + float64(a[1]*math.Sin(phase))
		}
		v := a[1] * math.Sin(float64(2*math.Pi*a[2]*t)+phase)
		if a[4] != 0 {
			v *= math.Exp(-t * a[4])
		}
		return a[0] + v
	case "exp":
		v := a[0]
		if t > a[2] {
			v += (a[1] - a[0]) * -math.Expm1(-(t-a[2])/a[3])
		}
		if t > a[4] {
			v += (a[0] - a[1]) * -math.Expm1(-(t-a[4])/a[5])
		}
		return v
	case "sffm":
		pc, ps := a[5]*math.Pi/180, a[6]*math.Pi/180
		return a[0] + a[1]*math.Sin(2*math.Pi*a[2]*t+pc+a[3]*math.Sin(2*math.Pi*a[4]*t+ps))
	case "am":
		if t -= a[4]; t <= 0 {
			return 0
		}
		return a[0] * (a[1] + math.Sin(2*math.Pi*a[2]*t)) * math.Sin(2*math.Pi*a[3]*t)
	case "pwl":
		v, _ := pwlAt(a, w.fold(t))
		return v
	}
	return w.dc
}

// fold maps time into the table of a delayed or repeated pwl.
func (w *waveform) fold(t float64) float64 {
	t -= w.delay
	last := w.arg[len(w.arg)-2]
	if !math.IsNaN(w.repeat) && t > last && last > w.repeat {
		t = w.repeat + math.Mod(t-w.repeat, last-w.repeat)
	}
	return t
}

// next returns the first corner after t, +Inf if there is none. A soft corner
// belongs to a table sampled no finer than soft: integration steps onto it and
// goes on; at a hard one it starts afresh.
func (w *waveform) next(t, soft float64) (at float64, hard bool) {
	a := w.arg
	after := t + 1e-12*math.Abs(t)
	switch w.kind {
	case "pulse":
		edges := [4]float64{0, a[3], a[3] + a[5], a[3] + a[5] + a[4]}
		base := a[2]
		if per := a[6]; per > 0 && t > base {
			base += per * math.Floor((t-base)/per)
		}
		for range 2 {
			for _, e := range edges {
				if base+e > after && (a[6] <= 0 || e <= a[6]) {
					return base + e, true
				}
			}
			if a[6] <= 0 {
				break
			}
			base += a[6]
		}
	case "sin":
		if a[3] > after {
			return a[3], true
		}
	case "am":
		if a[4] > after {
			return a[4], true
		}
	case "exp":
		first, second := math.Min(a[2], a[4]), math.Max(a[2], a[4])
		if first > after {
			return first, true
		}
		if second > after {
			return second, true
		}
	case "pwl":
		n := len(a) / 2
		x := w.fold(t)
		offset := t - x
		after = x + 1e-12*math.Abs(t)
		k := sort.Search(n, func(i int) bool { return a[2*i] > after })
		if k == n {
			if math.IsNaN(w.repeat) || a[2*n-2] <= w.repeat {
				return math.Inf(1), false
			}
			offset += a[2*n-2] - w.repeat
			k = sort.Search(n, func(i int) bool { return a[2*i] > w.repeat })
			return offset + a[2*k], true
		}
		gap := math.Inf(1)
		if k > 0 {
			gap = a[2*k] - a[2*k-2]
		}
		if k+1 < n {
			gap = math.Min(gap, a[2*k+2]-a[2*k])
		}
		return offset + a[2*k], gap < soft*(1-1e-9)
	}
	return math.Inf(1), false
}

// check complains about arguments that make no waveform.
func (w *waveform) check(at diag.Pos, errs *diag.List) {
	switch w.kind {
	case "pwl":
		if len(w.arg) < 2 || len(w.arg)%2 != 0 {
			errs.Add(at, "write pwl(t1 v1 t2 v2 …)", "pwl needs pairs of time and value, has %d numbers", len(w.arg))
			w.arg = []float64{0, 0}
			return
		}
		for i := 2; i < len(w.arg); i += 2 {
			if !(w.arg[i] > w.arg[i-2]) {
				errs.Add(at, "make each time larger than the one before", "the times of pwl do not ascend: %g after %g", w.arg[i], w.arg[i-2])
				return
			}
		}
	case "pulse":
		for i, name := range []string{3: "rise time", 4: "fall time", 5: "width", 6: "period"} {
			if name != "" && i < len(w.arg) && w.arg[i] < 0 {
				errs.Add(at, "", "the %s of pulse is negative", name)
			}
		}
		if len(w.arg) > 7 && w.arg[7] != 0 {
			errs.Add(at, "use the delay instead", "the phase of pulse is not supported")
		}
	}
	if len(w.arg) < map[string]int{"pulse": 2, "sin": 2, "exp": 2, "sffm": 2, "am": 4}[w.kind] {
		errs.Add(at, "", "%s has too few arguments", w.kind)
		w.arg = append(w.arg, 0, 0, 0, 0)
	}
}
