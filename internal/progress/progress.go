// Package progress shows how far a long command is, with the time it will still
// take, on a terminal and nowhere else.
//
//	bar := progress.New(os.Stderr, quiet)
//	defer bar.Close()
//	bar.Update("reference", 0.25)
//
// # For maintainers
//
// Commands that are over within a second show nothing: a bar that flashes tells
// nobody anything. Where the output is a file or a pipe there is no bar at all,
// so that logs hold lines only. Closing removes the bar; what stays on the screen
// is what the command says.
//
// The bar is one line of text. A library (schollz/progressbar) was tried: it keeps
// a clock of its own and draws nothing while the percentage stays the same, and
// the way around both was longer than drawing the line.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	patience = time.Second            // before the first drawing
	interval = 100 * time.Millisecond // between drawings
	width    = 30                     // of the bar itself
)

// A Bar follows one command through its stages. A nil Bar shows nothing. Its
// methods may be called from several goroutines.
type Bar struct {
	mu     sync.Mutex
	w      io.Writer
	color  bool
	now    func() time.Time
	begun  time.Time // the command
	stage  string
	staged time.Time // the stage
	from   float64   // where the stage began, which may be resumed work
	drawn  time.Time
	shown  int // columns on the screen
	closed bool
}

// New returns a Bar on w, or nil when quiet is set or w is not a terminal that
// can draw one. NO_COLOR takes its colours.
func New(w io.Writer, quiet bool) *Bar {
	f, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return newBar(w, os.Getenv("NO_COLOR") == "", time.Now)
}

func newBar(w io.Writer, color bool, now func() time.Time) *Bar {
	start := now()
	return &Bar{w: w, color: color, now: now, begun: start, staged: start}
}

// Update says what is being done and how much of it is, from 0 to 1. Unless it
// is time to draw, it costs about as much as reading a clock.
func (b *Bar) Update(stage string, done float64) { b.Report(stage, done, "") }

// Report is Update with something to say behind the bar, such as a loss.
func (b *Bar) Report(stage string, done float64, remark string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	done = max(0, min(done, 1))
	if stage != b.stage {
		b.stage, b.staged, b.drawn, b.from = stage, now, time.Time{}, done
	}
	if b.closed || now.Sub(b.begun) < patience || now.Sub(b.drawn) < interval {
		return
	}
	b.drawn = now
	b.draw(done, now.Sub(b.staged), remark)
}

func (b *Bar) draw(done float64, elapsed time.Duration, remark string) {
	full := int(done * width)
	bar, rest := strings.Repeat("━", full), strings.Repeat("─", width-full)
	line := fmt.Sprintf("%s %3d%% %s%s%s", b.stage, int(100*done), bar, rest, left(b.from, done, elapsed))
	if remark != "" {
		line += ", " + remark
	}
	// Blanks over what the line before leaves behind.
	columns := utf8.RuneCountInString(line)
	blanks := strings.Repeat(" ", max(0, b.shown-columns))
	b.shown = columns
	if b.color {
		line = strings.Replace(line, bar, "\x1b[36m"+bar+"\x1b[0m", 1)
	}
	fmt.Fprintf(b.w, "\r%s%s", line, blanks)
}

// left is what a stage will still take, going by what it took so far. The first
// percent says too little about the rest.
func left(from, done float64, elapsed time.Duration) string {
	if done-from < 0.01*(1-from) || done <= from {
		return ""
	}
	d := time.Duration(float64(elapsed) * (1 - done) / (done - from))
	return " " + d.Round(time.Second).String() + " left"
}

// Close removes the bar from the screen. Updates after it show nothing.
func (b *Bar) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	b.closed = true
}

// Hide removes the bar until the next update, for a line that is to stay.
func (b *Bar) Hide() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
}

func (b *Bar) erase() {
	if !b.closed && b.shown > 0 {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.shown))
		b.shown = 0
	}
}
