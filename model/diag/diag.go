// Package diag holds positions in text files and lists of errors found there.
//
// Every reader of vlec (models, netlists, Verilog, circuit text) reports all
// that is wrong at once, each as
//
//	file:line:col: what is wrong; what to do
//
// so that an editor can jump to the place and a person knows the next step.
//
// # For maintainers
//
// The package is a leaf: it knows no file format. The shape follows go/scanner:
// an Error is a position and a lower-case message, a List sorts itself by
// position, and List.Err returns nil for an empty list, which keeps a typed nil
// from leaking into an error value.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a text file. Line and Col count from 1; Col counts bytes.
// The zero Pos is "nowhere", a Pos with Line 0 names a file as a whole.
type Pos struct {
	File string
	Line int
	Col  int
}

// IsValid tells whether the position names a line.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String prints file:line:col and leaves out what is not known.
func (p Pos) String() string {
	switch {
	case p.Line <= 0:
		if p.File == "" {
			return "-"
		}
		return p.File
	case p.Col <= 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Error is one thing that is wrong at one place. Msg says what is wrong, Hint
// what to do about it; both are lower case and without a full stop.
type Error struct {
	Pos  Pos
	Msg  string
	Hint string
}

// Error prints "file:line:col: message; hint".
func (e *Error) Error() string {
	s := e.Msg
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	if e.Pos == (Pos{}) {
		return s
	}
	return e.Pos.String() + ": " + s
}

// List collects errors. The zero List is empty and ready to use.
type List []*Error

// Add appends an error with a hint; the hint may be empty.
func (l *List) Add(pos Pos, hint, format string, args ...any) {
	*l = append(*l, &Error{Pos: pos, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// Sort orders the list by position and drops exact repetitions.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b *Error) int { return a.Pos.Compare(b.Pos) })
	*l = slices.CompactFunc(*l, func(a, b *Error) bool { return *a == *b })
}

// Err returns the sorted list as an error, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	l.Sort()
	return l
}

// Error prints one error a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As and errors.Is access to each entry.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}
