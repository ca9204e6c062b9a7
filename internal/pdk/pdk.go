// Package pdk puts the transistors of a foundry's design kit in the place of the
// generic ones: it reads a device map, which says how the kit calls its devices and
// where its libraries are, and writes the library of transistors that the cells use.
//
// # For maintainers
//
// A kit is not ours to ship, and its licence not ours to judge: a map holds names
// only. Whatever comes from a map or from the command line ends up in a netlist, so
// names are identifiers, values are numbers, and paths may hold nothing that ends a
// quoted string or a line. Nothing here reads what a library defines, but for its
// sections: ngspice does that, and is the only one who can.
package pdk

import (
	"bufio"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"vlec/model/source"
)

// A Map says how a design kit calls what the cells are made of.
type Map struct {
	Name      string
	Libraries []Library // in the order in which they are read
	N, P      Device
}

// A Library is a file of the kit.
type Library struct {
	File    string // from the folder of the kit
	Section string // of the file; "" reads it whole
}

// A Device is a transistor with the pins drain, gate, source and bulk.
type Device struct {
	Name          string
	Model         bool    // a model card, not a subcircuit
	Width, Length string  // its parameters
	Unit          float64 // of both [m]
	Parameters    string  // what else it gets, name=number
	MinWidth      float64 // [m]
	MinLength     float64 // [m]
}

//go:embed maps/*.toml
var maps embed.FS

// Known lists the kits whose maps come along.
func Known() []string {
	var names []string
	files, _ := fs.Glob(maps, "maps/*.toml") // the pattern is sound
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".toml"))
	}
	return names
}

// Find returns the map of a known kit, or reads that of a file. With "" it is the
// one known kit whose libraries are all in the folder.
func Find(name, folder string) (*Map, error) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder; give that of the design kit", folder)
	}
	if name == "" {
		return detect(folder)
	}
	for _, known := range Known() {
		if name == known {
			return builtin(known)
		}
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no device map %s: it is a file, or one of %s", name, strings.Join(Known(), ", "))
	} else if err != nil {
		return nil, err
	}
	return Parse(name, text)
}

func builtin(name string) (*Map, error) {
	text, err := maps.ReadFile("maps/" + name + ".toml")
	if err != nil {
		return nil, err
	}
	return Parse(name+".toml", text)
}

