package spice

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
)

// GenericMOS is the text of the library of generic transistors: subcircuits
// mos_n and mos_p with pins d g s b, smooth from weak to strong inversion. They
// are made of behavioural sources of the portable subset, so that they mean the
// same in every simulator and a subcircuit of a design kit can take their place.
//
//go:embed mos.lib
var GenericMOS string

// What temperature does to the generic transistors, as in EKV 2.6 (Bucher, Lallement,
// Enz, Théodoloz and Krummenacher, EPFL, 1997) with its default parameters TCV and
// BEX: Ut grows with T, a threshold falls by a millivolt a kelvin, and mobility as
// T^-1.5.
const (
	mosThreshold = 0.45 // [V]
	mosTCV       = 1e-3 // [V/K]
	mosBEX       = -1.5
	mosNominal   = 300.15 // [K]: 27 degrees Celsius, at which mos.lib is right
)

// MOSAt is the library at a temperature over that of 27 degrees Celsius, both absolute:
// the same text with other numbers, so that no simulator need know of it.
func MOSAt(ratio float64) string {
	if ratio == 1 {
		return GenericMOS
	}
	mobility := math.Pow(ratio, mosBEX)
	replace := strings.NewReplacer(
		"180 nm class, 1.8 V\n", fmt.Sprintf("180 nm class, 1.8 V,\n* at %.2f K: threshold, mobility and Ut as in EKV 2.6\n", ratio*mosNominal),
		"p_vt=0.45 ", "p_vt="+rounded(mosThreshold-mosTCV*mosNominal*(ratio-1))+" ",
		"p_kp=0.0003 ", "p_kp="+rounded(mosKN*mobility)+" ",
		"p_kp=7e-05 ", "p_kp="+rounded(mosKP*mobility)+" ",
		"p_ut=0.025852 ", "p_ut="+rounded(mosUt*ratio)+" ",
	)
	return replace.Replace(GenericMOS)
}
