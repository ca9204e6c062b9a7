package spice

import _ "embed"

// GenericMOS is the text of the library of generic transistors: subcircuits
// mos_n and mos_p with pins d g s b, smooth from weak to strong inversion. They
// are made of behavioural sources of the portable subset, so that they mean the
// same in every simulator and a subcircuit of a design kit can take their place.
//
//go:embed mos.lib
var GenericMOS string
