package reference

import (
	"runtime"
	"sync/atomic"
)

// A crew is a set of goroutines that stay alive between the steps of a
// Synchronous and share the passes over large weight matrices. A goroutine
// started for each pass would cost more than it brings below a million weights.
//
// Members spin for some microseconds after a pass, because the next one is
// usually due at once, and sleep after that. A crew is not safe for concurrent
// use.
type crew struct {
	members int
	job     *sweep // the current pass
	trials  int
	todo    chore

	turn   atomic.Uint32 // number of the current pass
	next   atomic.Int32  // its first part that nobody has taken
	left   atomic.Int32  // parts of it that are not finished
	asleep []atomic.Bool
	wake   []chan struct{}
	quit   atomic.Bool
}

// sweepParts is the number of parts of the pass over a matrix of at least
// sweepSplit weights. It is fixed, not the number of processors, so that the
// order of summation and with it every bit of the result is the same everywhere.
const (
	sweepParts = 8
	sweepSplit = 1 << 15
)

// spins bounds the polls of a waiting member, some tens of microseconds.
const spins = 20000

// newCrew starts members besides the caller, who is the first; nil means that
// the caller is alone.
func newCrew(members int) *crew {
	others := min(members, sweepParts) - 1
	if others < 1 {
		return nil
	}
	c := &crew{members: others + 1, asleep: make([]atomic.Bool, others), wake: make([]chan struct{}, others)}
	for k := range others {
		c.wake[k] = make(chan struct{}, 1)
		go c.serve(k)
	}
	return c
}

// sweep makes a pass, in parts that share nothing if it is a large one, so that
// it does not matter which member does which part.
func (c *crew) sweep(job *sweep, trials int, todo chore) {
	if job.parts == nil {
		job.run(trials, todo, job.c, 0, 0, job.n)
		return
	}
	if c == nil {
		for part := range sweepParts {
			job.runPart(trials, todo, part)
		}
	} else {
		c.share(job, trials, todo)
	}
	if todo&backward != 0 && job.c != nil {
		for _, p := range job.parts {
			axpy(1, p, job.c)
		}
	}
}

// share makes a pass together. Members take parts as they come: one that another
// process keeps from its processor delays nobody before it has taken a part.
func (c *crew) share(job *sweep, trials int, todo chore) {
	c.job, c.trials, c.todo = job, trials, todo
	c.left.Store(sweepParts)
	c.next.Store(0) // from here on parts are taken
	c.turn.Add(1)
	for k := range c.asleep {
		if c.asleep[k].Swap(false) {
			c.wake[k] <- struct{}{}
		}
	}
	c.work()
	for polls := 0; c.left.Load() > 0; polls++ {
		if polls > spins {
			runtime.Gosched() // another process may hold the other processor
		}
	}
	c.job = nil
}

// work does parts until none is left. The pass cannot end, and its fields cannot
// change, between taking a part and finishing it.
func (c *crew) work() {
	for {
		part := int(c.next.Add(1)) - 1
		if part >= sweepParts {
			return
		}
		c.job.runPart(c.trials, c.todo, part)
		c.left.Add(-1)
	}
}

// serve is the life of member k+1.
func (c *crew) serve(k int) {
	seen := uint32(0)
	for {
		for polls := 0; c.turn.Load() == seen; polls++ {
			if polls < spins {
				continue
			}
			c.asleep[k].Store(true)
			// A pass that began just now may not have seen the flag.
			if c.turn.Load() != seen && c.asleep[k].Swap(false) {
				break
			}
			<-c.wake[k]
		}
		seen = c.turn.Load()
		if c.quit.Load() {
			return
		}
		c.work()
	}
}

// dismiss ends the members; sweep must not be called any more.
func (c *crew) dismiss() {
	c.quit.Store(true)
	c.turn.Add(1)
	for k := range c.asleep {
		if c.asleep[k].Swap(false) {
			c.wake[k] <- struct{}{}
		}
	}
}
