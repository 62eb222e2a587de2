// Package epcis reads EPCIS documents in JSON (GS1 EPCIS 2.0, section 10; JSON-LD) and in XML (EPCIS 2.0, section 9, and EPCIS 1.0 to 1.2),
// and writes them in JSON: EPCISDocument, EPCISQueryDocument, master data; in JSON also single events and arrays of events.
//
// An event in XML becomes the text that it has in JSON, and is then read and checked as that, so that both are one event.
// The package refuses what the standard's schemas refuse, names every problem of a document with its place, and keeps what it
// does not know. docs/formats.md says how XML is read, docs/divergences.md lists where documents are judged otherwise and why.
package epcis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// Code, Problem and Severity are those of all formats.
type (
	Code     = ingest.Code
	Problem  = ingest.Problem
	Severity = ingest.Severity
)

const (
	Error   = ingest.Error
	Finding = ingest.Finding
)

// The problems of a document. Those of values are in package event, those of identifiers in package gs1.
const (
	CodeSyntax       Code = "JSON_SYNTAX"       // not JSON (RFC 8259); reading ends there
	CodeDuplicate    Code = "JSON_DUPLICATE"    // a member name twice in one object; reading ends there
	CodeEncoding     Code = "JSON_ENCODING"     // not UTF-8; reading ends there
	CodeXMLSyntax    Code = "XML_SYNTAX"        // not XML (XML 1.0); reading ends there
	CodeXMLEncoding  Code = "XML_ENCODING"      // not in the encoding it declares, or in one that is not known; reading ends there
	CodeDTD          Code = "XML_DTD"           // a document type definition; reading ends there
	CodeRead         Code = "READ"              // the bytes could not be read
	CodeLimit        Code = "LIMIT"             // one of the named limits
	CodeDocument     Code = "DOCUMENT_TYPE"     // neither a document nor an event
	CodeEventType    Code = "EVENT_TYPE"        // an event type that is not one of the five
	CodeMissing      Code = "MISSING"           // a member that must be there is not
	CodeType         Code = "TYPE_MISMATCH"     // a JSON value of another type than the member has
	CodeUnexpected   Code = "UNEXPECTED"        // a member that has no place here
	CodeValue        Code = "VALUE"             // a value that the member does not take
	CodeURI          Code = "URI"               // not a URI
	CodeWord         Code = "WORD"              // neither a word of the CBV nor a URI of one's own
	CodeRepeated     Code = "REPEATED"          // an element twice in a list of distinct ones
	CodeWhat         Code = "NO_OBJECT"         // nothing in the what-dimension
	CodeContextLate  Code = "CONTEXT_LATE"      // @context after the events of a stream that cannot be read again
	CodePrefix       Code = "PREFIX_UNKNOWN"    // finding: a prefix that no context declares
	CodeRedefined    Code = "TERM_REDEFINED"    // finding: a context gives a term of the standard another meaning
	CodeIdentifier   Code = "GS1_IDENTIFIER"    // finding: claims to be a GS1 identifier and is not well formed
	CodeCheckDigit   Code = "CHECK_DIGIT"       // finding: the check digit of a GS1 identifier does not match
	CodeEmpty        Code = "EMPTY"             // finding: an XML element without content, taken as not there
	CodeQuantity     Code = "QUANTITY_EVENT"    // finding: an event type of EPCIS 1.x that is read as an ObjectEvent
	CodeUnregistered Code = "MASTER_DATA_OTHER" // finding: a vocabulary that registers neither sites nor products
)

// HasErrors says whether any of the problems is an [Error].
func HasErrors(problems []Problem) bool { return ingest.HasErrors(problems) }

// problemList collects problems up to a bound.
type problemList []Problem

func (l *problemList) add(p Problem) {
	switch n := len(*l); {
	case n < maxProblems:
		*l = append(*l, p)
	case n == maxProblems:
		*l = append(*l, Problem{Code: CodeLimit, Severity: p.Severity, Message: "There are more problems like these.", Pointer: p.Pointer, Offset: p.Offset})
	}
}

// covers says whether the value at a pointer, or one around it, has a problem.
func covers(problems []Problem, pointer string) bool {
	for i := range problems {
		rest, ok := strings.CutPrefix(pointer, problems[i].Pointer)
		if ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// asProblem translates a failure of the JSON decoder or of the source.
func asProblem(err error, base int64) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var s *jsontext.SyntacticError
	if !errors.As(err, &s) {
		return &Problem{Code: CodeRead, Message: "The document could not be read: " + err.Error() + "."}
	}
	code, message := CodeSyntax, fmt.Sprintf("This is not JSON: %v.", s.Err)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		code, message = CodeDuplicate, "A member with this name was there before in the same object."
	case s.Err != nil && s.Err.Error() == "invalid UTF-8":
		code, message = CodeEncoding, "The text is not UTF-8."
	}
	return &Problem{Code: code, Message: message, Pointer: whole(string(s.JSONPointer)), Offset: base + s.ByteOffset}
}

// whole is a pointer as far as the decoder knows it: inside a value that it reads in one piece it keeps no member names.
func whole(pointer string) string {
	known, _, _ := strings.Cut(pointer, "//")
	return known
}
