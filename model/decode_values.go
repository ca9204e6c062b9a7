package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"vlec/model/source"
)

// Numbers of a population or a projection come in four spellings:
//
//	tau_m = 1.0                                     one number for all
//	tau_m = [1.0, 2.0]                              one each; rows for weights
//	tau_m = "tau.npy"                               a file of that shape
//	tau_m = { init = "uniform", low = 1, high = 2 } drawn, seeded by the model's seed and the key's path

// vector reads size numbers; def where the node is nil.
func (d *decoder) vector(n *source.Node, path string, size int, def float64, checks ...source.Check) []float64 {
	values := make([]float64, size)
	if n == nil {
		return fill(values, def)
	}
	fill(values, 1) // after a mistake any legal number will do
	switch {
	case n.IsTable():
		d.initialise(n, path, values, size, 1)
	case n.IsArray():
		if len(n.Elems) != size {
			d.Fail(n, "give one number for all or one each", "%s has %s, but the population has %s", n.Label(), count(len(n.Elems), "number"), count(size, "neuron"))
			return values
		}
		for i, e := range n.Elems {
			if x, ok := d.Number(e, checks...); ok {
				values[i] = x
			}
		}
		return values
	default:
		if _, ok := n.Value.(string); ok {
			d.fromFile(n, values, size)
			break
		}
		if x, ok := d.Number(n, checks...); ok {
			fill(values, x)
		}
		return values
	}
	for i, x := range values {
		for _, check := range checks {
			if complaint := check(x); complaint != "" {
				d.Fail(n, "", "%s gives neuron %d the value %v, but it %s", n.Label(), i, x, complaint)
				return fill(values, 1)
			}
		}
	}
	return values
}

// matrix reads rows x cols numbers, row-major. The words say what a row and a
// column are. A nil transposed forbids the initialiser "transpose".
func (d *decoder) matrix(n *source.Node, path string, rows, cols int, rowOf, colOf string, transposed []float64) []float64 {
	values := make([]float64, rows*cols)
	expected := fmt.Sprintf("%s needs %s (one for each neuron of %s) of %s (one for each value of %s)",
		n.Label(), count(rows, "row"), rowOf, count(cols, "number"), colOf)
	switch {
	case n.IsTable():
		if f := n.Field("init"); transposed != nil && f != nil && f.Value == "transpose" {
			t := d.Table(n)
			t.Get("init")
			scale := t.Float("scale", 1)
			t.Done()
			for i := range rows {
				for j := range cols {
					values[i*cols+j] = scale * transposed[j*rows+i]
				}
			}
			return values
		}
		d.initialise(n, path, values, rows, cols)
	case n.IsArray():
		if len(n.Elems) > 0 && !n.Elems[0].IsArray() {
			d.Fail(n, "write a list of rows: [[...], [...]]", "%s is a plain list, but %s", n.Label(), expected)
			return values
		}
		if len(n.Elems) != rows {
			d.Fail(n, "", "%s, but there are %s", expected, count(len(n.Elems), "row"))
			return values
		}
		for i, row := range n.Elems {
			if !row.IsArray() {
				d.Fail(row, "", "%s is %s, but must be a row of %s", row.Label(), row.Kind(), count(cols, "number"))
				continue
			}
			if len(row.Elems) != cols {
				d.Fail(row, "", "%s, but row %d has %d", expected, i+1, len(row.Elems))
				continue
			}
			for j, e := range row.Elems {
				values[i*cols+j], _ = d.Number(e)
			}
		}
	default:
		if _, ok := n.Value.(string); ok {
			d.fromFile(n, values, rows, cols)
			break
		}
		x, ok := d.Number(n)
		if ok && (rows != 1 || cols != 1) {
			d.Fail(n, fmt.Sprintf(`for equal weights write { init = "constant", value = %v }`, x), "%s is one number, but %s", n.Label(), expected)
		}
		fill(values, x)
	}
	return values
}

// fromFile reads an array of the given shape from a .npy file.
func (d *decoder) fromFile(n *source.Node, values []float64, shape ...int) {
	if name := n.Value.(string); !strings.HasSuffix(name, ".npy") {
		d.Fail(n, "write numbers without quotes", "%s is the string %q, but must be a number or the name of a .npy file", n.Label(), name)
		return
	}
	a, path, ok := d.array(n)
	if !ok {
		return
	}
	same := len(a.shape) == len(shape)
	for i := 0; same && i < len(shape); i++ {
		same = a.shape[i] == shape[i]
	}
	if !same {
		d.Fail(n, "", "%s has shape %s, but %s needs %s", path, shapeText(a.shape), n.Label(), shapeText(shape))
		return
	}
	for _, x := range a.data {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			d.Fail(n, "", "%s holds %v, but all values must be finite", path, x)
			return
		}
	}
	copy(values, a.data)
}

