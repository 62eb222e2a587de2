package protocol

import (
	"fmt"
	"sync"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// Summary is what the chaincode event says: with the batch, it tells the outcome of every record. The response payload, in
// the same transaction, has all outcomes in full; the event leaves out the records accepted without a remark, whose IDs follow
// from the batch, so that an ordinary batch does not put its outcomes into the block twice.
type Summary struct {
	Accepted int                 `json:"accepted"` // records accepted without a remark
	Other    []PositionedOutcome `json:"other"`    // all other records, by position
}

// PositionedOutcome is the outcome of the record at a position of the batch, counted from 0.
type PositionedOutcome struct {
	Position         int `json:"position"`
	contract.Outcome `json:",inline"`
}

// compressor is one for all, because it takes megabytes. EncodeAll may be called by many at once.
var compressor = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
})

// EncodeSummary makes the payload of a transaction's event: a Summary as JSON, compressed (zstd). The same outcomes have the
// same bytes.
func EncodeSummary(outcomes []contract.Outcome) ([]byte, error) {
	s := Summary{Other: []PositionedOutcome{}}
	for i, o := range outcomes {
		if o.Status == contract.Accepted && len(o.Findings) == 0 && !o.Voids {
			s.Accepted++
			continue
		}
		s.Other = append(s.Other, PositionedOutcome{i, o})
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("chaincode: encoding the event: %w", err)
	}
	enc, err := compressor()
	if err != nil {
		return nil, fmt.Errorf("chaincode: encoding the event: %w", err)
	}
	return enc.EncodeAll(plain, nil), nil
}
