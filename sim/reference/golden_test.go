package reference

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"vlec/model"
)

// The traces of the public GLE code, made once at float64, live beside the
// repository.
const gleTraces = "../../../shared/reference/gle"

// gleSpec is spec.json of those traces.
type gleSpec struct {
	Spec struct {
		Inputs          int
		Dt, Gamma, Beta float64
		Layers          []struct {
			Size       int
			Activation model.Activation
			TauM       []float64 `json:"tau_m"`
			TauR       []float64 `json:"tau_r"`
			Bias       bool
			W          [][]float64
			B          []float64
		}
	}
	LR    float64
	Steps int
}

// readNpy reads a little-endian float64 .npy file, version 1.
func readNpy(t *testing.T, path string) []float64 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[10+int(binary.LittleEndian.Uint16(raw[8:])):]
	v := make([]float64, len(raw)/8)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return v
}

// column is the waveform of channel c of a table sampled once a step.
func column(table []float64, width, c int, dt float64) model.Waveform {
	w := &model.Sampled{}
	for k := c; k < len(table); k += width {
		w.Time = append(w.Time, float64(k/width)*dt)
		w.Value = append(w.Value, table[k])
	}
	return w
}

// gleNetwork builds the network of a trace and returns its folder.
func gleNetwork(t *testing.T, name string) (*model.Network, *gleSpec, string) {
	t.Helper()
	dir := filepath.Join(gleTraces, name)
	raw, err := os.ReadFile(filepath.Join(dir, "spec.json"))
	if os.IsNotExist(err) {
		t.Skipf("the traces of the GLE code are not in %s", gleTraces)
	}
	spec := new(gleSpec)
	if err := json.Unmarshal(raw, spec); err != nil {
		t.Fatal(err)
	}
	s := &spec.Spec
	net := &model.Network{Name: name, Dt: s.Dt, Duration: float64(spec.Steps) * s.Dt, Beta: s.Beta, Gamma: s.Gamma}
	in := &model.Input{Name: "x"}
	x := readNpy(t, filepath.Join(dir, "x.npy"))
	for c := range s.Inputs {
		in.Channels = append(in.Channels, column(x, s.Inputs, c, s.Dt))
	}
	net.Inputs = []*model.Input{in}
	var from model.Source = in
	for i, l := range s.Layers {
		pop := &model.Population{
			Name: fmt.Sprintf("layer%d", i), Size: l.Size, TauM: l.TauM, TauR: l.TauR, Activation: l.Activation,
			Bias: make([]float64, l.Size), U0: make([]float64, l.Size), V0: make([]float64, l.Size),
			PlasticBias: l.Bias, EtaBias: spec.LR / s.Dt,
		}
		copy(pop.Bias, l.B)
		pr := &model.Projection{
			Name: fmt.Sprintf("to%d", i), From: from, To: pop, Plastic: true, Eta: spec.LR / s.Dt,
			Feedback: model.Feedback{Rule: model.Transpose},
		}
		for _, row := range l.W {
			pr.W = append(pr.W, row...)
		}
		net.Populations = append(net.Populations, pop)
		net.Projections = append(net.Projections, pr)
		from = pop
	}
	last := net.Populations[len(net.Populations)-1]
	target := &model.Target{Name: "target", Population: last, Loss: model.Squared}
	table := readNpy(t, filepath.Join(dir, "target.npy"))
	for c := range last.Size {
		target.Signal = append(target.Signal, column(table, last.Size, c, s.Dt))
	}
	net.Targets = []*model.Target{target}
	return net, spec, dir
}

// worst tracks the largest difference and where it was.
type worst struct {
	diff  float64
	where string
}

func (w *worst) compare(got, want []float64, where string) {
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= w.diff) {
			*w = worst{d, fmt.Sprintf("%s[%d]", where, i)}
		}
	}
}

// gleDistance steps the network beside the recorded traces.
func gleDistance(t *testing.T, net *model.Network, spec *gleSpec, dir string) worst {
	t.Helper()
	s, err := NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = Local
	kinds := []string{"u", "v", "r", "prosp_u", "e"}
	table := map[string][]float64{}
	for i := range net.Populations {
		for _, kind := range append(kinds, "W", "b") {
			name := fmt.Sprintf("layer%d_%s", i, kind)
			if kind == "b" && !net.Populations[i].PlasticBias {
				continue
			}
			table[name] = readNpy(t, filepath.Join(dir, name+".npy"))
		}
	}
	var w worst
	saved := 0
	for k := range spec.Steps {
		s.Stimulate()
		s.Step()
		for i, pop := range net.Populations {
			z := s.Population(i)
			for c, got := range [][]float64{z.U, z.V, z.R, z.Y, z.E} {
				name := fmt.Sprintf("layer%d_%s", i, kinds[c])
				w.compare(got, table[name][k*pop.Size:(k+1)*pop.Size], fmt.Sprintf("%s step %d", name, k))
			}
		}
		if k != 0 && k != spec.Steps/2 && k != spec.Steps-1 {
			continue
		}
		for i, pop := range net.Populations {
			got := s.W(i)
			w.compare(got, table[fmt.Sprintf("layer%d_W", i)][saved*len(got):(saved+1)*len(got)], fmt.Sprintf("layer%d_W", i))
			if pop.PlasticBias {
				w.compare(s.Bias(i), table[fmt.Sprintf("layer%d_b", i)][saved*pop.Size:(saved+1)*pop.Size], fmt.Sprintf("layer%d_b", i))
			}
		}
		saved++
	}
	return w
}

func TestSynchronousReproducesGLE(t *testing.T) {
	for _, name := range []string{"chain", "mlp"} {
		t.Run(name, func(t *testing.T) {
			net, spec, dir := gleNetwork(t, name)
			w := gleDistance(t, net, spec, dir)
			t.Logf("largest difference %.3g at %s", w.diff, w.where)
			if !(w.diff <= 1e-10) {
				t.Errorf("differs by %g at %s, want at most 1e-10", w.diff, w.where)
			}

			// The comparison must be able to fail.
			net.Populations[0].TauR[0] *= 1 + 1e-6
			if w := gleDistance(t, net, spec, dir); w.diff <= 1e-10 {
				t.Errorf("a time constant wrong by 1e-6 went unseen")
			}
		})
	}
}
