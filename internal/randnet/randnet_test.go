package randnet

import (
	"testing"

	"vlec/model"
)

// Every model that is drawn is a good one, and the same one at every draw.
func TestModels(t *testing.T) {
	for seed := range uint64(300) {
		o := Options{Frozen: seed%3 == 0, Forward: seed%2 == 0, Feedbacks: []string{"transpose", "fixed", "gain-alignment", "kolen-pollack"}}
		text := Model(seed, o)
		if _, err := model.Parse("random.toml", []byte(text), "."); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if text != Model(seed, o) {
			t.Fatalf("seed %d draws two models", seed)
		}
	}
}
