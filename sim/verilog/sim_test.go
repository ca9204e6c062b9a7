package verilog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stepped drives a random design with Set and Step and prints what its
// testbench would.
func (d *randDesign) stepped(t *testing.T, twoState bool) string {
	t.Helper()
	m := build(t, d.text, "dut")
	if m.Clock() != "clk" {
		t.Fatalf("clock %q", m.Clock())
	}
	if err := m.Set("clk", 0); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for c, v := range d.vectors {
		if err := m.Set("rst", int64(b2i(c < 2))); err != nil {
			t.Fatal(err)
		}
		for i, s := range d.inputs {
			x, _, err := parseDigits(v[i], 'b', s.w, s.signed)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.SetValue(s.name, x); err != nil {
				t.Fatal(err)
			}
		}
		if c == 0 && twoState {
			if err := m.TwoState(); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Step(); err != nil {
			t.Fatal(err)
		}
		for _, s := range d.outputs {
			x, err := m.GetValue(s.name)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%d %s %s\n", c, s.name, x.Binary())
		}
	}
	return out.String()
}

// Step by step a design does what it does under a testbench.
func TestStepsAgreeWithRun(t *testing.T) {
	for seed := range seeds(20, 200) {
		r := newRandText(uint64(5000 + seed))
		r.xs, r.narrow = seed%4 == 1, seed%4 < 2
		d := r.sequential(12)
		if diff := firstDifference(ours(t, d.bench()), d.stepped(t, false)); diff != "" {
			t.Fatalf("seed %d: %s\n%s", seed, diff, d.text)
		}
	}
}

// With two states the fast mode holds all along; the slow one, forced, must
// see the same.
func TestModesAgree(t *testing.T) {
	for seed := range seeds(20, 200) {
		r := newRandText(uint64(9000 + seed))
		r.narrow = seed%2 == 0
		d := r.sequential(20)
		fast := d.stepped(t, true)
		alwaysSlow = true
		slow := d.stepped(t, true)
		alwaysSlow = false
		if diff := firstDifference(slow, fast); diff != "" {
			t.Fatalf("seed %d: %s\n%s", seed, diff, d.text)
		}
	}
}

const accumulator = `
module acc #(parameter W = 8) (input wire clk_i, input wire rst_i, input wire we_i, input wire [1:0] addr_i,
                               input wire signed [W-1:0] x_i, output reg signed [W-1:0] sum_o, output wire signed [W-1:0] word_o);
  reg signed [W-1:0] mem [0:3];
  reg signed [W-1:0] word;
  assign word_o = word;
  always @(posedge clk_i) begin
    word <= mem[addr_i];
    if (we_i) mem[addr_i] <= x_i;
    if (rst_i) sum_o <= 0;
    else sum_o <= sum_o + x_i;
  end
endmodule`

func set(t *testing.T, m *Sim, values ...any) {
	t.Helper()
	for i := 0; i < len(values); i += 2 {
		if err := m.Set(values[i].(string), int64(values[i+1].(int))); err != nil {
			t.Fatal(err)
		}
	}
}

func step(t *testing.T, m *Sim) {
	t.Helper()
	if err := m.Step(); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, m *Sim, name string) int64 {
	t.Helper()
	v, err := m.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// An unknown value says where it comes from; once everything is known the
// simulation is fast, and an unknown word of a memory ends that.
func TestUnknownValues(t *testing.T) {
	m := build(t, accumulator, "acc")
	set(t, m, "rst_i", 0, "we_i", 0, "addr_i", 2)
	step(t, m)
	_, err := m.Get("sum_o")
	if err == nil || !strings.Contains(err.Error(), "t.v:3:89: register acc.sum_o is 8'sbxxxxxxxx; reset it") {
		t.Error(err)
	}
	said := m.Unknown().Error()
	for _, want := range []string{"input acc.x_i is 8'sbzzzzzzzz", "register acc.sum_o", "register acc.word"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	set(t, m, "rst_i", 1, "x_i", -5, "we_i", 1)
	step(t, m)
	if m.Fast() {
		t.Error("fast while word_o is unknown")
	}
	_, err = m.Get("word_o")
	if err == nil || !strings.Contains(err.Error(), "3 of 4 words of memory acc.mem are unknown") {
		t.Error(err)
	}
	set(t, m, "rst_i", 0, "we_i", 0)
	step(t, m)
	step(t, m)
	if !m.Fast() {
		t.Errorf("slow although all is known: %v", m.Unknown())
	}
	if sum, word := get(t, m, "sum_o"), get(t, m, "word_o"); sum != -10 || word != -5 {
		t.Errorf("sum %d, word %d", sum, word)
	}
	set(t, m, "addr_i", 1)
	step(t, m)
	if v, err := m.GetValue("word_o"); err != nil || v.Binary() != "xxxxxxxx" || m.Fast() {
		t.Errorf("%v %v, fast %v", v, err, m.Fast())
	}
	if sum := get(t, m, "sum_o"); sum != -15 {
		t.Errorf("sum %d", sum)
	}
}

func TestMemoryAccess(t *testing.T) {
	m := build(t, accumulator, "acc")
	set(t, m, "rst_i", 1, "we_i", 0, "addr_i", 3, "x_i", 0)
	if err := m.Poke("acc.mem", 3, Int(8, -77)); err != nil {
		t.Fatal(err)
	}
	step(t, m)
	if v := get(t, m, "word_o"); v != -77 {
		t.Errorf("read %d", v)
	}
	if v, err := m.Peek("mem", 3); err != nil || !v.Same(Int(8, -77)) {
		t.Errorf("%v %v", v, err)
	}
	if err := m.Deposit("sum_o", Int(8, 100)); err != nil {
		t.Fatal(err)
	}
	set(t, m, "rst_i", 0, "x_i", 100)
	step(t, m)
	if v := get(t, m, "sum_o"); v != -56 { // 200 in 8 bits
		t.Errorf("sum %d", v)
	}
	for _, err := range []error{
		m.Poke("acc.mem", 4, Int(8, 0)), m.Poke("acc.nothing", 0, Int(8, 0)), m.Set("sum_o", 1), m.Set("nothing", 1), m.Deposit("word_o", Int(8, 0)),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
}

// A register that was overwritten from outside takes its own value again at the
// next edge, also if nothing that it depends on has changed.
func TestDepositLastsOneCycle(t *testing.T) {
	m := build(t, `module pipe(input wire clk, input wire [3:0] a, output reg [3:0] b, output reg [3:0] c);
  always @(posedge clk) begin
    b <= a;
    c <= b + 4'd1;
  end
endmodule`, "pipe")
	set(t, m, "a", 5)
	for range 3 {
		step(t, m)
	}
	for _, reg := range []string{"b", "c"} {
		if err := m.Deposit(reg, Int(4, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if b, c := get(t, m, "b"), get(t, m, "c"); b != 2 || c != 2 {
		t.Errorf("deposited 2, read %d and %d", b, c)
	}
	step(t, m)
	if b, c := get(t, m, "b"), get(t, m, "c"); b != 5 || c != 3 {
		t.Errorf("a cycle later %d and %d, want 5 and 3", b, c)
	}
	step(t, m)
	if c := get(t, m, "c"); c != 6 {
		t.Errorf("two cycles later %d, want 6", c)
	}
}

func TestParameters(t *testing.T) {
	s, err := new(Reader).ParseText("t.v", accumulator)
	if err != nil {
		t.Fatal(err)
	}
	if s.Top() != "acc" {
		t.Errorf("top %q", s.Top())
	}
	d, err := s.Elaborate("acc", map[string]int64{"W": 12})
	if err != nil {
		t.Fatal(err)
	}
	if w := d.Signal("x_i").Width; w != 12 {
		t.Errorf("%d bits", w)
	}
	var ports []string
	for _, p := range d.Ports {
		ports = append(ports, p.Dir+" "+p.Name)
	}
	want := []string{"input acc.clk_i", "input acc.rst_i", "input acc.we_i", "input acc.addr_i", "input acc.x_i", "output acc.sum_o", "output acc.word_o"}
	if diff := cmp.Diff(want, ports); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []map[string]int64{{"V": 1}, {"W": 1 << 20}} {
		if _, err := s.Elaborate("acc", bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	if _, err := s.Elaborate("missing", nil); err == nil || !strings.Contains(err.Error(), "modules here: acc") {
		t.Error(err)
	}
}

func TestVCD(t *testing.T) {
	m := build(t, accumulator, "acc")
	var out bytes.Buffer
	m.TraceVCD(&out)
	set(t, m, "clk_i", 0, "rst_i", 1, "we_i", 0, "addr_i", 0, "x_i", 3)
	step(t, m)
	set(t, m, "rst_i", 0)
	step(t, m)
	if err := m.CloseVCD(); err != nil {
		t.Fatal(err)
	}
	want := `$version vlec $end
$timescale 1 s $end
$scope module acc $end
$var wire 2 $ addr_i [1:0] $end
$var wire 1 ! clk_i $end
$var wire 1 " rst_i $end
$var reg 8 & sum_o [7:0] $end
$var wire 1 # we_i $end
$var reg 8 ( word [7:0] $end
$var wire 8 ' word_o [7:0] $end
$var wire 8 % x_i [7:0] $end
$upscope $end
$enddefinitions $end
#0
1!
1"
0#
b0 $
b11 %
b0 &
bx '
bx (
#1
0!
#2
1!
0"
b11 &
#3
0!
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
