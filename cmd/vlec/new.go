package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vlec/emit"
	"vlec/model/template"
)

type newCmd struct {
	Name     string `arg:"" help:"Name of the model, and of its folder."`
	Template string `short:"t" help:"What to start from: chain, network or xor." default:"chain" placeholder:"NAME"`
	Output   string `short:"o" help:"Folder to write into, instead of NAME." type:"path" placeholder:"DIR"`
}

func (c *newCmd) Help() string {
	var b strings.Builder
	b.WriteString("Writes a model to start from, NAME/model.toml. Nothing is overwritten. Templates:\n")
	for _, t := range template.List() {
		fmt.Fprintf(&b, "  %-9s %s\n", t.Name, t.About)
	}
	b.WriteString("\nExamples:\n  vlec new mynet\n  vlec new mynet --template network")
	return b.String()
}

func (c *newCmd) Run(g *globals) error {
	text, err := template.New(c.Template, c.Name)
	if err != nil {
		return fmt.Errorf("vlec new: %w", err)
	}
	dir := c.Output
	if dir == "" {
		dir = c.Name
	}
	file := filepath.Join(dir, "model.toml")
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("vlec new: %s is there already; choose another name, or remove it", file)
	}
	var files emit.Artifacts
	files.AddText("model.toml", string(text))
	if err := files.Commit(dir); err != nil {
		return fmt.Errorf("vlec new: %w", err)
	}
	file = filepath.ToSlash(file)
	if g.JSON {
		return g.json(map[string]string{"model": c.Name, "template": c.Template, "file": file})
	}
	g.say("%s\n\nNext:\n  vlec run %s --semantics synchronous -o out\n  vlec verify %s --learning", file, file, file)
	return nil
}
