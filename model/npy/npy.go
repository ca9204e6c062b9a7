// Package npy reads and writes arrays of numbers in NumPy's .npy format,
// versions 1 to 3. Whatever is stored (float16 to float64, integers, booleans)
// is given as float64 in C order.
//
// # For maintainers
//
// The format is documented in NEP 1 and numpy.lib.format: a magic string, a
// version, the length of a header, the header (a Python dictionary literal) and
// the raw numbers. Sizes are taken from the header only after they agree with
// the bytes that are there, so that a short file cannot ask for much memory.
package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// An Array is an n-dimensional array in C order: the last index runs fastest.
type Array struct {
	Shape []int
	Data  []float64
	Dtype string // as stored, such as "<f4"
}

const magic = "\x93NUMPY"

var (
	reDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	reFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	reShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9,\sL]*)\)`)
)

// Parse reads an array from the bytes of a .npy file.
func Parse(file []byte) (*Array, error) {
	if len(file) < 10 || string(file[:6]) != magic {
		return nil, fmt.Errorf("not a .npy file")
	}
	var start, length int
	switch version := file[6]; version {
	case 1:
		start, length = 10, int(binary.LittleEndian.Uint16(file[8:]))
	case 2, 3:
		if len(file) < 12 {
			return nil, fmt.Errorf("the header is cut off")
		}
		start, length = 12, int(binary.LittleEndian.Uint32(file[8:]))
	default:
		return nil, fmt.Errorf("format version %d is not known", version)
	}
	if length > len(file)-start {
		return nil, fmt.Errorf("the header is cut off")
	}
	header, body := file[start:start+length], file[start+length:]
	descr, fortran, shape := reDescr.FindSubmatch(header), reFortran.FindSubmatch(header), reShape.FindSubmatch(header)
	if descr == nil || fortran == nil || shape == nil {
		return nil, fmt.Errorf("cannot read the header %q", bytes.TrimSpace(header))
	}
	a := &Array{Dtype: string(descr[1])}
	n := 1
	for _, s := range strings.Split(string(shape[1]), ",") {
		s = strings.TrimSuffix(strings.TrimSpace(s), "L")
		if s == "" {
			continue
		}
		dim, err := strconv.Atoi(s)
		if err != nil || dim < 0 || dim > 0 && n > len(body)/dim {
			return nil, fmt.Errorf("shape (%s) needs more than the %d bytes there are", shape[1], len(body))
		}
		a.Shape = append(a.Shape, dim)
		n *= dim
	}
	size, get, err := element(a.Dtype)
	if err != nil {
		return nil, err
	}
	if len(body) != n*size {
		return nil, fmt.Errorf("shape (%s) of %s needs %d bytes, but there are %d", shape[1], a.Dtype, n*size, len(body))
	}
	a.Data = make([]float64, n)
	for i := range a.Data {
		a.Data[i] = get(body[i*size:])
	}
	if string(fortran[1]) == "True" && len(a.Shape) > 1 {
		a.Data = cOrder(a.Data, a.Shape)
	}
	return a, nil
}

// element returns the size of a stored number and how to read it.
func element(dtype string) (int, func([]byte) float64, error) {
	unknown := fmt.Errorf("numbers of type %q are not supported; store float64", dtype)
	if len(dtype) != 3 {
		return 0, nil, unknown
	}
	var order binary.ByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		order = binary.BigEndian
	}
	switch dtype[1:] {
	case "f8":
		return 8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }, nil
	case "f4":
		return 4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }, nil
	case "f2":
		return 2, func(b []byte) float64 { return half(order.Uint16(b)) }, nil
	case "i8":
		return 8, func(b []byte) float64 { return float64(int64(order.Uint64(b))) }, nil
	case "i4":
		return 4, func(b []byte) float64 { return float64(int32(order.Uint32(b))) }, nil
	case "i2":
		return 2, func(b []byte) float64 { return float64(int16(order.Uint16(b))) }, nil
	case "i1":
		return 1, func(b []byte) float64 { return float64(int8(b[0])) }, nil
	case "u8":
		return 8, func(b []byte) float64 { return float64(order.Uint64(b)) }, nil
	case "u4":
		return 4, func(b []byte) float64 { return float64(order.Uint32(b)) }, nil
	case "u2":
		return 2, func(b []byte) float64 { return float64(order.Uint16(b)) }, nil
	case "u1", "b1":
		return 1, func(b []byte) float64 { return float64(b[0]) }, nil
	}
	return 0, nil, unknown
}

// half converts an IEEE 754 half-precision number.
func half(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exponent, mantissa := int(h>>10)&0x1f, float64(h&0x3ff)
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}

// cOrder turns Fortran order (first index fastest) into C order.
func cOrder(data []float64, shape []int) []float64 {
	out := make([]float64, len(data))
	stride := make([]int, len(shape))
	s := 1
	for i, dim := range shape {
		stride[i] = s
		s *= dim
	}
	index := make([]int, len(shape))
	from := 0
	for i := range out {
		out[i] = data[from]
		for k := len(shape) - 1; k >= 0; k-- {
			index[k]++
			from += stride[k]
			if index[k] < shape[k] {
				break
			}
			from -= index[k] * stride[k]
			index[k] = 0
		}
	}
	return out
}

// Bytes returns the array as a .npy file of little-endian float64 in C order.
func Bytes(shape []int, data []float64) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	text := strings.Join(dims, ", ")
	if len(shape) == 1 {
		text += ","
	}
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", text)
	pad := 64 - (10+len(header)+1)%64
	header += strings.Repeat(" ", pad%64) + "\n"
	out := make([]byte, 0, 10+len(header)+8*len(data))
	out = append(out, magic...)
	out = append(out, 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	out = append(out, header...)
	for _, x := range data {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(x))
	}
	return out
}
