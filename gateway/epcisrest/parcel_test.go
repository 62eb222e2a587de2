package epcisrest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// FuzzParcel: whatever a request says that it brings, its document and the files behind it are read to their ends, or there is a reason that the
// client is told.
func FuzzParcel(f *testing.F) {
	f.Add("application/json", `attachment; filename="a.json"`, []byte("{}"))
	f.Add("text/csv; charset=utf-8", "attachment; filename*=utf-8''%e5%8d%95.csv", []byte("a,b\n"))
	f.Add("multipart/form-data; boundary=x", "", []byte("--x\r\nContent-Disposition: form-data; name=mapping\r\n\r\nm\r\n"+
		"--x\r\nContent-Disposition: form-data; name=document; filename=a.csv\r\nContent-Type: text/csv\r\n\r\na,b\r\n"+
		"--x\r\nContent-Disposition: form-data; name=evidence; filename=a.pdf\r\n\r\n%PDF\r\n--x\r\nContent-Disposition: form-data; name=other\r\n\r\n\r\n--x--\r\n"))
	f.Fuzz(func(t *testing.T, media, disposition string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/capture?zone=UTC", bytes.NewReader(body))
		r.Header["Content-Type"], r.Header["Content-Disposition"] = []string{media}, []string{disposition}
		req, err := readParcel(r)
		var p *problem.Problem
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &p):
			if p.Status != http.StatusBadRequest && p.Status != http.StatusUnsupportedMediaType || len(p.Errors) == 0 {
				t.Errorf("%+v", p)
			}
			return
		case err != nil:
			if !errors.As(err, &large) && !errors.Is(err, io.ErrUnexpectedEOF) { // which refuse knows
				t.Error(err)
			}
			return
		}
		read, _ := io.Copy(io.Discard, req.Body) // a form that ends in the middle is an error of reading
		if req.Files != nil {
			for file := range req.Files {
				if file.Body != nil {
					n, _ := io.Copy(io.Discard, file.Body)
					read += n
				}
			}
		}
		if read > int64(len(body)) {
			t.Errorf("%d bytes of %d", read, len(body))
		}
	})
}
