package source

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"vlec/model/diag"
)

// misplaced checks a tree against the text: what stands at a key's place must
// read as that key, what stands at a scalar's place as that value.
func misplaced(src string, n *Node) error {
	s := newScanner(src)
	text := func(pos diag.Pos, scan func()) string {
		s.pos = s.lines[pos.Line-1] + pos.Col - 1
		start := s.pos
		scan()
		return src[start:s.pos]
	}
	if n.Key != "" && n.KeyPos.IsValid() {
		var parts []string
		text(n.KeyPos, func() { parts, _ = s.key() })
		if len(parts) == 0 || parts[0] != n.Key {
			return fmt.Errorf("%v: key %s, but the text there has %q", n.KeyPos, n.Path, parts)
		}
	}
	if n.kind == scalar {
		got := text(n.Pos, func() { s.value(&place{}, 0) })
		var v struct{ K any }
		if _, err := toml.Decode("k = "+got, &v); err != nil {
			return fmt.Errorf("%v: value of %s: %q is not a value: %v", n.Pos, n.Path, got, err)
		}
		nan := func(v any) bool { f, ok := v.(float64); return ok && math.IsNaN(f) }
		if !reflect.DeepEqual(v.K, n.Value) && !(nan(v.K) && nan(n.Value)) {
			return fmt.Errorf("%v: value of %s is %v, but the text there is %q", n.Pos, n.Path, n.Value, got)
		}
	}
	for _, f := range append(n.Fields, n.Elems...) {
		if err := misplaced(src, f); err != nil {
			return err
		}
	}
	return nil
}

var documents = []string{
	"",
	"a = 1",
	"\xef\xbb\xbfa = 1\n[b]\nc = 2\n",
	"a = 1\r\nb = [1,\r\n 2]\r\n[c]\r\nd = 'x'\r\n",
	"[a.b]\nx = 1\n[a]\ny = 2\n[a.c]\nz = 3\n",
	"[ a . 'b' . \"c\\u0064\" ]\n\"k.1\" . k2 = { x = 1, y.z = [ {}, { w = -1e3 } ], }\n",
	"[[t]]\nx = 1\n[t.sub]\ny = 2\n[[t]]\nx = 3\n[[t.list]]\nz = 4\n[[t.list]]\nz = 5\n",
	"a = '''\n]['''''\nb = \"\"\"x\\\"\"\"\"\"\nc = \"\\\\\" # \" comment\nd = 'it # is'\n",
	"a = [ # comment ]\n  [1, 2], # [\n  [3,\n 4,],\n]\nb = +inf\nc = nan\nd = 0x_f\n",
	"a = 1979-05-27 07:32:00Z\nb = [1979-05-27, 07:32:00]\nc = 1_000\nd = 0xdead_beef\ne = true\n",
}

// TestPlaces reads documents with every syntax of TOML, and the model files.
func TestPlaces(t *testing.T) {
	docs := documents
	for _, glob := range []string{"../../examples/*/*.toml", "../../testdata/models/*/*.toml"} {
		files, _ := filepath.Glob(glob)
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, string(src))
		}
	}
	read := 0
	for _, src := range docs {
		root, err := Parse("f", []byte(src))
		if err != nil {
			continue
		}
		read++
		if err := misplaced(src, root); err != nil {
			t.Errorf("%v in\n%s", err, src)
		}
	}
	if read < 40 {
		t.Errorf("only %d of %d documents could be read", read, len(docs))
	}
}

// TestMisplacedCanFail moves a node and sees the check fail.
func TestMisplacedCanFail(t *testing.T) {
	const src = "a = 11\nb = 11\n"
	for _, move := range []func(n *Node){
		func(n *Node) { n.Pos.Col++ },
		func(n *Node) { n.KeyPos.Line++ },
		func(n *Node) { n.Value = int64(1) },
	} {
		root, err := Parse("f", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if err := misplaced(src, root); err != nil {
			t.Fatal(err)
		}
		move(root.Fields[0])
		if misplaced(src, root) == nil {
			t.Error("a moved node goes unnoticed")
		}
	}
}

// TestOrder wants fields in the order of the document.
func TestOrder(t *testing.T) {
	root, err := Parse("f", []byte("z = 1\n[y.b]\n[x]\n[y.a]\n[w]\nb = {d = 1, c = 2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var order func(n *Node) string
	order = func(n *Node) string {
		var parts []string
		for _, f := range n.Fields {
			parts = append(parts, f.Key+order(f))
		}
		return "(" + strings.Join(parts, " ") + ")"
	}
	if got, want := order(root), "(z() y(b() a()) x() w(b(d() c())))"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSyntaxErrors wants the library's message at its place.
func TestSyntaxErrors(t *testing.T) {
	for src, want := range map[string]string{
		"a = 1\nb = = 2":           "f:2:5: ",
		"\xef\xbb\xbfa = x":        "f:1:8: ",
		"a = 1\n\na = 2":           "f:3:1: ",
		"a = \"x":                  "f:1:6: ",
		"a = [1,":                  "f:1:7: ",
		"[a]\nb = 1\n[a.b]":        "f:3:",
		"a = 99999999999999999999": "f:1:5: ",
		"a = \"\xff\"":             "f:1:5: ",
	} {
		_, err := Parse("f", []byte(src))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s...", src, err, want)
		}
	}
}

// TestDepth keeps documents from nesting deeper than the library's recursion
// survives.
func TestDepth(t *testing.T) {
	ok := "a = " + strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1)
	if _, err := Parse("f", []byte(ok)); err != nil {
		t.Errorf("legal depth: %v", err)
	}
	for _, src := range []string{
		"a = " + strings.Repeat("[", 8_000_000),
		"a = " + strings.Repeat("{a=", 1_000_000),
		"a = " + strings.Repeat("[{a=", 1_000_000),
		strings.Repeat("a.", 1_000_000) + "a = 1",
		"[" + strings.Repeat("a.", 1_000_000) + "a]",
	} {
		_, err := Parse("f", []byte(src))
		if err == nil || !strings.Contains(err.Error(), "nest deeper") {
			t.Errorf("%.20q...: %v", src, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	if _, err := Parse("f", make([]byte, MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
}

func TestSuggest(t *testing.T) {
	keys := []string{"size", "tau_m", "tau_r", "activation"}
	for name, want := range map[string]string{
		"taum":       "did you mean tau_m?",
		"tua_r":      "did you mean tau_r?",
		"Activation": "did you mean activation?",
		"actvaton":   "did you mean activation?",
		"x":          "legal here: size, tau_m, tau_r, activation",
		"colour":     "legal here: size, tau_m, tau_r, activation",
	} {
		if got := Suggest(name, keys, "legal here:"); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// FuzzParse wants no panic, errors with a place, and every node where it says.
func FuzzParse(f *testing.F) {
	for _, src := range documents {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		root, err := Parse("f", []byte(src))
		if err != nil {
			var list diag.List
			if !errors.As(err, &list) || len(list) != 1 {
				t.Fatalf("not one error: %v", err)
			}
			return
		}
		if err := misplaced(src, root); err != nil {
			t.Error(err)
		}
	})
}
