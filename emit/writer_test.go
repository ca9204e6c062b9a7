package emit_test

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"vlec/emit"
)

func print(t interface{ Fatal(...any) }, f func(*emit.Writer)) string {
	var b strings.Builder
	w := emit.NewWriter(&b)
	f(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriter(t *testing.T) {
	got := print(t, func(w *emit.Writer) {
		w.Comment("*", "a title\nx\n.control\r\nshell\ttab\x00\u202e\\")
		w.Linef("R%d a b %s", 1, w.Number(1e-6))
		w.Line("100%")
		w.Blank()
		w.Indent(4)
		w.Line("inside")
		w.Wrap("+ ", "X1", "", "a", "b")
		w.Indent(-9)
		io.WriteString(w, "raw\n")
	})
	want := "* a title\n* x\n* .control\n* shell tab\nR1 a b 1e-06\n100%\n\n    inside\n    X1 a b\nraw\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-zé(){}]{1,120}`)).Draw(t, "words")
		indent := rapid.IntRange(0, 8).Draw(t, "indent")
		text := print(t, func(w *emit.Writer) { w.Indent(indent); w.Wrap("+ ", words...) })
		var back []string
		for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			line = strings.TrimPrefix(line, strings.Repeat(" ", indent))
			fields := strings.Fields(line)
			if i > 0 {
				if fields[0] != "+" {
					t.Fatalf("line %d goes on with %q", i, line)
				}
				fields = fields[1:]
			}
			if len([]rune(line))+indent > emit.Width && len(fields) > 1 {
				t.Fatalf("%q is %d wide", line, len(line))
			}
			back = append(back, fields...)
		}
		if strings.Join(back, " ") != strings.Join(words, " ") {
			t.Fatalf("%q came out as %q", words, back)
		}
	})
}

// TestComment wants that no text leaves its comment.
func TestComment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := print(t, func(w *emit.Writer) { w.Comment("*", rapid.String().Draw(t, "text")) })
		lines := strings.FieldsFunc(text, func(r rune) bool { return r != ' ' && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029') })
		for _, line := range lines {
			if !strings.HasPrefix(line, "*") || strings.HasPrefix(line, "*#") || strings.HasSuffix(line, `\`) {
				t.Fatalf("%q", line)
			}
		}
	})
}

func TestNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "v")
		print(t, func(w *emit.Writer) {
			if back, err := strconv.ParseFloat(w.Number(v), 64); back != v || err != nil {
				t.Fatalf("%v came back as %v, %v", v, back, err)
			}
		})
	})
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		w := emit.NewWriter(io.Discard)
		w.Linef("R1 a b %s", w.Number(v))
		if w.Flush() == nil {
			t.Errorf("%v was written", v)
		}
	}
}

func TestFirstError(t *testing.T) {
	first := errors.New("first")
	w := emit.NewWriter(io.Discard)
	w.Fail(nil)
	w.Line("x")
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	w.Fail(first)
	w.Fail(errors.New("second"))
	w.Line("y")
	if w.Flush() != first || w.Err() != first {
		t.Errorf("the first error is %v", w.Err())
	}

	// An error of the file below comes out too, and nothing is written after it.
	full := emit.NewWriter(&failing{})
	for range 1 << 12 {
		full.Line("a line")
	}
	if !errors.Is(full.Flush(), io.ErrShortWrite) {
		t.Errorf("Flush: %v", full.Err())
	}
}

type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	f.n++
	if f.n > 1 {
		panic("written to after an error")
	}
	return 0, io.ErrShortWrite
}

// TestCommentWraps wants long comments to stay within Width, with all of their
// words.
func TestCommentWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé]{1,120}`), 1, 20).Draw(t, "words")
		indent := rapid.IntRange(0, 8).Draw(t, "indent")
		text := print(t, func(w *emit.Writer) { w.Indent(indent); w.Comment("//", strings.Join(words, " ")) })
		var back []string
		for line := range strings.Lines(text) {
			fields := strings.Fields(line)
			if len([]rune(line))-1 > emit.Width {
				t.Fatalf("%q is %d wide", line, len(line)-1)
			}
			back = append(back, fields[1:]...)
		}
		if strings.Join(back, "") != strings.Join(words, "") {
			t.Fatalf("%q came out as %q", words, back)
		}
	})
}
