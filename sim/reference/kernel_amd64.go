package reference

// wide tells whether the vector instructions of kernel_amd64.s may be used. They
// do the same operations in the same order as the Go code, so that results do
// not depend on it.
var wide = hasAVX()

func hasAVX() bool

//go:noescape
func axpyAVX(k float64, x, y *float64, quads int)

//go:noescape
func dotAVX(x, y *float64, quads int, sums *[4]float64)

//go:noescape
func fuseAVX(w *float64, stride, quads int, e, k *[4]float64, old, r, c *float64, sums *[16]float64)
