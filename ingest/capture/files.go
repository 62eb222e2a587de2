package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
)

// MaxFiles bounds the files that come with one document, of at most content.MaxFile bytes each: as many as an act may name.
const MaxFiles = 50

// maxKnown bounds how many of the files that a document's events name are remembered: another one is looked for again each time.
const maxKnown = 10_000

// The codes of what is said of files.
const (
	CodeFileTooLarge  ingest.Code = "EVIDENCE_TOO_LARGE" // more than content.MaxFile bytes
	CodeFileEmpty     ingest.Code = "EVIDENCE_EMPTY"
	CodeFileName      ingest.Code = "EVIDENCE_NAME"      // longer than content.MaxName
	CodeFileTooMany   ingest.Code = "EVIDENCE_TOO_MANY"  // more than MaxFiles
	codeFileMissing   ingest.Code = "EVIDENCE_MISSING"   // an event names a file that is not kept here
	codeFileUnclaimed ingest.Code = "EVIDENCE_NOT_NAMED" // a file came with a document of which no event names it
)

// File is a file that comes with a document.
type File struct {
	Name string // for people; may be empty
	Body io.Reader
}

// FilesError says which of the files that came with a document cannot be taken, and why; the place of each problem is its field.
type FilesError struct{ Problems []ingest.Problem }

func (e *FilesError) Error() string { return "capture: " + e.Problems[0].Error() }

// Has reports whether one of the problems has the code.
func (e *FilesError) Has(code ingest.Code) bool {
	return slices.ContainsFunc(e.Problems, func(p ingest.Problem) bool { return p.Code == code })
}

// keepFiles keeps the files that come with a document, and returns what they are once all are durable; *FilesError with all problems. A file
// that comes twice is listed once.
func (s *Service) keepFiles(ctx context.Context, files iter.Seq2[File, error]) (list []contract.Evidence, err error) {
	if files == nil {
		return nil, nil
	}
	var problems []ingest.Problem
	n := 0
	for f, err := range files {
		var wrong *ingest.Problem
		if errors.As(err, &wrong) {
			problems = append(problems, *wrong)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("capture: reading the files of the document: %w", err)
		}
		place := filePlace(n)
		if n++; n > MaxFiles {
			problems = append(problems, ingest.Problem{Code: CodeFileTooMany, Pointer: place, Message: fmt.Sprintf("At most %d files may come with a document", MaxFiles)})
			break // and read no more
		}
		ref, err := content.Keep(ctx, s.Evidence, f.Name, f.Body)
		if wrong, err := unfit(f.Name, err); err != nil {
			return nil, fmt.Errorf("capture: keeping the files of the document: %w", err)
		} else if wrong != nil {
			wrong.Pointer = place
			problems = append(problems, *wrong)
			continue
		}
		if !slices.ContainsFunc(list, func(e contract.Evidence) bool { return e.SHA256 == ref.SHA256 }) {
			list = append(list, ref)
		}
	}
	if len(problems) > 0 {
		return nil, &FilesError{problems}
	}
	return list, nil
}

// filePlace is the field of a file that came with a document.
func filePlace(n int) string { return "evidence[" + strconv.Itoa(n) + "]" }

// unfit returns why a file cannot be taken, as far as it is the file's fault.
func unfit(name string, err error) (*ingest.Problem, error) {
	name = strconv.Quote(ingest.Clip(name))
	switch {
	case errors.Is(err, evidence.ErrTooLarge):
		return &ingest.Problem{Code: CodeFileTooLarge, Message: fmt.Sprintf("The file %s has more than %d bytes", name, content.MaxFile)}, nil
	case errors.Is(err, content.ErrEmpty):
		return &ingest.Problem{Code: CodeFileEmpty, Message: fmt.Sprintf("The file %s is empty", name)}, nil
	case errors.Is(err, content.ErrName):
		return &ingest.Problem{Code: CodeFileName, Message: fmt.Sprintf("The file name %s has more than %d bytes", name, content.MaxName)}, nil
	}
	return nil, err
}

// named is what a run knows of the files that its document's events name.
type named struct {
	known   map[string]*contract.Evidence // by digest; nil: not kept here
	claimed map[string]bool               // digests of files that came with the document, and that an event names
}

// claim notes which of the files that came with the document a record names.
func (r *run) claim(record *contract.Record) {
	if record == nil || record.Event == nil || len(r.job.Files) == 0 {
		return
	}
	for _, sum := range record.Event.Files() {
		if slices.ContainsFunc(r.job.Files, func(f contract.Evidence) bool { return f.SHA256 == sum }) {
			r.files.claimed[sum] = true
		}
	}
}

// unclaimed says which files came with the document although none of its events names them.
func (r *run) unclaimed() (list []ingest.Problem) {
	for i, f := range r.job.Files {
		if !r.files.claimed[f.SHA256] {
			list = append(list, ingest.Problem{Code: codeFileUnclaimed, Severity: ingest.Finding, Pointer: filePlace(i),
				Message: fmt.Sprintf("no event of the document names the file %s, which it does by %s in certificationInfo", strconv.Quote(f.Name), event.FileURI(f.SHA256))})
		}
	}
	return list
}

// describeFiles adds to a record what is known of the files that its event names, and returns a remark for each that is not kept here. Other
// members keep files of their own, so it is no more than a remark. The error is that of a store that is away.
func (r *run) describeFiles(ctx context.Context, record *contract.Record) (problems []ingest.Problem, err error) {
	if record == nil || record.Event == nil {
		return nil, nil
	}
	for _, sum := range record.Event.Files() {
		ref, err := r.file(ctx, sum)
		if err != nil {
			return nil, err
		}
		if ref == nil {
			problems = append(problems, ingest.Problem{Code: codeFileMissing, Severity: ingest.Finding, Pointer: r.doc.Places()[0],
				Message: fmt.Sprintf("the event names a file that is not kept here: %s; send it to /api/v1/evidence, or with the document", event.FileURI(sum))})
		} else if len(record.Evidence) < contract.MaxEvidence { // what names more is no reason to refuse the event
			record.Evidence = append(record.Evidence, *ref)
		}
	}
	return problems, nil
}

// file returns what a record says of a file, nil if it is not kept here.
func (r *run) file(ctx context.Context, sum string) (*contract.Evidence, error) {
	for i := range r.job.Files {
		if r.job.Files[i].SHA256 == sum {
			return &r.job.Files[i], nil
		}
	}
	if ref, ok := r.files.known[sum]; ok {
		return ref, nil
	}
	found, err := content.Read(ctx, r.Evidence, sum)
	ref := &found
	switch {
	case errors.Is(err, evidence.ErrNotFound):
		ref = nil
	case err != nil && !errors.Is(err, evidence.ErrDamaged): // which verify says
		return nil, fmt.Errorf("capture: looking for the files that events name: %w", err)
	}
	if len(r.files.known) >= maxKnown {
		clear(r.files.known)
	}
	r.files.known[sum] = ref
	return ref, nil
}
