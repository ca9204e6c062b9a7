package verilog

import (
	"fmt"
	"io"
	"strings"

	"vlec/emit"
	"vlec/emit/verilog/device"
)

// packaging adds what tools around the core need: a Makefile, lists of files, a
// FuseSoC core, properties for SymbiYosys.
func (c *Core) packaging(files *emit.Artifacts) {
	add := func(name string, lines func(w *emit.Writer)) {
		files.Add(name, func(to io.Writer) error {
			w := emit.NewWriter(to)
			lines(w)
			return w.Flush()
		})
	}
	add("filelist.f", func(w *emit.Writer) {
		for _, m := range c.Modules {
			w.Linef("rtl/%s.v", m.Name)
		}
	})
	add("Makefile", c.makefile)
	add(c.Top+".core", c.fusesoc)
	add(c.Top+".sby", c.sby)
}

func (c *Core) makefile(w *emit.Writer) {
	t := c.Top
	rule := func(target, needs string, recipe ...string) {
		w.Blank()
		w.Linef("%s: %s", target, needs)
		for _, r := range recipe {
			w.Line("\t" + r)
		}
	}
	w.Line("# make sim        the testbench in Icarus;       make sim VCD=1 leaves " + t + ".vcd")
	w.Line("# make verilator  the testbench in Verilator")
	w.Line("# make lint       verilator, iverilog and yosys have nothing to say")
	w.Line("# make icebreaker, make hx8k, make ulx3s   bitstreams, with yosys and nextpnr")
	w.Line("# make gates      the testbench on the netlist of gates for iCE40")
	w.Line("# make formal     properties over two steps, with yosys; " + t + ".sby is for SymbiYosys")
	w.Blank()
	w.Line("RTL   = $(shell cat filelist.f)")
	w.Line("BENCH = tb/" + t + "_tb.v")
	w.Line("LINK  = boards/" + t + "_link.v")
	w.Line("CELLS = $(dir $(shell command -v yosys))../share/yosys/ice40/cells_sim.v")
	w.Blank()
	w.Line(".PHONY: sim verilator lint gates formal icebreaker hx8k ulx3s clean")
	rule("sim", "build/sim.vvp", "vvp -n build/sim.vvp")
	rule("build/sim.vvp", "$(RTL) $(BENCH)", "@mkdir -p build", "iverilog -g2005-sv -Wall $(if $(VCD),-DVCD) -o $@ -s "+t+"_tb $^")
	rule("verilator", "$(RTL) $(BENCH)", "verilator --binary --timing -Wall $(if $(VCD),--trace -DVCD) -Mdir build/verilator --top-module "+t+"_tb -o sim $^",
		"build/verilator/sim")
	rule("lint", "$(RTL)", "verilator --lint-only -Wall --top-module "+t+" $^", "iverilog -g2005 -Wall -o /dev/null -s "+t+" $^",
		"yosys -q -p 'read_verilog $^; hierarchy -check -top "+t+"; proc; check -assert'")
	w.Blank()
	w.Line("# A conflict of drivers is the only sign that yosys gives of a wrong netlist.")
	for i := range boards {
		b := &boards[i]
		part, out := device.Of(b.device), "build/"+b.name
		rule(out+".json", "$(RTL) $(LINK) boards/"+t+"_"+b.name+".v", "@mkdir -p build",
			"yosys -q -l "+out+".log -p 'read_verilog $^; "+part.Synth()+" -top "+t+"_"+b.name+" -json $@'", "! grep -i conflict "+out+".log")
		place := fmt.Sprintf("nextpnr-%s --%s --package %s --freq %d --json $< --%s boards/%s.%[5]s ", part.Family.Name, b.size, b.pack, b.mega, b.extension, b.name)
		if part.Family.Name == "ice40" {
			rule(b.name, out+".json", place+"--asc "+out+".asc", "icepack "+out+".asc "+out+".bin")
		} else {
			rule(b.name, out+".json", place+"--textcfg "+out+".config", "ecppack "+out+".config "+out+".bit")
		}
	}
	rule("gates", "$(RTL) $(BENCH)", "@mkdir -p build", "yosys -q -l build/gates.log -p 'read_verilog $(RTL); synth_ice40 -dsp -top "+t+"; write_verilog -noattr build/gates.v'",
		"! grep -i conflict build/gates.log", "iverilog -g2005-sv -DNO_ICE40_DEFAULT_ASSIGNMENTS -o build/gates.vvp -s "+t+"_tb build/gates.v $(CELLS) $(BENCH)", "vvp -n build/gates.vvp")
	prepare, cycles := c.formal()
	rule("formal", "$(RTL)", fmt.Sprintf("yosys -q -p 'read_verilog -formal -DFORMAL $^; %s; sat -verify -prove-asserts -set-assumes -seq %d %s'",
		strings.Join(prepare, "; "), cycles, t))
	rule("clean", "", "rm -rf build "+t+".vcd")
}

