package verilog

import "slices"

// simplify rewrites what text spells out, because Verilog has no shorter way,
// into the conversion that it means:
//
//	{{8{a[7]}}, a}   a sign-extended by 8 bits
//	{8{b}}           the bit b as a signed number
//	&{1'b0, a, b}    0: a and b are read for the sake of linters
//
// and joins conversions of conversions. Unknown bits are treated alike: the
// extension of an unknown sign bit is unknown.
func simplify(n *node) *node {
	switch n.op {
	case opConcat:
		return signExtension(n)
	case opRedAnd:
		if hasZero(n.a[0]) {
			return constNode(Uint(1, 0), n.pos)
		}
	case opConv:
		for n.a[0].op == opConv || n.a[0].op == opConcat {
			in := simplify(n.a[0])
			if in != n.a[0] {
				n = &node{op: opConv, w: n.w, signed: n.signed, a: []*node{in}, pos: n.pos}
			}
			if in.op != opConv || !n.passes(in) {
				break
			}
			n = &node{op: opConv, w: n.w, signed: n.signed, a: in.a, pos: n.pos}
		}
		if a := n.a[0]; a.w == n.w && a.signed == n.signed {
			return a
		}
	}
	return n
}

// passes tells whether the conversion n of the conversion in is a conversion of
// what is inside. A conversion extends by the sign bit if both types are signed.
func (n *node) passes(in *node) bool {
	y := in.a[0]
	alike := (y.signed && in.signed) == (y.signed && n.signed)
	switch {
	case n.w <= in.w:
		return n.w <= y.w || alike
	case in.w < y.w:
		return false
	case in.w == y.w:
		return (in.signed && n.signed) == (y.signed && n.signed)
	}
	return alike
}

// signExtension finds copies of the highest bit of a value in front of it, or
// copies of a bit alone.
func signExtension(n *node) *node {
	var parts []*node
	flat(n, &parts)
	if len(parts) < 2 || len(parts) > maxWidth {
		return n
	}
	head := parts[0]
	if head.w != 1 {
		return n
	}
	for _, p := range parts[1 : len(parts)-1] {
		if !sameBit(p, head) {
			return n
		}
	}
	last := parts[len(parts)-1]
	switch {
	case sameBit(last, head):
		last = head
	case !isTopBit(head, last):
		return n
	}
	for _, w := range []int{last.w, n.w} {
		last = &node{op: opConv, w: w, signed: true, a: []*node{last}, pos: n.pos}
	}
	return &node{op: opConv, w: n.w, a: []*node{last}, pos: n.pos}
}

func flat(n *node, parts *[]*node) {
	if n.op != opConcat {
		*parts = append(*parts, n)
		return
	}
	for _, a := range n.a {
		flat(a, parts)
	}
}

// bare takes away conversions that keep the width.
func bare(n *node) *node {
	for n.op == opConv && n.a[0].w == n.w {
		n = n.a[0]
	}
	return n
}

// bit says which bit of which signal a node is.
func bit(n *node) (s *Signal, at int, ok bool) {
	switch n = bare(n); {
	case n.w != 1:
	case n.op == opSig:
		return n.sig, 0, true
	case n.op == opPart:
		if of := bare(n.a[0]); of.op == opSig && n.lo >= 0 && n.lo < of.w {
			return of.sig, n.lo, true
		}
	}
	return nil, 0, false
}

func sameBit(a, b *node) bool {
	if a == b {
		return true
	}
	s, i, ok := bit(a)
	t, j, also := bit(b)
	return ok && also && s == t && i == j
}

// isTopBit tells whether b is the highest bit of n, which is a signal or a part
// of one.
func isTopBit(b, n *node) bool {
	s, at, ok := bit(b)
	if !ok {
		return false
	}
	switch n = bare(n); n.op {
	case opSig:
		return n.sig == s && at == n.w-1
	case opPart:
		of := bare(n.a[0])
		return of.op == opSig && of.sig == s && n.lo >= 0 && n.lo+n.w <= of.w && at == n.lo+n.w-1
	}
	return false
}

// hasZero tells whether some bit of a value is 0 whatever the others are.
func hasZero(n *node) bool {
	switch n.op {
	case opConst:
		for i := range n.val.Width {
			if n.val.Bit(i) == '0' {
				return true
			}
		}
	case opConcat:
		return slices.ContainsFunc(n.a, hasZero)
	case opConv:
		return n.w == n.a[0].w && hasZero(n.a[0])
	}
	return false
}
