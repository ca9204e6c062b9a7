// Package golden compares what a test produced with a file under testdata.
//
//	golden.Check(t, "testdata/chain.cir", netlist)
//
// With VLEC_GOLDEN=1 in the environment (make golden) the file is rewritten
// instead; what changed is then in git diff, and make check wants no change.
//
// # For maintainers
//
// The file is read before it is rewritten, and rewritten only when it differs:
// that way go test knows that its result depends on the file, and caches it
// rightly, and refreshing without need touches nothing.
//
// A golden shows that a printer did not change, never that it was right. Text
// that has a reader is to be parsed again by the same test.
package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// Variable is the environment variable that asks for new golden files.
const Variable = "VLEC_GOLDEN"

// Refresh tells whether golden files are to be rewritten.
func Refresh() bool { return os.Getenv(Variable) == "1" }

// Check wants got to be what the named file holds. The name is relative to the
// package's folder, where go test runs.
func Check[T ~string | ~[]byte](t testing.TB, name string, got T) {
	t.Helper()
	want, err := os.ReadFile(name)
	if err == nil && bytes.Equal(want, []byte(got)) {
		return
	}
	if Refresh() {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	switch {
	case err != nil:
		t.Errorf("%v; %s=1 writes it", err, Variable)
	case !utf8.Valid(want) || !utf8.ValidString(string(got)):
		at := 0
		for at < min(len(want), len(got)) && want[at] == got[at] {
			at++
		}
		t.Errorf("%s: %d bytes, got %d that differ from byte %d on; %s=1 takes them over", name, len(want), len(got), at, Variable)
	default:
		t.Errorf("%s differs; %s=1 takes it over\n%s", name, Variable, diff.Diff(name, want, "got", []byte(got)))
	}
}
