package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// stuck is a ledger that writes nothing before it is let go.
type stuck struct {
	ledger.Ledger
	free chan struct{}
}

func (s *stuck) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	select {
	case <-s.free:
		return s.Ledger.Submit(ctx, by, batch)
	case <-ctx.Done():
		return ledger.Receipt{}, ctx.Err()
	}
}

// A full queue answers 503, a member that fills it alone 429, both with a time to wait; who waits and sends again gets
// everything through, and nothing is kept of what was refused.
func TestBackPressure(t *testing.T) {
	const running, ofMember = 5, 3
	held := &stuck{free: make(chan struct{})}
	w := newWorld(t, func(c *gateway.Config) {
		held.Ledger = c.Ledger.(ledger.Ledger)
		service := must(capture.Open(capture.Config{Ledger: held, Evidence: c.Evidence, Signer: c.Signers.Signer, Path: filepath.Join(t.TempDir(), "jobs.db"),
			Now: time.Now, Log: c.Logger, Running: running, OfMember: ofMember}))
		t.Cleanup(func() { _ = service.Close() })
		c.Capture = service
	})
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	const market = "haojia-market"
	sent := 0
	send := func(member string) (status int, wait string, body string) {
		t.Helper()
		sent++
		text := strings.NewReplacer("SITE", "https://id.gs1.org/414/6900402000018", "NEW%2F1", fmt.Sprintf("PRESSURE%d", sent), "4f1b7a4e-1111", fmt.Sprintf("4f1b7a4e-%04d", sent)).Replace(document)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/epcis/capture", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.tokens[member])
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		all, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusAccepted && answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d %v", answer.StatusCode, answer.Header)
		}
		return answer.StatusCode, answer.Header.Get("Retry-After"), string(all)
	}
	for _, c := range []struct {
		member string
		n      int
		status int
		code   string
	}{
		{w.story.Producer, ofMember, http.StatusAccepted, ""},
		{w.story.Producer, 1, http.StatusTooManyRequests, "TOO_MANY_REQUESTS"},
		{market, running - ofMember, http.StatusAccepted, ""},
		{market, 1, http.StatusServiceUnavailable, "UNAVAILABLE"},
	} {
		for range c.n {
			status, wait, body := send(c.member)
			if status != c.status || !strings.Contains(body, `"code":"`+c.code) && c.code != "" {
				t.Fatalf("%s: %d, want %d: %s", c.member, status, c.status, body)
			}
			if seconds, err := strconv.Atoi(wait); c.code != "" && (err != nil || seconds < 1 || seconds > 60) {
				t.Errorf("%d with Retry-After: %q", status, wait)
			}
		}
	}
	jobs := func(member string) int {
		return strings.Count(w.ask(http.MethodGet, "/epcis/capture", "", w.as(member)...).Body.String(), `"captureID"`)
	}
	if got := [2]int{jobs(w.story.Producer), jobs(market)}; got != [2]int{ofMember, running - ofMember} {
		t.Errorf("%v jobs are kept", got)
	}
	close(held.free)
	for _, member := range []string{w.story.Producer, market} {
		for status := 0; status != http.StatusAccepted; time.Sleep(time.Millisecond) {
			if status, _, _ = send(member); status != http.StatusAccepted && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
				t.Fatal(status)
			}
		}
	}
	for end := time.Now().Add(time.Minute); strings.Contains(w.ask(http.MethodGet, "/epcis/capture", "", w.as(w.story.Inspector)...).Body.String(), `"running":true`); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the jobs do not end")
		}
	}
}
