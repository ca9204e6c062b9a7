package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"vlec/model/diag"
)

// An Entry is one array of an archive.
type Entry struct {
	Name string // without .npy
	*Array
}

// ReadArchive reads an .npz archive of the given size, entries in the order in
// which the archive lists them.
func ReadArchive(r io.ReaderAt, size int64) ([]Entry, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are keys here, not paths
		return nil, wrong("an .npz file is what numpy.savez writes", "this is not an .npz archive (%v)", err)
	}
	if len(z.File) > MaxEntries {
		return nil, wrong("split it", "an archive of %d arrays; %d are allowed", len(z.File), MaxEntries)
	}
	var entries []Entry
	seen := make(map[string]bool, len(z.File))
	left := int64(MaxBytes)
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		if seen[name] {
			return nil, wrong("name each array once", "two arrays are called %.64q", name)
		}
		seen[name] = true
		a, err := readMember(f, &left)
		if err != nil {
			if e, ok := errors.AsType[*diag.Error](err); ok {
				e.Msg = fmt.Sprintf("array %.64q: %s", name, e.Msg)
			}
			return nil, err
		}
		entries = append(entries, Entry{name, a})
	}
	return entries, nil
}

// readMember reads one array of an archive and takes its bytes from left.
func readMember(f *zip.File, left *int64) (*Array, error) {
	r, err := f.Open()
	if err != nil {
		return nil, wrong("write the file again", "%v", err)
	}
	defer r.Close()
	limited := &io.LimitedReader{R: r, N: *left}
	a, err := Read(limited)
	if err != nil && limited.N <= 0 {
		return nil, wrong("split it", "the arrays of the archive are larger than %d GiB", MaxBytes>>30)
	}
	if err != nil {
		return nil, err
	}
	*left = limited.N
	switch _, err := r.Read(make([]byte, 1)); err { // at its end zip checks its checksum
	case io.EOF:
	case nil:
		return nil, wrong("write the file again", "there is more in the file than its one array")
	default:
		return nil, wrong("write the file again", "%v", err)
	}
	return a, nil
}

// ReadArchiveFile reads an .npz file.
func ReadArchiveFile(name string) ([]Entry, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	entries, err := ReadArchive(f, info.Size())
	return entries, inFile(name, err)
}

// WriteArchive writes an .npz archive as numpy.savez does: stored, not
// compressed. Its bytes depend on the entries and their order only.
func WriteArchive(w io.Writer, entries []Entry) error {
	z := NewArchiveWriter(w)
	for _, e := range entries {
		m, err := z.create(e.Name)
		if err != nil {
			return err
		}
		if err := Write(m, e.Array); err != nil {
			return err
		}
	}
	return z.Close()
}

// An ArchiveWriter writes an .npz archive whose arrays need not be in memory.
type ArchiveWriter struct {
	zip  *zip.Writer
	seen map[string]bool
}

// NewArchiveWriter begins an archive; Close ends it.
func NewArchiveWriter(w io.Writer) *ArchiveWriter {
	return &ArchiveWriter{zip.NewWriter(w), map[string]bool{}}
}

// Float64 begins an array of float64 of the given shape. Its elements are to be
// written, 8 bytes each in little-endian order, before the next array begins.
func (z *ArchiveWriter) Float64(name string, shape ...int) (io.Writer, error) {
	m, err := z.create(name)
	if err != nil {
		return nil, err
	}
	_, err = m.Write(appendHeader(nil, dtypeOf([]float64(nil)).descr, shape))
	return m, err
}

// Close ends the archive.
func (z *ArchiveWriter) Close() error { return z.zip.Close() }

func (z *ArchiveWriter) create(name string) (io.Writer, error) {
	if z.seen[name] {
		return nil, fmt.Errorf("npy: two arrays are called %q", name)
	}
	z.seen[name] = true
	return z.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
}
