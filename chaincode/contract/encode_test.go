package contract_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func storyBatch() *contract.Batch {
	r := withEvidence(ship(0, lot("A")), contract.Evidence{SHA256: strings.Repeat("ab", 32), MediaType: "application/pdf", Name: "报告.pdf", Size: 3})
	r.Event.Ext = []byte(`{"example:b":1.50,"example:a":{"y":[1,2],"x":null}}`)
	records := append(story(), r, members(), policy(true, true), spread("hold-1", 3), release("hold-1", 2))
	return &contract.Batch{Atomic: true, Source: &contract.Evidence{SHA256: strings.Repeat("cd", 32), Size: 9}, Records: records}
}

func TestEncode(t *testing.T) {
	data, err := storyBatch().Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := contract.DecodeBatch(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("encoding what was decoded gives other bytes (%v)", err)
	}
	for i, r := range storyBatch().Records {
		if r.Event != nil && r.Event.Hash() != b.Records[i].Event.Hash() {
			t.Errorf("record %d has another hash", i)
		}
	}
	mixed := storyBatch()
	mixed.Records[len(story())].Event.Ext = []byte(` { "example:a" : {"x":null,"y":[1,2]}, "example:b":1.50 }`)
	if other, err := mixed.Encode(); err != nil || !bytes.Equal(data, other) {
		t.Errorf("white space and order of extensions change the bytes (%v)", err)
	}
}

// A record that is an event and something else besides is refused later, but travels whole.
func TestEncodeEventWithMore(t *testing.T) {
	acts := append(story(), members(), spread("hold-1", 3), release("hold-1", 2), withEvidence(ship(0, lot("A")), contract.Evidence{Size: 3}))
	for i, r := range acts {
		if r.Event == nil {
			r.Event = ship(0, lot("A")).Event
		}
		data, err := (&contract.Batch{Records: []contract.Record{r}}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		b, err := contract.DecodeBatch(data)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(b.Records[0]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("record %d: sent %s, came as %s (%v)", i, want, got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":          {},
		"no zstd":        []byte("hello"),
		"no JSON":        w.EncodeAll([]byte("hello"), nil),
		"duplicate name": w.EncodeAll([]byte(`{"records":[],"records":[]}`), nil),
		"second value":   w.EncodeAll([]byte(`{"records":[]}{}`), nil),
		"bad event":      w.EncodeAll([]byte(`{"records":[{"event":{"eventTime":"yesterday"}}]}`), nil),
		"bomb":           w.EncodeAll(bytes.Repeat([]byte(" "), 65<<20), nil),
	} {
		if b, err := contract.DecodeBatch(data); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
	big := &contract.Batch{Records: []contract.Record{ev(event.Object, "", 0, func(e *event.Event) {
		e.Ext = []byte(`{"example:x":"` + strings.Repeat("x", 65<<20) + `"}`)
	})}}
	if _, err := big.Encode(); err == nil || !strings.Contains(err.Error(), string(contract.CodeTooLarge)) {
		t.Errorf("a batch too large to decode was encoded: %v", err)
	}
}

// FuzzDecodeBatch: no bytes make the decoder or the contract panic, and what was decoded encodes to the same batch.
func FuzzDecodeBatch(f *testing.F) {
	data, err := storyBatch().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, seed := range []string{`{"records":[{}]}`, `{"records":[{"event":{"type":"ObjectEvent","eventTime":"2026-01-01T00:00:00Z","action":"ADD","epcList":["urn:x:1"]}}]}`,
		`{"atomic":true,"records":[{"hold":{"item":"urn:x:1","scope":"downstream"}},{"release":{"hold":"x"}}]}`} {
		f.Add([]byte(seed))
	}
	w, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	bench := everythingNetwork(f)
	bench.Send(everything, story()...)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := contract.DecodeBatch(data)
		if err != nil {
			if b, err = contract.DecodeBatch(w.EncodeAll(data, nil)); err != nil { // plain JSON is easier to mutate
				return
			}
		}
		first, err := b.Encode()
		if err != nil {
			t.Fatalf("a decoded batch does not encode: %v", err)
		}
		again, err := contract.DecodeBatch(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Encode(); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("not the same after a round trip (%v)", err)
		}
		effects, outcomes, err := contract.Decide(bench.State, bench.Tx(everything, b))
		if err != nil || len(outcomes) != len(b.Records) {
			t.Fatalf("%d outcomes for %d records: %v", len(outcomes), len(b.Records), err)
		}
		if err := bench.State.Clone().Apply(effects); err != nil {
			t.Fatal(err)
		}
	})
}
