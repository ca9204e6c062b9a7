package verilog

import (
	"fmt"
	"io"
	"math/bits"
	"slices"

	"vlec/emit"
)

// A memory of words that a testbench reads from a file.
type vectorFile struct {
	name  string // of the memory, and of the file without its extension
	width int
	words []int64
}

// guard is the last word of every file: who drops a word, adds one or cuts the
// file short moves it.
func (f *vectorFile) guard() int64 { return int64(0x5a3c96e1d2b4780f) & f.mask() }

func (f *vectorFile) mask() int64 {
	if f.width >= 63 {
		return -1
	}
	return 1<<f.width - 1
}

// sum is a checksum in which each bit of each word counts.
func (f *vectorFile) sum() uint64 {
	s := uint64(0)
	for _, w := range f.words {
		s = bits.RotateLeft64(s, 1) ^ uint64(w&f.mask())
	}
	return s
}

func (f *vectorFile) write(w io.Writer) error {
	out := emit.NewWriter(w)
	for _, word := range append(slices.Clone(f.words), f.guard()) {
		out.Linef("%0*x", (f.width+3)/4, uint64(word&f.mask()))
	}
	return out.Flush()
}

// answerLatency is from the cycle in which the last word of a sample is taken, by a
// core that rests, to the first one that shows a word of the answer.
func (s *Schedule) answerLatency() int {
	last := 0
	out := map[int]bool{}
	for _, v := range s.StreamOut() {
		out[v.Population] = true
	}
	for _, b := range s.Bursts {
		if b.Membrane && out[b.Population] {
			last = b.Start + s.p.Populations[b.Population].Size - 1
		}
	}
	// Loaded and go, first cycle; the rate is written; waiting, fetch, valid.
	return 2 + last + s.t.rate + 3
}

// testbench adds the self-checking testbench and its vectors.
func (c *Core) testbench(v *Vectors, files *emit.Artifacts) error {
	s := c.Schedule
	if err := v.check(s); err != nil {
		return err
	}
	d := newDesign(c.Plan, s, c.Top)
	memories := []vectorFile{
		{"stimulus", d.stream.Width, slices.Concat(v.Stimulus...)},
		{"expected", d.stream.Width, slices.Concat(v.Expected...)},
		{"weights", d.port.Width, v.Weights},
	}
	for _, f := range memories {
		files.Add("tb/"+f.name+".hex", f.write)
	}
	files.Add("tb/"+c.Top+"_tb.v", func(w io.Writer) error {
		t := bench{w: emit.NewWriter(w), c: c, d: d, v: v, files: memories}
		t.print()
		return t.w.Flush()
	})
	return nil
}

type bench struct {
	w     *emit.Writer
	c     *Core
	d     *design
	v     *Vectors
	files []vectorFile
}

func (t *bench) lines(lines ...string) {
	for _, l := range lines {
		t.w.Line(l)
	}
}

func (t *bench) print() {
	s := t.c.Schedule
	in, out := size(s.StreamIn()), size(s.StreamOut())
	steps := len(t.v.Stimulus)
	for _, h := range t.c.header() {
		t.w.Comment("//", h)
	}
	t.w.Blank()
	t.w.Comment("//", "Feeds the core golden samples and compares every word of its answers, then every weight. Ends with")
	t.w.Comment("//", "$fatal, or with one line that begins with PASS. Run it in the folder above: files are tb/*.hex.")
	t.w.Blank()
	t.lines("`default_nettype none", "")
	t.w.Linef("module %s_tb #(", t.c.Top)
	t.lines(`  parameter STIMULUS = "tb/stimulus.hex",`, `  parameter EXPECTED = "tb/expected.hex",`, `  parameter WEIGHTS = "tb/weights.hex"`, ");")
	t.w.Indent(2)
	t.w.Linef("localparam [31:0] STEPS = 32'd%d;", steps)
	t.w.Linef("localparam [31:0] WORDS_IN = 32'd%d; // of a sample", in)
	t.w.Linef("localparam [31:0] WORDS_OUT = 32'd%d; // of an answer", out)
	t.w.Linef("localparam [31:0] PERIOD = 32'd%d; // cycles from answer to answer", s.Period)
	t.w.Linef("localparam [31:0] LATENCY = 32'd%d; // cycles from a sample to its answer", s.answerLatency())
	t.w.Linef("localparam [31:0] STALL = 32'd%d; // from this step on both streams pause now and then", t.v.Stall)
	t.w.Linef("localparam [31:0] CLEAR = 32'd%d; // this step begins at initial states", t.v.Clear)
	t.w.Linef("localparam [31:0] STILL = 32'd%d; // from this step on nothing learns", t.v.Still)
	t.w.Linef("localparam [31:0] LANES = 32'd%d;", s.Lanes)
	t.w.Linef("localparam [31:0] VECTORS = 32'd%d; // words to compare", steps*out+len(t.v.Weights))
	t.w.Linef("localparam [31:0] PATIENCE = 32'd%d; // cycles without a word", 64*(s.Period+in+out)+1000)
	t.w.Blank()
	t.memories()
	t.signals()
	t.dut()
	t.lines("",
		"task fail(input [31:0] at, input [511:0] what);",
		"  begin",
		`    $display("FAIL: %0s, at %0d, cycle %0d", what, at, cycle);`,
		`    $fatal(1, "the testbench failed");`,
		"  end",
		"endtask",
		"",
		"initial forever #5 clk = ~clk;",
		"",
		"always @(posedge clk) begin",
		"  cycle <= cycle + 32'd1;",
		"  noise <= {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};",
		"  idle <= idle + 32'd1;",
		"  rst <= cycle < 32'd4;",
		"  if (!rst && cycle > 32'd6) begin",
		"    if ((m_tvalid ^ m_tvalid) !== 1'b0 || (s_tready ^ s_tready) !== 1'b0) fail(got, \"a handshake is x\");",
		"    if (frame_error !== 1'b0) fail(sent, \"the core saw a wrong frame\");",
	)
	t.source()
	t.sink()
	t.weights()
	t.lines(
		"    if (idle > PATIENCE) fail(got, \"nothing moves any more\");",
		"  end",
		"end",
	)
	t.w.Line("")
	t.lines("`ifdef VCD", "initial begin")
	t.w.Linef("  $dumpfile(\"%s.vcd\");", t.c.Top)
	t.w.Linef("  $dumpvars(0, %s_tb);", t.c.Top)
	t.lines("end", "`endif")
	t.w.Indent(-2)
	t.lines("endmodule", "", "`default_nettype wire")
}

