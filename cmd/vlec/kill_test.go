package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vlec/sim/reference"
)

// killed is a model with everything that a checkpoint has to keep: memory of an
// optimiser, noise, a batch of shuffled trials, a teacher, learned backward
// weights and time constants.
const killed = `
name = "killed"
duration = 1200.0
gamma = 0.001
[learning]
eta = 0.01
eta_tau = 0.001
optimizer = "adam"
batch = 2
start = 20.0
[learning.schedule]
signal = "points"
points = [[0.0, 1.0], [1200.0, 0.1]]
[input.drive]
terms = [{ signal = "sine", frequency = 0.25 }, { signal = "noise", sigma = 0.1, tau = 0.5 }]
size = 2
[population.hidden]
size = 4
tau_m = 1.0
tau_r = 0.1
plastic_bias = true
plastic_tau_m = true
[population.output]
size = 2
tau_m = 1.0
tau_r = 0.1
activation = "linear"
[projection.drive_hidden]
from = "drive"
to = "hidden"
weights = { init = "xavier" }
plastic = true
[projection.hidden_output]
from = "hidden"
to = "output"
weights = { init = "xavier" }
plastic = true
feedback = { rule = "gain-alignment", eta = 0.3, noise_sigma = 0.05, noise_tau = 0.2 }
[projection.back]
from = "output"
to = "hidden"
weights = { init = "normal", sigma = 0.002 }
[teacher.population.hidden]
size = 4
tau_m = 1.5
tau_r = 0.1
[teacher.population.output]
size = 2
tau_m = 1.0
tau_r = 0.1
activation = "linear"
[teacher.projection.drive_hidden]
from = "drive"
to = "hidden"
weights = { init = "normal", seed = 4 }
[teacher.projection.hidden_output]
from = "hidden"
to = "output"
weights = { init = "normal", seed = 3 }
[target.output]
population = "output"
teacher = "output"
[probe]
signals = ["u", "e", "W", "B", "loss"]
every = 0.1
`

// A process that is killed (kill -9) at random moments, again and again, and
// resumed as often, leaves the bytes of one that was not.
func TestKilledProcessResumes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no kill -9")
	}
	dir := t.TempDir()
	vlec := filepath.Join(dir, "vlec")
	if out, err := exec.Command("go", "build", "-o", vlec, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	model := filepath.Join(dir, "model.toml")
	if err := os.WriteFile(model, []byte(killed), 0o666); err != nil {
		t.Fatal(err)
	}
	kills := 6
	if os.Getenv("VLEC_LONG") != "" {
		kills = 100
	}
	for name, flags := range map[string][]string{
		"synchronous": {"--semantics", "synchronous"},
		"continuous":  {"--seed", "3", "--no-learning", "--duration", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, broken := filepath.Join(dir, name+"-whole"), filepath.Join(dir, name+"-broken")
			start := func(ctx context.Context, out string, more ...string) *exec.Cmd {
				args := append([]string{"run", model, "-q", "-o", out}, flags...)
				c := exec.CommandContext(ctx, vlec, append(args, more...)...)
				c.Stderr = new(bytes.Buffer)
				return c
			}
			began := time.Now()
			if c := start(context.Background(), whole); c.Run() != nil {
				t.Fatal(c.Stderr)
			}
			length := time.Since(began)
			rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)) // moments are random anyway
			died := 0
			// A machine that was busy during the whole run and is not now finishes before
			// it is killed: then once more, sooner.
			for share := 0.5; died == 0 && share > 0.001; share /= 2 {
				if err := os.RemoveAll(broken); err != nil {
					t.Fatal(err)
				}
				for {
					// Mostly in the middle of work; now and then while outputs are written.
					ctx, cancel := context.WithCancel(context.Background())
					c := start(ctx, broken, "--resume")
					if died < kills {
						moment := time.Duration(float64(length) * share * (0.1 + rng.Float64()))
						ctx, cancel = context.WithTimeout(context.Background(), moment) // then SIGKILL
						c = start(ctx, broken, "--resume", "--checkpoint-every", "5ms")
					}
					err := c.Run()
					cut := ctx.Err() != nil
					cancel()
					if err == nil {
						break
					}
					var exit *exec.ExitError
					if !errors.As(err, &exit) || exit.ExitCode() >= 0 || !cut {
						t.Fatalf("%v after %d kills: %s", err, died, c.Stderr)
					}
					died++
				}
			}
			t.Logf("killed %d times", died)
			if died == 0 {
				t.Error("the run was too fast to be killed")
			}
			compareFolders(t, whole, broken)
		})
	}
}

func compareFolders(t *testing.T, want, got string) {
	t.Helper()
	names := func(dir string) (list []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	a, b := names(want), names(got)
	if len(a) < 7 || len(a) != len(b) {
		t.Errorf("files %v, want %v", b, a)
	}
	for _, name := range a {
		x, err1 := os.ReadFile(filepath.Join(want, name))
		y, err2 := os.ReadFile(filepath.Join(got, name))
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs: %d bytes and %d bytes", name, len(x), len(y))
		}
	}
}

// An interrupt leaves a checkpoint and says so.
func TestInterruptedRunIsSaved(t *testing.T) {
	dir := t.TempDir()
	model, out := filepath.Join(dir, "model.toml"), filepath.Join(dir, "out")
	if err := os.WriteFile(model, []byte(killed), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", model, "-o", out, "--semantics", "synchronous", "--duration", "1e6", "--trace", "none"}
	ctx, cancel := context.WithCancel(context.Background())
	defer time.AfterFunc(500*time.Millisecond, cancel).Stop()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, args, &stdout, &stderr); code != 130 {
		t.Errorf("exit status %d", code)
	}
	if !strings.Contains(stderr.String(), "saved in "+filepath.ToSlash(out)+"; go on with --resume\nvlec: interrupted\n") {
		t.Errorf("stderr: %s", &stderr)
	}
	c, err := reference.ReadCheckpointFile(filepath.Join(out, "checkpoint.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Done || c.Time <= 0 {
		t.Errorf("saved at t = %g, done %v", c.Time, c.Done)
	}
	// Without --resume nothing of it is lost.
	stderr.Reset()
	if code := run(context.Background(), args, &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "a run that is not over") {
		t.Errorf("exit status %d, stderr: %s", code, &stderr)
	}
}
