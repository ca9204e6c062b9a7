package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"vlec/internal/npy"
	"vlec/model/diag"
)

// NumPy wrote the files in testdata, see make.py there.
func TestReadNumPy(t *testing.T) {
	quarters := []float64{0, 0.25, 0.5, 0.75, 1, 1.25}
	count24 := make([]float64, 24)
	for i := range count24 {
		count24[i] = float64(i)
	}
	for _, c := range []struct {
		file string
		want *npy.Array
	}{
		{"f8", npy.Of(quarters, 2, 3)},
		{"f4", npy.Of([]float32{0, 0.25, 0.5, 0.75, 1, 1.25}, 2, 3)},
		{"f2", npy.Of([]npy.Float16{0, 0x3c00, 0xc000, 0x7bff, 1, 0x7c00, 0x7e00, 0x3555}, 8)},
		{"i8", npy.Of([]int64{0, 1 << 40, 2 << 40, 3 << 40, 4 << 40, 5 << 40}, 2, 3)},
		{"i4", npy.Of([]int32{-3, -2, -1, 0, 1, 2}, 2, 3)},
		{"u1", npy.Of([]uint8{250, 251, 252, 253, 254, 255}, 2, 3)},
		{"b1", npy.Of([]bool{true, false, true, false, true, false}, 2, 3)},
		{"fortran", npy.Of(count24, 2, 3, 4)},
		{"scalar", npy.Of([]float64{2.5})},
		{"empty", npy.Of([]float64{}, 0, 3)},
		{"version2", npy.Of(quarters, 2, 3)},
	} {
		name := filepath.Join("testdata", c.file+".npy")
		got, err := npy.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if c.file == "fortran" || c.file == "version2" { // these come back in C order, version 1
			continue
		}
		if !bytes.Equal(encode(t, got), readFile(t, name)) {
			t.Errorf("%s: written again it differs from NumPy's bytes", name)
		}
	}
}

func TestReadNumPyArchives(t *testing.T) {
	want := []npy.Entry{
		{Name: "t", Array: npy.Of([]float64{0, 1, 2}, 3)},
		{Name: "u", Array: npy.Of([]float64{0, 0.75, 0.25, 1, 0.5, 1.25}, 3, 2)},
	}
	for _, file := range []string{"stored.npz", "deflated.npz"} {
		got, err := npy.ReadArchiveFile(filepath.Join("testdata", file))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", file, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	header := func(dict string) string { return "\x93NUMPY\x01\x00" + string([]byte{byte(len(dict)), 0}) + dict }
	good := header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }")
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "not a .npy array"},
		{"text", "1.0, 2.0\n", "not a .npy array"},
		{"version", "\x93NUMPY\x09\x00", ".npy version 9.0; versions 1, 2 and 3 are known"},
		{"long header", "\x93NUMPY\x02\x00\xff\xff\xff\xff", "a header of 4294967295 bytes"},
		{"cut header", "\x93NUMPY\x01\x00\x40\x00{", "the header ends early"},
		{"no shape", header("{'descr': '<f8', 'fortran_order': False}"), "not understood"},
		{"twice", header("{'descr': '<f8', 'descr': '<f8', 'shape': ()}"), "not understood"},
		{"code", header("__import__('os')"), "not understood at"},
		{"negative", header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "not understood"},
		{"exabytes", header("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999, 999999999)}"), "larger than 4 GiB"},
		{"overflow", header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"), "larger than 4 GiB"},
		{"dimensions", header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + strings.Repeat("1,", 33) + ")}"), "not understood"},
		{"lies", header("{'descr': '<f8', 'fortran_order': False, 'shape': (268435456,)}"), "268435456 elements are announced, about 0 are there"},
		{"records", header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}"), "not understood"},
		{"cut data", good + "1234567", "the array ends early"},
		{"more data", good + "123456789", "more in the file than its one array"},
	} {
		name := filepath.Join(t.TempDir(), "x.npy")
		if err := os.WriteFile(name, []byte(c.file), 0o666); err != nil {
			t.Fatal(err)
		}
		wantError(t, c.name, readError(npy.ReadFile(name)), name, c.want)
	}
	for file, want := range map[string]string{
		"bigendian.npy": "big-endian (>f8); save it as a.astype('<f8')",
		"complex.npy":   `elements of type "<c16"; element types are f8, f4`,
	} {
		name := filepath.Join("testdata", file)
		wantError(t, file, readError(npy.ReadFile(name)), name, want)
	}
	if _, err := npy.ReadFile(filepath.Join(t.TempDir(), "none.npy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestArchiveErrors(t *testing.T) {
	whole := readFile(t, "testdata/stored.npz")
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(whole, []byte("NUMPY"))+140]++ // a number of t
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"text", []byte("no archive"), "not an .npz archive"},
		{"cut", whole[:len(whole)/2], "not an .npz archive"},
		{"flipped bit", flipped, `array "t": zip: checksum error`},
	} {
		name := filepath.Join(t.TempDir(), "x.npz")
		if err := os.WriteFile(name, c.file, 0o666); err != nil {
			t.Fatal(err)
		}
		wantError(t, c.name, readError(npy.ReadArchiveFile(name)), name, c.want)
	}
	twice := []npy.Entry{{Name: "a", Array: npy.Of([]float64{1}, 1)}, {Name: "a", Array: npy.Of([]float64{2}, 1)}}
	if err := npy.WriteArchive(io.Discard, twice); err == nil {
		t.Error("WriteArchive took two arrays of one name")
	}
}

