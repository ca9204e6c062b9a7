package progress

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func TestBar(t *testing.T) {
	var screen bytes.Buffer
	c := &clock{time.Unix(1, 0)}
	b := newBar(&screen, false, c.now)
	shows := func(want string) {
		t.Helper()
		if want == "" && screen.Len() > 0 || !strings.Contains(screen.String(), want) {
			t.Errorf("%q is drawn, want %q", screen.String(), want)
		}
		screen.Reset()
	}
	b.Update("reference", 0.1)
	c.Time = c.Add(999 * time.Millisecond)
	b.Update("reference", 0.2)
	shows("") // not yet a second
	c.Time = c.Add(time.Millisecond)
	b.Update("reference", 0.25)
	shows("\rreference  25% ━━━━━━━─────────────────────── 5s left")
	b.Update("reference", 0.26)
	shows("") // too soon after that
	c.Time = c.Add(interval)
	b.Update("reference", 7)
	shows("reference 100% ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 0s left")
	b.Update("builtin", -1)
	shows("\rbuiltin   0% ──────────────────────────────          ") // the next stage, at once
	c.Time = c.Add(10 * time.Second)
	b.Report("builtin", 0.5, "loss 0.01")
	shows("\rbuiltin  50% ━━━━━━━━━━━━━━━─────────────── 10s left, loss 0.01")
	b.Report("resumed", 0.9, "")
	c.Time = c.Add(10 * time.Second)
	screen.Reset()
	b.Report("resumed", 0.95, "")
	shows(" 10s left") // what was done before took no time here
	b.Hide()
	shows("\r" + strings.Repeat(" ", len("resumed  95%  10s left")+width) + "\r")
	c.Time = c.Add(interval)
	b.Report("resumed", 0.95, "")
	shows("10s left")
	b.Close()
	shows("\r" + strings.Repeat(" ", len("resumed  95%  10s left")+width) + "\r")
	c.Time = c.Add(time.Hour)
	b.Update("builtin", 0.7)
	b.Close()
	shows("")
}

func TestBarColor(t *testing.T) {
	for _, color := range []bool{true, false} {
		var screen bytes.Buffer
		c := &clock{time.Unix(1, 0)}
		b := newBar(&screen, color, c.now)
		c.Time = c.Add(time.Hour)
		b.Update("x", 0.5)
		if got := strings.Contains(screen.String(), "\x1b[3"); got != color {
			t.Errorf("colours %v: %q", color, screen.String())
		}
	}
}

func TestNoBar(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, b := range []*Bar{New(f, false), New(&bytes.Buffer{}, false), New(os.Stderr, true), nil} {
		if b != nil {
			t.Error("a bar where there is no terminal")
		}
		b.Update("x", 0.5) // a nil Bar takes everything
		b.Close()
	}
}

func BenchmarkUpdate(b *testing.B) {
	bar := newBar(&bytes.Buffer{}, false, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		bar.Update("x", 0.5)
	}
}
