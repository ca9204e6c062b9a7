package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"vlec/internal/npy"
)

//go:embed other/loop.py
var loop []byte

// python finds an interpreter that has PyTorch.
func python(given string) (string, error) {
	candidates := []string{"python3", "/usr/bin/python3"}
	if given != "" {
		candidates = []string{given}
	}
	var last error
	for _, name := range candidates {
		out, err := exec.Command(name, "-c", "import torch, numpy").CombinedOutput()
		if err == nil {
			return name, nil
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		last = fmt.Errorf("%s: %s", name, lines[len(lines)-1])
	}
	return "", errors.Join(last, errors.New("on Debian: apt-get install python3-torch python3-numpy; or name an interpreter with -python"))
}

// A torchResult is what loop.py prints.
type torchResult struct {
	Microseconds float64 `json:"us"`
	Threads      int     `json:"threads"`
	Version      string  `json:"torch"`
}

// torch runs the network in PyTorch, after a check that the first steps give the
// weights that vlec gives.
func (b *network) torch(python string, seconds float64) (*torchResult, error) {
	const compare = 200
	dir, err := os.MkdirTemp("", "vlec-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	doc, err := json.Marshal(map[string]any{
		"dt": b.net.Dt, "beta": b.net.Beta, "gamma": b.net.Gamma, "eta": b.net.Projections[0].Eta,
		"eta_bias": b.net.Populations[0].EtaBias, "tau_m": 1.0, "tau_r": 0.1,
		"layers": len(b.net.Projections), "compare": compare, "window": window, "cores": runtime.NumCPU(),
	})
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "loop.py"), loop, 0o666),
		os.WriteFile(filepath.Join(dir, "net.json"), doc, 0o666),
		save(dir, "input", slices.Concat(b.input...), period),
		save(dir, "target", slices.Concat(b.target...), period),
	)
	for k, p := range b.net.Projections {
		err = errors.Join(err, save(dir, fmt.Sprintf("w%d", k), p.W, p.To.Size))
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, filepath.Join(dir, "loop.py"), dir, fmt.Sprint(seconds))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", python, err)
	}
	var r torchResult
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, err
	}
	ours, err := b.stepper()
	if err != nil {
		return nil, err
	}
	ours.run(compare)
	for k := range b.net.Projections {
		a, err := npy.ReadFile(filepath.Join(dir, fmt.Sprintf("after%d.npy", k)))
		if err != nil {
			return nil, err
		}
		before, theirs := b.net.Projections[k].W, a.Float64s()
		moved, off := 0.0, 0.0
		for i, w := range ours.s.W(k) {
			moved = max(moved, math.Abs(w-before[i]))
			off = max(off, math.Abs(w-theirs[i]))
		}
		if !(off <= 1e-9*moved) {
			return nil, fmt.Errorf("after %d steps of %s the weights of %s differ by %.3g, of %.3g that they moved: the loops are not equivalent",
				compare, b.name, b.net.Projections[k].Name, off, moved)
		}
	}
	return &r, nil
}

func save(dir, name string, data []float64, rows int) error {
	f, err := os.Create(filepath.Join(dir, name+".npy"))
	if err != nil {
		return err
	}
	return errors.Join(npy.Write(f, npy.Of(data, rows, len(data)/rows)), f.Close())
}
