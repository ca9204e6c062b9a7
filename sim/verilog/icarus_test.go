package verilog

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// icarus runs a testbench in Icarus Verilog and returns what it prints.
func icarus(t *testing.T, text string) string {
	t.Helper()
	if _, err := exec.LookPath("iverilog"); err != nil {
		t.Skip("iverilog is not installed")
	}
	dir := t.TempDir()
	src, vvp := filepath.Join(dir, "t.v"), filepath.Join(dir, "t.vvp")
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("iverilog", "-g2005", "-gstrict-expr-width", "-o", vvp, src).CombinedOutput(); err != nil {
		t.Fatalf("iverilog: %v\n%s\n%s", err, out, text)
	}
	out, err := exec.Command("vvp", "-n", vvp).CombinedOutput()
	if err != nil && bytes.Contains(out, []byte("vvp:")) {
		t.Skipf("Icarus does not read what it compiled: %s", out)
	}
	if err != nil {
		t.Fatalf("vvp: %v\n%s", err, out)
	}
	return string(out)
}

// ours runs a testbench in this package.
func ours(t *testing.T, text string) string {
	t.Helper()
	m := build(t, text, "tb")
	var out bytes.Buffer
	m.Stdout = &out
	if _, err := m.Run(t.Context(), 0); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out.String()
}

func build(t testing.TB, text, top string) *Sim {
	t.Helper()
	s, err := new(Reader).ParseText("t.v", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	d, err := s.Elaborate(top, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	m, err := NewSim(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\nwant %s\n got %s", i+1, a, b)
		}
	}
	return ""
}

func agree(t *testing.T, text string) {
	t.Helper()
	// Icarus keeps z where both arms of an undecided ?: have it; the standard's
	// table 5-21 says x. The comparison does not tell them apart.
	unknown := strings.NewReplacer("z", "x", "Z", "X")
	if d := firstDifference(unknown.Replace(icarus(t, text)), unknown.Replace(ours(t, text))); d != "" {
		t.Errorf("Icarus differs: %s\n%s", d, text)
	}
}

// seeds is how many random texts a test tries.
func seeds(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

func TestExpressionsAgreeWithIcarus(t *testing.T) {
	for seed := range seeds(8, 120) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRandText(uint64(seed))
			r.xs, r.narrow = seed%2 == 1, seed%4 < 2
			agree(t, r.expressions(25, 6))
		})
	}
}

func TestDesignsAgreeWithIcarus(t *testing.T) {
	for seed := range seeds(8, 150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRandText(uint64(1000 + seed))
			r.xs, r.narrow = seed%4 == 1, seed%4 < 2
			agree(t, r.sequential(12).bench())
		})
	}
}

// The comparison is able to fail: one operator changed in one text shows.
func TestComparisonFindsAChange(t *testing.T) {
	text := newRandText(2).expressions(25, 6)
	want := ours(t, text)
	seen := 0
	for i := range text {
		if strings.HasPrefix(text[i:], " + ") {
			if firstDifference(want, ours(t, text[:i]+" - "+text[i+3:])) != "" {
				seen++
			}
		}
	}
	if seen == 0 {
		t.Error("no change of + to - shows")
	}
}

// What is left from an unknown value in a variable of a function must not show
// when the function is next called; and of a reduction, a 0 decides alone.
func TestUnknownBitsPass(t *testing.T) {
	agree(t, `module tb;
  reg [3:0] v = 4'b0101;
  reg [1:0] i = 0;
  reg y = 1'bx;
  reg m [0:3];
  function [4:0] look(input [3:0] from, input [1:0] at, input bit_i);
    reg [3:0] t;
    reg word;
    begin
      t = from;
      t[at] = bit_i;
      word = m[at]; // known at first
      look = {t & {3'b111, at[0]}, word};
    end
  endfunction
  function [3:0] set(input [3:0] from, input [1:0] at, input bit_i);
    begin
      set = from;
      set[at] = bit_i;
    end
  endfunction
  wire [3:0] s = set(v, i, y);
  wire [4:0] seen = look(v, i, y);
  wire none = &{1'b0, s}, open = &{1'bx, v}, high = &{1'bz, 4'hf}, part = &{4'b1011, s};
  initial begin
    m[0] = 1;
    #1 $display("%b %b %b %b %b %b", s, seen, none, open, high, part);
    i = 1; y = 1;
    #1 $display("%b %b %b %b %b %b", s, seen, none, open, high, part);
    v = 4'hf;
    #1 $display("%b %b %b %b %b %b", s, seen, none, open, high, part);
  end
endmodule
`)
}
