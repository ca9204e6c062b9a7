// Package archtest keeps the house in order: it reads the source of the module
// and reports imports that point the wrong way, files that grew too long, and
// packages without a comment.
//
// # For maintainers
//
// The table Rooms is the architecture; docs/architecture.md tells it as a story.
// A room lists all that its packages may reach, directly or through others. That
// makes the two rules that matter hold by themselves: the ways to a number share
// no code (sim/spice cannot reach emit through a helper), and imports point down.
//
// Tests may import what they like: a netlist to read may well come from emit.
package archtest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Room is a folder with those below it, unless they are a room themselves.
type Room struct {
	Dir string
	May []string // what its packages may reach, besides each other: folders of the module, "/..." with those below
	Why string
}

// Rooms of the module. The longest Dir that fits a package counts.
var Rooms = []Room{
	{"model", []string{"internal/npy"}, "a model is read and checked without knowing what becomes of it"},
	{"circuit", []string{"model/diag"}, "the graph stands between model and text and knows neither"},
	{"circuit/lower", []string{"circuit/...", "model/...", "internal/npy"}, "the only room that knows both model and circuit"},
	{"emit", []string{"circuit", "circuit/pass", "model/diag"}, "printers see the graph, never the model or a simulator"},
	{"sim", []string{"model/diag"}, "traces and their comparison belong to no simulator"},
	{"sim/reference", []string{"sim", "model/...", "internal/npy"}, "the reference shares no code with what it judges"},
	{"sim/spice", []string{"sim", "model/diag"}, "a reader that knew the printer would read back its mistakes"},
	{"sim/verilog", []string{"sim", "model/diag"}, "a reader that knew the printer would read back its mistakes"},
	{"sim/fixed", []string{"sim", "emit/verilog/format", "emit/verilog/device", "circuit", "model/diag"}, "the integer model shares the plan of word lengths with the text it judges, and what parts there are, and nothing else"},
	{"sim/referee", []string{"sim", "model/diag"}, "a referee shares nothing with the players"},
	{"sim/crosscheck", []string{"..."}, "here the ways meet"},
	{"internal", []string{"..."}, "what the command line stands on"},
	{"internal/npy", []string{"model/diag"}, "a leaf, for model to stand on"},
	{"internal/tracefile", []string{"internal/npy", "sim", "model/diag"}, "files of traces, whoever made them"},
	{"internal/golden", nil, "a leaf, for every test"},
	{"internal/plot", []string{"sim", "model/diag"}, "draws traces, whoever made them"},
	{"internal/progress", nil, "a leaf"},
	{"internal/table", nil, "a leaf"},
	{"cmd", []string{"..."}, "the top"},
	{"bench", []string{"..."}, "measures everything"},
}

// MaxLines is the length of the longest file.
const MaxLines = 1000

// Check reads the Go files below root, which belong to the named module, and
// returns what is wrong with them, sorted.
func Check(root fs.FS, module string, rooms []Room) ([]string, error) {
	m, err := read(root, module)
	if err != nil {
		return nil, err
	}
	m.checkComments()
	for _, p := range m.packages {
		m.checkImports(p, rooms)
	}
	slices.Sort(m.wrong)
	return m.wrong, nil
}

type tree struct {
	packages map[string]*pkg // by folder
	wrong    []string
}

type pkg struct {
	dir      string
	imports  map[string]token.Position // of the module, by folder, outside tests
	outside  map[string]token.Position // of other modules and the library
	position token.Position            // of a package clause
	comments []string
}

func read(root fs.FS, module string) (*tree, error) {
	m := &tree{packages: map[string]*pkg{}}
	files := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := path.Base(name)
			if name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			if _, err := fs.Stat(root, path.Join(name, "go.mod")); name != "." && err == nil {
				return fs.SkipDir // another module
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if n := strings.Count(string(source), "\n"); n > MaxLines {
			m.wrong = append(m.wrong, fmt.Sprintf("%s: %d lines; a file is one concept: split it", name, n))
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, name, source, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		m.add(path.Dir(name), files, file, module)
		return nil
	})
	return m, err
}

