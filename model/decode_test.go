package model

import (
	"path/filepath"
	"testing"
)

// TestGoodModels loads every example and every good model.
func TestGoodModels(t *testing.T) {
	var files []string
	for _, glob := range []string{"../examples/*/model.toml", "../testdata/models/good/*.toml"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 2 {
		t.Fatalf("only %d models found", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			n, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range n.Warnings {
				t.Errorf("warning: %v", w)
			}
			for _, in := range n.Inputs {
				for _, w := range in.Channels {
					for _, at := range []float64{0, n.Duration / 3, n.Duration} {
						w.At(at)
					}
				}
			}
		})
	}
}
