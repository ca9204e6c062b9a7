package verilog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// TestLink talks to the chain on an iCEBreaker over its serial line, bit by bit: it
// reads both weights, sends three samples, whose golden answers come back, loads a
// weight and reads it again.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	net, err := model.Load("../../examples/chain/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	var files emit.Artifacts
	core, err := crosscheck.EmitVerilog(t.Context(), net, crosscheck.VerilogOptions{Learning: true, Device: "up5k", Steps: 8}, &files)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	words := func(name string) []int {
		text, err := files.Content(name)
		if err != nil {
			t.Fatal(err)
		}
		var list []int
		for _, l := range strings.Fields(string(text)) {
			var w int
			fmt.Sscanf(l, "%x", &w)
			list = append(list, w)
		}
		return list
	}
	in, out := words("tb/stimulus.hex"), words("tb/expected.hex")
	var want []byte
	stored := func(v int64) {
		for i := range (core.Plan.Weight.Bits + 7) / 8 {
			want = append(want, byte(v>>(8*i)))
		}
	}
	var frames, load []byte
	for i := range core.Schedule.Sweeps {
		frames = append(frames, 4, byte(i))
		stored(core.Plan.Projections[core.Schedule.Sweeps[i].Segments[0].Projection].W[0])
	}
	for k := range 3 {
		frames = append(frames, 1, byte(in[2*k]), byte(in[2*k]>>8), byte(in[2*k+1]), byte(in[2*k+1]>>8))
		want = append(want, byte(out[k]), byte(out[k]>>8))
	}
	loaded := int64(-123456)
	load = append(load, 12)
	for i := range (core.Plan.Weight.Bits + 7) / 8 {
		load = append(load, byte(loaded>>(8*i)))
	}
	frames = append(append(frames, append(load, 1)...), 4, 1)
	stored(loaded)
	var b strings.Builder
	fmt.Fprintf(&b, `module link_tb;
  reg clk = 0; reg rx = 1; wire tx, led; integer i, n = 0; reg [7:0] got;
  chain_icebreaker dut (.clk_i(clk), .rx_i(rx), .tx_o(tx), .button_ni(1'b1), .led_o(led));
  always #1 clk = ~clk;
  task send(input [7:0] v);
    begin
      rx = 0; #208; for (i = 0; i < 8; i = i + 1) begin rx = v[i]; #208; end rx = 1; #208;
    end
  endtask
  integer k; reg [7:0] want [0:%d];
  initial begin
`, len(want)-1)
	for k, v := range want {
		fmt.Fprintf(&b, "    want[%d] = %d;\n", k, v)
	}
	fmt.Fprint(&b, "    #400;\n")
	for _, v := range frames {
		fmt.Fprintf(&b, "    send(%d);\n", v)
	}
	fmt.Fprintf(&b, `    #20000 $fatal(1, "no answer");
  end
  always @(negedge tx) begin
    #104; if (tx !== 0) $fatal(1, "a start bit that is none");
    for (k = 0; k < 8; k = k + 1) begin #208; got[k] = tx; end
    #208; if (tx !== 1) $fatal(1, "no stop bit");
    if (got !== want[n]) $fatal(1, "byte %%0d is %%0d, want %%0d", n, got, want[n]);
    n = n + 1;
    if (n == %d) begin
      if (led !== 0) $fatal(1, "a wrong frame");
      $display("PASS: "); $finish;
    end
  end
endmodule
`, len(want))
	tb := filepath.Join(dir, "link_tb.v")
	if err := os.WriteFile(tb, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	rtl, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		t.Fatal(err)
	}
	list := append(rtl, filepath.Join(dir, "boards", "chain_link.v"), filepath.Join(dir, "boards", "chain_icebreaker.v"), tb)
	r, err := referee.Icarus(context.Background(), referee.VerilogJob{Files: list, Top: "link_tb", Dir: dir})
	if _, missing := errors.AsType[*referee.MissingError](err); missing {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != 0 || !strings.Contains(r.Output.Stdout, "PASS: ") {
		t.Fatalf("exit %d\n%s", r.Status, r.Output.Stdout)
	}
}
