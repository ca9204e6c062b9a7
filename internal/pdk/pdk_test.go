package pdk

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vlec/emit/spice"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

const kit = "testdata/kit"

func fake(t *testing.T) *Map {
	t.Helper()
	m, err := Find("testdata/fake.toml", kit)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The wrappers say what the map says, in its units.
func TestText(t *testing.T) {
	text, err := fake(t).Text(kit, 1e-6, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(kit)
	if err != nil {
		t.Fatal(err)
	}
	want := `* vlec: transistors of the design kit fake; for ngspice
.lib "KIT/libs.tech/ngspice/fake.lib.spice" tt

.subckt mos_n d g s b PARAMS: p_w=1e-06 p_l=1e-06
xm d g s b fake_nfet w={p_w*1000000} l={p_l*1000000} nf=1
.ends

.subckt mos_p d g s b PARAMS: p_w=1e-06 p_l=1e-06
m1 d g s b fake_p w={p_w} l={p_l}
.ends
`
	if got := strings.ReplaceAll(text, filepath.ToSlash(folder), "KIT"); got != want {
		t.Errorf("%s", got)
	}
}

// The maps that come along are sound, and find their kits by the files in them.
func TestKnownKits(t *testing.T) {
	if got := Known(); !slices.Equal(got, []string{"gf180mcu", "sg13g2", "sky130"}) {
		t.Fatalf("%v", got)
	}
	for _, name := range Known() {
		dir := t.TempDir()
		if _, err := Find("", dir); err == nil || !strings.Contains(err.Error(), "libraries of none of gf180mcu, sg13g2, sky130") {
			t.Errorf("an empty folder: %v", err)
		}
		m, err := builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Libraries {
			path := filepath.Join(dir, filepath.FromSlash(l.File))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("* a kit\n.LIB "+l.Section+"\n.endl\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		found, err := Find("", dir)
		if err != nil || found.Name != name {
			t.Fatalf("%s: %+v, %v", name, found, err)
		}
		text, err := found.Text(dir, 1e-6, 1e-6)
		if err != nil || !strings.Contains(text, " "+m.N.Name+" ") || !strings.Contains(text, " "+m.P.Name+" ") {
			t.Errorf("%s\n%v", text, err)
		}
		if _, err := found.Text(dir, 1e-7, 1e-6); err == nil || !strings.Contains(err.Error(), "raise width and length in [hardware.spice.transistors]") {
			t.Errorf("%s: transistors that are too narrow: %v", name, err)
		}
	}
}

// What is missing is named, and nothing that could end a string gets into a netlist.
func TestKitErrors(t *testing.T) {
	m := fake(t)
	copied := func(folder string) string {
		dir := filepath.Join(t.TempDir(), folder)
		if err := os.CopyFS(dir, os.DirFS(kit)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct {
		folder string
		change func(*Map)
		want   string
	}{
		{copied("plain"), func(m *Map) { m.Libraries[0].File = "libs.tech/other.lib" }, "other.lib is not there: is "},
		{copied("plain"), func(m *Map) { m.Libraries[0].Section = "typical" }, "has no section typical; it has tt, ss"},
		{copied("with blank"), func(*Map) {}, "make a link without blanks and quotes"},
		{copied("quo\"te"), func(*Map) {}, "make a link without blanks and quotes"},
		{copied("line\n.control"), func(*Map) {}, "make a link without blanks and quotes"},
		{copied("plain"), func(m *Map) { m.N.MinLength = 0.6e-6 }, "fake_nfet is at least"},
	} {
		changed := *m
		changed.Libraries = slices.Clone(m.Libraries)
		c.change(&changed)
		if _, err := changed.Text(c.folder, 1e-6, 1e-6); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.folder, err, c.want)
		}
	}
	for _, c := range [][2]string{{"sky", kit}, {"sky130", "testdata/none"}, {"testdata/kit", kit}} {
		if _, err := Find(c[0], c[1]); err == nil {
			t.Errorf("%v was found", c)
		}
	}
}

func TestBadMaps(t *testing.T) {
	good, err := os.ReadFile("testdata/fake.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`name = "fake"`, ``, "the device map has no name"},
		{`name = "fake"`, `name = "a\n.control"`, `name is "a\n.control"`},
		{`"fake_nfet"`, `"n w=1\n.end"`, "subcircuit is"},
		{`"nf=1"`, `"nf={1}"`, `parameters has "nf={1}"`},
		{`"nf=1"`, `"nf=1\n.end"`, `parameters has ".end"`},
		{`"libs.tech/ngspice/fake.lib.spice"`, `"../../etc/passwd"`, "stay in it"},
		{`"libs.tech/ngspice/fake.lib.spice"`, `"/etc/passwd"`, "stay in it"},
		{`model = "fake_p"`, `model = "fake_p"` + "\nsubcircuit = \"x\"", "a model or a subcircuit"},
		{`model = "fake_p"`, ``, "device.p has no subcircuit"},
		{`section = "tt"`, `sections = "tt"`, "unknown key sections in library.mos; did you mean section?"},
		{`unit = 1e-6`, `unit = -1`, "greater than 0"},
		{"[device.p]", "[device.q]", "device has no p"},
		{"[library.mos]", "[[library]]", "library is no table; write [library.NAME]"},
	} {
		text := strings.Replace(string(good), c.from, c.to, 1)
		if _, err := Parse("map.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "map.toml:") {
			t.Errorf("%q: %v, want %s", c.to, err, c.want)
		}
	}
}

// ngspice finds corrections and nulls of a kit's transistors and runs a network of
// them, with no warning but those of its search for the operating point; it does what
// the model does, in a slow corner too, but for the rates, whose pairs bend at the
// kit's n Ut. Nulls are what they should be: without them rates are off, and with one
// that is moved.
func TestKitRuns(t *testing.T) {
	net, err := model.Load("testdata/forward.toml")
	if err != nil {
		t.Fatal(err)
	}
	m := fake(t)
	run := func(o *crosscheck.SpiceOptions) (rates, others float64) {
		t.Helper()
		v, err := crosscheck.Spice(t.Context(), net, *o)
		if missing, ok := errors.AsType[*referee.MissingError](err); ok {
			t.Skip(missing)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v)
		for _, r := range v.Report.Results {
			if r.Name == "cell.r" {
				rates = max(rates, r.NRMSE)
			} else {
				others = max(others, r.NRMSE)
			}
		}
		return rates, others
	}
	for _, section := range []string{"ss", "tt"} {
		m.Libraries[0].Section = section
		tr := net.Hardware.Spice.Transistors
		mos, err := m.Text(kit, tr.Width, tr.Length)
		if err != nil {
			t.Fatal(err)
		}
		o := crosscheck.SpiceOptions{Level: "transistor", Engine: "ngspice", MOS: mos, Dir: t.TempDir()}
		rates, others := run(&o)
		if rates > 0.07 || others > 0.01 || others == 0 {
			t.Errorf("%s: nrmse of rates %g, of others %g", section, rates, others)
		}
		netlist := filepath.Join(o.Dir, "net.cir")
		result, err := referee.Ngspice(t.Context(), netlist)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range result.Warnings {
			if !strings.Contains(w, "Further gmin increment") {
				t.Errorf("ngspice warns: %s", w)
			}
		}
		if section == "tt" {
			moved := o
			moved.Artifact, moved.Dir = moveNull(t, o.Dir), t.TempDir()
			if worse, _ := run(&moved); worse < rates+0.03 {
				t.Errorf("rates are off by %g, with another null by %g", rates, worse)
			}
			without := o
			without.NoNull, without.Dir = true, t.TempDir()
			if worse, _ := run(&without); worse < rates+0.05 {
				t.Errorf("rates are off by %g, without nulls by %g", rates, worse)
			}
		}
		o.Engine = "builtin"
		if _, err := crosscheck.Spice(t.Context(), net, o); err == nil || !strings.Contains(err.Error(), "say --engine ngspice") {
			t.Errorf("the built-in engine: %v", err)
		}
		o.Engine, o.Level = "ngspice", "macro"
		if _, err := crosscheck.Spice(t.Context(), net, o); err == nil {
			t.Error("a kit was accepted at the macro level")
		}
	}
}

// moveNull adds a twentieth of a unit to the null of a rate, and returns the netlist.
func moveNull(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "net.cir")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	null := regexp.MustCompile(`(?m)^x_cell_activation1_null .* p_null=(\S+)$`)
	found := null.FindSubmatchIndex(text)
	if found == nil {
		t.Fatalf("no null in %s", text)
	}
	v, err := strconv.ParseFloat(string(text[found[2]:found[3]]), 64)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text[:found[2]]) + strconv.FormatFloat(v+0.05*spice.PairVoltage, 'g', -1, 64) + string(text[found[3]:])
	if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}
