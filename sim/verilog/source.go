package verilog

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlec/model/diag"
)

// A Reader reads Verilog text. The zero Reader reads without macros defined
// from outside and looks for included files next to the including one and in
// the working folder.
type Reader struct {
	Defines     map[string]string // macros, as -DNAME=text would
	IncludeDirs []string

	// Libraries are folders in which a module that is instantiated and not
	// declared is looked for, as NAME.v.
	Libraries []string
}

// A Source is a set of modules.
type Source struct {
	modules map[string]*moduleAST
	order   []*moduleAST
	folders []string
	files   []string
}

// Files returns the files that were read, those from libraries included;
// included ones are not among them.
func (s *Source) Files() []string { return slices.Clone(s.files) }

// Modules returns the names of the modules in the order of the text.
func (s *Source) Modules() []string {
	var out []string
	for _, m := range s.order {
		out = append(out, m.name)
	}
	return out
}

// Top returns the one module that no other instantiates, or "" when there is
// none or more than one.
func (s *Source) Top() string {
	if tops := s.Tops(); len(tops) == 1 {
		return tops[0]
	}
	return ""
}

// Tops returns the modules that no other instantiates, in the order of the text.
func (s *Source) Tops() []string {
	used := s.instantiated()
	var tops []string
	for _, m := range s.order {
		if !used[m.name] {
			tops = append(tops, m.name)
		}
	}
	return tops
}

// instantiated returns the names of the modules that others instantiate.
func (s *Source) instantiated() map[string]bool {
	used := map[string]bool{}
	var scan func(items []item)
	block := func(b *genBlock) {
		if b != nil {
			scan(b.items)
		}
	}
	scan = func(items []item) {
		for _, it := range items {
			switch it := it.(type) {
			case *instItem:
				used[it.module] = true
			case *genFor:
				block(it.body)
			case *genIf:
				block(it.then)
				block(it.els)
			case *genCase:
				for _, c := range it.items {
					block(c.body)
				}
			}
		}
	}
	for _, m := range s.order {
		scan(m.items)
	}
	return used
}

// ParseFiles reads files with a zero Reader.
func ParseFiles(paths ...string) (*Source, error) {
	return new(Reader).ParseFiles(paths...)
}

// ParseFiles reads files in order; macros of one are seen by the next.
// Errors are a diag.List with all that is wrong.
func (r *Reader) ParseFiles(paths ...string) (*Source, error) {
	texts := make([]string, len(paths))
	var errs diag.List
	for i, path := range paths {
		var err error
		if texts[i], err = readFile(path); err != nil {
			errs.Add(diag.Pos{File: path}, "", "cannot read: %v", err)
		}
	}
	if len(errs) > 0 {
		return nil, errs.Err()
	}
	return r.parse(paths, texts)
}

// ParseText reads one text; name stands in positions, and its folder is where
// included files and memory files are looked for.
func (r *Reader) ParseText(name, text string) (*Source, error) {
	return r.parse([]string{name}, []string{text})
}

func (r *Reader) parse(names, texts []string) (*Source, error) {
	var errs diag.List
	s := &Source{modules: map[string]*moduleAST{}}
	pp := newPreproc(r, &errs)
	for i, text := range texts {
		s.read(pp, names[i], text, &errs)
	}
	s.addMissing(r, pp, &errs)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) read(pp *preproc, name, text string, errs *diag.List) {
	pp.files, pp.queue = nil, nil
	pp.push(name, text)
	p := &parser{pp: pp, errs: errs}
	p.file()
	for _, m := range p.mods {
		if old := s.modules[m.name]; old != nil {
			errs.Add(m.pos(), "rename one", "module %s is declared twice; first at %s", m.name, old.pos())
			continue
		}
		s.modules[m.name] = m
		s.order = append(s.order, m)
	}
	s.files = append(s.files, name)
	if dir := filepath.Dir(name); !slices.Contains(s.folders, dir) {
		s.folders = append(s.folders, dir)
	}
}

// addMissing reads the modules that libraries have.
func (s *Source) addMissing(r *Reader, pp *preproc, errs *diag.List) {
	tried := map[string]bool{}
	for again := len(r.Libraries) > 0; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(s.instantiated())) {
			if s.modules[name] != nil || tried[name] || strings.ContainsAny(name, `/\`) {
				continue
			}
			tried[name] = true
			for _, dir := range r.Libraries {
				path := filepath.Join(dir, name+".v")
				text, err := readFile(path)
				if os.IsNotExist(err) {
					continue
				}
				again = true
				if err != nil {
					errs.Add(diag.Pos{File: path}, "", "cannot read: %v", err)
				} else {
					s.read(pp, path, text, errs)
				}
				break
			}
		}
	}
}
