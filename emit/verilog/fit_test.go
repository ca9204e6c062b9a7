package verilog_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/emit/verilog"
	"vlec/emit/verilog/device"
	"vlec/emit/verilog/format"
)

func planFor(t *testing.T, n int, device string, learning bool) *format.Plan {
	t.Helper()
	net, o := learner(n)
	o.Device, o.Frozen = device, !learning
	p, err := format.New(net, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFitTakesTheFewestLanes wants the choice that trying all numbers of lanes
// gives, for every time that a step may take.
func TestFitTakesTheFewestLanes(t *testing.T) {
	p := planFor(t, 12, "up5k", false)
	part := device.Of("up5k")
	type tried struct {
		cycles int
		fits   bool
	}
	var all []tried
	for lanes := 1; lanes <= 12; lanes++ {
		c, err := verilog.New(p, verilog.Options{Lanes: lanes})
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.Estimate()
		if err != nil {
			t.Fatal(err)
		}
		fits := e.LC <= part.LUT && e.RAM <= part.RAM && e.DSP <= part.DSP
		all = append(all, tried{c.Schedule.Period, fits})
	}
	chosen := map[int]bool{}
	for budget := 20; budget < 250; budget += 3 {
		want := 0
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].fits && all[i].cycles <= budget {
				want = i + 1
			}
		}
		o := verilog.Options{Lanes: verilog.Auto, Demand: verilog.Demand{Clock: 12, Step: float64(budget) / 12e6}}
		c, err := verilog.New(p, o)
		short, refused := errors.AsType[*verilog.FitError](err)
		switch {
		case refused && want != 0:
			t.Errorf("%d cycles: %v, but %d lanes will do", budget, err, want)
		case refused:
			// What it says would do does, and a little less does not.
			mega := clockIn(t, err.Error())
			o.Demand.Clock = mega
			if _, err := verilog.New(p, o); err != nil {
				t.Errorf("%v: it does not", short)
			}
			o.Demand.Clock = mega - 0.02
			if _, err := verilog.New(p, o); err == nil {
				t.Errorf("%v: less is enough", short)
			}
		case err != nil:
			t.Fatal(err)
		case c.Schedule.Lanes != want || c.Fit.Lanes != want:
			t.Errorf("%d cycles: %d lanes, want %d", budget, c.Schedule.Lanes, want)
		default:
			chosen[want] = true
		}
	}
	if len(chosen) < 4 {
		t.Errorf("only %v were ever chosen", chosen)
	}
}

func clockIn(t *testing.T, text string) float64 {
	t.Helper()
	m := regexp.MustCompile(`it would take ([0-9.]+) MHz`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%q names no clock", text)
	}
	mega, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return mega
}

// TestFitToADevice: without a clock it takes the lanes that need the fewest cycles,
// and says which cells the next ones lack.
func TestFitToADevice(t *testing.T) {
	for _, c := range []struct {
		learning bool
		lanes    int
		lacks    string
	}{{true, 1, "10 multipliers, iCE40UP5K has 8"}, {false, 4, "9 multipliers, iCE40UP5K has 8"}} {
		core, err := verilog.New(planFor(t, 16, "up5k", c.learning), verilog.Options{Lanes: verilog.Auto})
		if err != nil {
			t.Fatal(err)
		}
		last := core.Fit.Candidates[len(core.Fit.Candidates)-1]
		if core.Schedule.Lanes != c.lanes || !strings.Contains(strings.Join(last.Lacking, "; "), c.lacks) {
			t.Errorf("learning %v: %d lanes, want %d; %+v", c.learning, core.Schedule.Lanes, c.lanes, last)
		}
	}
	if _, err := verilog.New(planFor(t, 200, "up5k", true), verilog.Options{Lanes: verilog.Auto}); err == nil || !strings.Contains(err.Error(), "one lane does not fit: it takes ") {
		t.Errorf("200 neurons a layer on a UP5K: %v", err)
	}
	if _, err := verilog.New(planFor(t, 4, "", true), verilog.Options{Lanes: verilog.Auto}); err == nil || !strings.Contains(err.Error(), "neither is named") {
		t.Errorf("no device and no clock: %v", err)
	}
	if _, err := verilog.New(planFor(t, 4, "up5k", true), verilog.Options{Lanes: verilog.Auto, Demand: verilog.Demand{Clock: 60, Step: 1e-3}}); err == nil || !strings.Contains(err.Error(), "reach about 41 MHz, not 60") {
		t.Errorf("a clock that the part does not reach: %v", err)
	}
	// Lanes that were asked for must keep up, too.
	if _, err := verilog.New(planFor(t, 16, "", true), verilog.Options{Lanes: 2, Demand: verilog.Demand{Clock: 1, Step: 1e-5}}); err == nil || !strings.Contains(err.Error(), "dt has 10 at 1 MHz") {
		t.Errorf("too slow a clock: %v", err)
	}
}
