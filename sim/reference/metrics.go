package reference

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"vlec/model"
)

// MetricsOptions say how often a run notes its loss.
type MetricsOptions struct {
	Every  float64 // time between rows [time unit]; 0: no rows
	Window float64 // of the moving average [time unit], a multiple of Every; 0: Every
}

// DefaultMetrics asks for about a thousand rows, a whole number of steps each,
// and averages over a twentieth of the run. Duration 0 is the model's.
func DefaultMetrics(net *model.Network, duration float64) MetricsOptions {
	if duration == 0 {
		duration = net.Duration
	}
	every := net.Dt * max(1, math.Round(duration/net.Dt/1000))
	return MetricsOptions{Every: every, Window: every * max(1, math.Round(duration*windowShare/every))}
}

// Metrics is how a run went, a row every MetricsOptions.Every.
type Metrics struct {
	Time    []float64 // end of the row
	Loss    []float64 // mean since the row before
	Average []float64 // mean over the last Window, or over all rows while there are fewer
}

// maxRows bounds the rows of metrics.
const maxRows = 1 << 22

// CSV writes the rows as comma-separated values with a header.
func (m *Metrics) CSV(w io.Writer) error {
	line := []byte("t,loss,loss_average\n")
	for k, t := range m.Time {
		line = strconv.AppendFloat(line, t, 'g', 12, 64)
		line = strconv.AppendFloat(append(line, ','), m.Loss[k], 'g', -1, 64)
		line = strconv.AppendFloat(append(line, ','), m.Average[k], 'g', -1, 64)
		line = append(line, '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
		line = line[:0]
	}
	return nil
}

// A meter collects rows.
type meter struct {
	Metrics
	window      int // rows
	sum, weight float64
}

// newMeter prepares for a run of the given length.
func newMeter(o MetricsOptions, duration float64) (*meter, error) {
	if o.Window == 0 {
		o.Window = o.Every
	}
	if o.Every < 0 || o.Window < o.Every || math.IsNaN(o.Every) || math.IsInf(o.Window, 0) {
		return nil, fmt.Errorf("metrics every %g over a window of %g; a row is longer than nothing, and a window as long as a row at least", o.Every, o.Window)
	}
	if o.Every > 0 && duration/o.Every > maxRows {
		return nil, fmt.Errorf("metrics every %g of a run of length %g would have more than %d rows; note them less often", o.Every, duration, maxRows)
	}
	m := &meter{window: 1}
	if o.Every > 0 {
		m.window = max(1, int(math.Round(min(o.Window/o.Every, maxRows))))
	}
	return m, nil
}

// add notes a loss that was there for some time, or for some steps.
func (m *meter) add(loss, weight float64) {
	m.sum += loss * weight
	m.weight += weight
}

// row closes a row at time t.
func (m *meter) row(t float64) {
	loss := m.sum / m.weight
	m.sum, m.weight = 0, 0
	m.Time, m.Loss = append(m.Time, t), append(m.Loss, loss)
	recent := m.Loss[max(0, len(m.Loss)-m.window):]
	sum := 0.0
	for _, v := range recent {
		sum += v
	}
	m.Average = append(m.Average, sum/float64(len(recent)))
}

// done returns a copy of the rows, nil when there are none.
func (m *meter) done() *Metrics {
	if len(m.Time) == 0 {
		return nil
	}
	return &Metrics{slices.Clone(m.Time), slices.Clone(m.Loss), slices.Clone(m.Average)}
}
