package mapping

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// condition holds for a row if all of its tests do.
type condition []test

// test compares the text of a column with words: folded, with * at the end for anything that begins so, * alone for anything that is not
// empty, and nothing for what is empty.
type test struct {
	column int
	words  []string
	not    bool
}

func foldPattern(word string) string {
	word, open := strings.CutSuffix(word, "*")
	word = sheet.Fold(word)
	if open {
		word += "*"
	}
	return word
}

func (c condition) holds(r *row) bool {
	for _, t := range c {
		if t.matches(sheet.Fold(r.cell(t.column).Text)) == t.not {
			return false
		}
	}
	return true
}

func (t *test) matches(text string) bool {
	for _, w := range t.words {
		if start, open := strings.CutSuffix(w, "*"); open && text != "" && strings.HasPrefix(text, start) || text == w {
			return true
		}
	}
	return false
}

// row is a row of the sheet with what the mapping knows of its columns.
type row struct {
	sheet.Row
	at      columnNumbers
	filled  []sheet.Cell // by column of the mapping: what stands in for an empty cell
	filledN []int        // the row that it is from
}

// cell is the cell of one of the mapping's columns.
func (r *row) cell(column int) sheet.Cell {
	c, _ := r.cellAt(column)
	return c
}

// cellAt is the cell, and the number of the row that it stands in.
func (r *row) cellAt(column int) (sheet.Cell, int) {
	c := r.Cell(r.at[column])
	if c.Kind == sheet.Empty && r.filled != nil && r.filled[column].Kind != sheet.Empty {
		return r.filled[column], r.filledN[column]
	}
	return c, r.Number
}
