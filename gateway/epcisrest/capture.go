package epcisrest

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Capturer takes documents in. Package capture does.
type Capturer interface {
	// Receive keeps the bytes and returns the job once it is durable. Errors: capture.ErrTooLarge, ErrMediaType, ErrBusy, ErrMemberBusy,
	// *OptionsError, *FilesError.
	Receive(ctx context.Context, req capture.Request) (capture.Job, error)
	// Job returns a job of a member ("" for any), or capture.ErrNoSuchJob.
	Job(ctx context.Context, member, id string) (capture.Job, error)
	// Jobs lists at most limit jobs of a member ("" for all), newest first, and the cursor of the next page, "" at the end.
	Jobs(ctx context.Context, member, after string, limit int) (jobs []capture.Job, next string, err error)
	// Outcomes lists at most limit outcomes of a job's records, in document order, from the record with number from on.
	Outcomes(ctx context.Context, member, id string, from, limit int) ([]capture.Outcome, error)
	// AllOutcomes returns a job and yields the outcomes of all its records.
	AllOutcomes(ctx context.Context, member, id string) (capture.Job, iter.Seq2[capture.Outcome, error], error)
	// Table returns what became of a job's records as a sheet to be written.
	Table(ctx context.Context, member, id string) (*capture.Table, error)
}

// captureRoutes are the resources below /capture.
func (h *Handler) captureRoutes(r chi.Router) {
	resource(r, "/", methods{http.MethodPost: signedIn(h.receive), http.MethodGet: signedIn(h.jobs)})
	resource(r, "/{id}", methods{http.MethodGet: signedIn(h.job)})
	resource(r, "/{id}/outcomes", methods{http.MethodGet: signedIn(h.outcomes)})
	resource(r, "/{id}/outcomes.json", methods{http.MethodGet: signedIn(h.allOutcomes)})
	resource(r, "/{id}/sheet", methods{http.MethodGet: signedIn(h.sheet)})
}

// Job is a capture job as the standard says (EPCIS 2.0 REST, GET /capture/{captureID}), and our counts under foodtrace.
type Job struct {
	ID             string   `json:"captureID"`
	Created        string   `json:"createdAt"`
	Finished       string   `json:"finishedAt,omitzero"`
	Running        bool     `json:"running"`
	Success        bool     `json:"success"`
	ErrorBehaviour string   `json:"captureErrorBehaviour"` // rollback, proceed
	Errors         []Error  `json:"errors"`
	Foodtrace      Progress `json:"foodtrace"`
}

// Error is one problem of a job: a problem of the standard with its code and place.
type Error struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Field  string `json:"field,omitzero"`   // JSON pointer from the document's root, or line and column
	Event  string `json:"eventID,omitzero"` // hash of the event
}

// Progress is what became of the records so far.
type Progress struct {
	Name         string            `json:"name,omitzero"`   // of the file
	Evidence     contract.Evidence `json:"evidence"`        // the document that is kept
	Files        []File            `json:"files,omitempty"` // that came with it, and are kept
	Records      int               `json:"records"`         // whose outcome is known
	BytesRead    int64             `json:"bytesRead"`       // of the document's size, up to the last of these records
	Accepted     int               `json:"accepted"`
	Duplicates   int               `json:"duplicates"`
	Refused      int               `json:"refused"`
	Findings     []Error           `json:"findings,omitempty"` // remarks on accepted records
	MoreProblems int               `json:"moreProblems,omitzero"`
	// Block: once the index has this many blocks, it answers with everything that was captured.
	Block uint64 `json:"block"`
}

// File is a file that came with a document.
type File struct {
	contract.Evidence
	URI string `json:"uri"` // by which an event names it
}