// memories declares and loads the vectors, and checks that they are what was
// written.
func (t *bench) memories() {
	t.w.Line("reg [63:0] sum;")
	t.w.Line("integer i;")
	parameter := map[string]string{"stimulus": "STIMULUS", "expected": "EXPECTED", "weights": "WEIGHTS"}
	for _, f := range t.files {
		t.w.Linef("reg [%d:0] %s [0:%d]; // the words and a guard", f.width-1, f.name, len(f.words))
	}
	t.w.Line("initial begin")
	for _, f := range t.files {
		n := len(f.words)
		guard := fmt.Sprintf("%d'h%0*x", f.width, (f.width+3)/4, uint64(f.guard()))
		t.w.Linef("  %s[%d] = ~%s;", f.name, n, guard)
		t.w.Linef("  $readmemh(%s, %s);", parameter[f.name], f.name)
		t.w.Line("  sum = 64'd0;")
		t.w.Linef("  for (i = 0; i < %d; i = i + 1) sum = {sum[62:0], sum[63]} ^ {%d'd0, %s[i[%d:0]]};", n, 64-f.width, f.name, addressBits(n+1)-1)
		t.w.Linef("  if (%s[%d] !== %s || sum !== 64'h%016x)", f.name, n, guard, f.sum())
		t.w.Linef("    fail(32'd0, \"%s.hex is not what was written\");", f.name)
	}
	t.w.Line("end")
	t.w.Comment("//", "Icarus only warns of words too many; other simulators stop.")
	t.lines("`ifdef __ICARUS__", "integer file;", "reg [63:0] got_word;", "initial begin")
	for _, f := range t.files {
		t.w.Linef("  file = $fopen(%s, \"r\");", parameter[f.name])
		t.w.Line("  i = 0;")
		t.w.Line("  while ($fscanf(file, \"%h\", got_word) == 1) i = i + 1;")
		t.w.Linef("  if (i != %d) fail(32'd0, \"%s.hex is longer than what was written\");", len(f.words)+1, f.name)
		t.w.Line("  $fclose(file);")
	}
	t.lines("end", "`endif", "")
}

