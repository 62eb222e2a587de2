package sheet

import "strings"

// The headings of the column in which a sender's sheet comes back with what became of each row ([Annotate]), in English and Chinese. They
// name this program: a column of the sender's own is never taken for it.
const (
	AnswerEN = "Outcome (foodtrace)"
	AnswerZH = "处理结果（foodtrace）"
)

// answerRows is how far down the heading of answers is looked for: it stands in the first row that is not empty, and the sender may have
// put others above it.
const answerRows = 100

// answers are the columns of a sheet that hold answers. They say nothing of the food: a sheet that is corrected and sent again must not
// make other records of the rows that were accepted.
type answers []int

// takeOut empties the cells of a row that hold answers. some is false where the row has nothing else.
func (a *answers) takeOut(row *Row) (some bool) {
	if row.Number <= answerRows {
		for i, c := range row.Cells {
			if strings.HasPrefix(c.Text, AnswerEN) || strings.HasPrefix(c.Text, AnswerZH) {
				*a = append(*a, i)
			}
		}
	}
	if len(*a) == 0 {
		return true
	}
	for _, i := range *a {
		if i < len(row.Cells) {
			row.Cells[i] = Cell{}
		}
	}
	for _, c := range row.Cells {
		some = some || c.Kind != Empty
	}
	return some
}
