package golden_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/internal/golden"
)

// A recorder is a test whose failures are kept instead of reported.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper()                    {}
func (r *recorder) Errorf(f string, a ...any)  { r.said += fmt.Sprintf(f, a...) }
func (r *recorder) check(name, got string)     { golden.Check(r, name, got) }
func content(t *testing.T, name string) string { b, _ := os.ReadFile(name); return string(b) }

func TestCheck(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "x.golden")
	t.Setenv(golden.Variable, "")
	r := &recorder{TB: t}
	if r.check(name, "one\ntwo\n"); !strings.Contains(r.said, "no such file") {
		t.Errorf("no file: %q", r.said)
	}

	t.Setenv(golden.Variable, "1")
	r = &recorder{TB: t}
	if r.check(name, "one\ntwo\n"); r.said != "" || content(t, name) != "one\ntwo\n" {
		t.Errorf("refresh said %q and wrote %q", r.said, content(t, name))
	}

	t.Setenv(golden.Variable, "")
	for _, c := range []struct{ got, want string }{
		{"one\ntwo\n", ""},
		{"one\n2\n", "-two\n+2\n"},
		{"one\ntwo", "differs"},
		{"one\n\xff", "got 5 that differ from byte 4 on"},
	} {
		r := &recorder{TB: t}
		if r.check(name, c.got); !strings.Contains(r.said, c.want) || (r.said == "") != (c.want == "") {
			t.Errorf("%q: %q, want %q", c.got, r.said, c.want)
		}
	}
	if content(t, name) != "one\ntwo\n" {
		t.Error("a comparison wrote the file")
	}
}
