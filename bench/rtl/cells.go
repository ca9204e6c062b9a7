//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

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
	for _, device := range devices {
		if rtlcells.Targets[device] == "" {
			return fmt.Errorf("%s: not a device", device)
		}
		if all[device] == nil {
			all[device] = map[string]rtlcells.Cells{}
		}
		for _, d := range rtlcells.Designs() {
			if all[device][d.Name] != nil && !again || !wanted.MatchString(d.Name) {
				continue
			}
			cells, err := d.Synthesise(context.Background(), device)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", d.Name, device, err)
			}
			all[device][d.Name] = cells
			if err := all.Write(file); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, device, d.Name, cells)
		}
	}
	return nil
}
