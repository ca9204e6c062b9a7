package verilog

import "vlec/model/diag"

// The bytecode. A program is the code of all units in one array; operands are
// numbers of 64-bit slots that hold signals, constants and temporaries alike.
//
// A value of at most 64 bits takes one slot and is kept extended to the whole
// word, by zeros when its type is unsigned and by its sign bit when it is
// signed. So a wider context costs nothing in the common case, and signed
// arithmetic needs no masks in front. A wider value takes as many slots as it
// needs and is served by eval.
//
// A second bank of slots holds the unknown bits. As long as every one of them
// is zero the simulator runs exec2, which does not look at that bank; an
// operation that would make an unknown bit stops it, and exec4 goes on at the
// same instruction. See exec.go.

const (
	maxSlots = 1 << 16
	maxCode  = 1 << 26
)

type bank [maxSlots]uint64

// iop is the operation of an instruction.
type iop uint8

const (
	iEnd iop = iota
	// Data: d = f(x, y, z); each has a cell that says the same for eval.
	iGeneric
	iMov
	iZext
	iSext
	iAddZ
	iAddS
	iSubZ
	iSubS
	iMulZ
	iMulS
	iNegZ
	iNegS
	iDivU
	iDivS
	iModU
	iModS
	iAnd
	iOr
	iXor
	iNot
	iNotZ
	iXnor
	iXnorZ
	iShlZ
	iShlS
	iShr
	iShrS
	iSar
	iShlCZ
	iShlCS
	iShrC
	iShrCS
	iSarC
	iEq
	iNe
	iLtU
	iLtS
	iLeU
	iLeS
	iMatch // (x^y)&z == 0
	iRedAnd
	iRedOr
	iRedXor
	iLogNot
	iLogAnd
	iLogOr
	iSel
	iPart
	iPartS // signed
	iPartX // across two slots
	iPartXS
	iPartV
	iPartVW
	iCat
	iMemRd
	iUnknown // copies a constant with unknown bits
	iFalse   // comparison by === of what is known with what is not
	iTrue
	// Control and effects.
	iJmp
	iJz   // jumps also when x is unknown
	iJnz  // does not
	iJzK  // known to be zero
	iJnzX // or unknown
	iSwitch
	iSt    // store in a watched signal
	iStL   // store by a descriptor
	iNba   // later store of a whole signal of at most 64 bits
	iNbaQ  // the same, of a signal that is written in no other way
	iNbaL  // later store by a descriptor
	iMemWr // store of a whole word
	iNbaMem
	iTime
	iRandom
	iDelay
	iEvent
	iSys
	iTrigger
	// Pairs, which only exec2 knows.
	iStEnd
	iNbaQEnd
	iNbaQJz
	iNbaQJzEnd
	iJzEnd
)

// An instr is one instruction. sh is 64 minus the width of the result, or of
// the operand where only that has one; lo is a shift by a constant; imm is a
// jump target or the number of a descriptor.
type instr struct {
	op         iop
	sh, lo     uint8
	k          int8
	d, x, y, z uint16
	imm        int32
}

// An operand is a value in the banks.
type operand struct {
	slot   uint16
	w      int
	signed bool
}

// A cell says what a data instruction computes, in the terms of eval.
type cell struct {
	op    opcode
	dst   operand
	args  []operand
	lo, k int
	mem   int
}

// A dest is a descriptor of an assignment target.
type dest struct {
	slot  uint16
	w     int // of the signal or word
	sgn   bool
	lo, n int // bits to write, from lo or, dynamic, from k*index + lo
	k     int // 0 when not dynamic
	whole bool
	mem   int // -1 for a signal
	val   operand
	base  operand // dynamic index
	addr  operand
	pos   diag.Pos
}

// A jump table of a case statement with constant labels.
type switchTable struct {
	dense []int32
	min   uint64
	m     map[uint64]int32
	def   int32
}

// A program is a compiled design.
type program struct {
	d      *Design
	code   []instr
	fast   []instr // code with pairs, for exec2
	cells  []*cell // by instruction, nil for control
	dests  []dest
	events [][]trigger
	tables []switchTable
	sys    []sysCode
	consts []constSlot

	units   []unitCode
	nslots  int
	nsig    int // slots below hold signals
	mems    []*Signal
	ncomb   int // units[:ncomb] are combinational, in order of evaluation
	domains []domain
	procs   []int // units that wait

	watch      [][]mark // by slot: units that read the signal
	memo       [][]mark // by memory
	fans       []fan    // by slot: what watch and special say
	marks      []mark   // of fans that have more than one
	edges      [][]edgeWatch
	loops      []bool // comb units that take part in a combinational loop
	sigAt      map[uint16]*Signal
	unitAt     map[int]int       // clocked units by number in the dirty set
	live       map[*Signal]bool  // read or written by a unit
	driver     map[*Signal]*unit // the unit that assigns a signal, initial blocks last
	plainClock bool              // the clock has no readers and one domain
	persist    [][]uint16        // by process: slots that keep a value while it waits
	special    []bool            // by slot: the store must look for edges
	words      int               // of the set of dirty units

	// By number in the dirty set.
	copies []copyUnit
	pcAt   []int32
	always []uint64 // as words of the set: units that run at every edge
	anyway bool     // there are combinational loops
	alone  bool     // clocked units change nothing before all of them have run

	touch   [][]int32       // by slot: numbers of the units that read the signal, or write it at once
	passing []bool          // by slot: a temporary, which has no unknown bits between units
	wirePC  map[*Signal]int // code of signals that are computed on demand
	quick   []bool          // by slot: every assignment is an iNbaQ
}

type constSlot struct {
	slot uint16
	v    Value
}

type unitCode struct {
	u      *unit
	pc     int
	bit    int
	always bool // has effects beyond its assignments
}

// A mark is some units in one word of the dirty set.
type mark struct {
	word int32
	bits uint64
}

// A fan is what a change of a signal leads to.
type fan struct {
	bits     uint64 // units that read it, in one word of the dirty set
	word     int32
	from, to int32 // further ones, in program.marks
	special  bool
}

// A domain is the clocked units of one list of edges.
type domain struct {
	trig   []trigger
	lo, hi int // words of the dirty set
	copies int // the first word of units that only copy
}

type edgeWatch struct {
	edge   edge
	domain int
}

type sysCode struct {
	s    *sSys
	args []operand // slot 0 with width 0 for those without a value
}
