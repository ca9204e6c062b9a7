package main

import (
	"bytes"
	"strings"
	"testing"
)

// The loop in PyTorch steps as the reference does, and a loop that does not is
// found out before anything is timed.
func TestLoopIsEquivalent(t *testing.T) {
	py, err := python("")
	if err != nil {
		t.Skip("PyTorch is not there: ", err)
	}
	b := newNetwork(2, 4, 3, 2)
	if _, err := b.torch(py, 0.01); err != nil {
		t.Error(err)
	}
	good := loop
	defer func() { loop = good }()
	for _, change := range [][2]string{
		{"tau_m * vd", "tau_m * vd * 1.0001"},
	} {
		if loop = bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1); bytes.Equal(loop, good) {
			t.Fatalf("%q is not in the loop", change[0])
		}
		if _, err := b.torch(py, 0.01); err == nil || !strings.Contains(err.Error(), "not equivalent") {
			t.Errorf("with %q for %q: got %v", change[1], change[0], err)
		}
	}
}

// Measuring allocates nothing but what is measured.
func TestStepperDoesNotAllocate(t *testing.T) {
	z, err := newNetwork(3, 5, 2).stepper()
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { z.run(5) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
