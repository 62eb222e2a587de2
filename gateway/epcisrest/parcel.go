package epcisrest

import (
	"errors"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"os"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// The media types of what can be captured beside EPCIS. Some programs call CSV what Excel was called.
const (
	csvMedia   = "text/csv"
	tsvMedia   = "text/tab-separated-values"
	xlsxMedia  = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	excelMedia = "application/vnd.ms-excel"
	formMedia  = "multipart/form-data"
)

// The fields of a form, in the order in which they come: how to read a sheet, the document, and the files that its events name.
const (
	mappingField  = "mapping"
	documentField = "document"
	evidenceField = "evidence"
)

// readParcel begins to read what POST /capture brings: a document; or a form. The parameters zone and dates say how to read the dates of a sheet. What the label says must be something that can be captured; the content itself is looked at by the capturer.
func readParcel(r *http.Request) (req capture.Request, err error) {
	if r.ContentLength > MaxBody { // before it has come
		return req, capture.ErrTooLarge
	}
	req = capture.Request{ContentType: r.Header.Get("Content-Type"), Body: r.Body, Zone: r.URL.Query().Get("zone"), Dates: r.URL.Query().Get("dates")}
	media, _, err := mime.ParseMediaType(req.ContentType)
	if err != nil {
		media = ""
	}
	switch media {
	case jsonMedia, ldMedia, xmlMedia, textXML, csvMedia, tsvMedia, xlsxMedia, excelMedia:
		req.Name = fileName(r)
		return req, nil
	case formMedia:
		err = readForm(r, &req)
		return req, err
	}
	return req, problem.New(http.StatusUnsupportedMediaType, problem.MediaTypeBad,
		"Send EPCIS as application/json, application/ld+json, application/xml or text/xml, a sheet as text/csv or "+xlsxMedia+", or a form with a document, and its mapping or evidence.",
		problem.Item{Code: problem.MediaTypeBad, Detail: "The media type cannot be captured.", Field: "Content-Type"})
}

// readForm reads a form up to its document; the files behind it are read after the document.
func readForm(r *http.Request, req *capture.Request) error {
	form, err := r.MultipartReader()
	if err != nil {
		return noDocument()
	}
	var strange []problem.Item
	for {
		part, err := form.NextPart()
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err != nil {
			return noDocument(strange...)
		}
		switch part.FormName() {
		case documentField:
			if len(strange) > 0 {
				return problem.New(http.StatusBadRequest, problem.BadRequest, "The form has parts that are not known, or come too early.", strange...)
			}
			req.Name, req.Body, req.Files = part.FileName(), part, filesOf(form)
			return nil
		case mappingField:
			if req.Mapping, err = io.ReadAll(http.MaxBytesReader(nil, part, capture.MaxMapping)); err != nil {
				return err
			}
		default:
			if len(strange) < maxStrange {
				strange = append(strange, problem.Item{Code: problem.InvalidField, Detail: formOrder, Field: ingest.Clip(part.FormName())})
			}
		}
	}
}

// maxStrange bounds the parts of a form that are complained about.
const maxStrange = 20

const formOrder = "A form has the file fields mapping (if any), document, and evidence (any number of them), in this order."

func noDocument(items ...problem.Item) error {
	return problem.New(http.StatusBadRequest, problem.BadRequest, "The form has no document.",
		append([]problem.Item{{Code: problem.InvalidField, Detail: formOrder, Field: documentField}}, items...)...)
}

// filesOf yields the files behind the document of a form. Each part that is none is a problem of its own.
func filesOf(form *multipart.Reader) iter.Seq2[capture.File, error] {
	return func(yield func(capture.File, error) bool) {
		strange := 0
		for {
			part, err := form.NextPart()
			switch {
			case err == io.EOF: // as it is: wrapped, it is that of a form without its end
				return
			case errors.Is(err, io.EOF):
				yield(capture.File{}, io.ErrUnexpectedEOF)
				return
			case err != nil:
				yield(capture.File{}, err)
				return
			case part.FormName() == evidenceField:
				if !yield(capture.File{Name: part.FileName(), Body: part}, nil) {
					return
				}
			default:
				if strange++; strange > maxStrange {
					continue
				}
				if !yield(capture.File{}, &ingest.Problem{Code: ingest.Code(problem.InvalidField), Message: formOrder, Pointer: ingest.Clip(part.FormName())}) {
					return
				}
			}
		}
	}
}

// fileName is the name that the sender gave the document, if any (RFC 6266).
func fileName(r *http.Request) string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}
