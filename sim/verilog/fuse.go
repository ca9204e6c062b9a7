package verilog

import "slices"

// fuse makes the program for exec2, in which an instruction does the work of
// the one behind it, too, where the two often meet. Both stay in their places,
// with all that they write, so a jump may land between them, and exec4, which
// does not know pairs, may go on there.
func (p *program) fuse() {
	p.fast = slices.Clone(p.code)
	ends := func(pc int32) bool { return p.code[pc].op == iEnd }
	for i := range p.code {
		in := &p.fast[i]
		if in.op == iJz && ends(in.imm) {
			in.op = iJzEnd
		}
		if i+1 == len(p.code) {
			break
		}
		next := p.code[i+1]
		switch {
		case in.op == iSt && next.op == iEnd:
			in.op = iStEnd
		case in.op == iNbaQ && next.op == iEnd:
			in.op = iNbaQEnd
		case in.op == iNbaQ && next.op == iJz && ends(next.imm):
			in.op = iNbaQJzEnd
		case in.op == iNbaQ && next.op == iJz:
			in.op = iNbaQJz
		}
	}
}
