package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

const (
	// MaxEvidence bounds an uploaded file: a long laboratory report with pictures, or a minute of video.
	MaxEvidence = 100 << 20 // bytes
	// directValidity is how long the address of a direct download works. Clients follow a redirect at once, and what has
	// begun may last longer.
	directValidity = 2 * time.Minute
)

// created declares that an operation answers 201.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// evidence adds the upload and download of files. They are streamed, so huma only documents them.
func (s *service) evidence(r chi.Router) {
	upload := created(operation("uploadEvidence", http.MethodPost, "/evidence", "Keep a file that an act will name by its digest", "Evidence"))
	upload.Description = "The body is the file, or multipart/form-data with the file in the part \"file\". The answer is what goes into the act's evidence list."
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	upload.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": binary, "multipart/form-data": {
		Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": binary.Schema}}}}}
	upload.Parameters = []*huma.Param{{Name: "name", In: "query", Description: "File name, if the body is the file", Schema: &huma.Schema{Type: huma.TypeString}}}
	s.answers(&upload, http.StatusCreated, "application/json", s.api.OpenAPI().Components.Schemas.Schema(typeOf[contract.Evidence](), true, ""))
	download := operation("getEvidence", http.MethodGet, "/evidence/{sha256}", "A file that a record names", "Evidence")
	download.Description = "The bytes are compared with the digest on their way; the answer breaks off when they differ. With direct=true, the answer may be a " +
		"redirect to the store of the files, where they come faster and nobody compares: do it yourself, the digest is what you asked for."
	download.Parameters = []*huma.Param{
		{Name: "sha256", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Pattern: digest.String()}},
		{Name: "record", In: "query", Description: "ID of an event, inspection or hold that names the file and that you may see; a regulator may leave it out", Schema: &huma.Schema{Type: huma.TypeString}},
		{Name: "direct", In: "query", Description: "true: a redirect to the store of the files is welcome, where there is one for clients", Schema: &huma.Schema{Type: huma.TypeBoolean}},
	}
	s.answers(&download, http.StatusOK, "application/octet-stream", binary.Schema)
	download.Responses[statusText(http.StatusTemporaryRedirect)] = &huma.Response{Description: "Where the file is, for two minutes; only with direct=true",
		Headers: map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	r.Post(upload.Path, handle(s.upload))
	r.Get(download.Path, handle(s.download))
}

// answers completes an operation that huma does not serve, and adds it to the document.
func (s *service) answers(op *huma.Operation, status int, media string, schema *huma.Schema) {
	op.Path = Base + op.Path
	op.Responses = map[string]*huma.Response{statusText(status): {Description: http.StatusText(status), Content: map[string]*huma.MediaType{media: {Schema: schema}}}}
	s.document(op)
	s.api.OpenAPI().AddOperation(op)
}

func handle(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil {
			return
		}
		err = translate(r.Context(), err)
		var h huma.HeadersError
		if errors.As(err, &h) {
			for name, values := range h.GetHeaders() {
				w.Header()[name] = values
			}
		}
		problem.Write(w, r, err)
	}
}

func (s *service) upload(w http.ResponseWriter, r *http.Request) error {
	if err := auth.Require(r.Context()); err != nil {
		return err
	}
	file, err := openUpload(r)
	if err != nil {
		return err
	}
	ref := contract.Evidence{MediaType: file.mediaType, Name: file.name}
	ref.SHA256, ref.Size, err = s.Evidence.Put(r.Context(), file.body, MaxEvidence)
	var tooLarge *http.MaxBytesError
	if errors.Is(err, evidence.ErrTooLarge) || errors.As(err, &tooLarge) {
		return problem.New(http.StatusRequestEntityTooLarge, problem.TooLarge, "A file may have at most "+strconv.Itoa(MaxEvidence)+" bytes.")
	}
	if err != nil {
		return err
	}
	if ref.Size == 0 {
		return problem.New(http.StatusBadRequest, problem.BadRequest, "The file is empty.")
	}
	body, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", Base+"/evidence/"+ref.SHA256)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // a client that left is not an error
	return nil
}

type upload struct {
	body            io.Reader
	name, mediaType string
}

// maxName bounds a file's name: what file systems allow.
const maxName = 255 // bytes

