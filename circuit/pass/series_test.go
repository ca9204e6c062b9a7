package pass_test

import (
	"math"
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
)

const parts = `circuit parts
net pre potential 2
net s sum 2
net u potential 2
net y potential 2
net x sum 1
net v potential 1
net e potential 1
net w potential 2
net back sum 1
net b potential 1
stimulus pre out=pre wave=[constant(1) constant(2)]
stimulus teacher/t out=e wave=[constant(1)]
synapse k pre=pre sum=s w=[1 -0.37 0 2.9]
lead-lag m sum=s state=u lead=y tau=[1 0.3] ahead=[0.1 0.8] init=[0 0]
coupling c in=e sum=x gain=0.13
leaky-integrator low sum=x state=v tau=[0.77] init=[0]
weight-store w pre=pre post=e w=w rate=0.23 decay=0.011 clip=0 init=[0 0]
plastic-synapse p w=w pre=pre sum=back
leaky-integrator b sum=back state=b tau=[1] init=[0]
`

// TestSeries wants that every part of the circuit, computed from its parameters
// as the cells do, is a value of the series, and that the reported errors are
// those of the parameters and as small as the series allows.
func TestSeries(t *testing.T) {
	units := circuit.Units{Time: 1e-3, Voltage: 1, Resistance: 1.04e6}
	for name, most := range map[string]float64{"E12": 0.105, "E24": 0.052, "E96": 0.0125} {
		c, err := circuit.Parse("parts", parts)
		if err != nil {
			t.Fatal(err)
		}
		var list []pass.Rounding
		series, err := pass.Series(name, &list)
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Run(c, append(pass.Analog(units), series)); err != nil {
			t.Fatal(err)
		}
		r0 := c.Units.Resistance
		in := func(what string, x float64) {
			t.Helper()
			digits := x / math.Pow(10, math.Floor(math.Log10(x)+1e-9))
			for _, v := range pass.SeriesValues(name) {
				if math.Abs(digits/v-1) < 1e-12 {
					return
				}
			}
			t.Errorf("%s: %s of %g is not to be had", name, what, x)
		}
		in("r0", r0)
		for _, e := range c.Elements {
			switch e.Name {
			case "k":
				for _, w := range e.Numbers("w") {
					if w != 0 {
						in("a weight", r0/math.Abs(w))
					}
				}
			case "m":
				tau, ahead := e.Numbers("tau"), e.Numbers("ahead")
				in("a passive capacitor", (tau[0]-ahead[0])/r0)
				in("a passive resistor", r0*ahead[0]/(tau[0]-ahead[0]))
				in("a capacitor", tau[1]/r0)
				if math.Abs(ahead[1]/tau[1]-0.8/0.3) > 1e-12 {
					t.Errorf("%s: a ratio of transconductances was rounded: %g", name, ahead[1]/tau[1])
				}
			case "low":
				in("a capacitor", e.Numbers("tau")[0]/r0)
			case "w":
				in("a store", 1/(e.Number("rate")*r0))
				in("a leak", e.Number("rate")*r0/e.Number("decay"))
			case "c":
				in("a gain", r0/e.Number("gain"))
			}
		}
		errors := 0
		for _, r := range list {
			if off := math.Abs(math.Log(r.Rounded / r.Wanted)); off > most {
				t.Errorf("%s: %+v is off by %g", name, r, off)
			}
			if math.Abs(r.Error) > 3*most {
				t.Errorf("%s: %+v", name, r)
			}
			if r.Error != 0 {
				errors++
			}
		}
		if len(list) != 11 || errors == 0 {
			t.Errorf("%s: %d roundings, %d of them off", name, len(list), errors)
		}
	}
	if _, err := pass.Series("E13", nil); err == nil {
		t.Error("E13 is no series")
	}
}

// TestHeadroom wants that the unit of voltage that fits leaves no signal beyond
// its limit and touches one, and that a larger one is found out.
func TestHeadroom(t *testing.T) {
	observed := map[string]pass.Range{"u": {Largest: 3, RMS: 1}, "y": {Largest: 1.5, RMS: 1}, "w": {Largest: 2, RMS: 2}}
	limits := pass.Limits{Input: 0.2, Rail: 1, Node: 1e-15, Temperature: 300}
	scaled := func(volts float64) []pass.Headroom {
		c, err := circuit.Parse("x", `net u potential 1
net s sum 1
net y potential 1
net w potential 1
net o potential 1
weight-store w pre=y post=y w=w rate=1 decay=0 clip=0 init=[1]
lead-lag m sum=s state=u lead=y tau=[1] ahead=[0.1] init=[0]
plastic-synapse p w=w pre=y sum=s
signal u u 1
signal y y 1
signal w w 1
`)
		if err != nil {
			t.Fatal(err)
		}
		if volts == 0 {
			if volts, err = pass.FitVoltage(c, observed, limits); err != nil {
				t.Fatal(err)
			}
			if volts != 0.1 {
				t.Errorf("a unit of %g V, want 0.1: the weight is 2 and inputs take 0.2 V", volts)
			}
			if _, err := pass.FitVoltage(c, nil, limits); err == nil {
				t.Error("a unit was fitted to nothing")
			}
		}
		if _, err := pass.Headrooms(c, observed, limits); err == nil {
			t.Error("a circuit in model units has no headroom")
		}
		if err := pass.Scale(c, circuit.Units{Time: 1e-3, Voltage: volts, Resistance: 1e6}); err != nil {
			t.Fatal(err)
		}
		list, err := pass.Headrooms(c, observed, limits)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	fit := scaled(0)
	if len(fit) != 3 || fit[0].Of != "rail" || fit[1].Of != "input" || fit[2].Of != "input" {
		t.Fatalf("%+v", fit)
	}
	for i, want := range []float64{10.0 / 3, 4.0 / 3, 1} {
		if math.Abs(fit[i].Spare-want) > 1e-12 {
			t.Errorf("%s: spare %g, want %g", fit[i].Signal, fit[i].Spare, want)
		}
	}
	// kT/C at 300 K: 2.14 uV on the 0.9 nF of the membrane, 2.04 mV on the node.
	if math.Abs(fit[0].Noise-2.145e-6) > 1e-9 || math.Abs(fit[1].Noise-2.035e-3) > 1e-6 {
		t.Errorf("noise %g V and %g V", fit[0].Noise, fit[1].Noise)
	}
	if math.Abs(fit[0].Dynamic-93.37) > 0.01 {
		t.Errorf("dynamic range %g dB", fit[0].Dynamic)
	}
	if large := scaled(0.11); large[2].Spare >= 1 {
		t.Errorf("a weight of 0.22 V fits 0.2 V: %+v", large[2])
	}
}
