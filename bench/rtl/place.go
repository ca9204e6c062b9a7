//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/device"
	"vlec/emit/verilog/tree"
	"vlec/internal/table"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// placing says what to place and route.
type placing struct {
	layers, device string
	model          string // a file instead of layers
	feedback       string // of feedbacks; "" is the transpose
	bits, lanes    int
	frozen, board  bool
	seeds          int
}

// place synthesises, places and routes a core for an iCE40 part. A core has more
// ports than a part has pins: they stand on a shift register, whose bits are taken
// off the logic cells. Or the board's own top is placed, on its own pins.
func (p *placing) place() ([]placed, error) {
	part := device.Of(p.device)
	if part == nil || part.Family.Name != "ice40" {
		return nil, fmt.Errorf("%s: only up5k and hx8k are placed", p.device)
	}
	board, pack := verilog.BoardOf(p.device)
	ctx := context.Background()
	net, err := p.network()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vlec-place-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var files emit.Artifacts
	core, err := crosscheck.EmitVerilog(ctx, net, crosscheck.VerilogOptions{Learning: !p.frozen, Bits: p.bits, Lanes: p.lanes, Device: p.device, Steps: 8}, &files)
	if err != nil {
		return nil, err
	}
	if err := files.Commit(dir); err != nil {
		return nil, err
	}
	text, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		return nil, err
	}
	top, shift := core.Top+"_harness", 0
	pins := []string{}
	if p.board {
		top = core.Top + "_" + board
		text = append(text, filepath.Join(dir, "boards", core.Top+"_link.v"), filepath.Join(dir, "boards", top+".v"))
		pins = []string{"--pcf", filepath.Join(dir, "boards", board+".pcf")}
	} else {
		var wrapper string
		wrapper, shift = harness(core)
		name := filepath.Join(dir, top+".v")
		if err := os.WriteFile(name, []byte(wrapper), 0o666); err != nil {
			return nil, err
		}
		text = append(text, name)
	}
	netlist := filepath.Join(dir, "net.json")
	synthesis, err := referee.Yosys(ctx, referee.SynthJob{
		VerilogJob: referee.VerilogJob{Files: text, Top: top}, Target: part.Family.Name, DSP: part.DSP > 0, Netlist: netlist,
	})
	if err != nil {
		return nil, err
	}
	if len(synthesis.Conflicts) > 0 {
		return nil, fmt.Errorf("yosys speaks of a conflict of drivers, the netlist is wrong: %s", synthesis.Conflicts[0])
	}
	var made []placed
	for seed := 1; seed <= p.seeds; seed++ {
		args := append([]string{"--" + p.device, "--package", pack, "--freq", "12", "--seed", fmt.Sprint(seed), "--json", netlist, "--asc", filepath.Join(dir, "out.asc")}, pins...)
		out, err := exec.Command("nextpnr-ice40", args...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("nextpnr-ice40: %w\n%s", err, tail(out))
		}
		said, err := report(string(out))
		if err != nil {
			return nil, err
		}
		said.cells -= shift
		said.cycles = core.Schedule.Period
		said.seed = seed
		made = append(made, *said)
	}
	if e, err := core.Estimate(); err == nil && !p.board {
		fmt.Fprintf(os.Stderr, "estimate: %d logic cells, %d multipliers, %d block RAMs, %d MHz\n", e.LC, e.DSP, e.RAM, e.Mega)
	}
	what := p.layers
	if p.model != "" {
		what = p.model
	}
	fmt.Fprintf(os.Stderr, "%s, %d bits, %d lanes, %s, %s\n", what, core.Plan.Bits, core.Schedule.Lanes, p.device, map[bool]string{true: "the board's top", false: fmt.Sprintf("the core on a shift register of %d bits", shift)}[p.board])
	return made, nil
}

// show prints placements.
func show(made []placed) {
	rows := [][]string{{"seed", "cycles a step", "logic cells", "multipliers", "block RAMs", "MHz"}}
	for _, p := range made {
		rows = append(rows, []string{fmt.Sprint(p.seed), fmt.Sprint(p.cycles), fmt.Sprint(p.cells), fmt.Sprint(p.dsp), fmt.Sprint(p.ram), fmt.Sprintf("%.1f", p.mega)})
	}
	fmt.Println(table.Text(rows))
}

func (p *placing) network() (*model.Network, error) {
	if p.model != "" {
		return model.Load(p.model)
	}
	feedback, ok := feedbacks[p.feedback]
	if !ok && p.feedback != "" {
		return nil, fmt.Errorf("there is no feedback %q; use one of %v", p.feedback, slices.Sorted(maps.Keys(feedbacks)))
	}
	return model.Parse("bench.toml", []byte(source(strings.Split(p.layers, ","), feedback)), ".")
}

// harness puts all ports of a core but its clock on two shift registers, and says
// how many bits they have.
func harness(core *verilog.Core) (text string, bits int) {
	m := core.Modules[len(core.Modules)-1]
	var in, out int
	var ports []string
	for _, p := range m.Ports {
		w := p.T.Width
		switch {
		case p.Name == "clk_i":
			ports = append(ports, ".clk_i(clk_i)")
		case p.Kind == tree.Input:
			ports = append(ports, fmt.Sprintf(".%s(in[%d:%d])", p.Name, in+w-1, in))
			in += w
		default:
			ports = append(ports, fmt.Sprintf(".%s(out[%d:%d])", p.Name, out+w-1, out))
			out += w
		}
	}
	return fmt.Sprintf(`module %s_harness (input wire clk_i, input wire in_i, output wire out_o);
  reg [%d:0] in, shown;
  reg load;
  wire [%d:0] out;
  always @(posedge clk_i) begin
    in <= {in[%d:0], in_i};
    load <= in[0] ^ in_i;
    shown <= load ? out : {shown[%d:0], 1'b0};
  end
  assign out_o = shown[%d];
  %s core (%s);
endmodule
`, core.Top, in-1, out-1, in-2, out-2, out-1, core.Top, strings.Join(ports, ", ")), in + out + 1
}

type placed struct {
	seed, cycles    int
	cells, ram, dsp int
	mega            float64
}

var (
	cells = regexp.MustCompile(`(ICESTORM_LC|ICESTORM_RAM|ICESTORM_DSP): +(\d+)/`)
	clock = regexp.MustCompile(`Max frequency for clock '[^']*': ([0-9.]+) MHz`)
)

// report reads what nextpnr-ice40 says in the end.
func report(text string) (*placed, error) {
	var p placed
	for _, m := range cells.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return nil, err
		}
		*map[string]*int{"ICESTORM_LC": &p.cells, "ICESTORM_RAM": &p.ram, "ICESTORM_DSP": &p.dsp}[m[1]] = n
	}
	said := clock.FindAllStringSubmatch(text, -1)
	if p.cells == 0 || len(said) == 0 {
		return nil, fmt.Errorf("nextpnr-ice40 says nothing of cells and clock\n%s", tail([]byte(text)))
	}
	var err error
	p.mega, err = strconv.ParseFloat(said[len(said)-1][1], 64) // the last is after routing
	return &p, err
}

func tail(out []byte) string { return string(out[max(0, len(out)-2000):]) }
