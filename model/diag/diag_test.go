package diag

import (
	"errors"
	"fmt"
	"testing"
)

func TestPosString(t *testing.T) {
	for want, p := range map[string]Pos{
		"-":     {},
		"f":     {File: "f"},
		"f:2":   {File: "f", Line: 2},
		"f:2:3": {File: "f", Line: 2, Col: 3},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v prints as %q, want %q", p, got, want)
		}
	}
}

// TestList wants errors sorted by place, each once, in the order of adding where
// the place is the same.
func TestList(t *testing.T) {
	var l List
	if l.Err() != nil {
		t.Error("an empty list is an error")
	}
	l.Add(Pos{"f", 10, 1}, "", "tenth")
	l.Add(Pos{"f", 9, 2}, "do this", "second of %d", 9)
	l.Add(Pos{"f", 9, 1}, "", "b")
	l.Add(Pos{"f", 9, 1}, "", "a")
	l.Add(Pos{"f", 9, 2}, "do this", "second of 9")
	l.Add(Pos{}, "", "nowhere")
	const want = "nowhere\nf:9:1: b\nf:9:1: a\nf:9:2: second of 9; do this\nf:10:1: tenth"
	err := fmt.Errorf("wrapped: %w", l.Err())
	if got := err.Error(); got != "wrapped: "+want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var list List
	var one *Error
	if !errors.As(err, &list) || len(list) != 5 || !errors.As(err, &one) || one.Msg != "nowhere" {
		t.Errorf("a wrapped list cannot be found: %v, %v", list, one)
	}
}
