package emit_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlec/emit"
)

// tree lists the files below dir with their content, and folders with "/".
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if d.IsDir() {
			files[filepath.ToSlash(rel)+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(name)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCommit(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "new", "out")
	var a emit.Artifacts
	a.AddText("net.cir", "one\n")
	a.AddText("rtl/core/top.v", "two\n")
	a.AddText("rtl/unit.v", "three\n")
	document := map[string]int{"a": 0}
	a.AddJSON("doc.json", document)
	document["a"] = 1 // a file is what the document is when it is written
	for range 2 {     // the second time over the first
		if err := a.Commit(out); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"net.cir": "one\n", "rtl/": "", "rtl/core/": "", "rtl/core/top.v": "two\n", "doc.json": "{\n  \"a\": 1\n}\n", "rtl/unit.v": "three\n"}
		if diff := cmp.Diff(want, tree(t, out)); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
	}
	if b, err := a.Content("rtl/unit.v"); string(b) != "three\n" || err != nil {
		t.Errorf("Content: %q, %v", b, err)
	}
	if _, err := a.Content("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Content of a file that is not there: %v", err)
	}
}

// TestCommitFails wants the folder as it was, whatever goes wrong.
func TestCommitFails(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name  string
		add   func(*emit.Artifacts)
		wants string
	}{
		{"writer's error", func(a *emit.Artifacts) {
			a.Add("b.cir", func(w io.Writer) error { io.WriteString(w, "half"); return broken })
		}, "b.cir: broken"},
		{"folder in the way", func(a *emit.Artifacts) { a.AddText("folder", "") }, "there is a folder of that name"},
		{"file in the way", func(a *emit.Artifacts) { a.AddText("old.cir/x", "") }, "old.cir"},
		{"link to outside", func(a *emit.Artifacts) { a.AddText("link/x", "") }, "link"},
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		os.MkdirAll(filepath.Join(out, "folder"), 0o777)
		os.WriteFile(filepath.Join(out, "old.cir"), []byte("old"), 0o666)
		os.Mkdir(filepath.Join(dir, "outside"), 0o777)
		if err := os.Symlink("../outside", filepath.Join(out, "link")); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		before := tree(t, filepath.Join(out, "folder"))

		var a emit.Artifacts
		a.AddText("first.cir", "new")
		a.AddText("sub/deep/second.cir", "new")
		c.add(&a)
		err := a.Commit(out)
		if err == nil || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.wants)
		}
		if diff := cmp.Diff(before, tree(t, filepath.Join(out, "folder"))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		var left []string
		entries, _ := os.ReadDir(out)
		for _, e := range entries {
			left = append(left, e.Name())
		}
		if diff := cmp.Diff([]string{"folder", "link", "old.cir"}, left); diff != "" {
			t.Errorf("%s: left behind: %s", c.name, diff)
		}
		if outside := tree(t, filepath.Join(dir, "outside")); len(outside) > 0 {
			t.Errorf("%s: wrote %v", c.name, outside)
		}
	}

	// A folder that was made for nothing goes again.
	dir := t.TempDir()
	var a emit.Artifacts
	a.Add("x", func(io.Writer) error { return broken })
	if err := a.Commit(filepath.Join(dir, "a", "b")); !errors.Is(err, broken) || len(tree(t, dir)) > 0 {
		t.Errorf("%v, %v", err, tree(t, dir))
	}
}

func TestPathsRefused(t *testing.T) {
	for _, names := range [][]string{
		{"../x"},
		{"/etc/x"},
		{"a/../../x"},
		{"a/../x"},
		{""},
		{"."},
		{".."},
		{"a//b"},
		{"a/"},
		{`a\b`},
		{"a\x00b"},
		{"a\nb"},
		{"x", "x"},
		{"x.cir", "X.cir"},
		{"a", "a/b"},
		{"a/b", "a"},
		{"Lib/a", "lib/b"},
	} {
		var a emit.Artifacts
		for _, name := range names {
			a.AddText(name, "")
		}
		dir := t.TempDir()
		if err := a.Commit(dir); err == nil || len(tree(t, dir)) > 0 {
			t.Errorf("%q: error %v, wrote %v", names, err, tree(t, dir))
		}
	}
}

func TestStaleTemporary(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, ".net.cir.0.tmp")
	if err := os.WriteFile(stale, []byte("of a run that was killed"), 0o666); err != nil {
		t.Fatal(err)
	}
	var a emit.Artifacts
	a.AddText("net.cir", "new")
	if err := a.Commit(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"net.cir": "new", ".net.cir.0.tmp": "of a run that was killed"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}