func (c *Core) fusesoc(w *emit.Writer) {
	t := c.Top
	w.Line("CAPI=2:")
	w.Linef("name: vlec:cores:%s:1.0.0", t)
	w.Linef("description: Latent-Equilibrium network as a fixed-point core of %d lanes", c.Schedule.Lanes)
	w.Line("filesets:")
	list := func(name, kind string, names ...string) {
		w.Linef("  %s:", name)
		w.Line("    files:")
		for _, n := range names {
			w.Linef("      - %s", n)
		}
		w.Linef("    file_type: %s", kind)
	}
	var rtl []string
	for _, m := range c.Modules {
		rtl = append(rtl, "rtl/"+m.Name+".v")
	}
	list("rtl", "verilogSource-2005", rtl...)
	list("tb", "systemVerilogSource", "tb/"+t+"_tb.v")
	w.Line("  vectors:")
	w.Line("    files:")
	for _, f := range []string{"stimulus", "expected", "weights"} {
		w.Linef("      - tb/%s.hex: {copyto: tb/%s.hex}", f, f)
	}
	w.Line("    file_type: user")
	list("icebreaker", "verilogSource-2005", "boards/"+t+"_link.v", "boards/"+t+"_icebreaker.v")
	list("icebreaker_pins", "PCF", "boards/icebreaker.pcf")
	w.Line("targets:")
	target := func(name, top, tool string, filesets string, options ...string) {
		w.Linef("  %s:", name)
		w.Linef("    default_tool: %s", tool)
		w.Linef("    filesets: [%s]", filesets)
		w.Linef("    toplevel: %s", top)
		w.Line("    tools:")
		w.Linef("      %s:", tool)
		for _, o := range options {
			w.Line("        " + o)
		}
	}
	w.Line("  default:")
	w.Line("    filesets: [rtl]")
	w.Linef("    toplevel: %s", t)
	target("lint", t, "verilator", "rtl", "mode: lint-only", "verilator_options: [-Wall]")
	target("sim", t+"_tb", "icarus", "rtl, tb, vectors", "iverilog_options: [-g2005-sv, -Wall]")
	target("synth", t+"_icebreaker", "icestorm", "rtl, icebreaker, icebreaker_pins", "nextpnr_options: [--up5k, --package, sg48, --freq, 12]", "pnr: next", "yosys_synth_options: [-dsp]")
}

func (c *Core) sby(w *emit.Writer) {
	prepare, cycles := c.formal()
	w.Line("# No memory is read and written at one address in one cycle, counters stay in range: for every")
	w.Line("# stimulus, from reset, over two steps.")
	w.Line("[options]")
	w.Line("mode bmc")
	w.Linef("depth %d", cycles)
	w.Blank()
	w.Line("[engines]")
	w.Line("smtbmc")
	w.Blank()
	w.Line("[script]")
	w.Line("read -formal " + "*.v")
	for _, p := range prepare {
		w.Line(p)
	}
	w.Blank()
	w.Line("[files]")
	for _, m := range c.Modules {
		w.Linef("rtl/%s.v", m.Name)
	}
}
