package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// troubled is a ledger whose answers to a submission are set.
type troubled struct {
	gateway.Ledger
	receipt ledger.Receipt
	err     error
}

func (l *troubled) Submit(context.Context, ledger.Signer, *contract.Batch) (ledger.Receipt, error) {
	return l.receipt, l.err
}

func TestWhatTheLedgerSaysOfAnAct(t *testing.T) {
	trouble := &troubled{}
	w := newWorld(t, func(c *gateway.Config) { trouble.Ledger, c.Ledger = c.Ledger, trouble })
	refused := func(code contract.Code) ledger.Receipt {
		return ledger.Receipt{Outcomes: []contract.Outcome{{Status: contract.Refused, Findings: []contract.Finding{{Code: code, Message: "why", Place: "/hold/item"}}}}}
	}
	for _, c := range []struct {
		name    string
		receipt ledger.Receipt
		err     error
		status  int
		code    string
		field   string
	}{
		{"refused before ordering", ledger.Receipt{}, fmt.Errorf("%w: x", ledger.ErrRefused), 422, "REFUSED", ""},
		{"too few peers", ledger.Receipt{}, fmt.Errorf("%w: %w", ledger.ErrNotOrdered, ledger.ErrFewPeers), 503, "UNAVAILABLE", ""},
		{"not ordered", ledger.Receipt{}, ledger.ErrNotOrdered, 503, "UNAVAILABLE", ""},
		{"closed", ledger.Receipt{}, ledger.ErrClosed, 503, "UNAVAILABLE", ""},
		{"invalidated", ledger.Receipt{}, ledger.ErrInvalidated, 503, "UNAVAILABLE", ""},
		{"unknown", ledger.Receipt{}, &ledger.UnknownError{TxID: "abc123", Err: errors.New("secret detail")}, 503, "UNAVAILABLE", ""},
		{"anything else", ledger.Receipt{}, errors.New("secret detail"), 500, "INTERNAL", ""},
		{"no outcome", ledger.Receipt{}, nil, 500, "INTERNAL", ""},
		{"role", refused(contract.CodeRoleRequired), nil, 403, "REFUSED", "/hold/item"},
		{"released", refused(contract.CodeHoldReleased), nil, 409, "REFUSED", "/hold/item"},
		{"undecided", refused(contract.CodeHoldUndecided), nil, 503, "UNAVAILABLE", ""},
		{"class", refused(contract.CodeItemIsClass), nil, 422, "REFUSED", "/hold/item"},
	} {
		trouble.receipt, trouble.err = c.receipt, c.err
		res := w.ask(http.MethodPost, "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{"en":"x"}}`, append(w.as(w.story.Inspector), "Content-Type", "application/json")...)
		checkProblem(t, c.name, res, c.status, c.code, c.field)
		if strings.Contains(res.Body.String(), "secret") || (c.status == 503) != (res.Header().Get("Retry-After") != "") {
			t.Errorf("%s: %v %s", c.name, res.Header(), res.Body)
		}
		if c.name == "too few peers" && !strings.Contains(res.Body.String(), "Too few members' peers endorse it") {
			t.Errorf("the reason is not said: %s", res.Body)
		}
		if c.name == "unknown" && !strings.Contains(res.Body.String(), "abc123") {
			t.Errorf("the transaction is not named: %s", res.Body)
		}
	}
	trouble.receipt = ledger.Receipt{Outcomes: []contract.Outcome{{ID: "hold-1", Status: contract.Duplicate}}}
	trouble.err = nil
	if res := w.ask(http.MethodPost, "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{"en":"x"}}`, append(w.as(w.story.Inspector), "Content-Type", "application/json")...); res.Code != 200 {
		t.Errorf("a duplicate: %d", res.Code)
	}
}

// full is a capturer that takes nothing.
type full struct {
	epcisrest.Capturer
	err error
}

func (f *full) Receive(context.Context, capture.Request) (capture.Job, error) {
	return capture.Job{}, f.err
}

func TestWhyADocumentIsNotTaken(t *testing.T) {
	f := &full{}
	w := newWorld(t, func(c *gateway.Config) { f.Capturer, c.Capture = c.Capture, f })
	for _, c := range []struct {
		err    error
		status int
		code   string
		header string
	}{
		{fmt.Errorf("x: %w", capture.ErrTooLarge), 413, "TOO_LARGE", "GS1-EPCIS-Capture-File-Size-Limit"},
		{&http.MaxBytesError{Limit: 1}, 413, "TOO_LARGE", "GS1-EPCIS-Capture-Limit"},
		{capture.ErrMediaType, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{capture.ErrBusy, 503, "UNAVAILABLE", "Retry-After"},
		{errors.New("secret detail"), 500, "INTERNAL", ""},
	} {
		f.err = c.err
		res := w.ask(http.MethodPost, "/epcis/capture", "{}", append(w.as(w.story.Producer), "Content-Type", "application/json")...)
		name := "/epcis " + c.code
		if c.status == 503 { // the standard has no type for it
			name = "busy"
		}
		checkProblem(t, name, res, c.status, c.code, "")
		if c.header != "" && res.Header().Get(c.header) == "" || strings.Contains(res.Body.String(), "secret") {
			t.Errorf("%v: %v %s", c.err, res.Header(), res.Body)
		}
	}
}

// With rollback, the standard's default, one refused record refuses the document, and the job says why.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	producer := w.as(w.story.Producer)
	elsewhere := strings.Replace(document, "SITE", "https://id.gs1.org/414/6900402000018", 1) // a shop's
	res := w.ask(http.MethodPost, "/epcis/capture", elsewhere, append(producer, "Content-Type", "application/json", "Content-Disposition", `attachment; filename="mine.jsonld"`)...)
	if res.Code != http.StatusAccepted {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	job := w.waitForJob(res.Header().Get("Location"), producer)
	if job.Success || job.ErrorBehaviour != "rollback" || job.Foodtrace.Accepted != 0 || job.Foodtrace.Name != "mine.jsonld" {
		t.Errorf("%+v", job)
	}
	if len(job.Errors) == 0 || job.Errors[0].Type != "epcisException:ValidationException" || job.Errors[0].Code != string(contract.CodeNotYourSite) {
		t.Errorf("%+v", job.Errors)
	}
}

// A lot that only an inspection names has a page; one made of many things has a picture that counts what it leaves out.
func TestOddPages(t *testing.T) {
	w := newWorld(t)
	agency := append(w.as(w.story.Inspector), "Content-Type", "application/json")
	const inspected = "urn:example:lot:1"
	decode[written](t, w.ask(http.MethodPost, "/api/v1/inspections", `{"item":"`+inspected+`","kind":"<i>odd</i>","result":"inconclusive","inspector":"A / B"}`, agency...), 201)
	body := w.ask(http.MethodGet, view.Path(inspected)+"?lang=en", "", "Accept", "text/html").Body.String()
	for _, want := range []string{"Nothing is on record yet of the way", "Not conclusive", "&lt;i&gt;odd&lt;/i&gt;", inspected} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}

	site := w.story.Registration.Sites[0]
	made := &event.Event{Type: event.Transformation, Time: eventTime(storyTime), TimeZoneOffset: "+08:00", ReadPoint: &event.Place{ID: site.ID},
		OutputQuantities: []event.Quantity{{EPCClass: "https://id.gs1.org/01/09506000134352/10/MIX"}}}
	var records []contract.Record
	for i := range 60 {
		key := fmt.Sprintf("https://id.gs1.org/01/%s/10/P%d", []string{"09506000134352", "09506000134376", "06900112000018", "06900110000010", "06900101000012", "06900202000034", "06900302000019"}[i%7], i)
		made.InputQuantities = append(made.InputQuantities, event.Quantity{EPCClass: key})
		records = append(records, contract.Record{Event: &event.Event{Type: event.Object, Action: event.Add, Time: eventTime(storyTime.AddDate(0, 0, -i)),
			TimeZoneOffset: "+08:00", BizStep: "commissioning", ReadPoint: &event.Place{ID: site.ID}, Quantities: []event.Quantity{{EPCClass: key}}}})
	}
	for i, o := range w.submit(site.Owner, append(records, contract.Record{Event: made})...).Outcomes {
		if o.Status != contract.Accepted {
			t.Fatalf("record %d: %+v", i, o)
		}
	}
	w.settle()
	for lang := range accepts {
		res := w.ask(http.MethodGet, "/01/09506000134352/10/MIX?lang="+lang, "", "Accept", "text/html")
		body := res.Body.String()
		checkPage(t, res.Code, http.StatusOK, body, res.Header(), lang)
		for _, want := range map[string][]string{"en": {"No inspection of this lot is on record", "more steps are not listed here", "steps in between", " more</text>"}, "zh": {"没有这批产品的检验结果", "未在本页列出", "点开查看", "另有"}}[lang] {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
	}
}

func TestErrorPages(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.Ledger = ahead{c.Ledger, errors.New("secret detail")} })
	for _, path := range []string{"/", view.Path(w.story.Safe)} {
		res := w.ask(http.MethodGet, path, "", "Accept", "text/html", "Accept-Language", "en")
		checkPage(t, res.Code, http.StatusInternalServerError, res.Body.String(), res.Header(), "en")
		if strings.Contains(res.Body.String(), "secret") || !strings.Contains(res.Body.String(), "urn:foodtrace:request:") {
			t.Errorf("%s: %s", path, res.Body)
		}
	}
	res := w.ask(http.MethodGet, view.Path(w.story.Safe), "", "Accept", "application/json")
	checkProblem(t, "json", res, 500, "INTERNAL", "")
	var p problemBody
	if err := json.Unmarshal(res.Body.Bytes(), &p); err != nil || p.Instance == "" {
		t.Errorf("%v %+v", err, p)
	}
}
