package protocol

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// Batches reads the function and arguments of an invocation: the batches, or an *Error.
func Batches(args [][]byte) ([]*contract.Batch, error) {
	if len(args) == 0 || string(args[0]) != Submit {
		return nil, Wrong(CodeFunction, "the chaincode has one function, %s", Submit)
	}
	args = args[1:]
	if len(args) == 0 || len(args) > MaxBatches {
		return nil, Wrong(CodeArguments, "%s takes 1 to %d batches, not %d", Submit, MaxBatches, len(args))
	}
	size, records := 0, 0
	for _, arg := range args {
		size += len(arg)
	}
	if size > MaxBatchBytes {
		return nil, Wrong(CodeTooLarge, "there are %d bytes of batches, more than the %d allowed", size, MaxBatchBytes)
	}
	batches := make([]*contract.Batch, len(args))
	for i, arg := range args {
		batch, err := contract.DecodeBatch(arg)
		if err != nil {
			return nil, Wrong(CodeBatch, "%v", err)
		}
		if len(batch.Records) == 0 {
			return nil, Wrong(CodeBatch, "batch %d holds no record", i)
		}
		batches[i], records = batch, records+len(batch.Records)
	}
	if len(batches) > 1 && records > contract.MaxRecords {
		return nil, Wrong(CodeTooLarge, "the batches carry %d records, more than the %d that several may", records, contract.MaxRecords)
	}
	return batches, nil
}

// BatchID is the ID of the batch at a position of a Fabric transaction: the transaction's for the first, with ".1" behind it for the next.
func BatchID(txID string, position int) string {
	if position == 0 {
		return txID
	}
	return txID + "." + strconv.Itoa(position)
}

// TxID is the ID of the Fabric transaction in which a batch is that has an ID that BatchID made.
func TxID(batchID string) string {
	id, _, _ := strings.Cut(batchID, ".")
	return id
}

// Split cuts the outcomes of all batches into those of each. It fails when there are more or fewer outcomes than records.
func Split(outcomes []contract.Outcome, batches []*contract.Batch) ([][]contract.Outcome, error) {
	lists := make([][]contract.Outcome, len(batches))
	rest := outcomes
	for i, b := range batches {
		n := len(b.Records)
		if n > len(rest) {
			return nil, fmt.Errorf("chaincode: %d outcomes are fewer than there are records", len(outcomes))
		}
		lists[i], rest = rest[:n:n], rest[n:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("chaincode: %d outcomes are more than there are records", len(outcomes))
	}
	return lists, nil
}
