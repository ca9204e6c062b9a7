package model

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlec/model/diag"
)

const reference = "../docs/model.md"

// TestReferenceIsComplete wants every key and every choice that the decoder
// knows in docs/model.md.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("decode*.go")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`\b(?:t|et|st|spice|verilog|amp|ota|store|mismatch|transistors)\.(?:Get|Need|Has|Float|Int|Bool|String)\("(\w+)"|Choice\(\w+, "(\w+)"|\.(?:bounds\(t, "(\w+)", "(\w+)"|rate\(t, "(\w+)"|plasticOnly\(t, "(\w+)")`)
	keys := map[string]bool{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(src), -1) {
			for _, k := range m[1:] {
				if k != "" {
					keys[k] = true
				}
			}
		}
	}
	if len(keys) < 70 {
		t.Errorf("only %d keys found in the decoder", len(keys))
	}
	for k := range keys {
		if !regexp.MustCompile("`(\\[(hardware\\.(spice\\.)?)?)?" + k + `\b`).Match(text) {
			t.Errorf("%s does not explain the key %s", reference, k)
		}
	}
	choices := append([]string{}, signals...)
	choices = append(choices, initialisers...)
	choices = append(choices, devices...)
	choices = append(choices, seriesNames...)
	choices = append(choices, processes...)
	choices = append(choices, zeroedParts...)
	for _, c := range Activations {
		choices = append(choices, string(c))
	}
	for _, c := range FeedbackRules {
		choices = append(choices, string(c))
	}
	for _, c := range Losses {
		choices = append(choices, string(c))
	}
	for _, c := range Optimizers {
		choices = append(choices, string(c))
	}
	for _, c := range choices {
		if !strings.Contains(string(text), "`\""+c+"\"`") {
			t.Errorf("%s does not explain %q", reference, c)
		}
	}
	for _, k := range SignalKinds {
		if !strings.Contains(string(text), "`"+k+"`") {
			t.Errorf("%s does not explain the signal %s", reference, k)
		}
	}
}

// TestReferenceExamples reads every TOML block of docs/model.md. A block that is
// no whole model gets an input and two populations around it.
func TestReferenceExamples(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatchIndex(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("only %d blocks found", len(blocks))
	}
	const around = `
[input.drive]
signal = "constant"
value = 1.0
[population.hidden]
size = 3
tau_m = 1.0
tau_r = 0.1
[population.output]
size = 2
tau_m = 1.0
tau_r = 0.1
`
	for _, b := range blocks {
		src := string(text[b[2]:b[3]])
		line := strings.Count(string(text[:b[2]]), "\n")
		if !strings.Contains(src, "duration") {
			src = "duration = 20.0\n" + src + around
			line--
		}
		_, err := Parse(reference, []byte(src), "../testdata/models/good")
		var list diag.List
		if errors.As(err, &list) {
			for _, e := range list {
				e.Pos.Line += line
				t.Error(e)
			}
		}
	}
}
