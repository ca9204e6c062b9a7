// Package team shares work between two cores.
//
// # For maintainers
//
// Both engines use it: the explicit one for large matrices, the implicit one for
// behavioural sources in great numbers.
package team

import (
	"runtime"
	"sync/atomic"
)

// A Team shares work that falls into independent pieces between two cores. The
// pieces and the order of all sums within them do not depend on who does them,
// so that results are the same bits with one core, with two, and with two of
// which one is busy elsewhere.
//
// The helper watches for work for some microseconds after it last had some, and
// sleeps otherwise: waking it up costs more than most pieces are worth. Pieces
// are claimed one by one through a ticket that names the job, the number of its
// pieces and the next one; a helper that comes late finds nothing left to claim.
type Team struct {
	ticket atomic.Uint64
	done   atomic.Int64 // pieces of the job that are finished
	asleep atomic.Bool
	wake   chan struct{}
	work   Pieces // read after a claim succeeded, written when all pieces are done
}

// Pieces is work in independent pieces.
type Pieces interface{ Piece(k int) }

const (
	patience   = 4000    // looks at the ticket before the helper sleeps
	worthwhile = 1 << 15 // operations below which one core is faster
	pieceBits  = 20
	mostPieces = 1<<pieceBits - 1
)

// New starts a helper, or returns nil where there is no core for one.
func New() *Team {
	if runtime.GOMAXPROCS(0) < 2 {
		return nil
	}
	t := &Team{wake: make(chan struct{}, 1)}
	go t.help()
	return t
}

// Stop ends the helper.
func (t *Team) Stop() {
	if t != nil {
		close(t.wake)
	}
}

// Do does all n pieces of work, whose cost is the given number of operations.
func (t *Team) Do(w Pieces, n, cost int) {
	if t == nil || n < 2 || n > mostPieces || cost < worthwhile {
		for k := range n {
			w.Piece(k)
		}
		return
	}
	t.work = w
	t.done.Store(0)
	job := t.ticket.Load()>>(2*pieceBits) + 1
	t.ticket.Store(job<<(2*pieceBits) | uint64(n)<<pieceBits)
	if t.asleep.Load() {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	t.claim()
	for t.done.Load() < int64(n) {
		runtime.Gosched()
	}
}

// claim does pieces until none is left.
func (t *Team) claim() {
	for {
		ticket := t.ticket.Load()
		next, n := ticket&mostPieces, ticket>>pieceBits&mostPieces
		if next >= n {
			return
		}
		if t.ticket.CompareAndSwap(ticket, ticket+1) {
			t.work.Piece(int(next))
			t.done.Add(1)
		}
	}
}

func (t *Team) help() {
	seen := uint64(0)
	job := func() uint64 { return t.ticket.Load() >> (2 * pieceBits) }
	for {
		for range patience {
			if j := job(); j != seen {
				seen = j
				t.claim()
			}
		}
		t.asleep.Store(true)
		if job() == seen {
			if _, open := <-t.wake; !open {
				return
			}
		}
		t.asleep.Store(false)
	}
}
