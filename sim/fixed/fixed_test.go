package fixed_test

import (
	"fmt"
	"slices"
	"testing"

	"vlec/emit/verilog/format"
	"vlec/internal/randnet"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/fixed"
)

func load(t testing.TB, text string) *model.Network {
	t.Helper()
	net, err := model.Parse("random.toml", []byte(text), ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return net
}

// Sums in 64 and in 128 bits give the same words.
func TestWideSums(t *testing.T) {
	for seed := range uint64(20) {
		text := randnet.Model(seed, randnet.Options{Decay: true, Feedbacks: []string{"transpose", "fixed"}, Rule: randnet.Rules[seed%uint64(len(randnet.Rules))]})
		net := load(t, text)
		p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: 8 + int(seed)%14})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		narrow, err := crosscheck.NewPair(net, p, true)
		if err != nil {
			t.Fatal(err)
		}
		wide, err := fixed.New(p)
		if err != nil {
			t.Fatal(err)
		}
		wide.Widen()
		for k := range crosscheck.Steps(net) {
			narrow.Step()
			for i := range p.Inputs {
				copy(wide.Input(i), narrow.Core.Input(i))
			}
			for i := range p.Populations {
				copy(wide.Target(i), narrow.Core.Target(i))
			}
			wide.Step()
			for i := range p.Populations {
				a, b := narrow.Core.Population(i), wide.Population(i)
				if !slices.Equal(a.Y, b.Y) || !slices.Equal(a.E, b.E) || !slices.Equal(a.U, b.U) || !slices.Equal(a.V, b.V) {
					t.Fatalf("seed %d, step %d: population %d differs: %v %v", seed, k, i, *a, *b)
				}
			}
			for i := range p.Projections {
				if !slices.Equal(narrow.Core.W(i), wide.W(i)) {
					t.Fatalf("seed %d, step %d: weights %d differ", seed, k, i)
				}
			}
		}
		if a, b := fmt.Sprint(narrow.Core.Usage()), fmt.Sprint(wide.Usage()); a != b {
			t.Errorf("seed %d: counters %s, in 128 bits %s", seed, a, b)
		}
	}
}
