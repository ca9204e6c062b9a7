package npy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"vlec/model/diag"
)

const magic = "\x93NUMPY"

// Read reads one array and leaves r behind its last byte.
func Read(r io.Reader) (*Array, error) {
	head, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	d, err := dtypeNamed(head.descr)
	if err != nil {
		return nil, err
	}
	n, ok := count(head.shape)
	if !ok || n > MaxBytes/d.size {
		return nil, wrong("split it", "an array of shape %v is larger than %d GiB", head.shape, MaxBytes>>30)
	}
	data, err := d.read(r, n)
	if err != nil {
		return nil, err
	}
	if head.fortran {
		data = d.turn(data, head.shape)
	}
	return &Array{Shape: head.shape, Data: data}, nil
}

// ReadFile reads the array of a .npy file and refuses anything behind it.
func ReadFile(name string) (*Array, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, chunk)
	a, err := Read(r)
	if err == nil {
		if _, e := r.ReadByte(); e != io.EOF {
			err = wrong("write the file again", "there is more in the file than its one array")
		}
	}
	return a, inFile(name, err)
}

// inFile adds a file's name to an error of this package.
func inFile(name string, err error) error {
	if e, ok := errors.AsType[*diag.Error](err); ok && e.Pos == (diag.Pos{}) {
		e.Pos.File = name
		return e
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Write writes an array in C order, as version 1.0 of the format, or 2.0 when
// the header is too long for it.
func Write(w io.Writer, a *Array) error {
	d := dtypeOf(a.Data)
	if d == nil {
		return fmt.Errorf("npy: array of %T", a.Data)
	}
	if _, err := w.Write(appendHeader(nil, d.descr, a.Shape)); err != nil {
		return err
	}
	return d.write(w, a.Data)
}

// appendHeader writes magic, version, length and dictionary, padded with spaces
// so that the data start at a multiple of 64 bytes.
func appendHeader(b []byte, descr string, shape []int) []byte {
	var dims strings.Builder
	for _, d := range shape {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	tuple := strings.TrimSuffix(dims.String(), " ") // (3,) but (3, 4)
	if len(shape) != 1 {
		tuple = strings.TrimSuffix(tuple, ",")
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)

	version, fixed := byte(1), len(magic)+2+2
	padded := func() int { return (fixed+len(dict)+1+63)/64*64 - fixed }
	if padded() > 0xffff {
		version, fixed = 2, len(magic)+2+4
	}
	n := padded()
	b = append(b, magic...)
	b = append(b, version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, dict...)
	b = append(b, bytes.Repeat([]byte{' '}, n-len(dict)-1)...)
	return append(b, '\n')
}

type header struct {
	descr   string
	fortran bool
	shape   []int
}

func readHeader(r io.Reader) (*header, error) {
	const again = "write the file again"
	var start [len(magic) + 2]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:len(magic)]) != magic {
		return nil, wrong("a .npy file is what numpy.save writes", "this is not a .npy array")
	}
	lengthSize := 4
	switch start[len(magic)] {
	case 1:
		lengthSize = 2
	case 2, 3:
	default:
		return nil, wrong("versions 1, 2 and 3 are known", ".npy version %d.%d", start[len(magic)], start[len(magic)+1])
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:lengthSize]); err != nil {
		return nil, wrong(again, "the header ends early")
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > MaxHeader {
		return nil, wrong(again, "a header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, wrong(again, "the header ends early")
	}
	p := parser{rest: string(text)}
	h := p.header()
	if p.failed {
		return nil, wrong(again, "the header is not understood at %.32q", p.rest)
	}
	return h, nil
}

// A parser reads the one dictionary that stands in a header. After a failure its
// methods do nothing.
type parser struct {
	rest   string
	failed bool
}

func (p *parser) header() *header {
	h := new(header)
	seen := map[string]bool{}
	p.expect("{")
	for !p.failed && !p.accept("}") {
		key := p.quoted()
		p.expect(":")
		switch key {
		case "descr":
			h.descr = p.quoted()
		case "fortran_order":
			if h.fortran = p.accept("True"); !h.fortran {
				p.expect("False")
			}
		case "shape":
			h.shape = p.tuple()
		default:
			p.failed = true
		}
		if seen[key] {
			p.failed = true
		}
		seen[key] = true
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if strings.TrimSpace(p.rest) != "" || len(seen) != 3 {
		p.failed = true
	}
	return h
}

func (p *parser) accept(token string) bool {
	rest := strings.TrimLeft(p.rest, " \t\n")
	if p.failed || !strings.HasPrefix(rest, token) {
		return false
	}
	p.rest = rest[len(token):]
	return true
}

func (p *parser) expect(token string) {
	if !p.accept(token) {
		p.failed = true
	}
}

func (p *parser) quoted() string {
	for _, quote := range []string{"'", `"`} {
		if p.accept(quote) {
			s, rest, found := strings.Cut(p.rest, quote)
			if !found || strings.ContainsAny(s, "\\\n") {
				break
			}
			p.rest = rest
			return s
		}
	}
	p.failed = true
	return ""
}

func (p *parser) tuple() []int {
	dims := []int{}
	p.expect("(")
	for !p.failed && !p.accept(")") {
		p.accept("") // skips space
		digits := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
		d, err := strconv.Atoi(p.rest[:digits])
		if err != nil || len(dims) == MaxDims {
			p.failed = true
			return nil
		}
		p.rest = p.rest[digits:]
		p.accept("L") // Python 2
		dims = append(dims, d)
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return dims
}
