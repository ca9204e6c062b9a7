//go:build !amd64

package reference

const wide = false

func axpyAVX(float64, *float64, *float64, int)    { panic("reference: no vector code") }
func dotAVX(*float64, *float64, int, *[4]float64) { panic("reference: no vector code") }
func fuseAVX(*float64, int, int, *[4]float64, *[4]float64, *float64, *float64, *float64, *[16]float64) {
	panic("reference: no vector code")
}
