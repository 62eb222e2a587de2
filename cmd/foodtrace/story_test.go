package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// A newcomer's first hour: send a file, trace a lot, stop it, see that it is stopped, let it go, check everything.
func TestFirstHour(t *testing.T) {
	s := serve(t, t.TempDir())
	producer, regulator := s.as(s.producer), s.as(s.regulator)
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "60", "--seed", "3"))

	out := must(t, slices.Concat([]string{"capture", file}, producer)...)
	if !strings.Contains(out, " accepted ni:///sha-256;") {
		t.Errorf("no record was accepted:\n%s", out)
	}
	again := must(t, slices.Concat([]string{"capture", "-q", file}, producer)...)
	if !strings.Contains(again, ": 0 accepted, ") {
		t.Errorf("sent twice: %s", again)
	}

	made := madeLot(t)
	tree := must(t, slices.Concat([]string{"trace", "back", made.output}, regulator)...)
	if !strings.Contains(tree, "made from") || !strings.Contains(tree, made.input) {
		t.Errorf("trace back:\n%s", tree)
	}
	for _, format := range []string{"json", "dot", "csv"} {
		if out := must(t, slices.Concat([]string{"trace", "forward", made.input, "--format", format}, regulator)...); !strings.Contains(out, made.output) {
			t.Errorf("trace forward as %s does not name what was made:\n%s", format, out)
		}
	}
	if out := must(t, slices.Concat([]string{"scope", made.input}, regulator)...); !strings.Contains(out, made.output) {
		t.Errorf("scope does not name what was made:\n%s", out)
	}

	if out := must(t, slices.Concat([]string{"inspect", made.input, "--kind", "pathogen", "--result", "fail", "--inspector", "Lab 7"}, regulator)...); !strings.HasPrefix(out, "inspection-") {
		t.Errorf("inspect: %s", out)
	}
	out = must(t, slices.Concat([]string{"hold", made.input, "--scope", "downstream", "--reason", "Salmonella found", "--reason-zh", "检出沙门氏菌"}, regulator)...)
	hold := regexp.MustCompile(`hold-\w+`).FindString(out)
	if hold == "" {
		t.Fatalf("hold: %s", out)
	}
	sale := writeFile(t, "sale.json", made.sale)
	code, out, _ := run(t, slices.Concat([]string{"capture", sale}, producer)...)
	if code != exitNo || !strings.Contains(out, "LOT_HELD") {
		t.Errorf("what was made from a held lot was sold: exit %d\n%s", code, out)
	}
	if page := get(t, s.url+api.Base+"/violations", s.regulator); !strings.Contains(page, hold) {
		t.Errorf("the refused sale is no violation: %s", page)
	}
	must(t, slices.Concat([]string{"release", hold, "--reason", "second sample clean", "--reason-zh", "复检合格"}, regulator)...)
	must(t, slices.Concat([]string{"capture", sale}, producer)...)

	must(t, "verify", "--data", s.dir) // beside the running server
}

