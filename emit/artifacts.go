package emit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Artifacts is a set of files to be written into one folder. The zero value is
// empty and ready to use.
//
// A mistake in a path is kept and returned by Commit, as is the first error of
// writing.
type Artifacts struct {
	files []artifact
	taken map[string]string // case-folded path or folder -> the path that took it
	err   error
}

type artifact struct {
	path  string // relative, with slashes
	write func(io.Writer) error
}

// Add adds a file. Its path is relative, uses slashes, and stays within the
// output folder. Paths that differ in case only are refused: they are one file
// on some file systems.
//
// Commit calls write once, with a buffered writer.
func (a *Artifacts) Add(name string, write func(io.Writer) error) {
	switch {
	case a.err != nil:
		return
	case name == "." || name != path.Clean(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00\n"):
		a.err = fmt.Errorf("output file %q: the path must be relative and stay inside the output folder", name)
		return
	}
	if a.taken == nil {
		a.taken = map[string]string{}
	}
	for part := name; part != "."; part = path.Dir(part) {
		// A folder may be shared; a file may not, and neither may be both.
		key, value := strings.ToLower(part), part+"/"
		if part == name {
			value = part
		}
		if other, ok := a.taken[key]; ok && (part == name || other != value) {
			a.err = fmt.Errorf("output files %q and %q need the same place", other, name)
			return
		}
		a.taken[key] = value
	}
	a.files = append(a.files, artifact{name, write})
}

// AddText adds a file with that content.
func (a *Artifacts) AddText(name, text string) {
	a.Add(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

// AddJSON adds a file with what a document is when it is written.
func (a *Artifacts) AddJSON(name string, document any) {
	a.Add(name, func(w io.Writer) error { return JSON(w, document) })
}

// JSON writes a document as people can read it.
func JSON(w io.Writer, document any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(document)
}

// Paths lists the files in the order in which they were added.
func (a *Artifacts) Paths() []string {
	paths := make([]string, len(a.files))
	for i, f := range a.files {
		paths[i] = f.path
	}
	return paths
}

// Content returns what Commit would write into the named file.
func (a *Artifacts) Content(name string) ([]byte, error) {
	i := slices.IndexFunc(a.files, func(f artifact) bool { return f.path == name })
	if i < 0 {
		return nil, firstError(a.err, fmt.Errorf("output file %q: %w", name, fs.ErrNotExist))
	}
	var b bytes.Buffer
	err := a.files[i].write(&b)
	return b.Bytes(), err
}

func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// Commit writes all files into dir, which it creates when it is not there.
//
// Each file is written under a temporary name beside its own, and renamed when
// all of them are complete, so that nobody sees half a file and an error leaves
// the folder as it was. Only the renaming itself can stop half way: then some
// files are new, the others old, and each is whole. Symbolic links do not lead
// out of dir.
func (a *Artifacts) Commit(dir string) (err error) {
	if a.err != nil {
		return a.err
	}
	made, err := makeFolder(dir)
	defer func() {
		if err != nil {
			for _, d := range slices.Backward(made) {
				os.Remove(d) // stays when somebody else put something there
			}
		}
	}()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()

	c := commit{root: root}
	for _, f := range a.files {
		if err := c.write(f); err != nil {
			c.undo()
			return fmt.Errorf("%s: %w", filepath.Join(dir, filepath.FromSlash(f.path)), err)
		}
	}
	for len(c.ready) > 0 {
		r := c.ready[0]
		if err := root.Rename(r.temporary, r.path); err != nil {
			c.undo()
			return fmt.Errorf("%s: %w", filepath.Join(dir, r.path), err)
		}
		c.ready = c.ready[1:]
	}
	return nil
}

// makeFolder makes dir and what is missing above it, and lists what it made.
func makeFolder(dir string) (made []string, err error) {
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		missing = append(missing, d)
	}
	for _, d := range slices.Backward(missing) {
		if err := os.Mkdir(d, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, err
		}
		made = append(made, d)
	}
	return made, nil
}

// A commit is what has to be renamed, or undone.
type commit struct {
	root    *os.Root
	ready   []ready
	folders []string // made on the way
}

type ready struct{ temporary, path string }

func (c *commit) write(f artifact) error {
	name := filepath.FromSlash(f.path)
	if err := c.folder(filepath.Dir(name)); err != nil {
		return err
	}
	if info, err := c.root.Lstat(name); err == nil && info.IsDir() {
		return errors.New("there is a folder of that name")
	}
	out, temporary, err := c.create(name)
	if err != nil {
		return err
	}
	c.ready = append(c.ready, ready{temporary, name})
	w := bufio.NewWriterSize(out, 1<<16)
	err = f.write(w)
	err = firstError(err, w.Flush())
	return firstError(err, out.Close())
}

// create opens a new file beside name.
func (c *commit) create(name string) (*os.File, string, error) {
	dir, base := filepath.Split(name)
	for i := 0; ; i++ {
		temporary := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, i))
		out, err := c.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && i < 1000 { // of another process, or of one that was killed
			continue
		}
		return out, temporary, err
	}
}

func (c *commit) folder(dir string) error {
	if dir == "." {
		return nil
	}
	if err := c.folder(filepath.Dir(dir)); err != nil {
		return err
	}
	err := c.root.Mkdir(dir, 0o777)
	if err == nil {
		c.folders = append(c.folders, dir)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// undo removes the temporary files and the folders that are empty again.
func (c *commit) undo() {
	for _, r := range c.ready {
		c.root.Remove(r.temporary)
	}
	for _, d := range slices.Backward(c.folders) {
		c.root.Remove(d)
	}
}
