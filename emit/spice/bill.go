package spice

import (
	"fmt"
	"math"
	"strconv"
)

// What the estimate of a bill stands on. They are round numbers of a 180 nm
// process and of ordinary circuits; the transistor's own area is declared.
const (
	wiring          = 4     // area of a circuit over that of its transistors
	defaultArea     = 1.0   // of a transistor where none is declared [um^2]
	faradsPerArea   = 2e-15 // [F/um^2], metal-insulator-metal
	ohmsPerArea     = 1e3   // [ohm/um^2], high-resistance polysilicon
	otaDevices      = 6     // a pair, its load, its tail
	multiplierParts = 14    // four-quadrant, folded
	ampDevices      = 8     // two stages
)

// A Bill counts what a circuit is made of, cell by cell, and estimates what it
// costs. Currents are the bias currents that the macro level declares; where
// nothing is declared they are those of its defaults.
type Bill struct {
	Rows         []BillRow `json:"rows"`
	Total        BillRow   `json:"total"`
	Synapses     int       `json:"synapses"`
	EnergyStep   float64   `json:"energy_per_step"`   // of the clocked semantics' dt [J]
	EnergyUpdate float64   `json:"energy_per_update"` // the same for each synapse that learns [J]; 0: none learns
	Assumptions  string    `json:"assumptions"`
}

// A BillRow is one kind of cell.
type BillRow struct {
	Cell        string  `json:"cell"`
	Count       int     `json:"count"`
	Transistors int     `json:"transistors"`
	Ohms        float64 `json:"ohms"`   // of all resistors together
	Farads      float64 `json:"farads"` // of all capacitors together
	Area        float64 `json:"area"`   // um^2
	Bias        float64 `json:"bias"`   // A
	Power       float64 `json:"power"`  // W

	gates float64 // area of channels where every transistor is known [um^2]
}

func (r *BillRow) add(x BillRow) {
	r.Count += x.Count
	r.Transistors += x.Transistors
	r.Ohms += x.Ohms
	r.Farads += x.Farads
	r.Bias += x.Bias
	r.gates += x.gates
}

func (r *BillRow) finish(p Process) {
	devices, supply := float64(r.Transistors)*p.device(), p.OpAmp.Rail
	if r.gates > 0 {
		devices, supply = r.gates, p.rails()
	}
	r.Area = devices*wiring + r.Farads/faradsPerArea + r.Ohms/ohmsPerArea
	r.Power = r.Bias * 2 * supply
}

// device is the area of a transistor [um^2].
func (p Process) device() float64 {
	if p.Area > 0 {
		return p.Area
	}
	return defaultArea
}

// bill counts the cells of the circuit, without its testbench.
func (d *deck) bill() *Bill {
	b := &Bill{Assumptions: fmt.Sprintf("transistors of %g um^2 that take %d times that with their wiring; %g F/um^2; %g ohm/um^2; "+
		"power is the bias current from rail to rail", d.options.Process.device(), wiring, faradsPerArea, ohmsPerArea)}
	if d.level.biased {
		b.Assumptions = fmt.Sprintf("transistors are counted and take %d times their channels with their wiring; %g F/um^2; %g ohm/um^2; "+
			"power is what the transistors at the supply are sized for", wiring, faradsPerArea, ohmsPerArea)
	}
	rows := map[string]*BillRow{}
	learning := 0
	for _, e := range d.circuit.Elements {
		if e.Testbench() {
			continue
		}
		switch e.Kind.Name {
		case "synapse", "plastic-synapse", "transposed-synapse":
			d.expand(e, func(x instance) {
				if !x.correction() {
					b.Synapses++
				}
			})
		case "weight-store", "alignment-store":
			learning += len(e.Numbers("init"))
		}
		d.expand(e, func(x instance) {
			if x.correction() {
				return // an offset nobody builds, and a trim is a current of the order of pA
			}
			row := rows[x.cell]
			if row == nil {
				row = &BillRow{Cell: x.cell}
				rows[x.cell] = row
			}
			row.add(d.build(x))
		})
	}
	b.Total.Cell = "total"
	for _, c := range cells {
		if row := rows[c.name]; row != nil {
			row.finish(d.options.Process)
			b.Rows = append(b.Rows, *row)
			b.Total.add(*row)
		}
	}
	b.Total.finish(d.options.Process)
	b.EnergyStep = b.Total.Power * d.options.Dt
	if learning > 0 {
		b.EnergyUpdate = b.EnergyStep / float64(learning)
	}
	return b
}

