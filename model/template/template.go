// Package template holds the texts that new models start from.
//
// # For maintainers
//
// A template is a model file whose name is NAME, in the file beside this one.
// Each must load without a warning and learn within the time it runs; a test
// of this package wants the first, and vlec run shows the second.
package template

import (
	"embed"
	"fmt"
	"strings"

	"vlec/model"
	"vlec/model/source"
)

//go:embed *.toml
var files embed.FS

// A Template is a text that a model can start from.
type Template struct {
	Name  string
	About string // one line
}

// List returns every template, the simplest first.
func List() []Template {
	return []Template{
		{"chain", "one neuron a layer learns to follow a sine"},
		{"network", "several neurons a layer learn what a teacher of the same form does"},
		{"xor", "two lag lines and an XOR of what they delay"},
	}
}

// New returns the text of a model called name that starts from a template. The
// name must be one that populations can have, too; the error says what to do.
func New(template, name string) ([]byte, error) {
	var names []string
	for _, t := range List() {
		names = append(names, t.Name)
	}
	text, err := files.ReadFile(template + ".toml")
	if err != nil {
		return nil, fmt.Errorf("unknown template %q; %s", template, source.Suggest(template, names, "choose"))
	}
	if err := model.CheckName(name); err != nil {
		return nil, err
	}
	return []byte(strings.ReplaceAll(string(text), "NAME", name)), nil
}