// openUpload finds the file in the request without reading it.
func openUpload(r *http.Request) (upload, error) {
	u := upload{body: r.Body, name: r.URL.Query().Get("name"), mediaType: r.Header.Get("Content-Type")}
	if media, _, _ := mime.ParseMediaType(u.mediaType); media == "multipart/form-data" {
		parts, err := r.MultipartReader()
		if err != nil {
			return upload{}, problem.New(http.StatusBadRequest, problem.BadRequest, "The multipart body cannot be read.")
		}
		for {
			part, err := parts.NextPart()
			if err != nil {
				return upload{}, problem.New(http.StatusBadRequest, problem.BadRequest, "There is no file in the part \"file\".",
					problem.Item{Code: problem.InvalidField, Detail: "Send the file in this part.", Field: "file"})
			}
			if part.FormName() == "file" {
				u = upload{body: part, name: part.FileName(), mediaType: part.Header.Get("Content-Type")}
				break
			}
		}
	}
	if len(u.name) > maxName {
		return upload{}, problem.New(http.StatusBadRequest, problem.BadRequest, "The file name is too long.",
			problem.Item{Code: problem.InvalidField, Detail: "At most 255 bytes.", Field: "name"})
	}
	if _, _, err := mime.ParseMediaType(u.mediaType); err != nil {
		u.mediaType = "application/octet-stream"
	}
	return u, nil
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (s *service) download(w http.ResponseWriter, r *http.Request) error {
	sum := chi.URLParam(r, "sha256")
	if !digest.MatchString(sum) {
		return problem.New(http.StatusBadRequest, problem.BadRequest, "This is not a SHA-256 digest.",
			problem.Item{Code: problem.InvalidField, Detail: "64 lower-case hexadecimal digits.", Field: "sha256"})
	}
	ref, err := s.reference(r.Context(), sum, r.URL.Query().Get("record"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-store")
	switch r.URL.Query().Get("direct") {
	case "", "false":
	case "true":
		if done, err := s.redirect(w, r, sum, ref.Name); done || err != nil {
			return err
		}
	default:
		return problem.New(http.StatusBadRequest, problem.BadRequest, "This is neither true nor false.",
			problem.Item{Code: problem.InvalidField, Detail: "Send true or false, or leave it out.", Field: "direct"})
	}
	file, err := s.Evidence.Open(r.Context(), sum)
	if err != nil {
		return err
	}
	defer file.Close()
	// Never shown by a browser as a page of ours: somebody else made it.
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", attachment(ref.Name, sum))
	if ref.Size > 0 {
		h.Set("Content-Length", strconv.FormatInt(ref.Size, 10))
	}
	if _, err := io.Copy(w, file); err != nil {
		panic(http.ErrAbortHandler) // damaged, or the client left: nobody takes a part for the whole
	}
	return nil
}

// redirect sends a client that may have the file to the store, if that is set up for clients. The address is for this one
// client: nothing keeps or passes it on.
func (s *service) redirect(w http.ResponseWriter, r *http.Request, sum, name string) (done bool, err error) {
	store, ok := s.Evidence.(evidence.Presigner)
	if !ok {
		return false, nil
	}
	address, err := store.PresignedURL(r.Context(), sum, cmp.Or(name, sum), directValidity)
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true, nil
}

func attachment(name, sum string) string {
	return "attachment; filename*=UTF-8''" + url.PathEscape(cmp.Or(name, sum))
}

// reference finds the record that names the file, in what the principal sees. Who may read a record in full may read its files.
func (s *service) reference(ctx context.Context, sum, record string) (contract.Evidence, error) {
	if record == "" {
		if err := auth.Require(ctx, contract.Regulator); err != nil {
			return contract.Evidence{}, err
		}
		return contract.Evidence{}, nil
	}
	files, err := filesOf(ctx, s.views(ctx), record)
	if err != nil {
		return contract.Evidence{}, err
	}
	for _, f := range files {
		if f.SHA256 == sum {
			return f, nil
		}
	}
	return contract.Evidence{}, index.ErrNotFound
}

func filesOf(ctx context.Context, v *view.View, record string) ([]contract.Evidence, error) {
	e, err := v.Event(ctx, record)
	if err == nil || !errors.Is(err, index.ErrNotFound) {
		return e.Evidence, err
	}
	i, err := v.Inspection(ctx, record)
	if err == nil || !errors.Is(err, index.ErrNotFound) {
		return i.Evidence, err
	}
	h, err := v.Hold(ctx, record)
	return h.Evidence, err
}
