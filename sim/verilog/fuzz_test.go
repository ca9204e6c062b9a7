package verilog

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzSource reads, elaborates, lints and starts any text: nothing may panic
// or hang.
func FuzzSource(f *testing.F) {
	for _, dir := range []string{"run", "errors", "signbugs"} {
		files, _ := filepath.Glob("../../testdata/verilog/" + dir + "/*.v")
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add("`define A(x) x `A\nmodule m #(parameter P = `A(3)) (a); input a; endmodule")
	f.Add("module m; reg [7:0] a [0:3]; initial a[1][3:0] = 'hx; endmodule")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := new(Reader).ParseText("fuzz.v", text)
		if err != nil {
			return
		}
		Lint(s)
		for _, top := range s.Modules() {
			d, err := s.Elaborate(top, nil)
			if err != nil || len(d.Signals) > 100 || len(d.units) > 100 {
				continue
			}
			bits := 0
			for _, s := range d.Signals {
				bits += s.Width * max(1, s.Depth)
			}
			if bits > 1<<16 {
				continue
			}
			m, err := NewSim(d)
			if err != nil {
				continue
			}
			m.Stdout, m.Dir = io.Discard, t.TempDir()
			m.noFiles = true
			m.budget, m.rounds = 1000, 1000
			_, _ = m.Run(t.Context(), 10)
		}
	})
}