func (t *bench) signals() {
	t.lines(
		"reg clk = 1'b0;",
		"reg rst = 1'b1;",
		"reg [31:0] cycle = 32'd0;",
		"reg [31:0] idle = 32'd0; // cycles since a word moved",
		"reg [31:0] noise = 32'h2f6e5a91;",
		"reg clear = 1'b0;",
		"reg cleared = 1'b0;",
		"reg learn = 1'b1;",
		"reg [31:0] sent = 32'd0; // words of samples that were offered",
		"reg [31:0] sample = 32'd0; // samples that were offered",
		"reg [31:0] place = 32'd0; // of the next word in its sample",
		"reg [31:0] got = 32'd0; // words of answers",
		"reg [31:0] answer = 32'd0; // answers that are complete",
		"reg [31:0] column = 32'd0; // of the next word in its answer",
		"reg [31:0] taken = 32'd0; // cycle in which the first sample was complete",
		"reg [31:0] former = 32'd0; // cycle of the last answer's end",
		"reg [31:0] compared = 32'd0;",
		"reg [31:0] word = 32'd0; // of the register port",
		"reg [31:0] lane = 32'd0;",
		"reg [31:0] index = 32'd0;",
		"reg [1:0] load = 2'd0; // 1: load a weight, 2: read it back, 3: done",
		"reg [31:0] after = 32'd0; // cycles after all that was expected",
	)
	w := t.d.stream.Width
	t.w.Linef("reg [%d:0] s_tdata = %d'd0;", w-1, w)
	t.w.Linef("wire signed [%d:0] s_tdata_s = $signed(s_tdata);", w-1)
	t.lines("reg s_tvalid = 1'b0;", "reg s_tlast = 1'b0;", "wire s_tready;", "wire frame_error;", "wire busy;")
	t.w.Linef("wire signed [%d:0] m_tdata;", w-1)
	t.lines("wire m_tvalid;", "wire m_tlast;", "reg m_tready = 1'b1;", "reg cfg_valid = 1'b0;", "reg cfg_write = 1'b0;")
	sw := t.d.port.Width
	a := t.d.word.Width
	t.w.Linef("reg signed [%d:0] cfg_data_in = %d'sd0;", sw-1, sw)
	t.w.Linef("wire signed [%d:0] cfg_data;", sw-1)
	t.w.Line("wire cfg_ready;")
	addr := fmt.Sprintf("word[%d:0]", a-1)
	if t.d.t.rule {
		addr = fmt.Sprintf("{word >= 32'd%d, back_word[%d:0]}", t.c.Schedule.Words, a-1)
		t.w.Linef("wire [31:0] back_word = word >= 32'd%d ? word - 32'd%d : word;", t.c.Schedule.Words, t.c.Schedule.Words)
		a++
	}
	if l := t.c.Schedule.Lanes; l > 1 {
		t.w.Linef("wire [%d:0] cfg_addr = {%s, lane[%d:0]};", a+addressBits(l)-1, addr, addressBits(l)-1)
	} else {
		t.w.Linef("wire [%d:0] cfg_addr = %s;", a-1, addr)
	}
	t.lines(
		"wire pause_in = sample >= STALL && noise[1:0] == 2'd0;",
		"wire pause_out = answer >= STALL && noise[4:2] < 3'd3;",
		"// A step that begins something new waits until the steps before it have answered.",
		"wire at_event = place == 32'd0 && (sample == CLEAR || sample == STILL);",
		"wire hold = at_event && (answer != sample || (sample == CLEAR && (!cleared || clear)) || (sample == STILL && learn));",
	)
}

func (t *bench) dut() {
	t.w.Linef("%s dut (", t.c.Top)
	ports := [][2]string{
		{"clk_i", "clk"},
		{"rst_i", "rst"},
		{"step_i", "1'b1"},
		{"clear_i", "clear"},
		{"learn_en_i", "learn"},
		{"busy_o", "busy"},
		{"s_tdata_i", "s_tdata_s"},
		{"s_tvalid_i", "s_tvalid"},
		{"s_tlast_i", "s_tlast"},
		{"s_tready_o", "s_tready"},
		{"frame_error_o", "frame_error"},
		{"m_tdata_o", "m_tdata"},
		{"m_tvalid_o", "m_tvalid"},
		{"m_tlast_o", "m_tlast"},
		{"m_tready_i", "m_tready"},
		{"cfg_valid_i", "cfg_valid"},
		{"cfg_write_i", "cfg_write"},
		{"cfg_addr_i", "cfg_addr"},
		{"cfg_data_i", "cfg_data_in"},
		{"cfg_ready_o", "cfg_ready"},
		{"cfg_data_o", "cfg_data"},
	}
	for i, p := range ports {
		comma := ","
		if i == len(ports)-1 {
			comma = ""
		}
		t.w.Linef("  .%s(%s)%s", p[0], p[1], comma)
	}
	t.w.Line(");")
}

// at is an index into a memory, in the width that it needs.
func at(f *vectorFile, index string) string {
	return fmt.Sprintf("%s[%s[%d:0]]", f.name, index, addressBits(len(f.words)+1)-1)
}