// initialisers are the ways to draw values, in the order of the documentation.
var initialisers = []string{"constant", "identity", "uniform", "log-uniform", "normal", "xavier", "he", "orthogonal"}

// initialise fills a rows x cols matrix (cols is 1 for a vector).
func (d *decoder) initialise(n *source.Node, path string, values []float64, rows, cols int) {
	t := d.Table(n)
	if t.Need("init", "choose "+strings.Join(initialisers, ", ")) == nil {
		t.Done()
		return
	}
	kind := source.Choice(t, "init", "", initialisers)
	rng := d.rng(path)
	if s := t.Int("seed", -1, 0, math.MaxInt64); s >= 0 {
		rng = seeded(uint64(s), path)
	}
	draw := func() float64 { return 0 }
	switch kind {
	case "":
		return // unknown, and reported
	case "constant":
		t.Need("value", "")
		value := t.Float("value", 0)
		draw = func() float64 { return value }
	case "identity":
		scale := t.Float("scale", 1)
		if rows != cols {
			t.Fail("init", "", "an identity must be square, but %s is %d x %d", n.Label(), rows, cols)
		}
		for i := range min(rows, cols) {
			values[i*cols+i] = scale
		}
		t.Done()
		return
	case "uniform":
		low, high := d.bounds(t, "low", "high", -1, 1)
		draw = func() float64 { return low + float64((high-low)*rng.Float64()) }
	case "log-uniform":
		t.Need("low", "")
		t.Need("high", "")
		low, high := d.bounds(t, "low", "high", 1, 1, source.Positive)
		draw = func() float64 { return low * math.Pow(high/low, rng.Float64()) }
	case "normal":
		mean, sigma := t.Float("mean", 0), t.Float("sigma", 1, source.NotNegative)
		draw = func() float64 { return mean + float64(sigma*rng.NormFloat64()) }
	case "xavier":
		limit := t.Float("scale", 1, source.Positive) * math.Sqrt(6/float64(rows+cols))
		draw = func() float64 { return limit * (2*rng.Float64() - 1) }
	case "he":
		sigma := t.Float("scale", 1, source.Positive) * math.Sqrt(2/float64(cols))
		draw = func() float64 { return sigma * rng.NormFloat64() }
	case "orthogonal":
		scale := t.Float("scale", 1, source.Positive)
		if min(rows, cols) > 2048 {
			t.Fail("init", `use "normal" with sigma = 1/sqrt(columns)`, "an orthogonal matrix of %d x %d takes too long to make", rows, cols)
			break
		}
		orthogonal(rng, values, rows, cols, scale)
		t.Done()
		return
	}
	density := t.Float("density", 1, source.Positive, source.Within(0, 1))
	t.Done()
	for i := range values {
		if density < 1 && rng.Float64() >= density {
			continue
		}
		values[i] = draw()
	}
}

// orthogonal fills values with orthonormal rows (or columns, where there are
// fewer of them) times scale: Gram-Schmidt, done twice, on normal draws.
func orthogonal(rng *rand.Rand, values []float64, rows, cols int, scale float64) {
	long, short := max(rows, cols), min(rows, cols)
	basis := make([][]float64, short)
	for i := range basis {
		v := make([]float64, long)
		for norm := 0.0; norm < 1e-3; {
			for j := range v {
				v[j] = rng.NormFloat64()
			}
			for range 2 {
				for _, b := range basis[:i] {
					dot := 0.0
					for j := range v {
						dot += float64(v[j] * b[j])
					}
					for j := range v {
						v[j] -= float64(dot * b[j])
					}
				}
			}
			norm = 0
			for _, x := range v {
				norm += float64(x * x)
			}
			norm = math.Sqrt(norm)
			for j := range v {
				v[j] /= norm
			}
		}
		basis[i] = v
	}
	for i := range rows {
		for j := range cols {
			if rows < cols {
				values[i*cols+j] = scale * basis[i][j]
			} else {
				values[i*cols+j] = scale * basis[j][i]
			}
		}
	}
}

// bounds reads two numbers of which the first must not exceed the second.
func (d *decoder) bounds(t *source.Table, low, high string, lo, hi float64, checks ...source.Check) (float64, float64) {
	lo, hi = t.Float(low, lo, checks...), t.Float(high, hi, checks...)
	if lo > hi {
		n := t.Get(low)
		if n == nil {
			n = t.Get(high)
		}
		d.Fail(n, "", "%s = %v is above %s = %v", low, lo, high, hi)
		hi = lo
	}
	return lo, hi
}

func fill(values []float64, x float64) []float64 {
	for i := range values {
		values[i] = x
	}
	return values
}

// count says "1 row", "2 rows".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, s := range shape {
		parts[i] = fmt.Sprint(s)
	}
	if len(parts) == 0 {
		return "() (one number)"
	}
	return strings.Join(parts, " x ")
}
