package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// The FSMA 204 example documents lead from a salad back to the harvest, through the pallet the leaves came on, whatever
// the order in which the firms sent them.
func TestSaladToHarvest(t *testing.T) {
	const (
		salad   = "https://id.gs1.org/01/10860009998039/10/SALAD-20260420-A"
		cases   = "https://id.gs1.org/01/10860009999920/10/ABC1234"
		pallet  = "https://id.gs1.org/00/008600099999850000"
		harvest = "https://id.gs1.org/01/00860009999923/10/ABC1234"
	)
	folder := testdata.Shared(t, "openepcis-dpp-ready", "us", "fsma204", "epcis")
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonld"))
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for seed := range uint64(4) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		s := serve(t, t.TempDir())
		// Two of the documents state one event ID with different quantities: the later one's event is refused, in any order.
		code, out, errOut := run(t, slices.Concat([]string{"capture"}, s.as(s.producer), files)...)
		if code != exitNo || strings.Count(out, string(contract.CodeEventIDConflict)) != 1 {
			t.Fatalf("seed %d: exit %d\n%s%s", seed, code, out, errOut)
		}
		got := decode[api.Trace](t, must(t, slices.Concat([]string{"trace", "back", salad, "--format", "json"}, s.as(s.regulator))...))
		depth, carrier := map[string]int{}, map[string]bool{}
		for _, n := range got.Nodes {
			depth[n.Key], carrier[n.Key] = n.Depth, n.Carrier
		}
		if depth[cases] != -1 || depth[harvest] != -2 || !carrier[pallet] {
			t.Errorf("seed %d: %v, carriers %v", seed, depth, carrier)
		}
		// Nobody registered the places: the page tells them apart by their numbers.
		page := get(t, s.url+"/01/10860009998039/10/SALAD-20260420-A", "", "Accept", "text/html", "Accept-Language", "en")
		if !strings.Contains(page, "Place not registered 0860009999992") || !strings.Contains(page, "Place not registered 0860009998018") {
			t.Errorf("seed %d: the page does not name the places: %.500s", seed, page)
		}
		for _, e := range got.Events {
			if e.Where.Tx == "" || e.ID == "" {
				t.Errorf("seed %d: event without proof: %+v", seed, e)
			}
		}
		s.stop()
		must(t, "verify", "--data", s.dir)
	}
}

// The tuna chain of the GDST test data: 21 events of which five repeat the ID of another with other content.
func TestTunaTraceback(t *testing.T) {
	file := testdata.Shared(t, "gdst-opentraceability", "CSharp", "OpenTraceability.Tests", "Data", "traceback_tests.jsonld")
	s := serve(t, t.TempDir())
	_, out, _ := run(t, slices.Concat([]string{"capture", "-q", file}, s.as(s.producer))...)
	if n := strings.Count(out, string(contract.CodeEventIDConflict)); n != 5 {
		t.Fatalf("%d events refused for their ID\n%s", n, out)
	}
	got := decode[api.Trace](t, must(t, slices.Concat([]string{"trace", "back", "--format", "json",
		"urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022"}, s.as(s.regulator))...))
	if len(got.Events) != 16 {
		t.Errorf("%d events, the oracle has 16", len(got.Events))
	}
}

// Every EPCIS 2.0 JSON document of the public collections can be sent: the server answers, and says why where it refuses.
func TestSendEverything(t *testing.T) {
	root := testdata.Shared(t)
	var files []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && !d.IsDir() && (ext == ".json" || ext == ".jsonld") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	s := serve(t, t.TempDir())
	refusedAll, captured := 0, 0
	for _, file := range files {
		code, out, errOut := run(t, slices.Concat([]string{"capture", "-q", file}, s.as(s.producer))...)
		switch {
		case code == 0:
			captured++
		case code == exitNo && strings.Contains(out, "refused"), code == exitError && strings.Contains(errOut, "("):
			refusedAll++
		default:
			t.Errorf("%s: exit %d\n%s%s", file, code, out, errOut)
		}
	}
	t.Logf("%d files captured without a remark that refuses, %d with", captured, refusedAll)
	s.stop()
	must(t, "verify", "--data", s.dir)
}