func detect(folder string) (*Map, error) {
	var found *Map
	for _, name := range Known() {
		m, err := builtin(name)
		if err != nil {
			return nil, err
		}
		if m.check(folder) == nil {
			if found != nil {
				return nil, fmt.Errorf("%s may be the kit of %s or of %s; say which with --device-map", folder, found.Name, m.Name)
			}
			found = m
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%s has the libraries of none of %s; name another folder, or describe the kit with --device-map FILE", folder, strings.Join(Known(), ", "))
	}
	return found, nil
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	setting    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=[-+]?[0-9.]+(e[-+]?[0-9]+)?$`)
)

// Parse reads a map. The error is a diag.List of everything that is wrong.
func Parse(file string, text []byte) (*Map, error) {
	root, err := source.Parse(file, text)
	if err != nil {
		return nil, err
	}
	var r source.Reader
	t := r.Table(root)
	m := &Map{Name: word(&r, t, "name", "the kit has a name")}
	libraries := need(&r, t, "library", "[library.NAME] says which file to read")
	if libraries.IsTable() {
		for _, n := range libraries.Fields {
			l := r.Table(n)
			m.Libraries = append(m.Libraries, Library{path(&r, l), word(&r, l, "section", "")})
			l.Done()
		}
	} else if libraries != nil {
		r.Fail(libraries, "write [library.NAME]", "library is no table")
	}
	devices := r.Table(need(&r, t, "device", "[device.n] and [device.p] are the transistors"))
	m.N, m.P = device(&r, devices, "n"), device(&r, devices, "p")
	devices.Done()
	t.Done()
	return m, r.Errors.Err()
}

// word is a string that is an identifier; it must be there where there is a hint.
func word(r *source.Reader, t *source.Table, key, hint string) string {
	n := t.Get(key)
	if hint != "" {
		n = need(r, t, key, hint)
	}
	if n == nil {
		return ""
	}
	s, ok := r.Text(n)
	if ok && !identifier.MatchString(s) {
		r.Fail(n, "letters, digits and _", "%s is %q", key, s)
	}
	return s
}

// need reports what a table lacks.
func need(r *source.Reader, t *source.Table, key, hint string) *source.Node {
	if t.Path != "" {
		return t.Need(key, hint)
	}
	n := t.Get(key)
	if n == nil {
		r.FailAt(t.KeyPos, hint, "the device map has no %s", key)
	}
	return n
}

// path is the file of a library.
func path(r *source.Reader, t *source.Table) string {
	n := t.Need("file", "the file, from the folder of the kit")
	if n == nil {
		return ""
	}
	s, ok := r.Text(n)
	if ok && !filepath.IsLocal(filepath.FromSlash(s)) {
		r.Fail(n, "paths start at the folder of the kit, and stay in it", "file is %q", s)
	}
	return s
}

func device(r *source.Reader, t *source.Table, name string) Device {
	d := r.Table(t.Need(name, "the transistor of that kind"))
	out := Device{
		Width: cmp.Or(word(r, d, "width", ""), "w"), Length: cmp.Or(word(r, d, "length", ""), "l"), Unit: d.Float("unit", 1, source.Positive),
		MinWidth: d.Float("min_width", 0, source.Positive), MinLength: d.Float("min_length", 0, source.Positive),
	}
	out.Model = d.Has("model")
	switch {
	case out.Model && d.Has("subcircuit"):
		d.Fail("model", "keep one of them", "a device is a model or a subcircuit")
	case out.Model:
		out.Name = word(r, d, "model", "the name of the model card")
	default:
		out.Name = word(r, d, "subcircuit", "the name of the subcircuit, or model for a model card")
	}
	if n := d.Get("parameters"); n != nil {
		s, ok := r.Text(n)
		for _, p := range strings.Fields(s) {
			if ok && !setting.MatchString(p) {
				r.Fail(n, "write name=number, with blanks between", "parameters has %q", p)
			}
		}
		out.Parameters = strings.Join(strings.Fields(s), " ")
	}
	d.Done()
	return out
}

// Text is the library of transistors: subcircuits mos_n and mos_p with pins d g s b
// around the devices of the kit in a folder. Width and length are of the transistors
// that the circuit is made of [m]; some are half as long.
func (m *Map) Text(folder string, width, length float64) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if err := m.check(folder); err != nil {
		return "", err
	}
	for _, d := range []*Device{&m.N, &m.P} {
		if width < d.MinWidth || length/2 < d.MinLength {
			return "", fmt.Errorf("%s is at least %g m wide and %g m long; transistors of %g m by %g m (some are half as long) are smaller: raise width and length in [hardware.spice.transistors]",
				d.Name, d.MinWidth, d.MinLength, width, length)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "* vlec: transistors of the design kit %s; for ngspice\n", m.Name)
	for _, l := range m.Libraries {
		name := filepath.ToSlash(filepath.Join(folder, filepath.FromSlash(l.File)))
		if l.Section == "" {
			fmt.Fprintf(&b, ".include \"%s\"\n", name)
		} else {
			fmt.Fprintf(&b, ".lib \"%s\" %s\n", name, l.Section)
		}
	}
	m.N.write(&b, "mos_n")
	m.P.write(&b, "mos_p")
	return b.String(), nil
}

func (d *Device) write(b *strings.Builder, name string) {
	instance := "xm"
	if d.Model {
		instance = "m1"
	}
	size := func(param, of string) string {
		if d.Unit == 1 {
			return param + "={" + of + "}"
		}
		return param + "={" + of + "*" + strconv.FormatFloat(1/d.Unit, 'g', 15, 64) + "}"
	}
	words := []string{instance, "d g s b", d.Name, size(d.Width, "p_w"), size(d.Length, "p_l")}
	if d.Parameters != "" {
		words = append(words, d.Parameters)
	}
	fmt.Fprintf(b, "\n.subckt %s d g s b PARAMS: p_w=1e-06 p_l=1e-06\n%s\n.ends\n", name, strings.Join(words, " "))
}

// check wants every library of the kit in the folder, with its section, under a path
// that ngspice can read.
func (m *Map) check(folder string) error {
	for _, l := range m.Libraries {
		name := filepath.Join(folder, filepath.FromSlash(l.File))
		if i := strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("\"'{}$;\\", r) }); i >= 0 && filepath.Separator == '/' {
			return fmt.Errorf("ngspice reads no library from %q: rename the folder, or make a link without blanks and quotes", name)
		}
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is not there: is %s the folder of %s?", name, folder, m.Name)
		} else if err != nil {
			return err
		}
		err = l.find(f, name)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// find looks for the section of a library.
func (l *Library) find(f *os.File, name string) error {
	if l.Section == "" {
		return nil
	}
	var sections []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) != 2 || !strings.EqualFold(words[0], ".lib") {
			continue // with two arguments it reads another file
		}
		if strings.EqualFold(words[1], l.Section) {
			return nil
		}
		sections = append(sections, words[1])
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s has no section %s; it has %s", name, l.Section, strings.Join(sections, ", "))
}
