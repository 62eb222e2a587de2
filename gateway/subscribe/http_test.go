package subscribe

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// wrongFields are the fields that a problem names.
func wrongFields(t *testing.T, body string) (list []string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err, body)
	}
	for _, e := range p.Errors {
		list = append(list, e.Field)
	}
	return list
}

// TestRefused: all that is wrong with a subscription is said at once, with the standard's type.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	const dest = `"dest": "https://example.com/"`
	for _, c := range []struct {
		body string
		want []string // fields
	}{
		{`[]`, []string{""}},
		{`{`, []string{""}},
		{`{}`, []string{"/dest", "/stream"}},
		{`{"dest": 5, "stream": "yes", "reportIfEmpty": 1, "initialRecordTime": "yesterday", "signatureToken": [], "colour": "blue"}`,
			[]string{"/colour", "/dest", "/dest", "/initialRecordTime", "/reportIfEmpty", "/signatureToken", "/stream", "/stream"}},
		{`{` + dest + `}`, []string{"/stream"}},
		{`{` + dest + `, "stream": false}`, []string{"/stream"}},
		{`{` + dest + `, "stream": true, "schedule": {"hour": "1"}}`, []string{"/stream"}},
		{`{` + dest + `, "stream": true, "reportIfEmpty": true}`, []string{"/reportIfEmpty"}},
		{`{` + dest + `, "schedule": {}}`, []string{"/schedule"}},
		{`{` + dest + `, "schedule": "daily"}`, []string{"/schedule"}},
		{`{` + dest + `, "schedule": {"hour": "24", "minute": true, "year": "2026"}}`, []string{"/schedule/hour", "/schedule/minute", "/schedule/year"}},
		{`{"dest": "ftp://example.com/", "stream": true}`, []string{"/dest"}},
		{`{"dest": "/here", "stream": true}`, []string{"/dest"}},
		{`{"dest": "https:///here", "stream": true}`, []string{"/dest"}},
		{`{"dest": "https://me:secret@example.com/", "stream": true}`, []string{"/dest"}},
		{`{"dest": "https://example.com/#here", "stream": true}`, []string{"/dest"}},
		{`{"dest": "https://169.254.169.254/latest/meta-data", "stream": true}`, []string{"/dest"}},
		{`{"dest": "https://[::1]/", "stream": true}`, []string{"/dest"}},
		{`{"dest": "http://8.8.8.8/", "stream": true}`, []string{"/dest"}}, // not over TLS
		{`{"dest": "https://example.com/` + strings.Repeat("x", maxDest) + `", "stream": true}`, []string{"/dest"}},
		{`{` + dest + `, "stream": true, "signatureToken": "` + strings.Repeat("x", maxToken+1) + `"}`, []string{"/signatureToken"}},
	} {
		status, _, body := w.ask(token, http.MethodPost, "/queries/a/subscriptions", c.body)
		if status != http.StatusBadRequest || !strings.Contains(body, `"epcisException:SubscriptionControlsException"`) {
			t.Errorf("%s: %d %s", c.body, status, body)
		} else if diff := cmp.Diff(c.want, wrongFields(t, body)); diff != "" {
			t.Errorf("%s: %s\n%s", c.body, diff, body)
		}
	}
	if _, _, body := w.ask(token, http.MethodGet, "/queries/a/subscriptions", ""); body != "[]" {
		t.Error("something was kept:", body)
	}
}

// TestPlainRefused: without an allowed network, no address without TLS is taken.
func TestPlainRefused(t *testing.T) {
	const body = `{"dest": "http://example.com/", "stream": true}`
	if _, err := readBody([]byte(body), guard{}); err == nil || strings.Join(wrongOf(err), " ") != "/dest" {
		t.Error(err)
	}
	if _, err := readBody([]byte(body), guard{prefixes("10.0.0.0/8")}); err != nil {
		t.Error("the name may lead to an allowed address:", err)
	}
}

func wrongOf(err error) (list []string) {
	if p, ok := err.(*problem.Problem); ok {
		for _, e := range p.Errors {
			list = append(list, e.Field)
		}
	}
	return list
}

