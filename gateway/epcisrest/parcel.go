package epcisrest

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

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
func readParcel(w http.ResponseWriter, r *http.Request) (req capture.Request, err error) {
	if r.ContentLength > MaxBody { // before it has come
		return req, capture.ErrTooLarge
	}
	r.Body = steady(w, r.Body, senderPace)
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
	if errors.As(err, &tooLarge) || errors.Is(err, errSlow) {
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

// pace is how slowly a document may come.
type pace struct {
	stall time.Duration // nothing comes for so long
	whole time.Duration // for all of it
	grace time.Duration // from then on it must have come at
	rate  float64       // bytes a second, on average
}

// senderPace is patient with a telephone at the edge of a field, and not with who only holds a connection.
var senderPace = pace{
	stall: 30 * time.Second,
	whole: 29 * time.Minute, // the gateway gives a request half an hour; the rest is for the answer
	grace: time.Minute,
	rate:  1 << 10,
}

// errSlow: the sender is slower than the pace.
var errSlow = errors.New("epcisrest: the body comes too slowly")

// steadyBody is a body whose sender has to keep a pace.
type steadyBody struct {
	io.ReadCloser
	pace
	control *http.ResponseController
	began   time.Time
	looked  time.Time
	n       int64
}

func steady(w http.ResponseWriter, body io.ReadCloser, p pace) *steadyBody {
	return &steadyBody{ReadCloser: body, pace: p, control: http.NewResponseController(w), began: time.Now()}
}

// Read returns errSlow, or os.ErrDeadlineExceeded, when the sender is too slow.
func (s *steadyBody) Read(b []byte) (int, error) {
	now := time.Now()
	if now.Sub(s.looked) > s.stall/30 { // not at each of the many reads
		s.looked = now
		if took := now.Sub(s.began); took > s.whole || took > s.grace && float64(s.n) < s.rate*took.Seconds() {
			return 0, errSlow
		}
		_ = s.control.SetReadDeadline(now.Add(s.stall)) // where it is not supported, the gateway's own deadline holds
	}
	n, err := s.ReadCloser.Read(b)
	s.n += int64(n)
	if err != nil { // the server watches the connection while the request is answered
		_ = s.control.SetReadDeadline(s.began.Add(s.whole))
	}
	return n, err
}