// build is what one instance is made of.
func (d *deck) build(x instance) BillRow {
	if d.level.biased {
		row := d.count(d.level.bodies[x.cell], x.scope(d.global()))
		row.Count = 1
		return row
	}
	p, u := d.options.Process, d.circuit.Units
	value := func(name string) float64 { return parameter(x.params, name) }
	r0 := u.Resistance
	unit := u.Voltage / r0
	ota := func(gain float64) BillRow {
		return BillRow{Transistors: otaDevices, Bias: math.Abs(gain) * p.OTA.Range / r0}
	}
	multiplier := BillRow{Transistors: multiplierParts, Bias: p.OTA.Range * p.OTA.Range / (u.Voltage * r0)}
	amp := BillRow{Transistors: ampDevices, Bias: 3 * p.OpAmp.Slew / (2 * math.Pi * p.OpAmp.GBW * r0)}
	passive := func(ohms, farads float64) BillRow { return BillRow{Ohms: ohms, Farads: farads} }
	row := BillRow{Count: 1}
	with := func(list ...BillRow) BillRow {
		for _, part := range list {
			row.add(part)
		}
		return row
	}
	tau, ahead := value("p_tau"), value("p_ahead")
	switch x.cell {
	case "cell_synapse":
		return with(ota(value("p_w")))
	case "cell_multiplier":
		return with(multiplier)
	case "cell_lead_lag_rc":
		return with(passive(r0+r0*ahead/(tau-ahead), (tau-ahead)/r0))
	case "cell_lead_lag":
		return with(amp, ota(1), ota(ahead/tau), passive(3*r0, tau/r0))
	case "cell_leaky_integrator":
		return with(amp, passive(2*r0, tau/r0))
	case "cell_prospective":
		return with(ota(1), ota(ahead/tau), passive(r0, 0))
	case "cell_tanh", "cell_sigmoid", "cell_softplus", "cell_softplus_slope", "cell_relu", "cell_relu_slope":
		return with(BillRow{Transistors: otaDevices, Bias: unit}, passive(r0, 0))
	case "cell_tanh_slope", "cell_sigmoid_slope":
		return with(multiplier, BillRow{Transistors: 2, Bias: unit}, passive(r0, 0))
	case "cell_linear":
		return with(ota(1), passive(r0, 0))
	case "cell_linear_slope":
		return with(BillRow{Transistors: 2, Bias: unit}, passive(r0, 0))
	case "cell_softmax":
		return with(BillRow{Transistors: 3}, passive(r0, 0)) // its bias is the tail's
	case "cell_softmax_tail":
		return with(BillRow{Transistors: 2, Bias: unit})
	case "cell_gate":
		return with(multiplier, passive(r0, 0))
	case "cell_coupling", "cell_comparator":
		return with(ota(value("p_gain")))
	case "cell_difference":
		return with(ota(1), ota(value("p_gain")), passive(r0, 0))
	case "cell_weight_store":
		return with(multiplier, passive(0, 1/(value("p_rate")*r0)))
	case "cell_alignment_store":
		return with(multiplier, multiplier, multiplier, passive(r0, 1/(value("p_rate")*r0)))
	case "cell_weight_leak":
		return with(passive(r0*value("p_rate")/value("p_decay"), 0))
	case "cell_weight_clamp":
		return with(BillRow{Transistors: 4})
	case "cell_weight_refresh": // a pair folds at each level within the range
		levels := math.Ceil(2 * p.OTA.Range / value("p_grid"))
		return with(amp, ota(1), BillRow{Transistors: 2 * int(min(levels, 1e6)), Bias: levels * unit}, passive(r0, 0))
	case "cell_offset":
		return row // nobody builds one
	}
	panic("spice: nobody knows what " + x.cell + " is made of")
}

// parameter is the number of a parameter among names and values, 1 when it is not
// given.
func parameter(params []string, name string) float64 {
	for i := 0; i < len(params); i += 2 {
		if params[i] == name {
			v, _ := strconv.ParseFloat(params[i+1], 64)
			return v
		}
	}
	return 1
}

// Table lists the bill for people.
func (b *Bill) Table() [][]string {
	rows := [][]string{{"cell", "count", "transistors", "ohms", "farads", "area um2", "bias A", "power W"}}
	short := func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	for _, r := range append(append([]BillRow(nil), b.Rows...), b.Total) {
		rows = append(rows, []string{
			r.Cell, strconv.Itoa(r.Count), strconv.Itoa(r.Transistors), short(r.Ohms), short(r.Farads), short(r.Area), short(r.Bias), short(r.Power),
		})
	}
	return rows
}

// String is the bill in one line.
func (b *Bill) String() string {
	s := fmt.Sprintf("about %d transistors, %.3g mm^2, %.3g W, %.3g J a step", b.Total.Transistors, b.Total.Area/1e6, b.Total.Power, b.EnergyStep)
	if b.EnergyUpdate > 0 {
		s += fmt.Sprintf(", %.3g J an update", b.EnergyUpdate)
	}
	return s
}
