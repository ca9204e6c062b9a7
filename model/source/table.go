package source

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vlec/model/diag"
)

// MaxErrors is how many mistakes a Reader keeps: nobody reads more, and a
// hostile file can make a million.
const MaxErrors = 1000

// A Reader collects what is wrong in a document.
type Reader struct {
	Errors   diag.List
	Warnings diag.List
}

// FailAt reports a mistake at a place.
func (r *Reader) FailAt(pos diag.Pos, hint, format string, args ...any) {
	if len(r.Errors) < MaxErrors {
		r.Errors.Add(pos, hint, format, args...)
	}
}

// Fail reports a mistake at a node's value. Only the first mistake about a node
// is kept: the others tend to follow from it.
func (r *Reader) Fail(n *Node, hint, format string, args ...any) {
	if n.reported {
		return
	}
	n.reported = true
	r.FailAt(n.Pos, hint, format, args...)
}

// A Table gives typed access to the fields of a table. The keys asked for are
// the legal ones: Done reports all others.
//
// Every method is safe on a Table made from a nil node or one that is not a
// table; it then gives defaults.
type Table struct {
	*Node
	r     *Reader
	legal []string        // in the order of asking
	asked map[string]bool // the same as a set
}

// Table opens a node, which must be a table; a nil node opens an empty one.
func (r *Reader) Table(n *Node) *Table {
	switch {
	case n == nil:
		n = &Node{kind: table}
	case n.kind == array && len(n.Elems) > 0 && n.Elems[0].IsTable():
		r.Fail(n.Elems[0], fmt.Sprintf("write [%s] once, or [%s.NAME] for each where it holds named tables", n.Path, n.Path),
			"%s is a list of tables, but must be one table", n.Label())
		n = &Node{kind: table}
	case n.kind != table:
		r.Fail(n, "", "%s is %s, but must be a table", n.Label(), n.Kind())
		n = &Node{kind: table}
	}
	return &Table{Node: n, r: r, asked: map[string]bool{}}
}

// Label names a node in messages: the key, with indices for elements.
func (n *Node) Label() string {
	return n.Path[strings.LastIndexByte(n.Path, '.')+1:]
}

// Get returns the field of a legal key, nil when it is absent.
func (t *Table) Get(key string) *Node {
	if !t.asked[key] {
		t.asked[key] = true
		t.legal = append(t.legal, key)
	}
	return t.Field(key)
}

// Has tells whether a legal key is present.
func (t *Table) Has(key string) bool { return t.Get(key) != nil }

// Need is Get for a key that must be there.
func (t *Table) Need(key, hint string) *Node {
	n := t.Get(key)
	if n == nil && t.KeyPos.IsValid() {
		what := t.Path
		if what == "" {
			what = "the model"
		}
		t.r.FailAt(t.KeyPos, hint, "%s has no %s", what, key)
	}
	return n
}

// Fail reports a mistake at the value of a field; where a default made it, at
// the table.
func (t *Table) Fail(key, hint, format string, args ...any) {
	if n := t.Get(key); n != nil {
		t.r.Fail(n, hint, format, args...)
		return
	}
	t.r.FailAt(t.KeyPos, hint, format, args...)
}

// A Check says what is wrong with a number, "" when nothing is.
type Check func(float64) string

// Positive wants a number above zero.
func Positive(x float64) string {
	if x > 0 {
		return ""
	}
	return "must be greater than 0"
}

// NotNegative wants zero or a number above it.
func NotNegative(x float64) string {
	if x >= 0 {
		return ""
	}
	return "must not be negative"
}

// Within wants a number in [lo, hi].
func Within(lo, hi float64) Check {
	return func(x float64) string {
		if lo <= x && x <= hi {
			return ""
		}
		return fmt.Sprintf("must lie between %v and %v", lo, hi)
	}
}