func (t *bench) source() {
	t.w.Indent(4)
	t.lines(
		"clear <= 1'b0;",
		"if (at_event && answer == sample) begin",
		"  if (sample == CLEAR && !cleared) begin",
		"    clear <= 1'b1;",
		"    cleared <= 1'b1;",
		"  end",
		"  if (sample == STILL) learn <= 1'b0;",
		"end",
		"if (!s_tvalid || s_tready) begin",
		"  s_tvalid <= 1'b0;",
		"  if (sample < STEPS && !hold && !pause_in) begin",
		"    s_tvalid <= 1'b1;",
	)
	t.w.Linef("    s_tdata <= %s;", at(&t.files[0], "sent"))
	t.lines(
		"    s_tlast <= place == WORDS_IN - 32'd1;",
		"    sent <= sent + 32'd1;",
		"    place <= place + 32'd1;",
		"    if (place == WORDS_IN - 32'd1) begin",
		"      place <= 32'd0;",
		"      sample <= sample + 32'd1;",
		"    end",
		"  end",
		"end",
		"if (s_tvalid && s_tready) begin",
		"  idle <= 32'd0;",
		"  if (s_tlast && taken == 32'd0) taken <= cycle;",
		"end",
	)
	t.w.Indent(-4)
}

func (t *bench) sink() {
	t.w.Indent(4)
	t.lines(
		"m_tready <= !pause_out;",
		"if (m_tvalid && got == 32'd0 && cycle - taken != LATENCY) fail(cycle - taken, \"wrong latency\");",
		"if (m_tvalid && m_tready) begin",
		"  idle <= 32'd0;",
		"  got <= got + 32'd1;",
		"  compared <= compared + 32'd1;",
		"  column <= column + 32'd1;",
		"  if (answer >= STEPS) fail(got, \"an answer too many\");",
		"  if ((^m_tdata) === 1'bx) fail(got, \"x in an answer\");",
	)
	t.w.Linef("  if (m_tdata !== $signed(%s)) begin", at(&t.files[1], "got"))
	t.w.Linef("    $display(\"got %%0d, want %%0d\", m_tdata, $signed(%s));", at(&t.files[1], "got"))
	t.lines(
		"    fail(answer, \"wrong answer\");",
		"  end",
		"  if (m_tlast !== (column == WORDS_OUT - 32'd1)) fail(got, \"tlast is wrong\");",
		"  if (m_tlast) begin",
		"    column <= 32'd0;",
		"    answer <= answer + 32'd1;",
		"    former <= cycle;",
		"    if (answer >= 32'd2 && answer < STALL && cycle - former != PERIOD)",
		"      fail(cycle - former, \"wrong number of cycles per step\");",
		"  end",
		"end",
	)
	t.w.Indent(-4)
}

// weights reads all weights back, loads one, and sees that nothing else comes.
func (t *bench) weights() {
	f := &t.files[2]
	t.w.Indent(4)
	t.lines("if (answer == STEPS && !busy) begin", "  idle <= 32'd0;")
	t.w.Linef("  if (index < 32'd%d) begin", len(f.words))
	t.lines(
		"    cfg_valid <= 1'b1;",
		"    if (cfg_ready) begin",
		"      compared <= compared + 32'd1;",
		"      index <= index + 32'd1;",
		fmt.Sprintf("      if (index == 32'd%d) cfg_valid <= 1'b0;", len(f.words)-1),
		"      lane <= lane + 32'd1;",
		"      if (lane == LANES - 32'd1) begin",
		"        lane <= 32'd0;",
		"        word <= word + 32'd1;",
		"      end",
		"      if ((^cfg_data) === 1'bx) fail(index, \"x in a weight\");",
	)
	t.w.Linef("      if (cfg_data !== $signed(%s)) begin", at(f, "index"))
	t.w.Linef("        $display(\"got %%0d, want %%0d\", cfg_data, $signed(%s));", at(f, "index"))
	t.lines(
		"        fail(index, \"wrong weight\");",
		"      end",
		"    end",
		"  end else if (load != 2'd3) begin",
		"    word <= 32'd0;",
		"    lane <= LANES - 32'd1;",
		"    cfg_valid <= load != 2'd0;",
		fmt.Sprintf("    cfg_data_in <= ~$signed(%s[%d]);", f.name, t.c.Schedule.Lanes-1),
		"    if (load == 2'd0) begin",
		"      cfg_write <= 1'b1;",
		"      load <= 2'd1;",
		"    end",
		"    if (load == 2'd1 && cfg_ready) begin",
		"      cfg_write <= 1'b0;",
		"      load <= 2'd2;",
		"    end",
		"    if (load == 2'd2 && cfg_ready) begin",
		"      if (cfg_data !== cfg_data_in) fail(32'd0, \"a loaded weight reads back wrong\");",
		"      load <= 2'd3;",
		"      cfg_valid <= 1'b0;",
		"    end",
		"  end else begin",
		"    after <= after + 32'd1;",
		"    if (after == 32'd2 * PERIOD + 32'd16) begin",
		"      if (compared != VECTORS) fail(compared, \"not every vector was compared\");",
		`      $display("PASS: %0d vectors compared, %0d steps, %0d cycles", compared, STEPS, cycle);`,
		"      $finish;",
		"    end",
		"  end",
		"end",
	)
	t.w.Indent(-4)
}
