package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/model/diag"
)

// An expectation is a comment "# ERROR 12: text" on the line of the mistake: an
// error at column 12 whose message or hint contains the text.
var expectation = regexp.MustCompile(`# ERROR (\d+): ([^#]*)`)

// TestBadModels compares the errors of every bad model with the comments in it.
// A missing error fails as an unexpected one does.
func TestBadModels(t *testing.T) {
	files, err := filepath.Glob("../testdata/models/bad/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("only %d bad models found", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, complaint := range compare(file, string(src)) {
				t.Error(complaint)
			}
		})
	}
}

// compare returns what is wrong about the errors of a model.
func compare(file, src string) (complaints []string) {
	_, err := Parse(file, []byte(src), filepath.Dir(file))
	var list diag.List
	if !errors.As(err, &list) && err != nil {
		return []string{fmt.Sprintf("not a diag.List: %v", err)}
	}
	type place struct{ line, col int }
	got := map[place][]*diag.Error{}
	for _, e := range list {
		at := place{e.Pos.Line, e.Pos.Col}
		got[at] = append(got[at], e)
	}
	wanted := 0
	for i, line := range strings.Split(src, "\n") {
		for _, m := range expectation.FindAllStringSubmatch(line, -1) {
			wanted++
			col, _ := strconv.Atoi(m[1])
			text := strings.TrimSpace(m[2])
			at := place{i + 1, col}
			found := -1
			for k, e := range got[at] {
				if strings.Contains(e.Msg+"; "+e.Hint, text) {
					found = k
				}
			}
			if found < 0 {
				complaints = append(complaints, fmt.Sprintf("%s:%d:%d: missing error %q", file, i+1, col, text))
				continue
			}
			got[at] = append(got[at][:found:found], got[at][found+1:]...)
		}
	}
	if wanted == 0 {
		complaints = append(complaints, file+": no error is expected here")
	}
	for _, e := range list {
		for _, left := range got[place{e.Pos.Line, e.Pos.Col}] {
			if left == e {
				complaints = append(complaints, "unexpected: "+e.Error())
			}
		}
	}
	return complaints
}

// TestCompareCanFail makes sure that a wrong line, column, text, a missing and
// an extra error are all seen.
func TestCompareCanFail(t *testing.T) {
	const good = "duration = 1\ndt = -1 # ERROR 6: greater than 0\n[population.a]\nsize = 1\ntau_m = 1\ntau_r = 1\n"
	if c := compare("good", good); c != nil {
		t.Fatalf("a right expectation fails: %q", c)
	}
	for _, change := range [][2]string{
		{"ERROR 6", "ERROR 5"},
		{"greater", "smaller"},
		{" # ERROR 6: greater than 0\n", "\n# ERROR 6: greater than 0\n"},
		{"dt = -1", "dt = 1"},
		{" # ERROR 6: greater than 0", ""},
		{"tau_r = 1\n", "tau_r = 1\nfoo = 1\n"},
	} {
		src := strings.Replace(good, change[0], change[1], 1)
		if src == good || compare("changed", src) == nil {
			t.Errorf("replacing %q by %q goes unnoticed", change[0], change[1])
		}
	}
}
