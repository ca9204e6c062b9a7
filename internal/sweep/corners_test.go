package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/internal/calibrate"
	"vlec/internal/operating"
	"vlec/model"
)

func TestCornerList(t *testing.T) {
	h := model.SpiceHardware{Temperature: 27, Supply: 1, Resistors: 1, Capacitors: 1}
	o := CornerOptions{Temperatures: []float64{-40, 27, 85}, Supplies: []float64{0.9}, Resistors: []float64{1.2}}
	var names []string
	list := o.corners(h)
	for _, c := range list {
		names = append(names, c.Name)
	}
	want := "nominal|temperature -40 °C|temperature 85 °C|supply 0.9|resistors 1.2|slowest|fastest"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if slow := list[5]; slow.Temperature != 85 || slow.Supply != 0.9 || slow.Resistors != 1.2 || slow.Capacitors != 1 {
		t.Errorf("%+v", slow)
	}
	if fast := list[6]; fast.Temperature != -40 || fast.Supply != 1 || fast.Resistors != 1 {
		t.Errorf("%+v", fast)
	}
	if one := (&CornerOptions{Supplies: []float64{0.9, 1.1}}).corners(h); len(one) != 3 {
		t.Errorf("%d corners of a single quantity", len(one))
	}
	names = nil
	for _, c := range nulled(list) {
		names = append(names, c.label())
	}
	if got := strings.Join(names[:3], "|"); got != "nominal|temperature -40 °C|temperature -40 °C, nulled" || len(names) != 12 || names[7] != "resistors 1.2" || names[8] != "slowest" {
		t.Errorf("%d rows: %s", len(names), got)
	}
}

// A corner without a circuit is named, and is no number.
func TestCornerFails(t *testing.T) {
	if why := unfit(t.Context(), fmt.Errorf("c.toml: %w", &calibrate.NotNulledError{Instance: "x_a"})); !strings.Contains(why, "the offset of x_a is not nulled") {
		t.Error(why)
	}
	if why := unfit(t.Context(), fmt.Errorf("c.toml: %w: singular", operating.ErrNoPoint)); why != "no operating point" {
		t.Error(why)
	}
	if why := unfit(t.Context(), errors.New("disk full")); why != "" {
		t.Error(why)
	}
	s := &CornerStudy{Bias: "constant", Reference: 1, Corners: []*Corner{
		{Name: "nominal", Nulls: "nominal", Learned: 2, Kept: 2, Loaded: 2}, {Name: "supply 0.3", Nulls: "here", Fails: "no operating point"},
	}}
	if row := s.Table()[2]; row[0] != "supply 0.3" || row[1] != "here" || row[2] != "fails" || len(row) != len(s.Table()[0]) {
		t.Errorf("%q", row)
	}
	if text := s.String(); !strings.HasSuffix(text, "supply 0.3, nulled: no operating point") || !strings.Contains(text, "at worst (nominal)") {
		t.Error(text)
	}
	var picture bytes.Buffer
	if err := s.Picture().SVG(&picture); err != nil || strings.Contains(picture.String(), "supply 0.3") {
		t.Errorf("picture of %d bytes, %v", picture.Len(), err)
	}
}

// Transistors meet a corner with the nulls that they had and with new ones, which are
// better; units that follow the temperature leave rates where they were.
func TestCornersOfTransistors(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves the transistor level out")
	}
	net, err := model.Load("../../examples/chain/transistors.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Duration = 80
	rates := map[string]float64{}
	for _, bias := range []string{"", "ptat"} {
		s, err := Corners(t.Context(), net, CornerOptions{Level: "transistor", Bias: bias, Temperatures: []float64{85}, Window: 4, MaxStep: 0.02})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range s.Table() {
			t.Log(row)
		}
		if len(s.Corners) != 3 || s.Table()[0][1] != "nulls" {
			t.Fatalf("%d corners", len(s.Corners))
		}
		nominal, kept, again := s.Corners[0], s.Corners[1], s.Corners[2]
		if kept.Nulls != "nominal" || again.Nulls != "here" || kept.Learned < 2*again.Learned || kept.Errors < again.Errors {
			t.Errorf("%q: kept nulls %+v, new ones %+v", bias, kept, again)
		}
		if nominal.Rates > 0.02 || nominal.Learned > 2*s.Reference || s.Reference > s.Start/10 {
			t.Errorf("%q: nominal %+v, from %g, reference %g", bias, nominal, s.Start, s.Reference)
		}
		rates[s.Bias] = again.Rates
	}
	if rates["constant"] < 3*rates["ptat"] {
		t.Errorf("rates are off by %v", rates)
	}
	if net.Hardware.Spice.Bias != "constant" || net.Hardware.Spice.Nulls != "here" {
		t.Error("the study changed the model")
	}
}

// A circuit that learns in its corner makes up for slow or fast capacitors, as weights
// that were learned elsewhere cannot; the ideal level knows no temperature, the macro
// level does.
func TestCorners(t *testing.T) {
	for _, level := range []string{"ideal", "macro"} {
		if testing.Short() && level == "macro" {
			t.Log("-short leaves the macro level out")
			continue
		}
		net := load3(t)
		net.Duration = 60
		o := CornerOptions{Level: level, Temperatures: []float64{85}, Resistors: []float64{0.7}, Window: 8, MaxStep: 0.01}
		var text [2]bytes.Buffer
		var s *CornerStudy
		for i := range text {
			var err error
			if s, err = Corners(t.Context(), net, o); err != nil {
				t.Fatal(err)
			}
			if err := emit.JSON(&text[i], s); err != nil {
				t.Fatal(err)
			}
			if level != "ideal" {
				break
			}
		}
		t.Log(s)
		for _, row := range s.Table() {
			t.Log(row)
		}
		if level == "ideal" && !bytes.Equal(text[0].Bytes(), text[1].Bytes()) {
			t.Error("the same study gave other numbers")
		}
		nominal, hot, fast := s.Corners[0], s.Corners[1], s.Corners[2]
		if nominal.Learned != nominal.Kept || s.Start < 10*nominal.Learned {
			t.Errorf("from %g to %g, kept %g", s.Start, nominal.Learned, nominal.Kept)
		}
		if fast.Kept < 3*fast.Learned || fast.Loaded < 3*fast.Learned {
			t.Errorf("%s: learned %g, kept %g, loaded %g", fast.Name, fast.Learned, fast.Kept, fast.Loaded)
		}
		if moved := hot.Kept != nominal.Kept; moved != (level == "macro") {
			t.Errorf("%s: a loss of %g is %g when hot", level, nominal.Kept, hot.Kept)
		}
		var picture bytes.Buffer
		if err := s.Picture().SVG(&picture); err != nil || !strings.Contains(picture.String(), "resistors 0.7") {
			t.Errorf("picture of %d bytes, %v", picture.Len(), err)
		}
		var back CornerStudy
		if err := json.Unmarshal(text[0].Bytes(), &back); err != nil || len(back.Corners) != 5 {
			t.Errorf("%v, %d corners", err, len(back.Corners))
		}
		if s.Reference > s.Start/10 || nominal.Rates > 0.02 || hot.Rates < nominal.Rates || fast.Rates < 0.05 || fast.Errors < fast.Rates {
			t.Errorf("reference %g; rates and errors are off by %g and %g at nominal, %g and %g at %s", s.Reference, nominal.Rates, nominal.Errors, fast.Rates, fast.Errors, fast.Name)
		}
		if net.Hardware.Spice.Resistors != 1 || net.Hardware.Spice.Temperature != 27 {
			t.Error("the study changed the model")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Corners(ctx, load3(t), CornerOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
