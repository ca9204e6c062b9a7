package device_test

import (
	"strings"
	"testing"

	"vlec/emit/verilog/device"
	"vlec/model"
)

// Models know the devices that there are, in the same order, and no others.
func TestModelsKnowDevices(t *testing.T) {
	_, err := model.Parse("m.toml", []byte("name = \"m\"\n[hardware.verilog]\ndevice = \"tube\"\n"), ".")
	if want := strings.Join(device.Names(), ", "); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %s", err, want)
	}
}