// TestResource: a subscription is its member's: who made it reads, lists and removes it, and nobody else.
func TestResource(t *testing.T) {
	w := newWorld(t)
	firm, other := w.token("firm"), w.token("other")
	const body = `{"dest": "https://example.com/x", "secret": "hidden", "schedule": {"hour": 1, "minute": "5"}, "reportIfEmpty": true, "initialRecordTime": "2026-04-04T20:33:31.116-06:00"}`
	status, header, made := w.ask(firm, http.MethodPost, "/queries/a/subscriptions", body)
	at := header.Get("Location")
	if status != http.StatusCreated || !strings.HasPrefix(at, "/queries/a/subscriptions/") || strings.Contains(made, "hidden") {
		t.Fatal(status, header, made)
	}
	st := w.status(firm, at)
	want := st
	want.Dest, want.QueryName, want.SubscriptionID, want.State = "https://example.com/x", "a", strings.TrimPrefix(at, "/queries/a/subscriptions/"), "active"
	want.Schedule, want.ReportIfEmpty, want.Stream, want.Signed = &Schedule{Hour: "1", Minute: "5"}, true, false, true
	want.InitialRecordTime, want.MinRecordTime, want.EPCFormat = "2026-04-05T02:33:31.116Z", "2026-04-05T02:33:31.116Z", "Always_GS1_Digital_Link"
	if diff := cmp.Diff(want, st); diff != "" || st.CreatedAt == "" || st.NextAt < st.CreatedAt || st.LastNotifiedAt != "" {
		t.Errorf("%s\n%+v", diff, st)
	}
	var list []any
	if _, _, body := w.ask(firm, http.MethodGet, "/queries/a/subscriptions", ""); json.Unmarshal([]byte(body), &list) != nil || len(list) != 1 {
		t.Error(body)
	}
	for _, c := range []struct {
		token, method, path string
		want                int
		title               string
	}{
		{"", http.MethodGet, "/queries/a/subscriptions", 401, ""},
		{"", http.MethodPost, "/queries/a/subscriptions", 401, ""},
		{"", http.MethodGet, at, 401, ""},
		{"", http.MethodDelete, at, 401, ""},
		{other, http.MethodGet, at, 404, "NoSuchResourceException"},
		{other, http.MethodDelete, at, 404, "NoSuchResourceException"},
		{firm, http.MethodGet, at + "x", 404, "NoSuchResourceException"},
		{firm, http.MethodGet, strings.Replace(at, "/a/", "/b/", 1), 404, "NoSuchResourceException"},
		{firm, http.MethodGet, strings.Replace(at, "/a/", "/none/", 1), 404, "NoSuchNameException"},
		{firm, http.MethodPost, "/queries/none/subscriptions", 404, "NoSuchNameException"},
		{firm, http.MethodDelete, at, 204, ""},
		{firm, http.MethodDelete, at, 404, "NoSuchResourceException"},
	} {
		if status, _, body := w.ask(c.token, c.method, c.path, body); status != c.want || !strings.Contains(body, c.title) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, body, c.want, c.title)
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	for i := range MaxPerMember + 1 {
		status, _, body := w.ask(token, http.MethodPost, fmt.Sprintf("/queries/a%d/subscriptions", i), `{"dest": "https://example.com/", "stream": true}`)
		if i < MaxPerMember != (status == http.StatusCreated) {
			t.Fatal(i, status, body)
		}
	}
	if status, _, body := w.ask(w.token("other"), http.MethodPost, "/queries/a/subscriptions", `{"dest": "https://example.com/", "stream": true}`); status != http.StatusCreated {
		t.Error("the limit of one member is another's:", status, body)
	}
	large := `{"dest": "` + strings.Repeat("x", maxBody) + `"}`
	if status, _, body := w.ask(token, http.MethodPost, "/queries/a/subscriptions", large); status != http.StatusRequestEntityTooLarge {
		t.Error(status, body)
	}
	info, err := os.Stat(w.path)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Error("others can read the secrets:", info.Mode(), err)
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"dest": "https://example.com/", "signatureToken": "s", "stream": true}`))
	f.Add([]byte(`{"dest": "https://[::1]/", "schedule": {"hour": 1, "second": "[0-59]"}, "reportIfEmpty": true, "initialRecordTime": "2026-04-04T20:33:31.116-06:00"}`))
	f.Add([]byte(`{"dest": "http://%", "schedule": {"year": []}, "stream": 1e9}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := readBody(body, guard{})
		if err != nil {
			if len(wrongOf(err)) == 0 {
				t.Errorf("refused without saying what is wrong: %v", err)
			}
			return
		}
		if !strings.HasPrefix(strings.ToLower(w.dest), "https:") || !w.terms.Stream() && w.terms.next(w.terms.InitialRecordTime).IsZero() {
			t.Errorf("accepted: %+v", w)
		}
	})
}

// FuzzParameters: the terms of a WebSocket are refused with what is wrong, or there is a time at which it has something to send.
func FuzzParameters(f *testing.F) {
	f.Add("stream=true&initialRecordTime=2026-04-04T20:33:31.116-06:00")
	f.Add("second=0&minute=[5-10]&hour=8&dayOfWeek=1&reportIfEmpty=true")
	f.Add("dayOfMonth=31&month=2&stream=0&stream=1&%zz")
	f.Fuzz(func(t *testing.T, text string) {
		values, _ := url.ParseQuery(text) // what cannot be read is left out, as the gateway does
		terms, err := readParameters(values)
		if err != nil {
			if len(wrongOf(err)) == 0 {
				t.Errorf("refused without saying what is wrong: %v", err)
			}
			return
		}
		if !terms.Stream() && terms.next(terms.InitialRecordTime).IsZero() {
			t.Errorf("accepted: %+v", terms)
		}
	})
}
