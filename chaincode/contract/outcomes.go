package contract

import (
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// maxOutcomesBytes is the largest decoded list of outcomes. A batch of the largest size has outcomes of a few times its own
// size: more is not one of ours.
const maxOutcomesBytes = 256 << 20

// The form of outcomes has no checksum of its own: the hash of their block covers them.
var (
	outcomesCompressor = sync.OnceValue(func() *zstd.Encoder {
		return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)))
	})
	outcomesDecompressor = sync.OnceValue(func() *zstd.Decoder {
		return must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxOutcomesBytes)))
	})
)

// EncodeOutcomes is the form in which all ledgers keep the outcomes of a batch: JSON, compressed (zstd). The same outcomes
// have the same bytes. It fails when a text is not UTF-8.
func EncodeOutcomes(outcomes []Outcome) ([]byte, error) {
	plain, err := json.Marshal(outcomes)
	if err != nil {
		return nil, fmt.Errorf("contract: encoding outcomes: %w", err)
	}
	return outcomesCompressor().EncodeAll(plain, make([]byte, 0, len(plain)/2)), nil
}

// DecodeOutcomes reads what EncodeOutcomes wrote. It fails on anything else, and on more than 256 MiB decompressed.
func DecodeOutcomes(data []byte) (outcomes []Outcome, err error) {
	plain, err := outcomesDecompressor().DecodeAll(data, nil)
	if err == nil {
		err = json.Unmarshal(plain, &outcomes)
	}
	if err != nil {
		return nil, fmt.Errorf("contract: the outcomes cannot be read: %w", err)
	}
	return outcomes, nil
}
