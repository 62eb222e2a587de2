package capture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a service on a real ledger and a real evidence store.
type bench struct {
	*testing.T
	dir        string
	identities *identity.Store
	ledger     *embedded.Ledger
	evidence   *fs.Store
	service    *capture.Service
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir()}
	b.identities = identity.Open(b.dir, nil)
	for _, msp := range []string{"regulator", "producer"} {
		if _, err := b.identities.Ensure(msp, "test"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if b.ledger, err = embedded.Open(embedded.Options{Dir: b.dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.ledger.Close() })
	if b.evidence, err = fs.New(filepath.Join(b.dir, "evidence")); err != nil {
		t.Fatal(err)
	}
	by, err := b.identities.Signer("regulator", "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.ledger.Submit(t.Context(), by, &contract.Batch{Records: []contract.Record{{Registration: &contract.Registration{
		Members: []contract.Member{
			{MSP: "regulator", Name: contract.Text{EN: "Regulator"}, Roles: []contract.Role{contract.Regulator}},
			{MSP: "producer", Name: contract.Text{EN: "Producer"}, Roles: []contract.Role{contract.Producer}},
		},
		Policy: &contract.Policy{Lenient: true},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	b.open(b.ledger)
	return b
}

// open starts a service; the one before must have been closed.
func (b *bench) open(l ledger.Ledger) {
	b.Helper()
	b.openOn(l, b.evidence)
}

func (b *bench) openOn(l ledger.Ledger, files evidence.Store) {
	b.Helper()
	s, err := capture.Open(capture.Config{
		Ledger: l, Evidence: files, Path: filepath.Join(b.dir, "jobs.db"), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Signer: func(msp string) (ledger.Signer, error) { return b.identities.Signer(msp, "test") },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.service = s
	b.Cleanup(func() { _ = s.Close() })
}

func (b *bench) send(proceed bool, doc string) capture.Job {
	b.Helper()
	job, err := b.service.Receive(b.Context(), capture.Request{Member: "producer", Name: "test.json", Body: strings.NewReader(doc), Proceed: proceed})
	if err != nil {
		b.Fatal(err)
	}
	return job
}

// end waits for the end of a job.
func (b *bench) end(id string) capture.Job {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		job, err := b.service.Job(b.Context(), "", id)
		if err != nil {
			b.Fatal(err)
		}
		if !job.Running {
			return job
		}
	}
	b.Fatalf("job %s did not end", id)
	return capture.Job{}
}

func (b *bench) capture(proceed bool, doc string) capture.Job {
	b.Helper()
	return b.end(b.send(proceed, doc).ID)
}

func (b *bench) statuses(id string) (list []contract.Status) {
	b.Helper()
	outcomes, err := b.service.Outcomes(b.Context(), "producer", id, 0, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	for i, o := range outcomes {
		if o.Index != i {
			b.Errorf("outcome %d is of record %d", i, o.Index)
		}
		list = append(list, o.Status)
	}
	return list
}

// brief is a job in one line.
func brief(j capture.Job) string {
	refused := ""
	for _, p := range j.Problems {
		if p.Refused {
			refused += fmt.Sprintf("; %s %s %s", p.Code, p.Pointer, p.Message)
		}
	}
	return fmt.Sprintf("success %v, %d accepted, %d duplicates, %d refused%s", j.Success, j.Accepted, j.Duplicates, j.Refused, refused)
}

// hasRefusal reports whether a job names a reason of refusal with this code.
func hasRefusal(j capture.Job, code string) bool {
	return slices.ContainsFunc(j.Problems, func(p capture.Problem) bool { return p.Refused && p.Code == code })
}

// harvest is an event that makes a lot.
func harvest(lot string) string {
	return fmt.Sprintf(`{"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "eventTime": "2026-05-01T06:00:00Z",
		"eventTimeZoneOffset": "+08:00", "quantityList": [{"epcClass": "urn:example:lot:%s", "quantity": 5, "uom": "KGM"}]}`, lot)
}

const noAction = `{"type": "ObjectEvent", "eventTime": "2026-05-01T06:00:00Z", "eventTimeZoneOffset": "+08:00", "epcList": ["urn:example:1"]}`

func document(events ...string) string {
	return `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0",
		"creationDate": "2026-05-02T00:00:00Z", "epcisBody": {"eventList": [` + strings.Join(events, ",") + `]}}`
}

func TestProceedTakesWhatCanBeTaken(t *testing.T) {
	b := newBench(t)
	job := b.capture(true, document(harvest("1"), noAction, harvest("2"), harvest("1")))
	if !job.Success || job.Accepted != 2 || job.Duplicates != 1 || job.Refused != 1 {
		t.Error(brief(job))
	}
	want := []contract.Status{contract.Accepted, contract.Refused, contract.Accepted, contract.Duplicate}
	if diff := cmp.Diff(want, b.statuses(job.ID)); diff != "" {
		t.Error(diff)
	}
	var refused []capture.Problem
	for _, p := range job.Problems {
		if p.Refused {
			refused = append(refused, p)
		}
	}
	if len(refused) != 1 || !strings.HasPrefix(refused[0].Pointer, "/epcisBody/eventList/1") {
		t.Errorf("%+v", refused)
	}
}

func TestRollbackTakesAllOrNothing(t *testing.T) {
	b := newBench(t)
	before, _ := b.ledger.Height(t.Context())
	job := b.capture(false, document(harvest("1"), noAction, harvest("2")))
	if after, _ := b.ledger.Height(t.Context()); job.Success || job.Accepted != 0 || job.Refused != 3 || after != before {
		t.Errorf("%s, %d blocks after %d", brief(job), after, before)
	}
	// One event refused by the contract: its ID is on the ledger with other content.
	withID := func(lot string) string {
		return strings.Replace(harvest(lot), `{"type"`, `{"eventID": "urn:uuid:11111111-1111-4111-8111-111111111111", "type"`, 1)
	}
	if job := b.capture(false, document(withID("3"))); !job.Success || job.Accepted != 1 {
		t.Error(brief(job))
	}
	job = b.capture(false, document(harvest("4"), withID("5")))
	if diff := cmp.Diff([]contract.Status{contract.Refused, contract.Refused}, b.statuses(job.ID)); diff != "" || job.Success {
		t.Errorf("%s\n%s", brief(job), diff)
	}
	if job := b.capture(false, document(harvest("4"))); job.Accepted != 1 {
		t.Errorf("what was rolled back is not new: %s", brief(job))
	}
}

func TestRollbackHasALimit(t *testing.T) {
	b := newBench(t)
	events := make([]string, capture.MaxAtomic+1)
	for i := range events {
		events[i] = harvest(fmt.Sprint(i))
	}
	job := b.capture(false, document(events...))
	if job.Success || job.Accepted != 0 || !hasRefusal(job, "CAPTURE_LIMIT") {
		t.Error(brief(job))
	}
	if job := b.capture(true, document(events...)); !job.Success || job.Accepted != len(events) {
		t.Error(brief(job))
	}
}

func TestBrokenOffInTheMiddle(t *testing.T) {
	b := newBench(t)
	doc := document(harvest("1"), harvest("2"))
	cut := doc[:strings.Index(doc, "urn:example:lot:2")]
	job := b.capture(true, cut)
	if job.Accepted != 1 || !hasRefusal(job, "JSON_SYNTAX") {
		t.Error(brief(job))
	}
	if job := b.capture(false, cut); job.Success || job.Accepted+job.Duplicates != 0 {
		t.Error(brief(job))
	}
}

func TestMasterDataOfTheHeader(t *testing.T) {
	b := newBench(t)
	doc := strings.Replace(document(harvest("1")), `"epcisBody"`, `"epcisHeader": {"epcisMasterData": {"vocabularyList": [
		{"type": "urn:epcglobal:epcis:vtype:Location", "vocabularyElementList": [{"id": "urn:example:site:north",
		"attributes": [{"id": "urn:epcglobal:cbv:mda:name", "attribute": "North field"}]}]}]}}, "epcisBody"`, 1)
	if job := b.capture(false, doc); !job.Success {
		t.Fatal(brief(job))
	}
	height, err := b.ledger.Height(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sites []contract.Site
	for block, err := range b.ledger.Blocks(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range block.Txs {
			for _, r := range tx.Batch.Records {
				if r.Registration != nil {
					sites = append(sites, r.Registration.Sites...)
				}
			}
		}
		if block.Height+1 == height {
			break
		}
	}
	if len(sites) != 1 || sites[0].ID != "urn:example:site:north" || sites[0].Name.EN != "North field" {
		t.Errorf("%+v", sites)
	}
}

func TestWhatIsNoDocument(t *testing.T) {
	b := newBench(t)
	for _, doc := range []string{"", "   ", "PK\x05\x06", "plain text"} {
		_, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: strings.NewReader(doc)})
		if !errors.Is(err, capture.ErrMediaType) {
			t.Errorf("%q: %v", doc, err)
		}
	}
	if _, err := b.service.Job(t.Context(), "producer", "nobody's"); !errors.Is(err, capture.ErrNoSuchJob) {
		t.Error(err)
	}
	job := b.capture(true, document(harvest("1")))
	if _, err := b.service.Job(t.Context(), "somebody else", job.ID); !errors.Is(err, capture.ErrNoSuchJob) {
		t.Error(err)
	}
}

func TestTheDocumentIsKept(t *testing.T) {
	b := newBench(t)
	doc := document(harvest("1"))
	job := b.capture(true, doc)
	kept, err := b.evidence.Open(t.Context(), job.Evidence.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(kept); err != nil || got.String() != doc {
		t.Errorf("%v\n%s", err, got.String())
	}
}

func TestJobsArePaged(t *testing.T) {
	b := newBench(t)
	var want []string
	for i := range 5 {
		want = append([]string{b.capture(true, document(harvest(fmt.Sprint(i)))).ID}, want...)
	}
	var got []string
	for after := ""; ; {
		jobs, next, err := b.service.Jobs(t.Context(), "producer", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			got = append(got, j.ID)
		}
		if next == "" {
			break
		}
		after = next
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// dying is a ledger whose machine stops, before or after it took the n-th batch.
type dying struct {
	ledger.Ledger
	n     int
	taken bool
	died  chan struct{}
}

func (d *dying) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	if d.n--; d.n >= 0 {
		return d.Ledger.Submit(ctx, by, batch)
	}
	if d.n == -1 {
		if d.taken {
			_, _ = d.Ledger.Submit(ctx, by, batch) // it is on the ledger, but nobody hears of it
		}
		close(d.died)
	}
	<-ctx.Done()
	return ledger.Receipt{}, ctx.Err()
}

// A job goes on after the process died, at any batch, and every record is there once.
func TestResume(t *testing.T) {
	events := make([]string, 5000)
	for i := range events {
		events[i] = harvest(fmt.Sprint(i))
	}
	events[700] = noAction
	for n := range 3 {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("batch %d taken %v", n, taken), func(t *testing.T) {
				b := newBench(t)
				if err := b.service.Close(); err != nil {
					t.Fatal(err)
				}
				mortal := &dying{Ledger: b.ledger, n: n, taken: taken, died: make(chan struct{})}
				b.open(mortal)
				id := b.send(true, document(events...)).ID
				<-mortal.died
				if err := b.service.Close(); err != nil {
					t.Fatal(err)
				}
				b.open(b.ledger)
				job := b.end(id)
				if !job.Success || job.Accepted+job.Duplicates != len(events)-1 || job.Refused != 1 || (job.Duplicates > 0) != taken {
					t.Error(brief(job))
				}
				if got := b.statuses(id); len(got) != len(events) || got[700] != contract.Refused {
					t.Errorf("%d outcomes", len(got))
				}
			})
		}
	}
}
