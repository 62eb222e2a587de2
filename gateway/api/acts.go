package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

func (s *service) acts() {
	route(s, operation("listInspections", http.MethodGet, "/inspections", "Inspections, newest first", "Inspections"), s.listInspections)
	route(s, operation("getInspection", http.MethodGet, "/inspections/{id}", "An inspection", "Inspections"), s.getInspection)
	route(s, created(operation("addInspection", http.MethodPost, "/inspections", "Write the result of an inspection", "Inspections")), s.addInspection)
	route(s, operation("listHolds", http.MethodGet, "/holds", "Holds and recalls, newest first", "Holds"), s.listHolds)
	route(s, operation("getHold", http.MethodGet, "/holds/{id}", "A hold", "Holds"), s.getHold)
	route(s, created(operation("addHold", http.MethodPost, "/holds", "Stop a lot, or a lot and everything made from it", "Holds")), s.addHold)
	route(s, created(operation("releaseHold", http.MethodPost, "/holds/{id}/release", "End a hold", "Holds")), s.release)
	route(s, operation("listViolations", http.MethodGet, "/violations", "Movements that were refused because of a hold, newest first", "Holds"), s.listViolations)
}

// ActsQuery selects acts. It is exported, as are the other parts of inputs, because huma leaves out what is not.
type ActsQuery struct {
	Item   string `query:"item" maxLength:"2000" doc:"URI of a lot, instance or logistic unit"`
	Member string `query:"member" doc:"MSP ID of the writer"`
	Paging
}

func (in *ActsQuery) filter() (f index.ActFilter, err error) {
	f.Member = in.Member
	if in.Item != "" {
		f.Item, err = itemKey(in.Item, "item")
	}
	return f, err
}

func (s *service) listInspections(ctx context.Context, in *ActsQuery) (*listOutput[index.Inspection], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	list, next, err := s.views(ctx).Inspections(ctx, f, in.page())
	return listOf(list, next, same), err
}

// IDPath names a record in the path.
type IDPath struct {
	ID string `path:"id" maxLength:"200"`
}

type inspectionOutput struct{ Body index.Inspection }

func (s *service) getInspection(ctx context.Context, in *IDPath) (*inspectionOutput, error) {
	i, err := s.views(ctx).Inspection(ctx, in.ID)
	return &inspectionOutput{Body: i}, err
}

type holdsInput struct {
	ActsQuery
	InForce bool `query:"inForce" doc:"Only those that are not released"`
}

func (s *service) listHolds(ctx context.Context, in *holdsInput) (*listOutput[index.Hold], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	f.InForce = in.InForce
	list, next, err := s.views(ctx).Holds(ctx, f, in.page())
	return listOf(list, next, same), err
}

type holdOutput struct{ Body index.Hold }

func (s *service) getHold(ctx context.Context, in *IDPath) (*holdOutput, error) {
	h, err := s.views(ctx).Hold(ctx, in.ID)
	return &holdOutput{Body: h}, err
}

func (s *service) listViolations(ctx context.Context, in *ActsQuery) (*listOutput[Violation], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	list, next, err := s.views(ctx).Violations(ctx, f, in.page())
	return listOf(list, next, wireViolation), err
}

// NewInspection is an inspection to be written.
type NewInspection struct {
	Item      string              `json:"item" minLength:"1" maxLength:"2000" doc:"URI of the lot, instance or logistic unit"`
	Site      string              `json:"site,omitempty" doc:"URI of the place where the sample was taken"`
	Kind      string              `json:"kind" minLength:"1" maxLength:"100" example:"pesticide-residue"`
	Result    contract.Result     `json:"result" enum:"pass,fail,inconclusive"`
	Time      time.Time           `json:"time,omitzero" doc:"When the result was established; now, if absent"`
	Inspector string              `json:"inspector" minLength:"1" maxLength:"200" doc:"Person or laboratory"`
	Reference string              `json:"reference,omitempty" maxLength:"200" doc:"Number of the certificate or report"`
	Note      contract.Text       `json:"note,omitzero"`
	Evidence  []contract.Evidence `json:"evidence,omitempty" maxItems:"50" doc:"Files that were uploaded to /evidence before"`
}

func (s *service) addInspection(ctx context.Context, in *struct{ Body NewInspection }) (*actOutput, error) {
	if err := auth.Require(ctx, contract.Regulator, contract.Laboratory); err != nil {
		return nil, err
	}
	b := in.Body
	key, err := itemKey(b.Item, "/item")
	if err != nil {
		return nil, err
	}
	return s.write(ctx, "/inspections/", contract.Record{Evidence: b.Evidence, Inspection: &contract.Inspection{
		Item: key, Site: b.Site, Kind: b.Kind, Result: b.Result, Time: orNow(b.Time), Inspector: b.Inspector, Reference: b.Reference, Note: b.Note,
	}})
}

// NewHold is a hold to be written.
type NewHold struct {
	Item      string              `json:"item" minLength:"1" maxLength:"2000" doc:"URI of the lot, instance or logistic unit"`
	Scope     contract.Scope      `json:"scope" enum:"lot,downstream" doc:"The item alone, or the item and everything made from it"`
	Recall    bool                `json:"recall,omitempty" doc:"Consumers are told to bring it back"`
	Reason    contract.Text       `json:"reason"`
	Time      time.Time           `json:"time,omitzero" doc:"Now, if absent"`
	Reference string              `json:"reference,omitempty" maxLength:"200" doc:"Number of the order"`
	Evidence  []contract.Evidence `json:"evidence,omitempty" maxItems:"50" doc:"Files that were uploaded to /evidence before"`
}

