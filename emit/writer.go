package emit

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Writer writes lines of text and keeps the first error, which Flush returns.
// After an error it writes nothing.
type Writer struct {
	w      *bufio.Writer
	err    error
	indent int
}

// Width is where Wrap breaks lines, in columns.
const Width = 100

// NewWriter returns a Writer on w. Call Flush at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{w: bufio.NewWriter(w)} }

// Err is the first error so far.
func (w *Writer) Err() error { return w.err }

// Fail records an error of the caller's as if writing had failed.
func (w *Writer) Fail(err error) { w.err = firstError(w.err, err) }

// Flush writes what is buffered and returns the first error.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Write makes a Writer an io.Writer for text that has its own lines.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}

// Indent moves the lines to come by n columns, to the left when n is negative.
func (w *Writer) Indent(n int) { w.indent = max(0, w.indent+n) }

// Line writes one indented line.
func (w *Writer) Line(text string) { w.line("", text) }

// Linef writes one formatted, indented line.
func (w *Writer) Linef(format string, args ...any) { w.line("", fmt.Sprintf(format, args...)) }

// Blank writes an empty line.
func (w *Writer) Blank() { w.line("", "") }

// Wrap writes words with single spaces between them and goes on in a new line,
// which begins with more, where one would pass Width. A word is never broken,
// and empty words are left out.
func (w *Writer) Wrap(more string, words ...string) {
	start, line := "", ""
	for _, word := range words {
		switch {
		case word == "":
		case line == "":
			line = word
		case w.indent+columns(start)+columns(line)+1+columns(word) > Width:
			w.line(start, line)
			start, line = more, word
		default:
			line += " " + word
		}
	}
	if line != "" {
		w.line(start, line)
	}
}

// Comment writes text as comment lines that each begin with mark; what would
// pass Width goes on, further in, on another line. Line breaks start another
// comment line, and other control characters become blanks: no text gets out of
// its comment.
func (w *Writer) Comment(mark, text string) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Map(func(r rune) rune {
			// Also what would turn the direction of text, or is no text at all.
			if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
				return ' '
			}
			return r
		}, line)
		more := " "
		for {
			first, rest := breakLine(line, w.indent+columns(mark+more))
			// A backslash at the end of a line would join the next one to it.
			w.line(mark, strings.TrimRight(more+first, " \\"))
			if rest == "" {
				break
			}
			line, more = rest, "   "
		}
	}
}

// breakLine cuts a line that begins at some column at the last blank before
// Width, or at Width where there is none.
func breakLine(line string, column int) (first, rest string) {
	at := -1
	for i, r := range line {
		if r == ' ' && strings.TrimLeft(line[:i], " ") != "" {
			at = i
		}
		if column++; column > Width {
			if at < 0 {
				at = i
			}
			return line[:at], strings.TrimLeft(line[at:], " ")
		}
	}
	return line, ""
}

func (w *Writer) line(start, line string) {
	if w.err != nil {
		return
	}
	if start+line != "" {
		w.text(strings.Repeat(" ", w.indent))
	}
	w.text(start)
	w.text(line)
	w.text("\n")
}

func (w *Writer) text(s string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

func columns(s string) int { return utf8.RuneCountInString(s) }

// Number writes a finite number so that reading it gives the same number, with
// an exponent and without the suffixes for powers of ten, which no two languages
// read alike. What is not finite is an error of the Writer.
func (w *Writer) Number(v float64) string {
	if v-v != 0 {
		w.Fail(fmt.Errorf("%v cannot be written as a number", v))
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
