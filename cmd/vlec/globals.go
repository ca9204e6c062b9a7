package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"vlec/emit"
	"vlec/internal/progress"
	"vlec/internal/table"
	"vlec/model"
)

// globals are the flags of every command, and where it prints.
type globals struct {
	JSON    bool    `help:"Print one JSON document on stdout; everything else goes to stderr."`
	Quiet   bool    `short:"q" help:"Print errors and verdicts only."`
	Verbose bool    `short:"v" help:"Say more about what is done and why."`
	Seed    *uint64 `help:"Replace the model's seed." placeholder:"N"`

	ctx            context.Context
	stdout, stderr io.Writer
}

// load reads a model and prints its warnings.
func (g *globals) load(path string) (*model.Network, error) {
	var opts []model.Option
	if g.Seed != nil {
		opts = append(opts, model.WithSeed(*g.Seed))
	}
	net, err := model.Load(path, opts...)
	if err != nil {
		return nil, err
	}
	if !g.Quiet {
		for _, w := range net.Warnings {
			fmt.Fprintf(g.stderr, "warning: %v\n", w)
		}
	}
	return net, nil
}

// say prints a line for people: on stdout, or on stderr where stdout is JSON.
func (g *globals) say(format string, args ...any) {
	if g.Quiet {
		return
	}
	w := g.stdout
	if g.JSON {
		w = g.stderr
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// table prints rows, the first of which is the header, for people.
func (g *globals) table(rows [][]string) { g.say("%s", table.Text(rows)) }

// progress shows how far a long command is, on a terminal. Call stop before
// anything else is printed.
func (g *globals) progress() (update func(stage string, done float64), stop func()) {
	bar := progress.New(g.stderr, g.Quiet)
	return bar.Update, bar.Close
}

// bar is progress with remarks.
func (g *globals) bar() *progress.Bar { return progress.New(g.stderr, g.Quiet) }

// json prints the command's document.
func (g *globals) json(v any) error { return emit.JSON(g.stdout, v) }

// outputFolder is where a command writes when -o does not say: vlec-out and the
// model's name.
func outputFolder(given string, net *model.Network) string {
	if given != "" {
		return given
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, net.Name)
	if clean == "" {
		clean = "model"
	}
	return filepath.Join("vlec-out", clean)
}

// verdict prints what -q must not hide.
func (g *globals) verdict(format string, args ...any) {
	fmt.Fprintf(g.stdout, format+"\n", args...)
}
