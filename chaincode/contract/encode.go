package contract

import (
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"
)

// canonical writes a batch in one form only. Numbers in extensions stay as they were written: RFC 8785 would round them.
var canonical = json.JoinOptions(
	json.Deterministic(true),
	jsontext.ReorderRawObjects(true),
	jsontext.CanonicalizeRawInts(false),
	jsontext.CanonicalizeRawFloats(false),
	jsontext.PreserveRawStrings(false),
)

// One compressor and one decompressor for all, because each takes megabytes; both may be used by many at once.
// EncodeAll is one thread a call, so the same batch has the same bytes.
var (
	compressor = sync.OnceValue(func() *zstd.Encoder {
		return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true)))
	})
	decompressor = sync.OnceValue(func() *zstd.Decoder {
		return must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBatchBytes)))
	})
)

// must is for constant options, which fail only when this file is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode is the batch as it travels and is signed: canonical JSON, compressed (zstd, RFC 8878). It fails when a raw part of
// an event is not JSON, or when the batch is larger than what DecodeBatch accepts.
func (b *Batch) Encode() ([]byte, error) {
	plain, err := b.plain()
	if err != nil {
		return nil, fmt.Errorf("contract: encoding a batch: %w", err)
	}
	if len(plain) > maxBatchBytes {
		return nil, fmt.Errorf("contract: %s: a batch of %d bytes, at most %d are allowed", CodeTooLarge, len(plain), maxBatchBytes)
	}
	return compressor().EncodeAll(plain, make([]byte, 0, len(plain)/8+64)), nil
}

// plain is the batch as JSON. Events bring their own text, which is made once and used again by the index.
func (b *Batch) plain() ([]byte, error) {
	head, err := json.Marshal(&Batch{Atomic: b.Atomic, Source: b.Source}, canonical)
	if err != nil {
		return nil, err
	}
	head = head[:len(head)-len("]}")] // … "records":[
	for i := range b.Records {
		if i > 0 {
			head = append(head, ',')
		}
		if head, err = b.Records[i].append(head); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
	}
	return append(head, "]}"...), nil
}

func (r *Record) append(b []byte) ([]byte, error) {
	if r.Event == nil {
		act, err := json.Marshal(r, canonical)
		return append(b, act...), err
	}
	text, err := r.Event.Text()
	if err != nil {
		return nil, err
	}
	b = append(append(b, `{"event":`...), text...)
	if r.onlyEvent() {
		return append(b, '}'), nil
	}
	rest := *r
	rest.Event = nil
	other, err := json.Marshal(&rest, canonical)
	if err != nil {
		return nil, err
	}
	if len(other) > len("{}") {
		b = append(b, ',')
	}
	return append(b, other[1:]...), nil
}

// onlyEvent says that the record is an event and nothing else, as nearly all are.
func (r *Record) onlyEvent() bool {
	return r.Event != nil && r.Inspection == nil && r.Hold == nil && r.Release == nil && r.Spread == nil && r.Registration == nil && len(r.Evidence) == 0
}

// DecodeBatch reads what Encode wrote. It fails on anything else, and on a batch of more than 64 MiB decompressed.
func DecodeBatch(data []byte) (*Batch, error) {
	plain, err := decompressor().DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("contract: decompressing a batch: %w", err)
	}
	b := new(Batch)
	if err := json.Unmarshal(plain, b); err != nil {
		return nil, fmt.Errorf("contract: decoding a batch: %w", err)
	}
	for i := range b.Records {
		if e := b.Records[i].Event; e != nil {
			if err := e.Normalise(); err != nil {
				return nil, fmt.Errorf("contract: decoding record %d: %w", i, err)
			}
		}
	}
	return b, nil
}
