package epcisrest

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
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

// readParcel begins to read what POST /capture brings: a document; or a form with the fields mapping (how to read a sheet) and document, in
// this order. The parameters zone and dates say how to read the dates of a sheet. What the label says must be something that can be captured; the content itself is looked at by the capturer.
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
		"Send EPCIS as application/json, application/ld+json, application/xml or text/xml, a sheet as text/csv or "+xlsxMedia+", or a form with a mapping and a document.",
		problem.Item{Code: problem.MediaTypeBad, Detail: "The media type cannot be captured.", Field: "Content-Type"})
}

// readForm reads a form up to its document.
func readForm(r *http.Request, req *capture.Request) error {
	form, err := r.MultipartReader()
	for err == nil {
		var part *multipart.Part
		if part, err = form.NextPart(); err != nil {
			break
		}
		switch part.FormName() {
		case "document":
			req.Name, req.Body = part.FileName(), part
			return nil
		case "mapping":
			req.Mapping, err = io.ReadAll(http.MaxBytesReader(nil, part, capture.MaxMapping))
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return problem.New(http.StatusBadRequest, problem.BadRequest, "The form has no document.",
		problem.Item{Code: problem.InvalidField, Detail: "Send a form with the file fields mapping (if any) and document, in this order.", Field: "document"})
}

// fileName is the name that the sender gave the document, if any (RFC 6266).
func fileName(r *http.Request) string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}