// Number returns a node's value as a float64. Whole numbers count as numbers;
// nan and inf do not.
func (r *Reader) Number(n *Node, checks ...Check) (float64, bool) {
	var x float64
	switch v := n.Value.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		hint := ""
		if s, ok := n.Value.(string); ok && s != "" {
			hint = "write the number without quotes"
		}
		r.Fail(n, hint, "%s is %s, but must be a number", n.Label(), n.Kind())
		return 0, false
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		r.Fail(n, "", "%s is %v, but must be finite", n.Label(), x)
		return 0, false
	}
	for _, check := range checks {
		if complaint := check(x); complaint != "" {
			r.Fail(n, "", "%s is %v, but %s", n.Label(), x, complaint)
			return 0, false
		}
	}
	return x, true
}

// Float returns a number, def when the key is absent or wrong.
func (t *Table) Float(key string, def float64, checks ...Check) float64 {
	if n := t.Get(key); n != nil {
		if x, ok := t.r.Number(n, checks...); ok {
			return x
		}
	}
	return def
}

// Int returns a whole number in [lo, hi], def when the key is absent or wrong.
func (t *Table) Int(key string, def, lo, hi int64) int64 {
	n := t.Get(key)
	if n == nil {
		return def
	}
	v, ok := n.Value.(int64)
	switch {
	case !ok:
		t.r.Fail(n, "", "%s is %s, but must be a whole number", n.Label(), n.Kind())
	case v < lo || v > hi:
		t.r.Fail(n, "", "%s is %d, but must lie between %d and %d", n.Label(), v, lo, hi)
	default:
		return v
	}
	return def
}

// Bool returns a boolean, def when the key is absent or wrong.
func (t *Table) Bool(key string, def bool) bool {
	n := t.Get(key)
	if n == nil {
		return def
	}
	if v, ok := n.Value.(bool); ok {
		return v
	}
	t.r.Fail(n, "", "%s is %s, but must be true or false", n.Label(), n.Kind())
	return def
}

// String returns a string, def when the key is absent or wrong.
func (t *Table) String(key, def string) string {
	if n := t.Get(key); n != nil {
		if v, ok := t.r.Text(n); ok {
			return v
		}
	}
	return def
}

// Text returns a node's value as a string.
func (r *Reader) Text(n *Node) (string, bool) {
	v, ok := n.Value.(string)
	if !ok {
		r.Fail(n, "", "%s is %s, but must be a string", n.Label(), n.Kind())
	}
	return v, ok
}

// Choice returns one of a few strings, def when the key is absent or wrong.
func Choice[S ~string](t *Table, key string, def S, choices []S) S {
	n := t.Get(key)
	if n == nil {
		return def
	}
	v, ok := t.r.Text(n)
	if !ok {
		return def
	}
	if slices.Contains(choices, S(v)) {
		return S(v)
	}
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	t.r.Fail(n, Suggest(v, names, "choose"), "unknown %s %q", key, v)
	return def
}

// Done reports every key that was not asked for.
func (t *Table) Done() {
	for _, f := range t.Fields {
		if t.asked[f.Key] {
			continue
		}
		where := ""
		if t.Path != "" {
			where = " in " + t.Path
		}
		t.r.FailAt(f.KeyPos, Suggest(f.Key, t.legal, "legal here:"), "unknown key %s%s", quoteKey(f.Key), where)
	}
}

func quoteKey(key string) string {
	for i := range len(key) {
		if !isBare(key[i]) {
			return fmt.Sprintf("%q", key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// Suggest phrases a hint for a name that is none of those allowed: the nearest
// one where it is near, all of them where they are few.
func Suggest(name string, allowed []string, lead string) string {
	best, at := min(3, max(1, len(name)/3))+1, ""
	for _, a := range allowed[:min(len(allowed), 1000)] { // a hostile file has many of both
		if d := distance(strings.ToLower(name), strings.ToLower(a)); d < best {
			best, at = d, a
		}
	}
	switch {
	case at != "":
		return fmt.Sprintf("did you mean %s?", at)
	case len(allowed) == 0:
		return ""
	case len(allowed) > 24:
		return fmt.Sprintf("%s %s, ...", lead, strings.Join(allowed[:24], ", "))
	default:
		return fmt.Sprintf("%s %s", lead, strings.Join(allowed, ", "))
	}
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
