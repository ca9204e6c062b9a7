package main

import (
	"errors"

	"vlec/internal/pdk"
	"vlec/model"
)

// pdkFlags name a design kit whose transistors take the place of the generic ones.
type pdkFlags struct {
	PDK       string `name:"pdk" help:"Folder of a design kit, whose transistors take the place of the generic ones at --level transistor, in ngspice, which has to be installed." type:"path" placeholder:"DIR"`
	DeviceMap string `help:"How the kit calls them: sky130, sg13g2, gf180mcu or a file (docs/spice.md); by default found out." placeholder:"NAME|FILE"`
}

// library is the library of transistors, "" without a kit.
func (f *pdkFlags) library(net *model.Network, level string) (string, error) {
	if f.PDK == "" {
		if f.DeviceMap != "" {
			return "", errors.New("--device-map describes a design kit: say which with --pdk DIR")
		}
		return "", nil
	}
	if level != "transistor" {
		return "", errors.New("--pdk names transistors: say --level transistor")
	}
	m, err := pdk.Find(f.DeviceMap, f.PDK)
	if err != nil {
		return "", err
	}
	t := net.Hardware.Spice.Transistors
	return m.Text(f.PDK, t.Width, t.Length)
}
