package template

import (
	"io/fs"
	"strings"
	"testing"

	"vlec/model"
)

// TestTemplates loads every template under a new name.
func TestTemplates(t *testing.T) {
	for _, tpl := range List() {
		src, err := New(tpl.Name, "my-net")
		if err != nil {
			t.Fatal(err)
		}
		n, err := model.Parse("model.toml", src, ".")
		if err != nil {
			t.Errorf("%s: %v", tpl.Name, err)
			continue
		}
		if n.Name != "my-net" || len(n.Warnings) > 0 || n.Summary().Plastic == 0 || len(n.Targets) == 0 || strings.Contains(string(src), "NAME") {
			t.Errorf("%s: name %q, warnings %v", tpl.Name, n.Name, n.Warnings)
		}
	}
	if embedded, _ := fs.Glob(files, "*.toml"); len(embedded) != len(List()) {
		t.Errorf("%d files, but %d templates", len(embedded), len(List()))
	}
}

func TestNewErrors(t *testing.T) {
	for _, c := range []struct{ template, name, want string }{
		{"chian", "a", "did you mean chain?"},
		{"ring", "a", "choose chain, network, xor"},
		{"../template", "a", "unknown template"},
		{"chain", "two words", `name "two words" contains ' '`},
		{"chain", "", "is empty"},
		{"chain", "x\"\n[evil]", "contains"},
	} {
		if _, err := New(c.template, c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q, %q): %v", c.template, c.name, err)
		}
	}
}
