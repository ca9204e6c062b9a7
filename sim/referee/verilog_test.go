package referee

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var macFiles = []string{"testdata/verilog/mac.v", "testdata/verilog/mac_tb.v"}

func TestVerilogSimulators(t *testing.T) {
	for name, run := range map[string]func(context.Context, VerilogJob) (*VerilogRun, error){"icarus": Icarus, "verilator": Verilator} {
		t.Run(name, func(t *testing.T) {
			if name == "verilator" && testing.Short() {
				t.Skip("builds for seconds")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // four builds of C++, on a busy machine
			defer cancel()
			try := func(job VerilogJob) *VerilogRun {
				t.Helper()
				r, err := run(ctx, job)
				if missing, ok := errors.AsType[*MissingError](err); ok {
					t.Skip(missing)
				}
				if err != nil {
					t.Fatal(err)
				}
				if r.Version == "" {
					t.Error("no version")
				}
				return r
			}
			r := try(VerilogJob{Files: macFiles, Top: "mac_tb"})
			if r.Failed() || !strings.Contains(r.Output.Stdout, "product 42") {
				t.Errorf("good testbench: %+v", r)
			}
			if r = try(VerilogJob{Files: macFiles, Top: "mac_tb", Defines: []string{"WANT=32'sd43"}}); !r.Failed() {
				t.Errorf("failing testbench passes: %+v", r)
			}
			dir := t.TempDir()
			memory := VerilogJob{Files: macFiles, Top: "mac_tb", Defines: []string{"MEMORY"}, Dir: dir}
			if r = try(memory); !r.Failed() {
				t.Errorf("missing memory file passes: %+v", r)
			}
			if err := os.WriteFile(filepath.Join(dir, "words.hex"), []byte("1\n2\n3\n4\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			if r = try(memory); r.Failed() {
				t.Errorf("memory file is not found: %+v", r)
			}
			broken := filepath.Join(dir, "broken.v")
			if err := os.WriteFile(broken, []byte("module broken; wire x = ; endmodule\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := run(ctx, VerilogJob{Files: []string{broken}, Top: "broken"}); err == nil || !strings.Contains(err.Error(), "broken.v") {
				t.Errorf("broken text: %v", err)
			}
		})
	}
}

func TestLint(t *testing.T) {
	r, err := Lint(t.Context(), VerilogJob{Files: macFiles[:1], Top: "mac"})
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skip(missing)
	}
	if err != nil || len(r.Warnings) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	bad := filepath.Join(t.TempDir(), "other.v")
	if err := os.WriteFile(bad, []byte("module m (input wire [7:0] a_i, output wire [3:0] y_o);\n  assign y_o = a_i;\nendmodule\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if r, err = Lint(t.Context(), VerilogJob{Files: []string{bad}, Top: "m"}); err != nil || len(linesAbout(strings.Join(r.Warnings, "\n"), "width")) == 0 {
		t.Errorf("a cut of four bits: %+v, %v", r, err)
	}
}

func TestYosys(t *testing.T) {
	netlist := filepath.Join(t.TempDir(), "gates.v")
	s, err := Yosys(t.Context(), SynthJob{VerilogJob: VerilogJob{Files: macFiles[:1], Top: "mac"}, Target: "ice40", DSP: true, Netlist: netlist})
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.Version == "" || s.Cells["SB_MAC16"] != 1 || len(s.Conflicts) > 0 {
		t.Errorf("%q %v %q", s.Version, s.Cells, s.Conflicts)
	}
	// The netlist of gates passes the testbench of the text.
	models, err := CellModels("ice40")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Icarus(t.Context(), VerilogJob{Files: []string{netlist, models, macFiles[1]}, Top: "mac_tb", Defines: []string{"NO_ICE40_DEFAULT_ASSIGNMENTS"}})
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skip(missing)
	}
	if err != nil || r.Failed() {
		t.Errorf("netlist of gates: %+v, %v", r, err)
	}
	bad := filepath.Join(t.TempDir(), "m.v")
	if err := os.WriteFile(bad, []byte("module m (input wire a_i, output wire y_o);\n  wire open;\n  assign y_o = a_i & open;\nendmodule\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Yosys(t.Context(), SynthJob{VerilogJob: VerilogJob{Files: []string{bad}, Top: "m"}}); err == nil {
		t.Error("check -assert lets an undriven net pass")
	}
}

func TestMissingVerilogTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Icarus(t.Context(), VerilogJob{Files: macFiles, Top: "mac_tb"})
	if _, ok := errors.AsType[*MissingError](err); !ok || !strings.Contains(err.Error(), "apt-get install iverilog") {
		t.Errorf("%v", err)
	}
}
