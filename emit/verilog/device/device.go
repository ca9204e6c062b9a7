// Package device has the parts that a core can be fitted to: what there is of each,
// and how many cells a core becomes on it.
//
// # For maintainers
//
// All that depends on a part's name stands in Devices. The names themselves are also
// in package model, which knows nothing of Verilog; a test holds them together.
//
// Counts are of the data sheets of Lattice (FPGA-DS-02008, -02029, -02012) and Xilinx
// (DS180).
package device

// A Device is what there is of a part.
type Device struct {
	Name, Part string
	Family     *Family
	LUT, FF    int
	RAM, DSP   int    // iCE40 counts block RAMs of 4 kbit, ECP5 and Xilinx of 18
	Bits       int    // of the factors of one multiplier; a good width where there is none
	Cells      *Cells // nil: nobody knows
}

// A Family is what parts have in common.
type Family struct {
	Name       string // that Yosys synthesises for: synth_NAME
	Blocks     []Block
	Packed     bool // a lookup table and a register share a cell, where the one feeds the other
	OnlyBlocks bool // there is no memory but block RAM
	Tables     bool // lookup tables can be memories
	Carry      bool // chains of carries are fast
}

// A Block is a form of a block RAM with one port each way.
type Block struct{ Words, Bits int }

// Cells is how the structure of a core turns into cells.
type Cells struct {
	Name    string  // of those that are counted alike
	Shares  *Shares // nil: logic is not estimated
	Mega    int     // clock that cores reach after nextpnr-ice40, whatever their size; 0: not known
	Product float64 // lookup tables for each pair of bits of a product, where there are no multipliers
	Alone   float64 // of the registers, a logic cell each, beside those of the lookup tables; from four placements
}

// Shares are how many cells the parts of a structure become: lookup tables by
// feature, and registers of frozen cores and of those that learn, which have more
// registers that Yosys joins or moves into multipliers. internal/rtlcells fits them
// to the designs which are not held out; a test fits them again.
type Shares struct {
	LUT []float64
	FF  [2]float64
}

var (
	ice40 = &Family{Name: "ice40", Blocks: []Block{{256, 16}, {512, 8}, {1024, 4}, {2048, 2}}, Packed: true, OnlyBlocks: true}
	ecp5  = &Family{Name: "ecp5", Blocks: wide, Tables: true, Carry: true}
	// Nobody has told Xilinx's forms apart from those of ECP5.
	xilinx = &Family{Name: "xilinx", Blocks: wide, Tables: true, Carry: true}

	wide = []Block{{512, 36}, {1024, 18}, {2048, 9}, {4096, 4}, {8192, 2}, {16384, 1}}
)

// Ice40 are the shares of synth_ice40 -dsp, Yosys 0.23.
var Ice40 = Shares{LUT: []float64{0.5954, 16.3}, FF: [2]float64{0.8719, 0.7125}}

// Devices are the parts of the boards, and a small Artix-7.
var Devices = []*Device{
	{"up5k", "iCE40UP5K", ice40, 5280, 5280, 30, 8, 16, &Cells{Name: "ice40", Shares: &Ice40, Alone: 0.75, Mega: 41}},
	{"hx8k", "iCE40HX8K", ice40, 7680, 7680, 32, 0, 16, &Cells{Name: "hx8k", Shares: &Ice40, Alone: 0.75, Product: 2.95}},
	{"ecp5", "LFE5U-85F", ecp5, 83640, 83640, 208, 156, 18, &Cells{Name: "ecp5"}},
	{"xilinx", "XC7A35T", xilinx, 20800, 41600, 100, 90, 18, nil},
}

// Plain is what a core for no device in particular is made for: it has registers
// where iCE40 wants them, and nothing that only one family has.
var Plain = &Family{Blocks: ice40.Blocks}

// Names lists the devices.
func Names() []string {
	var list []string
	for _, d := range Devices {
		list = append(list, d.Name)
	}
	return list
}

// Of finds a device; nil: there is none of that name.
func Of(name string) *Device {
	for _, d := range Devices {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// FamilyOf is the family of a device, or Plain.
func FamilyOf(name string) *Family {
	if d := Of(name); d != nil {
		return d.Family
	}
	return Plain
}

// Scarce tells whether there are multipliers, but not enough for the rules of
// backward weights.
func (d *Device) Scarce() bool { return d.DSP > 0 && d.DSP < 16 }

// Synth is the command of Yosys.
func (d *Device) Synth() string {
	text := "synth_" + d.Family.Name
	if d.Family == ice40 && d.DSP > 0 {
		text += " -dsp"
	}
	return text
}

// Factor is how many bits one multiplier takes of a factor; 0: there are none.
func (d *Device) Factor() int {
	if d.DSP == 0 {
		return 0
	}
	return d.Bits
}
