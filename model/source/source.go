// Package source reads TOML into a tree whose every key and value knows its
// line and column, and offers typed access that reports all mistakes at once.
//
// It is the only package that knows TOML. What the keys of a model mean is for
// its importer to say.
//
// # For maintainers
//
// BurntSushi/toml decides what is TOML and what a value is; it gives no
// positions for values, none for keys it did not decode, and those of arrays of
// tables are off. Scanner therefore walks the same bytes once more and notes
// only where things are. It runs first, and only to know how deep the document
// nests: the library recurses, and no Go program survives a full stack. After
// that the library reads the document, and values and places are joined.
//
// The scanner never decides a value. Should it ever disagree with the library
// about the shape of a document, the node in question gets the place of its
// parent, and the test that compares every scalar with the text at its place
// fails.
package source

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"vlec/model/diag"
)

// Limits of what Parse accepts. Larger weights belong into .npy files.
const (
	MaxBytes = 8 << 20 // length of a document
	MaxDepth = 32      // nesting of tables and arrays
)

// A Node is a table, an array or a scalar.
type Node struct {
	Path   string   // "population.hidden.tau_m", elements as "weights[0][1]"
	Key    string   // last part of the path; "" for the root and for elements
	KeyPos diag.Pos // of the key; of the header's last part for [a.b]; of the value for elements
	Pos    diag.Pos // of the value; of the key for tables with a header

	Value    any              // string, bool, int64, float64 or time.Time; nil for tables and arrays
	Fields   []*Node          // of a table, in the order of the document
	Elems    []*Node          // of an array
	kind     kind             // what it is
	byKey    map[string]*Node // Fields by key
	reported bool             // an error about this very node is in the list
}

type kind int

const (
	scalar kind = iota
	table
	array
)

// IsTable tells whether the node is a table.
func (n *Node) IsTable() bool { return n != nil && n.kind == table }

// IsArray tells whether the node is an array.
func (n *Node) IsArray() bool { return n != nil && n.kind == array }

// Field returns the field of a table, or nil.
func (n *Node) Field(key string) *Node {
	if n == nil {
		return nil
	}
	return n.byKey[key]
}

// Kind names what a node is, with an article, for messages.
func (n *Node) Kind() string {
	switch n.kind {
	case table:
		return "a table"
	case array:
		return "a list"
	}
	switch n.Value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	default:
		return "a date or time"
	}
}

// Parse reads a document. The error, if any, is a diag.List with one entry: a
// document that is not TOML is reported at its first mistake.
func Parse(file string, src []byte) (root *Node, err error) {
	var errs diag.List
	if len(src) > MaxBytes {
		errs.Add(diag.Pos{File: file}, "move large tables of numbers into .npy files",
			"the file has %d bytes, more than the %d a model may have", len(src), MaxBytes)
		return nil, errs.Err()
	}
	s := newScanner(string(src))
	places := s.document()
	if s.tooDeep > 0 {
		line, col := s.lines.at(s.tooDeep)
		errs.Add(diag.Pos{File: file, Line: line, Col: col}, "no key of the model language nests that deep",
			"tables and lists nest deeper than %d", MaxDepth)
		return nil, errs.Err()
	}
	defer func() {
		if p := recover(); p != nil { // the library's own assertions
			errs.Add(diag.Pos{File: file}, "please check its syntax", "the TOML library gave up on this file: %v", p)
			root, err = nil, errs.Err()
		}
	}()
	values := map[string]any{}
	if _, err := toml.Decode(string(src), &values); err != nil {
		pos := diag.Pos{File: file}
		msg := err.Error()
		var perr toml.ParseError
		if errors.As(err, &perr) {
			msg = perr.Message
			pos.Line, pos.Col = s.lines.at(perr.Position.Start + s.bom)
		}
		errs.Add(pos, "", "%s", strings.TrimSpace(msg))
		return nil, errs.Err()
	}
	return join(file, s.lines, values, places), nil
}

// join builds the tree of nodes from what the library read and where the
// scanner saw it.
func join(file string, lines lines, values map[string]any, places *place) *Node {
	at := func(offset int) diag.Pos {
		line, col := lines.at(offset)
		return diag.Pos{File: file, Line: line, Col: col}
	}
	var build func(path, key string, v any, p *place) *Node
	build = func(path, key string, v any, p *place) *Node {
		n := &Node{Path: path, Key: key, KeyPos: at(p.key), Pos: at(p.value)}
		sub := func(q *place) *place {
			if q == nil {
				return &place{key: p.key, value: p.value}
			}
			return q
		}
		switch v := v.(type) {
		case map[string]any:
			n.kind, n.byKey = table, make(map[string]*Node, len(v))
			for _, k := range p.order(v) {
				child := build(dotted(path, k), k, v[k], sub(p.fields[k]))
				n.Fields = append(n.Fields, child)
				n.byKey[k] = child
			}
		case []any:
			n.kind, n.Elems = array, make([]*Node, len(v))
			for i, e := range v {
				n.Elems[i] = build(fmt.Sprintf("%s[%d]", path, i), "", e, sub(p.elem(i)))
			}
		case []map[string]any:
			n.kind, n.Elems = array, make([]*Node, len(v))
			for i, e := range v {
				n.Elems[i] = build(fmt.Sprintf("%s[%d]", path, i), "", e, sub(p.elem(i)))
			}
		default:
			n.Value = v
		}
		return n
	}
	return build("", "", values, places)
}

func dotted(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
