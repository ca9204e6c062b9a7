package reference

import "testing"

// Every bit is the same with and without vector instructions.
func TestVectorCodeDoesNotMatter(t *testing.T) {
	if !wide {
		t.Skip("this processor has no AVX")
	}
	net := wideNetwork()
	for _, trials := range []int{1, 3} {
		with := digest(t, net, trials, 1)
		wide = false
		without := digest(t, net, trials, 1)
		wide = true
		if !sameBits(with, without) {
			t.Errorf("%d trials: the vector code gives other results than the Go code", trials)
		}
	}
}
