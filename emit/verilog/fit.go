package verilog

import (
	"fmt"
	"math"
	"strings"

	"vlec/emit/verilog/device"
	"vlec/emit/verilog/format"
)

// Auto asks New for as many lanes as a Demand needs.
const Auto = -1

// A Demand is what a number of lanes is looked for, beside the cells of the plan's
// device: a clock that does a step in the time that the step stands for.
type Demand struct {
	Clock float64 // [MHz]; 0: none
	Step  float64 // dt [s]
}

// Cycles is how many cycles a step may take; 0: any number.
func (d Demand) Cycles() int {
	if d.Clock <= 0 {
		return 0
	}
	return int(math.Floor(d.Clock * 1e6 * d.Step * (1 + 1e-9)))
}

// A Candidate is a number of lanes that was tried.
type Candidate struct {
	Lanes    int       `json:"lanes"`
	Cycles   int       `json:"cycles_per_step"`
	Estimate *Estimate `json:"estimate"` // nil: no device was named
	Lacking  []string  `json:"lacking"`  // of the device, or of time
}

// A Fit says how a number of lanes was found: by a table of those that were tried.
type Fit struct {
	Device     string      `json:"device"`
	Budget     int         `json:"cycles_in_dt"` // 0: a step may take any time
	Candidates []Candidate `json:"candidates"`
	Lanes      int         `json:"lanes"` // 0: none will do

	demand Demand
}

// NewFit looks for a number of lanes. With a clock it takes the fewest that keep up
// with real time; without, those that take the fewest cycles. Numbers of lanes that
// take no fewer cycles than a smaller one are passed over, and after the first that
// does not fit a device larger ones are not tried.
func NewFit(p *format.Plan, o Options) (*Fit, error) {
	f := &Fit{Device: p.Device, Budget: o.Demand.Cycles(), demand: o.Demand}
	part := device.Of(p.Device)
	if part == nil && o.Demand.Clock == 0 {
		return nil, fmt.Errorf("lanes are fitted to a device or to a clock, and neither is named: --device up5k, say, or --clock 12")
	}
	widest := 1
	for i := range p.Populations {
		widest = max(widest, p.Populations[i].Size)
	}
	least := math.MaxInt
	for lanes := 1; lanes <= min(widest, MaxLanes); lanes++ {
		s, err := NewSchedule(p, lanes)
		if err != nil {
			return nil, err
		}
		if s.Period >= least {
			continue
		}
		least = s.Period
		c := Candidate{Lanes: lanes, Cycles: s.Period}
		if f.Budget > 0 && s.Period > f.Budget {
			c.Lacking = append(c.Lacking, fmt.Sprintf("%d cycles, there is time for %d", s.Period, f.Budget))
		}
		slow, fits := len(c.Lacking) > 0, true
		if part != nil {
			if c.Estimate, err = build(p, s, o).Estimate(); err != nil {
				return nil, err
			}
			lacking := c.Estimate.Lacking(part)
			if most := c.Estimate.Mega; most > 0 && o.Demand.Clock > float64(most) {
				return nil, fmt.Errorf("cores on a %s reach about %d MHz, not %g", part.Part, most, o.Demand.Clock)
			}
			c.Lacking, fits = append(c.Lacking, lacking...), len(lacking) == 0
		}
		f.Candidates = append(f.Candidates, c)
		if !fits {
			break
		}
		if !slow {
			f.Lanes = lanes
			if f.Budget > 0 {
				break // more would do no better
			}
		}
	}
	return f, nil
}

// Lacking says of which cells a device has too few.
func (e *Estimate) Lacking(d *device.Device) []string {
	var list []string
	want := func(n int, what string, have int) {
		if n > have {
			list = append(list, fmt.Sprintf("%d %s, %s has %d", n, what, d.Part, have))
		}
	}
	if d.Family.Packed {
		want(e.LC, "logic cells", d.LUT)
	} else {
		want(e.LUT, "LUT", d.LUT)
		want(e.FF, "FF", d.FF)
	}
	want(e.RAM, "block RAMs", d.RAM)
	want(e.DSP, "multipliers", d.DSP)
	return list
}

// Table shows the candidates, the one that was taken marked.
func (f *Fit) Table() [][]string {
	rows := [][]string{{"lanes", "cycles a step", "LUT", "FF", "block RAM", "DSP", ""}}
	for _, c := range f.Candidates {
		row := []string{fmt.Sprint(c.Lanes), fmt.Sprint(c.Cycles), "", "", "", "", strings.Join(c.Lacking, "; ")}
		if e := c.Estimate; e != nil {
			row[2], row[3], row[4], row[5] = "?", "?", fmt.Sprint(e.RAM), fmt.Sprint(e.DSP)
			if e.LUT > 0 {
				row[2], row[3] = fmt.Sprint(e.LUT), fmt.Sprint(e.FF)
			}
		}
		switch {
		case c.Lanes == f.Lanes:
			row[6] = "taken"
		case len(c.Lacking) == 0:
			row[6] = "fits"
		}
		rows = append(rows, row)
	}
	return rows
}

// Shortfall is why no number of lanes will do, and what would: "" where one does.
func (f *Fit) Shortfall() string {
	if f.Lanes > 0 {
		return ""
	}
	var small *Candidate // the last one that fits the device
	for i := range f.Candidates {
		c := &f.Candidates[i]
		if c.Estimate == nil || len(c.Estimate.Lacking(device.Of(f.Device))) == 0 {
			small = c
		}
	}
	if small == nil {
		c := f.Candidates[0]
		return fmt.Sprintf("one lane does not fit: it takes %s", strings.Join(c.Estimate.Lacking(device.Of(f.Device)), ", "))
	}
	where := ""
	if f.Device != "" {
		where = " that fit " + device.Of(f.Device).Part
	}
	return fmt.Sprintf("lanes: %d, the most%s, take %d cycles a step, and dt has %d at %g MHz: it would take %g MHz, or a dt of %.3g s",
		small.Lanes, where, small.Cycles, f.Budget, f.demand.Clock, math.Ceil(float64(small.Cycles)/f.demand.Step/1e4)/100, float64(small.Cycles)/f.demand.Clock/1e6)
}