func readError[T any](_ T, err error) error { return err }

// wantError wants an error at the file, with the text.
func wantError(t *testing.T, name string, err error, file, want string) {
	t.Helper()
	e, ok := errors.AsType[*diag.Error](err)
	if !ok || e.Pos.File != file || !strings.Contains(e.Error(), want) {
		t.Errorf("%s: %v; want %q", name, err, want)
	}
}

// TestRoundTrip writes and reads arrays of any type and shape, and reads them
// too when the bytes come one at a time.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := arrays().Draw(t, "array")
		file := encode(t, want)
		if len(file)%64 != dataBytes(want)%64 {
			t.Fatalf("data start at byte %d", len(file)-dataBytes(want))
		}
		r := bytes.NewReader(append(file, "rest"...))
		got, err := npy.Read(iotest.OneByteReader(r))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "rest" {
			t.Fatalf("Read left %q behind the array", rest)
		}
	})
}

func TestArchiveRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []npy.Entry
		for _, name := range rapid.SliceOfDistinct(rapid.StringMatching(`[a-z./() ]{0,9}`), rapid.ID).Draw(t, "names") {
			want = append(want, npy.Entry{Name: "x" + name, Array: arrays().Draw(t, "array")})
		}
		var a, b bytes.Buffer
		for _, w := range []io.Writer{&a, &b} {
			if err := npy.WriteArchive(w, want); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatal("two writes, different bytes")
		}
		got, err := npy.ReadArchive(bytes.NewReader(a.Bytes()), int64(a.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
	})
}

// arrays draws arrays of every element type.
func arrays() *rapid.Generator[*npy.Array] {
	return rapid.Custom(func(t *rapid.T) *npy.Array {
		shape := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape")
		n := 1
		for _, d := range shape {
			n *= d
		}
		switch rapid.IntRange(0, 6).Draw(t, "type") {
		case 0:
			return npy.Of(draw(t, n, rapid.Float64()), shape...)
		case 1:
			return npy.Of(draw(t, n, rapid.Float32()), shape...)
		case 2:
			half := rapid.Custom(func(t *rapid.T) npy.Float16 { return npy.Float16(rapid.Uint16().Draw(t, "bits")) })
			return npy.Of(draw(t, n, half), shape...)
		case 3:
			return npy.Of(draw(t, n, rapid.Int64()), shape...)
		case 4:
			return npy.Of(draw(t, n, rapid.Int32()), shape...)
		case 5:
			return npy.Of(draw(t, n, rapid.Uint8()), shape...)
		default:
			return npy.Of(draw(t, n, rapid.Bool()), shape...)
		}
	})
}

func draw[T npy.Element](t *rapid.T, n int, g *rapid.Generator[T]) []T {
	return rapid.SliceOfN(g, n, n).Draw(t, "data")
}