func shown(j capture.Job) Job {
	job := Job{
		ID: j.ID, Created: stamp(j.Created), Finished: stamp(j.Finished), Running: j.Running, Success: j.Success, ErrorBehaviour: "rollback",
		Errors: []Error{},
		Foodtrace: Progress{Name: j.Name, Evidence: j.Evidence, Records: j.Through(), BytesRead: j.Read, Accepted: j.Accepted, Duplicates: j.Duplicates, Refused: j.Refused,
			MoreProblems: j.MoreProblems, Block: j.Block},
	}
	if j.Proceed {
		job.ErrorBehaviour = "proceed"
	}
	for _, f := range j.Files {
		job.Foodtrace.Files = append(job.Foodtrace.Files, File{f, event.FileURI(f.SHA256)})
	}
	for _, p := range j.Problems {
		e := Error{Type: "epcisException:ValidationException", Title: "ValidationException", Detail: p.Message, Code: p.Code, Field: p.Pointer, Event: p.Event}
		if p.Refused {
			job.Errors = append(job.Errors, e)
		} else {
			job.Foodtrace.Findings = append(job.Foodtrace.Findings, e)
		}
	}
	return job
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// receive is POST /capture: 202 with the job's address once the document is durable.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) {
	proceed, err := errorBehaviour(r.Header.Get("GS1-Capture-Error-Behaviour"))
	if err != nil {
		fail(w, r, err)
		return
	}
	req, err := readParcel(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	req.Member, req.Proceed = auth.From(r.Context()).Member, proceed
	if err := h.storedMapping(r, &req); err != nil {
		fail(w, r, err)
		return
	}
	job, err := h.capture.Receive(r.Context(), req)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Location", h.base+"/capture/"+url.PathEscape(job.ID))
	w.Header().Set("GS1-Capture-Error-Behaviour", shown(job).ErrorBehaviour)
	answer(w, r, http.StatusAccepted, shown(job))
}

// Mappings are the mapping files that members keep here: library.ErrNotFound.
type Mappings interface {
	File(ctx context.Context, member, id string) ([]byte, error)
}

// mappingHeader names a mapping file that the member keeps, by its ID; a form brings its own.
const mappingHeader = "Foodtrace-Mapping"

// storedMapping reads the mapping file that a request names.
func (h *Handler) storedMapping(r *http.Request, req *capture.Request) (err error) {
	id := r.Header.Get(mappingHeader)
	if id == "" || req.Mapping != nil {
		return nil
	}
	req.Mapping, err = h.mappings.File(r.Context(), req.Member, id)
	if errors.Is(err, library.ErrNotFound) {
		return problem.New(http.StatusBadRequest, problem.BadRequest, "The member has no mapping file with this ID.",
			problem.Item{Code: problem.InvalidField, Detail: "Send the ID that POST /api/v1/mappings has answered.", Field: mappingHeader})
	}
	return err
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	var options *capture.OptionsError
	var files *capture.FilesError
	switch {
	case errors.As(err, &files):
		status, code := http.StatusBadRequest, problem.BadRequest
		if files.Has(capture.CodeFileTooLarge) || files.Has(capture.CodeFileTooMany) {
			status, code = http.StatusRequestEntityTooLarge, problem.TooLarge
		}
		err = problem.New(status, code, "Files that came with the document cannot be taken, so the document was not.", items(files.Problems)...)
	case errors.As(err, &options):
		err = problem.New(http.StatusBadRequest, problem.BadRequest, "The document cannot be read as you want it to be.", items(options.Problems)...)
	case errors.Is(err, capture.ErrTooLarge), errors.As(err, &tooLarge):
		setLimits(w.Header())
		err = problem.New(http.StatusRequestEntityTooLarge, problem.TooLarge, "The document is larger than is taken here. Cut it into several.")
	case errors.Is(err, capture.ErrMediaType):
		err = problem.New(http.StatusUnsupportedMediaType, problem.MediaTypeBad, "This is nothing that can be captured. Send EPCIS as JSON or XML, or a sheet as CSV or XLSX.")
	case errors.Is(err, capture.ErrMemberBusy):
		err = problem.Often("Many documents of this member are waiting already, and this one was not kept. Send it again when some of them are through.")
	case errors.Is(err, capture.ErrBusy):
		err = problem.Later("Too many documents are waiting. Send it again in a moment.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = problem.New(http.StatusBadRequest, problem.BadRequest, "The document broke off before its end, and nothing of it was kept. Send it again.")
	}
	fail(w, r, err)
}

func items(problems []ingest.Problem) (list []problem.Item) {
	for _, p := range problems {
		list = append(list, problem.Item{Code: string(p.Code), Detail: p.Message, Field: p.Pointer})
	}
	return list
}

func errorBehaviour(header string) (proceed bool, err error) {
	switch header {
	case "", "rollback":
		return false, nil
	case "proceed":
		return true, nil
	}
	return false, problem.New(http.StatusBadRequest, problem.BadRequest, "The error behaviour is not known.",
		problem.Item{Code: problem.InvalidField, Detail: "Send rollback or proceed.", Field: "GS1-Capture-Error-Behaviour"})
}

// member is whose jobs are shown: a regulator sees all.
func member(r *http.Request) string {
	p := auth.From(r.Context())
	if p.Role == contract.Regulator {
		return ""
	}
	return p.Member
}

// noJob answers with why there is nothing to say of a job.
func noJob(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, capture.ErrNoSuchJob) {
		err = problem.New(http.StatusNotFound, problem.NotFound, "There is no such capture job.")
	}
	fail(w, r, err)
}

// awaitIndex is how long the end of a job is held back until its records can be traced. They are final either way.
const awaitIndex = 5 * time.Second

// job is GET /capture/{id}.
func (h *Handler) job(w http.ResponseWriter, r *http.Request) {
	job, err := h.capture.Job(r.Context(), member(r), pathValue(r, "id"))
	if err != nil {
		noJob(w, r, err)
		return
	}
	if !job.Running && job.Block > 0 {
		wait, cancel := context.WithTimeout(r.Context(), awaitIndex)
		defer cancel()
		h.Views.Await(wait, job.Block-1)
	}
	answer(w, r, http.StatusOK, shown(job))
}

// jobs is GET /capture: newest first, with a Link to the next page (RFC 8288).
func (h *Handler) jobs(w http.ResponseWriter, r *http.Request) {
	page, err := h.listPage(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	jobs, next, err := h.capture.Jobs(r.Context(), member(r), page.After, page.Limit)
	if err != nil {
		fail(w, r, err)
		return
	}
	h.next(w, r, page, next)
	list := make([]Job, len(jobs))
	for i, j := range jobs {
		list[i] = shown(j)
	}
	answer(w, r, http.StatusOK, list)
}

// number reads a parameter that is a whole number of at least least.
func number(r *http.Request, name string, absent, least int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, exception(http.StatusBadRequest, "QueryParameterException", problem.BadRequest, "A parameter is not a number that makes sense.",
			problem.Item{Code: problem.InvalidField, Detail: "Send a whole number from " + strconv.Itoa(least) + " on.", Field: name})
	}
	return n, nil
}

// pathValue is a decoded part of the path: the gateway routes by the path as it was sent.
func pathValue(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// MaxBody bounds the bytes of a request.
const MaxBody = capture.MaxDocument
