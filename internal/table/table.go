// Package table prints rows of text for people (Text), for documents (Markdown)
// and for programs (CSV), all from the same rows.
//
// # For maintainers
//
// Rows are text already: whoever knows a number knows how many digits of it mean
// something. A column whose cells are all numbers stands at the right. The drawing
// is go-pretty's; its fashions (capitals in headers, blanks at line ends) are
// taken back here, so that a table can stand in a golden file.
package table

import (
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Text draws rows for a terminal, without a line break at the end. The first row
// is the header. Control characters in cells become blanks.
func Text(rows [][]string) string {
	w := writer(rows)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Options.SeparateHeader = true
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	w.SetStyle(style)
	lines := strings.Split(w.Render(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// Markdown writes rows as a table of GitHub's Markdown.
func Markdown(rows [][]string) string { return writer(rows).RenderMarkdown() }

// CSV writes rows as comma-separated values (RFC 4180, lines end in "\n").
func CSV(rows [][]string) string {
	w := table.NewWriter()
	for _, row := range rows {
		w.AppendRow(cells(row))
	}
	return w.RenderCSV()
}

func writer(rows [][]string) table.Writer {
	w := table.NewWriter()
	if len(rows) == 0 {
		return w
	}
	w.AppendHeader(cells(rows[0]))
	for _, row := range rows[1:] {
		w.AppendRow(cells(row))
	}
	var columns []table.ColumnConfig
	for i := range rows[0] {
		if numeric(rows[1:], i) {
			columns = append(columns, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	w.SetColumnConfigs(columns)
	return w
}

func cells(row []string) table.Row {
	out := make(table.Row, len(row))
	for i, s := range row {
		out[i] = strings.Map(visible, s)
	}
	return out
}

// visible turns control characters into blanks.
func visible(r rune) rune {
	if r < ' ' || 0x7f <= r && r < 0xa0 {
		return ' '
	}
	return r
}

// numeric tells whether column i holds numbers only, but for empty cells and
// dashes, and one number at least. A unit or a percent sign may follow.
func numeric(rows [][]string, i int) bool {
	any := false
	for _, row := range rows {
		if i >= len(row) || row[i] == "" || row[i] == "-" || row[i] == "–" {
			continue
		}
		number, _, _ := strings.Cut(row[i], " ")
		if _, err := strconv.ParseFloat(strings.TrimSuffix(number, "%"), 64); err != nil {
			return false
		}
		any = true
	}
	return any
}
