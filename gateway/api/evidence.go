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
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

const (
	// maxShown bounds a file that is shown instead of handed out: it is read twice, and a browser holds it as a whole.
	maxShown = 32 << 20 // bytes
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
	upload.Description = "The body is the file, or multipart/form-data with the file in the part \"file\". The answer is what goes into the act's evidence list. " +
		"An event names the file in certificationInfo, or in a bizTransaction of type cert or testres, as ni:///sha-256; and the digest. The media type is what the bytes are, whatever they are called."
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
		{Name: "inline", In: "query", Description: "true: to be shown in a browser, if it is a picture (JPEG, PNG, WebP) or a PDF document and holds nothing else; it comes as an attachment otherwise", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		{Name: "direct", In: "query", Description: "true: a redirect to the store of the files is welcome, where there is one for clients", Schema: &huma.Schema{Type: huma.TypeBoolean}},
	}
	s.answers(&download, http.StatusOK, content.Unknown, binary.Schema)
	for _, shown := range content.Shown {
		download.Responses[statusText(http.StatusOK)].Content[shown] = binary
	}
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
	ref, err := content.Keep(r.Context(), s.Evidence, file.name, file.body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, evidence.ErrTooLarge), errors.As(err, &tooLarge):
		return problem.New(http.StatusRequestEntityTooLarge, problem.TooLarge, "A file may have at most "+strconv.Itoa(content.MaxFile)+" bytes.")
	case errors.Is(err, content.ErrEmpty):
		return problem.New(http.StatusBadRequest, problem.BadRequest, "The file is empty.")
	case errors.Is(err, content.ErrName):
		return problem.New(http.StatusBadRequest, problem.BadRequest, "The file name is too long.",
			problem.Item{Code: problem.InvalidField, Detail: "At most " + strconv.Itoa(content.MaxName) + " bytes.", Field: "name"})
	case err != nil:
		return err
	}
	answer, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", Base+"/evidence/"+ref.SHA256)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(answer) // a client that left is not an error
	return nil
}

type upload struct {
	body io.Reader
	name string
}

// openUpload finds the file in the request without reading it.
func openUpload(r *http.Request) (upload, error) {
	u := upload{r.Body, r.URL.Query().Get("name")}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "multipart/form-data" {
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
				u = upload{part, part.FileName()}
				break
			}
		}
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
	direct, err := asked(r, "direct")
	if err != nil {
		return err
	}
	inline, err := asked(r, "inline")
	if err != nil {
		return err
	}
	if direct {
		if done, err := s.redirect(w, r, sum, ref.Name); done || err != nil {
			return err
		}
	}
	if ref.Size, err = s.Evidence.Stat(r.Context(), sum); err != nil {
		return err
	}
	if inline {
		if inline, err = s.show(r.Context(), h, ref); err != nil {
			return err
		}
	}
	file, err := s.Evidence.Open(r.Context(), sum)
	if err != nil {
		return err
	}
	defer file.Close()
	if !inline { // never shown by a browser as a page of ours: somebody else made it
		h.Set("Content-Type", content.Unknown)
		h.Set("Content-Disposition", disposition("attachment", ref))
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.FormatInt(ref.Size, 10))
	if _, err := io.Copy(w, file); err != nil {
		panic(http.ErrAbortHandler) // damaged, or the client left: nobody takes a part for the whole
	}
	return nil
}

// asked reads a parameter that is true, false or absent.
func asked(r *http.Request, name string) (bool, error) {
	switch r.URL.Query().Get(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, problem.New(http.StatusBadRequest, problem.BadRequest, "This is neither true nor false.",
		problem.Item{Code: problem.InvalidField, Detail: "Send true or false, or leave it out.", Field: name})
}

// What is shown does nothing: no script, no form, no other origin's data, no page around it. Browsers show PDF documents in a viewer of
// their own, which a sandbox would keep out.
const (
	shownPolicy   = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'"
	picturePolicy = shownPolicy + "; sandbox"
	pdfPolicy     = shownPolicy + "; object-src 'self'"
)

// show sets the headers with which a browser shows a file, if its bytes are such that it may.
func (s *service) show(ctx context.Context, h http.Header, ref contract.Evidence) (bool, error) {
	if ref.Size > maxShown {
		return false, nil
	}
	file, err := s.Evidence.Open(ctx, ref.SHA256)
	if err != nil {
		return false, err
	}
	defer file.Close()
	media, show, err := content.Examine(file)
	if err != nil || !show {
		return false, err
	}
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", disposition("inline", ref))
	h.Set("Content-Security-Policy", pdfPolicy)
	if content.IsPicture(media) {
		h.Set("Content-Security-Policy", picturePolicy)
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, max-age=3600") // the bytes never change
	return true, nil
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

// disposition says how a file comes (RFC 6266). Its name is the sender's, without what could be a folder.
func disposition(how string, f contract.Evidence) string {
	name := strings.NewReplacer("/", "_", "\\", "_").Replace(cmp.Or(f.Name, f.SHA256))
	return how + "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") // RFC 8187 has fewer plain characters than a path
}

// reference finds the record that names the file, in what the principal sees. Who may read a record in full may read its files.
func (s *service) reference(ctx context.Context, sum, record string) (contract.Evidence, error) {
	if record == "" {
		if err := auth.Require(ctx, contract.Regulator); err != nil {
			return contract.Evidence{}, err
		}
		return contract.Evidence{SHA256: sum}, nil
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
		return view.Files(e), err
	}
	i, err := v.Inspection(ctx, record)
	if err == nil || !errors.Is(err, index.ErrNotFound) {
		return i.Evidence, err
	}
	h, err := v.Hold(ctx, record)
	return h.Evidence, err
}