func dataBytes(a *npy.Array) int {
	switch a.Data.(type) {
	case []float64, []int64:
		return 8 * a.Len()
	case []float32, []int32:
		return 4 * a.Len()
	case []npy.Float16:
		return 2 * a.Len()
	}
	return a.Len()
}

// TestLongHeader writes a header that needs version 2: no shape of 32 axes does,
// so the axes are many and read back in vain.
func TestLongHeader(t *testing.T) {
	shape := make([]int, 30000)
	for i := range shape {
		shape[i] = 1
	}
	file := encode(t, npy.Of([]uint8{7}, shape...))
	if file[6] != 2 || (len(file)-1)%64 != 0 {
		t.Errorf("version %d, data at %d", file[6], len(file)-1)
	}
	if _, err := npy.Read(bytes.NewReader(file)); err == nil {
		t.Error("Read took 30000 axes")
	}
}

func TestFloat16(t *testing.T) {
	for bits := range 1 << 16 {
		h := npy.Float16(bits)
		if v := h.Float64(); v == v && npy.ToFloat16(v) != h { // NaNs fold into one
			t.Errorf("%#04x: %g comes back as %#04x", bits, v, npy.ToFloat16(v))
		}
	}
	for _, c := range []struct {
		v    float64
		want npy.Float16
	}{
		{1 + 0x1p-11, 0x3c00}, // ties go to even
		{1 + 3*0x1p-11, 0x3c02},
		{math.Nextafter(1+0x1p-11, 2), 0x3c01},
		{0x1p-25, 0},
		{math.Nextafter(0x1p-14, 0), 0x0400}, // the carry out of the subnormals
		{math.Nextafter(65520, 0), 0x7bff},
		{-65520, 0xfc00},
		{math.NaN(), 0x7e00},
		{math.Copysign(0, -1), 0x8000},
	} {
		if got := npy.ToFloat16(c.v); got != c.want {
			t.Errorf("ToFloat16(%v) = %#04x, want %#04x", c.v, got, c.want)
		}
	}
}

func TestFloat64s(t *testing.T) {
	want := []float64{0, 1, 1}
	for _, a := range []*npy.Array{
		npy.Of([]float64{0, 1, 1}, 3), npy.Of([]float32{0, 1, 1}, 3), npy.Of([]npy.Float16{0, 0x3c00, 0x3c00}, 3),
		npy.Of([]int64{0, 1, 1}, 3), npy.Of([]int32{0, 1, 1}, 3), npy.Of([]uint8{0, 1, 1}, 3), npy.Of([]bool{false, true, true}, 3),
	} {
		if diff := cmp.Diff(want, a.Float64s()); diff != "" {
			t.Errorf("%T: %s", a.Data, diff)
		}
	}
}

// FuzzRead wants that no file makes Read panic, and that what it reads survives
// a round trip.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.np[yz]")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		f.Add(readFile(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _ = npy.ReadArchive(bytes.NewReader(file), int64(len(file)))
		a, err := npy.Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		b, err := npy.Read(bytes.NewReader(encode(t, a)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, a), encode(t, b)) {
			t.Error("the second round differs")
		}
	})
}

func encode(t interface{ Fatal(...any) }, a *npy.Array) []byte {
	var b bytes.Buffer
	if err := npy.Write(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readFile(t testing.TB, name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkRead(b *testing.B) {
	const n = 8 << 20 // 64 MiB of float64
	file := encode(b, npy.Of(make([]float64, n), n))
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := npy.Read(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	const n = 8 << 20
	a := npy.Of(make([]float64, n), n)
	b.SetBytes(8 * n)
	b.ReportAllocs()
	for b.Loop() {
		if err := npy.Write(io.Discard, a); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleArray() {
	var file bytes.Buffer
	_ = npy.Write(&file, npy.Of([]float64{1, 2, 3, 4, 5, 6}, 2, 3))
	a, err := npy.Read(&file)
	fmt.Println(a.Shape, a.Float64s(), err)
	// Output: [2 3] [1 2 3 4 5 6] <nil>
}
