package verilog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/model/diag"
)

// Each file in testdata/verilog/errors holds mistakes, and behind each what is
// to be said about it. One that is missing and one too many both fail.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("../../testdata/verilog/errors/*.v")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseFiles(f)
			if err == nil {
				_, err = s.Elaborate("top", nil)
			}
			compareErrors(t, string(text), err)
		})
	}
}

// compareErrors holds errors against the comments "// want: …" of a text.
func compareErrors(t *testing.T, text string, err error) {
	t.Helper()
	got := map[int][]string{}
	if list, ok := errors.AsType[diag.List](err); ok {
		for _, e := range list {
			if e.Pos.Col < 1 {
				t.Errorf("without a column: %v", e)
			}
			got[e.Pos.Line] = append(got[e.Pos.Line], e.Error())
		}
	} else if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(text, "\n") {
		said := got[i+1]
		delete(got, i+1)
		_, want, ok := strings.Cut(line, "// want: ")
		switch {
		case ok && len(said) == 0:
			t.Errorf("line %d: nothing is said; want %s", i+1, want)
		case ok && len(said) > 1:
			t.Errorf("line %d: said more than once: %s", i+1, strings.Join(said, "\n"))
		case ok && !strings.Contains(said[0], want):
			t.Errorf("line %d: %s\nwant %s", i+1, said[0], want)
		case !ok && len(said) > 0:
			t.Errorf("line %d: %s", i+1, strings.Join(said, "\n"))
		}
	}
	for _, said := range got {
		t.Errorf("elsewhere: %s", strings.Join(said, "\n"))
	}
}

func TestMissingFile(t *testing.T) {
	_, err := ParseFiles("testdata/nothing.v")
	if err == nil || !strings.Contains(err.Error(), "testdata/nothing.v: cannot read") {
		t.Error(err)
	}
}

// A memory file must fit its memory exactly; other simulators only warn.
func TestMemoryFiles(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"good":      {"1 2 3 4\n", ""},
		"short":     {"1 2 3\n", "holds 3 words, tb.mem wants 4"},
		"long":      {"1 2 3 4 5\n", ":1:9: more words than the 4 of tb.mem"},
		"wide":      {"1 2 fff 4\n", ":1:5: fff does not fit into the 8 bits"},
		"malformed": {"1 2\n3 g4\n", ":2:3: digit 'g' does not belong"},
		"address":   {"1 @9 2\n", "@9 is not an address"},
		"missing":   {"", "was not found"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name+".hex")
			if c.text != "" {
				if err := os.WriteFile(file, []byte(c.text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			m := build(t, `module tb; reg [7:0] mem [0:3]; initial $readmemh("`+name+`.hex", mem); endmodule`, "tb")
			m.Dir = dir
			_, err := m.Run(t.Context(), 0)
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestHangs(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"combinational loop": {"module tb; reg a = 0; wire b = ~c; wire c = a ? b : 1'b1; initial #1 a = 1; endmodule", "combinational loop"},
		"endless process":    {"module tb; reg a = 1, b; always @(posedge b) a = 1; initial begin b = 0; while (a) b = ~b; end endmodule", "process does not end"},
		"time stands":        {"module tb; reg a = 0; always @(a) a <= ~a; initial #1 a = 1; endmodule", "time does not pass"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "combinational loop" {
				t.Skip("takes a second")
			}
			_, err := build(t, c.text, "tb").Run(t.Context(), 0)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}