func (m *tree) add(dir string, files *token.FileSet, file *ast.File, module string) {
	p := m.packages[dir]
	if p == nil {
		p = &pkg{dir: dir, imports: map[string]token.Position{}, outside: map[string]token.Position{}}
		p.position = files.Position(file.Package)
		m.packages[dir] = p
	}
	if file.Doc != nil {
		p.comments = append(p.comments, file.Doc.Text())
	}
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		at := files.Position(spec.Pos())
		if inside, ok := strings.CutPrefix(name, module+"/"); ok {
			p.imports[inside] = at
		} else {
			p.outside[name] = at
		}
	}
}

func (m *tree) checkComments() {
	for _, p := range m.packages {
		switch {
		case len(p.comments) == 0:
			m.report(p.position, "package %s has no comment", p.dir)
		case len(p.comments) > 1:
			m.report(p.position, "package %s has %d comments; one is read", p.dir, len(p.comments))
		case !strings.HasPrefix(p.comments[0], "Package ") && !strings.HasPrefix(p.dir, "cmd/"):
			m.report(p.position, "the comment of package %s does not begin with Package", p.dir)
		case !strings.Contains(p.comments[0], "\n# For maintainers\n"):
			m.report(p.position, "the comment of package %s has no part \"# For maintainers\"", p.dir)
		}
	}
}

func (m *tree) report(at token.Position, format string, args ...any) {
	m.wrong = append(m.wrong, at.String()+": "+fmt.Sprintf(format, args...))
}

func (m *tree) checkImports(p *pkg, rooms []Room) {
	room := roomOf(p.dir, rooms)
	if room == nil {
		m.report(p.position, "package %s is in no room; give it one in internal/archtest", p.dir)
		return
	}
	for _, r := range m.reach(p) {
		if other := roomOf(r.dir, rooms); other != nil && other.Dir == room.Dir || room.may(r.dir) {
			continue
		}
		m.report(p.imports[r.first], "%s reaches %s%s; %s", p.dir, r.dir, r.way(), room.Why)
	}
	if strings.HasPrefix(p.dir, "cmd/") {
		for name, at := range p.outside {
			if name == "math" || strings.HasPrefix(name, "gonum.org/") {
				m.report(at, "%s imports %s; commands hold no logic", p.dir, name)
			}
		}
	}
}

func roomOf(dir string, rooms []Room) *Room {
	var found *Room
	for i, r := range rooms {
		if within(dir, r.Dir) && (found == nil || len(r.Dir) > len(found.Dir)) {
			found = &rooms[i]
		}
	}
	return found
}

func within(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

func (r *Room) may(dir string) bool {
	if within(dir, "cmd") {
		return false // nothing stands on a command
	}
	for _, allowed := range r.May {
		parent, below := strings.CutSuffix(allowed, "...")
		if dir == allowed || below && (parent == "" || within(dir, strings.TrimSuffix(parent, "/"))) {
			return true
		}
	}
	return false
}

// A reached package, and the direct import that leads there.
type reached struct{ dir, first string }

func (r reached) way() string {
	if r.dir == r.first {
		return ""
	}
	return " through " + r.first
}

// reach lists what p imports, directly or not, in order.
func (m *tree) reach(p *pkg) []reached {
	var all []reached
	seen := map[string]bool{p.dir: true}
	for dir := range p.imports {
		seen[dir] = true
		all = append(all, reached{dir, dir})
	}
	slices.SortFunc(all, func(a, b reached) int { return cmp.Compare(a.dir, b.dir) })
	for i := 0; i < len(all); i++ {
		next := m.packages[all[i].dir]
		if next == nil {
			continue
		}
		first := len(all)
		for dir := range next.imports {
			if !seen[dir] {
				seen[dir] = true
				all = append(all, reached{dir, all[i].first})
			}
		}
		slices.SortFunc(all[first:], func(a, b reached) int { return cmp.Compare(a.dir, b.dir) })
	}
	return all
}
