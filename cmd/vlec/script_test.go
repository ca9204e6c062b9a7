package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"vlec/internal/golden"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vlec": main})
}

// TestScript runs testdata/script/*.txtar, and testdata/bugs/*.txtar, one for
// each bug that was mended. Every script has a folder of its own; $ROOT is the
// repository. Beside testscript's own commands they have
//
//	exits N COMMAND…      run, and want the exit status
//	json PATH OP VALUE    look into the JSON document on stdout: json signals.u.nrmse < 1e-4
//	edit FILE OLD NEW     replace the one place where OLD stands
//
// and the condition [long], which VLEC_LONG=1 (make test-long) sets.
func TestScript(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(root, "examples"))
	for _, kind := range []string{"script", "bugs"} {
		dir := filepath.Join(root, "testdata", kind)
		if scripts, _ := filepath.Glob(filepath.Join(dir, "*.txtar")); len(scripts) == 0 {
			continue
		}
		t.Run(kind, func(t *testing.T) { runScripts(t, root, dir) })
	}
}

// touch looks at the files that scripts give to vlec. They are read by another
// process, and go test must know of them to tell a stale result from a fresh one.
func touch(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err == nil {
			_, err = os.Stat(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func runScripts(t *testing.T, root, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       golden.Refresh(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("NO_COLOR", "1")
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "long" {
				return os.Getenv("VLEC_LONG") != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"json":  jsonHolds,
			"edit":  edit,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARGUMENT…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// jsonHolds compares one value of the document that the last command printed.
func jsonHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json PATH OPERATOR VALUE")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for key := range strings.SplitSeq(args[0], ".") {
		switch in := v.(type) {
		case map[string]any:
			value, ok := in[key]
			if !ok {
				ts.Fatalf("%s: no %q in the document", args[0], key)
			}
			v = value
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				ts.Fatalf("%s: no %q in an array of %d", args[0], key, len(in))
			}
			v = in[i]
		default:
			ts.Fatalf("%s: %v has no %q", args[0], v, key)
		}
	}
	if holds(ts, v, args[1], args[2]) == neg {
		ts.Fatalf("%s is %v", args[0], v)
	}
}

func holds(ts *testscript.TestScript, v any, operator, value string) bool {
	switch operator {
	case "==":
		return fmt.Sprint(v) == value
	case "contains":
		return strings.Contains(fmt.Sprint(v), value)
	case "<", ">":
		number, ok := v.(float64)
		limit, err := strconv.ParseFloat(value, 64)
		ts.Check(err)
		if !ok || math.IsNaN(number) {
			ts.Fatalf("%v is no number", v)
		}
		return number < limit && operator == "<" || number > limit && operator == ">"
	}
	ts.Fatalf("unknown operator %q", operator)
	return false
}

func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%q stands %d times in %s", args[1], n, args[0])
	}
	text = strings.Replace(text, args[1], args[2], 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}