// TestSpreadsAfterRebuild: a server whose index is lost, and comes back from the ledger, spreads holds nevertheless.
func TestSpreadsAfterRebuild(t *testing.T) {
	dir := t.TempDir()
	first := serve(t, dir)
	made := madeLot(t)
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "60", "--seed", "3"))
	must(t, slices.Concat([]string{"capture", "-q", file}, first.as(first.producer))...)
	first.stop()
	for _, rows := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(dataDir(dir).index() + rows); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	s := serve(t, dir)
	must(t, slices.Concat([]string{"hold", made.input, "--scope", "downstream", "--reason", "Salmonella found", "--reason-zh", "检出沙门氏菌"}, s.as(first.regulator))...)
	deadline := time.Now().Add(patience)
	for !strings.Contains(get(t, s.url+"/metrics", first.regulator), "foodtrace_ledger_blocks_total 2\n") { // the hold's, and that of its marks
		if time.Now().After(deadline) {
			t.Fatal("the hold did not spread")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type madeFrom struct{ input, output, sale string }

// madeLot is the first lot of the simulated file that was made of another, and a document that sells it.
func madeLot(t *testing.T) madeFrom {
	t.Helper()
	for r := range simulate.New(3, simulate.Options{Lots: 60, Rework: 0.2, EventIDs: simulate.HashIDs}).Records() {
		e := r.Record.Event
		if e == nil || e.Type != event.Transformation {
			continue
		}
		var m madeFrom
		for _, i := range e.Items() {
			if i.Role == event.RoleInput {
				m.input = i.Key
			}
			if i.Role == event.RoleOutput {
				m.output = i.Key
			}
		}
		if m.input != "" && m.output != "" {
			m.sale = saleOf(m.output)
			return m
		}
	}
	t.Fatal("the simulation makes nothing")
	return madeFrom{}
}

// saleOf is a document that sells a lot.
func saleOf(lot string) string {
	return `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0",
		"creationDate": "2026-06-01T00:00:00Z", "epcisBody": {"eventList": [{"type": "ObjectEvent", "action": "OBSERVE",
		"eventTime": "2026-06-01T08:00:00+08:00", "eventTimeZoneOffset": "+08:00", "bizStep": "retail_selling",
		"quantityList": [{"epcClass": "` + lot + `", "quantity": 1, "uom": "KGM"}]}]}}`
}

// get fetches a page.
func get(t *testing.T, url, token string, header ...string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", url, res.Status, err, body)
	}
	return string(body)
}

// With --rollback a file is captured whole or not at all; without it, what can be captured is.
func TestRollback(t *testing.T) {
	s := serve(t, t.TempDir())
	event := func(lot, action string) string {
		return `{"type": "ObjectEvent", "action": "` + action + `", "eventTime": "2026-06-01T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
			"bizStep": "commissioning", "quantityList": [{"epcClass": "urn:example:lot:` + lot + `"}]}`
	}
	file := writeFile(t, "half.json", `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument",
		"schemaVersion": "2.0", "creationDate": "2026-06-01T00:00:00Z", "epcisBody": {"eventList": [`+event("1", "ADD")+","+event("2", "MAKE")+"]}}")
	code, out, _ := run(t, slices.Concat([]string{"capture", "--rollback", file}, s.as(s.producer))...)
	if code != exitNo || !strings.Contains(out, "NOT CAPTURED: 0 accepted, 0 duplicates, 2 refused") || strings.Count(out, "VALUE /epcisBody/eventList/1/action") != 1 {
		t.Errorf("exit %d\n%s", code, out)
	}
	code, out, _ = run(t, slices.Concat([]string{"capture", file}, s.as(s.producer))...)
	if code != exitNo || !strings.Contains(out, "captured: 1 accepted, 0 duplicates, 1 refused") || strings.Count(out, "VALUE /epcisBody/eventList/1/action") != 1 {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestTheDemoLeavesAFolderInUseAlone(t *testing.T) {
	dir := filepath.Dir(writeFile(t, "mine.txt", "x"))
	code, _, errOut := run(t, "demo", "--data", dir, "--listen", "127.0.0.1:0")
	files, err := os.ReadDir(dir)
	if code != 2 || !strings.Contains(errOut, "is not empty") || err != nil || len(files) != 1 {
		t.Errorf("exit %d, %q, %d files, %v", code, errOut, len(files), err)
	}
}

// The demo prints pages that say what they should, in both languages.
func TestDemo(t *testing.T) {
	var out, errOut buffer
	p := start(t, 0, &out, &errOut, "demo", "--listen", "127.0.0.1:0", "-o", "json")
	defer func() {
		_ = p.Process.Kill()
		_ = p.Wait() // it was killed
	}()
	line := await(t, &out, regexp.MustCompile(`(?m)^\{.*\}$`), errOut.String)[0]
	demo := decode[shown](t, line)
	if len(demo.Lots) != 3 || demo.Tokens.Inspector == "" || demo.Tokens.Producer == "" {
		t.Fatalf("%s", line)
	}
	for _, lot := range demo.Lots {
		for _, lang := range []string{"zh", "en"} {
			page := get(t, lot.Page, "", "Accept", "text/html", "Accept-Language", lang)
			if len(page) > 50<<10 || !strings.Contains(page, `<html lang="`+lang) {
				t.Errorf("%s in %s: %d bytes\n%.200s", lot.Page, lang, len(page), page)
			}
		}
		if code := get(t, lot.QRCode, ""); !strings.Contains(code, "<svg") {
			t.Errorf("%s is no picture: %.100s", lot.QRCode, code)
		}
	}
	if page := get(t, demo.URL, ""); !strings.Contains(page, "foodtrace") {
		t.Errorf("start page: %.300s", page)
	}
}
