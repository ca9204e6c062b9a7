// Command vlec compiles learning neural networks to circuits and proves how
// closely the circuits follow them. See vlec --help.
//
// # For maintainers
//
// One file a command: a struct whose tags are the command line, and a Run that
// calls one function of the library and prints what it returned, as a table for
// people and as one JSON document for scripts. Whatever computes belongs
// elsewhere; a test refuses imports that compute.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"vlec/emit/verilog/device"
)

// Exit codes that scripts rely on.
const (
	exitHolds = 0
	exitNo    = 1 // it ran, and the verdict is no
	exitUsage = 2 // bad usage or bad input
)

// errNo is the verdict no. Whoever returns it has printed why.
var errNo = errors.New("the verdict is no")

type cli struct {
	globals

	New          newCmd                    `cmd:"" help:"Write a model to start from."`
	Check        checkCmd                  `cmd:"" help:"Report everything that is wrong with a model, and summarise it."`
	Run          runCmd                    `cmd:"" help:"Simulate the reference dynamics and learn."`
	Lower        lowerCmd                  `cmd:"" help:"Print the circuit graph of a model."`
	Emit         emitCmd                   `cmd:"" help:"Write a netlist or RTL."`
	Sim          simCmd                    `cmd:"" help:"Simulate a netlist or Verilog as it stands."`
	Train        trainCmd                  `cmd:"" help:"Let a netlist train itself, and compare its loss with the reference's."`
	Sweep        sweepCmd                  `cmd:"" help:"Run a model many times with something changed."`
	Verify       verifyCmd                 `cmd:"" help:"Emit, read back, simulate, compare with the reference, and judge."`
	Characterize characterizeCmd           `cmd:"" help:"Measure every cell at every level, and write their datasheets."`
	Gradcheck    gradcheckCmd              `cmd:"" help:"Compare the local update with the exact gradient."`
	Doctor       doctorCmd                 `cmd:"" help:"List the referees that are installed."`
	Version      versionCmd                `cmd:"" help:"Print the version."`
	Completion   kongcompletion.Completion `cmd:"" help:"Print the set-up of completion for your shell."`
}

const description = `vlec compiles learning neural networks to circuits.

A network of Latent-Equilibrium neurons is described in TOML, lowered to a circuit
graph, and emitted as a SPICE netlist or as fixed-point Verilog. The learning is
part of the circuit, and every artefact is checked against the reference dynamics.

Examples:
  vlec new mynet                          write mynet/model.toml
  vlec check mynet/model.toml             is it right?
  vlec verify mynet/model.toml            emit, read back, simulate, compare
  vlec verify mynet/model.toml --learning the same while it learns
  vlec emit spice mynet/model.toml -o out write net.cir and map.json
  vlec sim out/net.cir                    simulate that very file
  vlec emit verilog mynet/model.toml -o rtl   a core that learns, and its testbench

Exit status: 0 it holds, 1 it ran and the verdict is no, 2 bad usage or bad input.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process, so that tests can call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "vlec: internal error: %v\nplease report it with the command and the model\n%s", p, debug.Stack())
			code = exitUsage
		}
	}()
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("vlec"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.Vars{"devices": strings.Join(device.Names(), ",")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err)
	}
	kongcompletion.Register(parser, kongcompletion.WithPredictor("file", complete.PredictFiles("*")))
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "vlec: %v\n", err)
		var p *kong.ParseError
		if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
			fmt.Fprintf(stderr, "see: vlec %s --help\n", p.Context.Selected().Name)
		}
		return exitUsage
	}
	c.globals.ctx, c.globals.stdout, c.globals.stderr = ctx, stdout, stderr
	err = command.Run(&c.globals)
	switch {
	case err == nil:
		return exitHolds
	case errors.Is(err, errNo):
		return exitNo
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "vlec: interrupted")
		return 130
	}
	fmt.Fprintln(stderr, err)
	var ran *didRun
	if errors.As(err, &ran) {
		return exitNo
	}
	return exitUsage
}

// didRun marks an error of a computation that started with good input, such as
// a simulation that does not converge.
type didRun struct{ error }

func (e *didRun) Unwrap() error { return e.error }
