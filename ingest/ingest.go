// Package ingest says what the readers of all formats have in common: a document is read record by record, each with what is wrong with
// it and where. Packages below it read one family of formats each; package capture brings what they read to the ledger.
package ingest

import (
	"fmt"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// Reader reads one document. Only a bounded part of it is in memory at a time.
type Reader interface {
	// Next returns the next record, or nil if it has errors, with its problems: their places are those of the document.
	// io.EOF ends the document. Any other error is a *[Problem] after which nothing more can be read.
	Next() (*contract.Record, []Problem, error)
	// Places are where what Next returned last stands in the document: a pointer as in [Problem], or for a sheet the row's first cell
	// ("Harvest!A12"), several when the record was made of several rows. Valid until the next call of Next.
	Places() []string
	// Problems are those of the document outside of its records; complete after io.EOF.
	Problems() []Problem
	// Descriptions are what the document says of sites and products, one registration each; complete after io.EOF.
	// Each stands alone: one that is refused does not refuse the records.
	Descriptions() []contract.Record
}

// Code names a problem for machines. Codes are never reused for another meaning.
type Code string

// Severity says what a problem means for the document.
type Severity uint8

const (
	// Error: what the problem is about is refused.
	Error Severity = iota
	// Finding: it is accepted with this remark.
	Finding
)

// String is "error" or "finding".
func (s Severity) String() string {
	if s == Finding {
		return "finding"
	}
	return "error"
}

// Problem is one thing wrong with a document, or worth remarking.
type Problem struct {
	Code     Code
	Severity Severity
	Message  string // one sentence
	// Pointer is the place in the document: a JSON pointer (RFC 6901) from its root, the path of an XML element or attribute (XPath), or a
	// cell of a sheet ("Harvest!C12"; in a file without sheets "C12").
	Pointer string
	Offset  int64 // byte offset of the value in the document, as UTF-8 where it has another encoding; 0 in sheets
}

// Error is "CODE: message (at pointer, byte offset)".
func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s (at %q, byte %d)", p.Code, p.Message, p.Pointer, p.Offset)
}

// HasErrors says whether any of the problems is an [Error].
func HasErrors(problems []Problem) bool {
	for i := range problems {
		if problems[i].Severity == Error {
			return true
		}
	}
	return false
}

// Clip is the beginning of a text that a message quotes.
func Clip(s string) string {
	const most = 60 // characters
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
