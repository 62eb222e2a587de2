// Command plain is a chaincode service to compare ours with: it takes the same batches and stores each event under its own
// key, as chaincode usually does. It reads and writes a key for each event, to find one that is there already, and a key for each lot,
// which counts the lot's events. It checks nothing else.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/fabric"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := fabric.Run(ctx, os.Getenv, plain{}, log); err != nil {
		log.Error(err.Error())
		os.Exit(1)
	}
}

type plain struct{}

func (plain) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke stores a batch. Arguments and response are those of our chaincode, so that one client serves both.
func (plain) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	args := stub.GetArgs()
	if len(args) != 2 {
		return shim.Error("a function and a batch are needed")
	}
	batch, err := contract.DecodeBatch(args[1])
	if err != nil {
		return shim.Error(err.Error())
	}
	outcomes := make([]contract.Outcome, len(batch.Records))
	var lots []string // in the order in which they appear
	events := map[string]int{}
	for i, r := range batch.Records {
		if outcomes[i], err = store(stub, &r); err != nil {
			return shim.Error(err.Error())
		}
		for _, item := range r.Event.Items() {
			if events[item.Key] == 0 {
				lots = append(lots, item.Key)
			}
			events[item.Key]++
		}
	}
	for _, lot := range lots {
		if err := count(stub, "lot/"+lot, events[lot]); err != nil {
			return shim.Error(err.Error())
		}
	}
	payload, err := contract.EncodeOutcomes(outcomes)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(payload)
}

// store writes an event as JSON under its digest, unless it is there.
func store(stub shim.ChaincodeStubInterface, r *contract.Record) (contract.Outcome, error) {
	if r.Event == nil {
		return contract.Outcome{}, errors.New("only events can be stored")
	}
	text, err := r.Event.Text()
	if err != nil {
		return contract.Outcome{}, err
	}
	sum := sha256.Sum256(text)
	id := "event/" + hex.EncodeToString(sum[:])
	old, err := stub.GetState(id)
	if err != nil {
		return contract.Outcome{}, err
	}
	if old != nil {
		return contract.Outcome{ID: id, Status: contract.Duplicate}, nil
	}
	return contract.Outcome{ID: id, Status: contract.Accepted}, stub.PutState(id, text)
}

// count adds to the number under a key.
func count(stub shim.ChaincodeStubInterface, key string, by int) error {
	old, err := stub.GetState(key)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(old)) // absent: 0
	return stub.PutState(key, strconv.AppendInt(nil, int64(n+by), 10))
}