func (s *service) addHold(ctx context.Context, in *struct{ Body NewHold }) (*actOutput, error) {
	if err := auth.Require(ctx, contract.Regulator); err != nil {
		return nil, err
	}
	b := in.Body
	key, err := itemKey(b.Item, "/item")
	if err != nil {
		return nil, err
	}
	return s.write(ctx, "/holds/", contract.Record{Evidence: b.Evidence, Hold: &contract.Hold{
		Item: key, Scope: b.Scope, Recall: b.Recall, Reason: b.Reason, Time: orNow(b.Time), Reference: b.Reference,
	}})
}

// NewRelease is the end of a hold, to be written.
type NewRelease struct {
	Reason   contract.Text       `json:"reason"`
	Time     time.Time           `json:"time,omitzero" doc:"Now, if absent"`
	Evidence []contract.Evidence `json:"evidence,omitempty" maxItems:"50" doc:"Files that were uploaded to /evidence before"`
}

func (s *service) release(ctx context.Context, in *struct {
	IDPath
	Body NewRelease
}) (*actOutput, error) {
	if err := auth.Require(ctx, contract.Regulator); err != nil {
		return nil, err
	}
	hold, err := s.views(ctx).Hold(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if hold.Release != nil {
		return nil, problem.New(http.StatusConflict, problem.Conflict, "This hold has been released already.")
	}
	b := in.Body
	out, err := s.write(ctx, "/holds/", contract.Record{Evidence: b.Evidence, Release: &contract.Release{Hold: in.ID, Reason: b.Reason, Time: orNow(b.Time)}})
	if err == nil {
		out.Location = Base + "/holds/" + url.PathEscape(in.ID)
	}
	return out, err
}

func orNow(t time.Time) event.Time {
	if t.IsZero() {
		t = time.Now().UTC().Truncate(time.Millisecond)
	}
	return event.Time{Time: t}
}

// Written is what became of an act, and where it stands.
type Written struct {
	contract.Outcome
	Tx    string `json:"tx"`
	Block uint64 `json:"block"`
}

type actOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     Written
}

// submitTime is how long a person waits for an act to become final: an election of orderers takes some seconds.
const submitTime = 30 * time.Second

// awaitIndex is how long an answer waits so that its Location can be read at once. The act is final either way.
const awaitIndex = 2 * time.Second

// write puts an act on the ledger in the name of the principal's member: 201, or 200 if it is there already.
func (s *service) write(ctx context.Context, collection string, record contract.Record) (*actOutput, error) {
	if err := s.checkEvidence(ctx, record.Evidence); err != nil {
		return nil, err
	}
	signer, err := s.Signers.Signer(auth.From(ctx).Member)
	if err != nil {
		return nil, problem.New(http.StatusForbidden, problem.Forbidden, "This gateway does not sign for the member of this token.")
	}
	submit, cancelSubmit := context.WithTimeout(ctx, submitTime)
	defer cancelSubmit()
	receipt, err := s.Ledger.Submit(submit, signer, &contract.Batch{Records: []contract.Record{record}})
	if err != nil {
		return nil, err
	}
	if len(receipt.Outcomes) != 1 {
		return nil, errors.New("api: the ledger answered with " + strconv.Itoa(len(receipt.Outcomes)) + " outcomes to one record")
	}
	outcome := receipt.Outcomes[0]
	if outcome.Status == contract.Refused {
		return nil, refusal(outcome)
	}
	wait, cancel := context.WithTimeout(ctx, awaitIndex)
	defer cancel()
	s.Views.Await(wait, receipt.Block)
	out := &actOutput{Status: http.StatusCreated, Location: Base + collection + url.PathEscape(outcome.ID),
		Body: Written{Outcome: outcome, Tx: receipt.TxID, Block: receipt.Block}}
	if outcome.Status == contract.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

// refusal is 403 where the member may not write it, 409 where the state of the record stands against it, 503 where it may be
// written later, and 422 where the record itself is wrong.
func refusal(o contract.Outcome) error {
	status := http.StatusUnprocessableEntity
	for _, f := range o.Findings {
		switch f.Code {
		case contract.CodeRoleRequired, contract.CodeNotRegistered:
			status = http.StatusForbidden
		case contract.CodeHoldReleased, contract.CodeLotHeld:
			status = http.StatusConflict
		case contract.CodeHoldUndecided:
			return problem.Later("It cannot be decided while a hold is still spreading. Send it again.")
		}
	}
	p := problem.New(status, problem.Refused, "The contract refused it.")
	for _, f := range o.Findings {
		p.Errors = append(p.Errors, problem.Item{Code: string(f.Code), Detail: f.Message, Field: f.Place})
	}
	return p
}

// checkEvidence refuses files that were not uploaded, all at once.
func (s *service) checkEvidence(ctx context.Context, files []contract.Evidence) error {
	p := problem.New(http.StatusUnprocessableEntity, problem.InvalidField, "Some of the files are not here. Upload them to "+Base+"/evidence first.")
	for i, f := range files {
		where := "/evidence/" + strconv.Itoa(i)
		size, err := s.Evidence.Stat(ctx, f.SHA256)
		switch {
		case errors.Is(err, evidence.ErrNotFound):
			p.Errors = append(p.Errors, problem.Item{Code: "EVIDENCE_MISSING", Detail: "No file with this digest was uploaded.", Field: where + "/sha256"})
		case err != nil:
			return err
		case size != f.Size:
			p.Errors = append(p.Errors, problem.Item{Code: "EVIDENCE_SIZE", Detail: "The file has " + strconv.FormatInt(size, 10) + " bytes.", Field: where + "/size"})
		}
	}
	if len(p.Errors) > 0 {
		return p
	}
	return nil
}
