package drop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	efs "github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// TestMain finds what is left running. One goroutine of minio-go may sleep for up to 30 seconds before it sees that its context has ended:
// between two connections to a server that tells when something comes.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/minio/minio-go/v7.(*Client).ListenBucketNotification.func1"))
}

// world is a real ledger and a real evidence store, for any number of gateways.
type world struct {
	*testing.T
	dir        string
	identities *identity.Store
	ledger     *embedded.Ledger
	evidence   *efs.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir()}
	w.identities = identity.Open(w.dir, nil)
	for _, msp := range []string{"regulator", "producer"} {
		if _, err := w.identities.Ensure(msp, "test"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if w.ledger, err = embedded.Open(embedded.Options{Dir: w.dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	if w.evidence, err = efs.New(filepath.Join(w.dir, "evidence")); err != nil {
		t.Fatal(err)
	}
	by, err := w.identities.Signer("regulator", "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.ledger.Submit(t.Context(), by, &contract.Batch{Records: []contract.Record{{Registration: &contract.Registration{
		Members: []contract.Member{
			{MSP: "regulator", Name: contract.Text{EN: "Regulator"}, Roles: []contract.Role{contract.Regulator}},
			{MSP: "producer", Name: contract.Text{EN: "Producer"}, Roles: []contract.Role{contract.Producer}},
		},
		Policy: &contract.Policy{Lenient: true},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// gateway is what one process has: its own jobs.
func (w *world) gateway(name string) *capture.Service {
	w.Helper()
	s, err := capture.Open(capture.Config{
		Ledger: w.ledger, Evidence: w.evidence, Path: filepath.Join(w.dir, name+".db"), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Signer: func(msp string) (ledger.Signer, error) { return w.identities.Signer(msp, "test") },
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) config(c Capturer, proceed bool) Config {
	return Config{Capture: c, Member: "producer", Proceed: proceed, Language: capture.English, Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

// directory makes a place in which files are complete at once.
func (w *world) directory() string {
	w.Helper()
	dir := filepath.Join(w.T.TempDir(), "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		w.Fatal(err)
	}
	return dir
}

func (w *world) ofDirectory(dir string, c Config) *Feed {
	f := OfDirectory(Directory{Path: dir, Settle: time.Millisecond}, c)
	f.every = 20 * time.Millisecond
	return f
}

// run runs feeds until done says so, then ends them.
func (w *world) run(done func() bool, feeds ...*Feed) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for _, f := range feeds {
		group.Go(func() {
			for ctx.Err() == nil {
				_ = f.Run(ctx)
				pause(ctx, 10*time.Millisecond, nil)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("it does not end: %+v, %v", feeds[0].Figures(), feeds[0].Check(ctx))
		}
	}
}

func through(n uint64, feeds ...*Feed) func() bool {
	return func() bool {
		var all uint64
		for _, f := range feeds {
			all += f.Figures().Done + f.Figures().Rejected
		}
		return all >= n
	}
}

func (w *world) drop(dir, name, content string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		w.Fatal(err)
	}
}

// files lists what is in a folder of a directory.
func (w *world) files(dir ...string) []string {
	w.Helper()
	entries, err := os.ReadDir(filepath.Join(dir...))
	if err != nil {
		w.Fatal(err)
	}
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func (w *world) receipt(path ...string) Receipt {
	w.Helper()
	body, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		w.Fatal(err)
	}
	return w.parse(body)
}

func (w *world) parse(body []byte) (r Receipt) {
	w.Helper()
	if err := json.Unmarshal(body, &r); err != nil {
		w.Fatal(err)
	}
	return r
}

func document(events ...string) string {
	return `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0",
		"creationDate": "2026-05-02T00:00:00Z", "epcisBody": {"eventList": [` + strings.Join(events, ",") + `]}}`
}

func harvest(lot string) string {
	return fmt.Sprintf(`{"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "eventTime": "2026-05-01T08:00:00Z", "eventTimeZoneOffset": "+00:00",
		"bizLocation": {"id": "https://id.gs1.org/414/9506000134352"},
		"quantityList": [{"epcClass": "https://id.gs1.org/01/09506000134352/10/%s", "quantity": 10, "uom": "KGM"}]}`, lot)
}

// noAction lacks what an object event must have.
const noAction = `{"type": "ObjectEvent", "eventTime": "2026-05-01T08:00:00Z", "eventTimeZoneOffset": "+00:00", "epcList": ["https://id.gs1.org/01/09506000134352/21/1"]}`

// landings is a sheet (FSMA 204) with two rows that are good and one between them that has no date.
func landings(lot string) string {
	row := func(n, date string) string {
		return date + ",Works,09506000134352," + lot + n + ",Albacore,800,公斤,2026-04-20,2026-04-24,77,Aurora,Catch Certificate,CC-1\n"
	}
	return "上岸日期,上岸地点,GTIN,批次,物种,数量,单位,捕捞开始日期,捕捞结束日期,捕捞区域,渔船,单据类型,单据编号\n" +
		row("-1", "2026-04-25") + row("-2", "yesterday") + row("-3", "2026-04-25")
}

// ids is a set.
type ids struct {
	mu  sync.Mutex
	all map[string]bool
}

func (s *ids) add(id string) (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]bool{}
	}
	fresh = !s.all[id]
	s.all[id] = true
	return fresh
}
