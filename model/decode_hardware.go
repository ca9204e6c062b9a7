package model

import "vlec/model/source"

func (d *decoder) readHardware(n *source.Node) {
	t := d.Table(n)
	d.net.Hardware.Spice = d.spiceHardware(d.Table(t.Get("spice")))
	verilog := d.Table(t.Get("verilog"))
	d.net.Hardware.Verilog = VerilogHardware{
		Bits:   int(verilog.Int("bits", 0, 4, 64)),
		Error:  verilog.Float("error", 0, source.Positive),
		Lanes:  int(verilog.Int("lanes", 0, 1, 1<<16)),
		Device: source.Choice(verilog, "device", "", devices),

		Clock:    verilog.Float("clock", 0, source.Positive),
		TimeUnit: verilog.Float("time_unit", d.net.Hardware.Spice.TimeUnit, source.Positive),
	}
	verilog.Done()
	t.Done()
}

// spiceHardware reads [hardware.spice]. Parts that nobody describes are good ones
// for the units that the network runs at, so that the same model works from
// biological time to a million times faster.
func (d *decoder) spiceHardware(t *source.Table) SpiceHardware {
	h := SpiceHardware{
		TimeUnit:    t.Float("time_unit", 1e-3, source.Positive),
		MaxStep:     t.Float("max_step", 0, source.Positive),
		Series:      source.Choice(t, "series", "", seriesNames),
		Temperature: t.Float("temperature", 27, source.Within(-200, 500)),
	}
	h.Noise = t.Float("noise", 0, source.NotNegative)
	h.Supply = t.Float("supply", 1, source.Within(0.1, 10))
	h.Resistors = t.Float("resistors", 1, source.Within(0.1, 10))
	h.Capacitors = t.Float("capacitors", 1, source.Within(0.1, 10))
	h.VoltageUnit = d.voltageUnit(t)
	h.ResistanceUnit = d.resistanceUnit(t, h.TimeUnit)
	volt := h.VoltageUnit
	if volt == 0 {
		volt = 0.1 // parts that are not described do not wait for the unit to be chosen
	}
	h.Knee = t.Float("knee", volt/100, source.Positive)
	amp := d.Table(t.Get("opamp"))
	h.OpAmp = OpAmp{
		Gain: amp.Float("gain", 1e5, source.Positive),
		GBW:  amp.Float("gbw", 2e3/h.TimeUnit, source.Positive),
		Slew: amp.Float("slew", 5e4*volt/h.TimeUnit, source.Positive),
		Rail: amp.Float("rail", 10*volt, source.Positive),
	}
	amp.Done()
	ota := d.Table(t.Get("ota"))
	h.OTA = OTA{
		Range:     ota.Float("range", 10*volt, source.Positive),
		Gain:      ota.Float("gain", 1e4, source.Positive),
		Bandwidth: ota.Float("bandwidth", 2e3/h.TimeUnit, source.Positive),
	}
	ota.Done()
	store := d.Table(t.Get("store"))
	h.Store = Store{
		Leak:    store.Float("leak", 0, source.Positive),
		Refresh: store.Float("refresh", 0, source.Positive),
		Grid:    store.Float("grid", 0, source.Positive),
	}
	if store.Has("refresh") != store.Has("grid") {
		alone := "refresh"
		if store.Has("grid") {
			alone = "grid"
		}
		store.Fail(alone, "give the period of a refresh and the distance of the levels that it restores", "refresh and grid go together")
	}
	store.Done()
	transistors := d.Table(t.Get("transistors"))
	h.Transistors = Transistors{
		Current: transistors.Float("current", 1e-9, source.Within(1e-12, 1e-6)),
		Width:   transistors.Float("width", 1e-6, source.Within(1e-7, 1e-3)),
		Length:  transistors.Float("length", 1e-6, source.Within(1e-7, 1e-3)),
		Supply:  transistors.Float("supply", 0.9, source.Within(0.3, 3)),
		AVT:     transistors.Float("avt", 0, source.Within(0, 1e-7)),
	}
	h.Bias = source.Choice(transistors, "bias", "constant", biases)
	h.Nulls = source.Choice(transistors, "nulls", "here", nullings)
	transistors.Done()
	mismatch := d.Table(t.Get("mismatch"))
	h.Mismatch = Mismatch{
		Gain:     mismatch.Float("gain", 0, source.Within(0, 1)),
		Tau:      mismatch.Float("tau", 0, source.Within(0, 1)),
		Offset:   mismatch.Float("offset", 0, source.NotNegative),
		Area:     mismatch.Float("area", 0, source.Positive),
		Process:  source.Choice(mismatch, "process", "", processes),
		Leak:     mismatch.Float("leak", 0, source.Within(0, 2)),
		AutoZero: mismatch.Float("auto_zero", 1, source.Within(0, 1)),
		Zeroed:   source.Choice(mismatch, "auto_zero_parts", "all", zeroedParts),
		Seed:     uint64(mismatch.Int("seed", int64(d.net.Seed), 0, 1<<63-1)),
	}
	if mismatch.Has("area") != mismatch.Has("process") {
		mismatch.Fail("area", "an area is that of transistors of a process", "area and process go together")
	}
	mismatch.Done()
	t.Done()
	return h
}

// voltageUnit is a number, or "auto" for one that is chosen later.
func (d *decoder) voltageUnit(t *source.Table) float64 {
	n := t.Get("voltage_unit")
	if n == nil {
		return 1
	}
	if word, ok := n.Value.(string); ok {
		if word != "auto" {
			d.Fail(n, `give volts, or "auto"`, "voltage_unit is %q", word)
		}
		return 0
	}
	return t.Float("voltage_unit", 1, source.Positive)
}

// resistanceUnit is given in ohms, or by the capacitor that makes a time constant
// of 1 with it.
func (d *decoder) resistanceUnit(t *source.Table, timeUnit float64) float64 {
	farads := t.Get("capacitance")
	if farads == nil {
		return t.Float("resistance_unit", 1e6, source.Positive)
	}
	if t.Has("resistance_unit") {
		d.FailAt(farads.KeyPos, "keep one of them", "capacitance does not go with resistance_unit")
	}
	return timeUnit / t.Float("capacitance", 1, source.Positive)
}

// seriesNames are the series of resistors and capacitors (IEC 60063).
var seriesNames = []string{"E12", "E24", "E96"}

// biases are references of current.
var biases = []string{"constant", "ptat"}

// nullings are conditions under which offsets are nulled.
var nullings = []string{"here", "nominal"}

// processes are those whose mismatch is known.
var processes = []string{"sg13g2", "sky130", "gf180mcu"}

// zeroedParts are what auto-zeroing can reach.
var zeroedParts = []string{"all", "learning"}

// devices are the parts that a Verilog design can be fitted to.
var devices = []string{"up5k", "hx8k", "ecp5", "xilinx"}
