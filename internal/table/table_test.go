package table_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlec/internal/table"
)

var rows = [][]string{
	{"signal", "nrmse", "worst neuron"},
	{"hidden.u", "6.78e-07", "hidden.u[0]"},
	{"a, \"b\" | c\n\x1b[31m", "12", ""},
}

func TestTable(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"text", table.Text(rows), `
signal               nrmse  worst neuron
──────────────────────────────────────────
hidden.u          6.78e-07  hidden.u[0]
a, "b" | c  [31m        12`},
		{"Markdown", table.Markdown(rows), `
| signal | nrmse | worst neuron |
| --- | ---:| --- |
| hidden.u | 6.78e-07 | hidden.u[0] |
| a, "b" \| c  [31m | 12 |  |`},
		{"CSV", table.CSV(rows), `
signal,nrmse,worst neuron
hidden.u,6.78e-07,hidden.u[0]
"a, ""b"" | c  [31m",12,`},
	} {
		if diff := cmp.Diff(c.want, "\n"+c.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
	if table.Text(nil) != "" {
		t.Error("no rows, some text")
	}
}

func TestCSVReadsBack(t *testing.T) {
	got, err := csv.NewReader(strings.NewReader(table.CSV(rows))).ReadAll()
	want := [][]string{rows[0], rows[1], {"a, \"b\" | c  [31m", "12", ""}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
