package model

import "vlec/model/source"

func (d *decoder) readHardware(n *source.Node) {
	t := d.Table(n)
	d.net.Hardware.Spice = d.spiceHardware(d.Table(t.Get("spice")))
	verilog := d.Table(t.Get("verilog"))
	d.net.Hardware.Verilog = VerilogHardware{
		Bits:   int(verilog.Int("bits", 0, 4, 64)),
		Error:  verilog.Float("error", 0, source.Positive),
		Lanes:  int(verilog.Int("lanes", 1, 1, 1<<16)),
		Device: source.Choice(verilog, "device", "", devices),
	}
	verilog.Done()
	t.Done()
}

// spiceHardware reads [hardware.spice]. Parts that nobody describes are good ones
// for the units that the network runs at, so that the same model works from
// biological time to a million times faster.
func (d *decoder) spiceHardware(t *source.Table) SpiceHardware {
	h := SpiceHardware{
		TimeUnit:       t.Float("time_unit", 1e-3, source.Positive),
		VoltageUnit:    t.Float("voltage_unit", 1, source.Positive),
		ResistanceUnit: t.Float("resistance_unit", 1e6, source.Positive),
		MaxStep:        t.Float("max_step", 0, source.Positive),
	}
	h.Knee = t.Float("knee", h.VoltageUnit/100, source.Positive)
	amp := d.Table(t.Get("opamp"))
	h.OpAmp = OpAmp{
		Gain: amp.Float("gain", 1e5, source.Positive),
		GBW:  amp.Float("gbw", 2e3/h.TimeUnit, source.Positive),
		Slew: amp.Float("slew", 5e4*h.VoltageUnit/h.TimeUnit, source.Positive),
		Rail: amp.Float("rail", 10*h.VoltageUnit, source.Positive),
	}
	amp.Done()
	ota := d.Table(t.Get("ota"))
	h.OTA = OTA{
		Range:     ota.Float("range", 10*h.VoltageUnit, source.Positive),
		Gain:      ota.Float("gain", 1e4, source.Positive),
		Bandwidth: ota.Float("bandwidth", 2e3/h.TimeUnit, source.Positive),
	}
	ota.Done()
	store := d.Table(t.Get("store"))
	h.Store = Store{Leak: store.Float("leak", 0, source.Positive)}
	store.Done()
	t.Done()
	return h
}

// devices are the parts that a Verilog design can be fitted to.
var devices = []string{"up5k", "hx8k", "ecp5", "xilinx"}
