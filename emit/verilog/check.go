package verilog

import "fmt"

// check walks through three steps, cycle by cycle, and refuses a schedule that
// reads what is not written yet or writes what is still to be read. It knows the
// stages of the pipes, and nothing of how starts were chosen.
func (s *Schedule) check() error {
	t, pops := &s.t, s.p.Populations
	never := -1 << 30
	fill := func(n int) []int {
		v := make([]int, n)
		for i := range v {
			v[i] = never
		}
		return v
	}
	errors, scaled := fill(s.Neurons), fill(s.Neurons) // from when e and s can be addressed
	rates, slopes := fill(s.Neurons), fill(s.Neurons)  // the same of r and phi'
	sums, drives := fill(s.Neurons), fill(s.Neurons)   // of the sums of w e and w r
	lastRead := fill(s.Neurons)                        // of e, by sweeps
	lastOwn := fill(s.Neurons)                         // of the row of a neuron
	neuron := func(k, j int) int { return s.Address[k] + j }
	engine := never
	heard := [][]int{fill(s.Neurons), fill(s.Neurons), fill(s.Neurons)} // what backward weights learn from, by step
	fars := fill(s.Neurons)                                             // the same of the receivers

	for step := range 3 {
		base := step * s.Period
		slots := func(membrane bool) error {
			for _, b := range s.Bursts {
				if b.Membrane != membrane {
					continue
				}
				for j := range pops[b.Population].Size {
					i, at := neuron(b.Population, j), base+b.Start+j
					if !membrane {
						switch {
						case step > 0 && (rates[i] > at || slopes[i] > at+1+t.nudge):
							return s.wrong("the error of neuron %d needs a rate of the step before", i)
						case sums[i] > at:
							return s.wrong("the error of neuron %d needs a sum that is not complete", i)
						case lastRead[i] >= at+t.out:
							return s.wrong("the error of neuron %d is replaced before all have read it", i)
						}
						errors[i], scaled[i] = at+t.out+1, at+t.out+1
						if t.scaled {
							scaled[i] = at + t.rate + 1
						}
						continue
					}
					if drives[i] > at+t.arrive-1 {
						return s.wrong("the membrane of neuron %d needs a sum that is not complete", i)
					}
					rates[i], slopes[i] = at+t.rate+1, at+t.rate+1
					heard[step][i] = at + t.heard + 1
					if t.far > 0 {
						fars[i] = at + t.far + 1
						if lastOwn[i] >= at+t.far {
							return s.wrong("what neuron %d teaches is replaced before its row has read it", i)
						}
					}
				}
			}
			return nil
		}
		if err := slots(false); err != nil {
			return err
		}
		for i := range s.Sweeps {
			w := &s.Sweeps[i]
			if base+w.Start <= engine {
				return s.wrong("sweep %d starts before the one before has ended", i)
			}
			engine = base + w.End() - 1
			for row := range pops[w.Population].Size {
				at := base + w.Start + row/s.Lanes*w.Row
				n := neuron(w.Population, row)
				if t.backward && pops[w.Population].Error && (errors[n] > at || scaled[n] > at) {
					return s.wrong("the weights of neuron %d need an error that is not there", n)
				}
				for _, g := range w.Segments {
					for c := range g.Size {
						if g.Neurons && step > 0 && rates[g.First+c] > at {
							return s.wrong("neuron %d needs a rate of the step before", n)
						}
						if g.Learned && t.now && step > 0 && heard[step-1][g.First+c] > at {
							return s.wrong("a backward weight of neuron %d needs what is not heard yet", n)
						}
						if g.Learned && t.aligned && !t.now && (step > 1 && heard[step-2][g.First+c] > at || fars[n] > at) {
							return s.wrong("a backward weight of neuron %d needs what is not heard yet", n)
						}
						if g.Back {
							sums[g.First+c] = at + t.backSum() + 1
						}
						lastRead[n] = at
						at++
					}
				}
				drives[n], lastOwn[n] = at-1+sumWritten+1, at-1
				if t.far == 0 {
					fars[n] = at - 1 + farWritten + 1
				}
			}
		}
		if err := slots(true); err != nil {
			return err
		}
		if last := base + s.lastSlot(); last >= base+s.Period {
			return s.wrong("the step ends before its last slot")
		}
		// The register port is granted in the first cycle after a step.
		if engine+t.written() >= base+s.Period+s.portRead() {
			return s.wrong("a weight is still on its way when the register port reads")
		}
	}
	return nil
}

// lastSlot is the cycle in which the last slot is issued.
func (s *Schedule) lastSlot() int {
	last, free := 0, 0
	for _, b := range s.Bursts {
		if b.Start < free {
			return 1 << 30 // two bursts at once
		}
		last = b.Start + s.p.Populations[b.Population].Size - 1
		free = last + 1
	}
	return last
}

func (s *Schedule) wrong(what string, args ...any) error {
	return fmt.Errorf("the schedule is wrong: "+what, args...)
}
