//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

	"vlec/emit/verilog/device"
	"vlec/internal/rtlcells"
)

// count lets Yosys count the cells of every design on every device. What it has
// counted is written at once: a run may be stopped and goes on where it was.
func count(file string, devices []string, match string, again bool) error {
	wanted, err := regexp.Compile(match)
	if err != nil {
		return err
	}
	all, err := rtlcells.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		all, err = rtlcells.Record{}, nil
	}
	if err != nil {
		return err
	}
	for _, name := range devices {
		part := device.Of(name)
		if part == nil {
			return fmt.Errorf("%s: not a device", name)
		}
		if all[name] == nil {
			all[name] = map[string]rtlcells.Cells{}
		}
		for _, d := range rtlcells.Designs() {
			if all[name][d.Name] != nil && !again || !wanted.MatchString(d.Name) {
				continue
			}
			cells, err := d.Synthesise(context.Background(), part)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", d.Name, name, err)
			}
			all[name][d.Name] = cells
			if err := all.Write(file); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, name, d.Name, cells)
		}
	}
	return nil
}
