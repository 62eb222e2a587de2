// Package fabric runs the contract as a chaincode service of Hyperledger Fabric: the stub becomes the contract's state, the
// submitter's certificate its actor, the proposal's time its time. chaincode/protocol says what goes in and out.
package fabric

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// maxConcurrent is how many transactions are decided at a time; others wait. A peer hands over thousands, and a batch of the
// largest size takes some hundred megabytes while it is decided.
const maxConcurrent = 64

// Chaincode is the contract behind Fabric's interface. It is safe for concurrent use.
type Chaincode struct {
	clock func() time.Time
	log   *slog.Logger
	slots chan struct{}
}

// New is a chaincode that checks proposals against a clock, time.Now for all but tests.
func New(clock func() time.Time, log *slog.Logger) *Chaincode {
	return &Chaincode{clock: clock, log: log, slots: make(chan struct{}, maxConcurrent)}
}

// Init implements shim.Chaincode. The ledger begins with its first registration, so there is nothing to do.
func (*Chaincode) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke implements shim.Chaincode: protocol.Submit. It never panics, because that would end the service for everybody.
func (c *Chaincode) Invoke(stub shim.ChaincodeStubInterface) (response *peer.Response) {
	c.slots <- struct{}{}
	defer func() {
		<-c.slots
		if bug := recover(); bug != nil {
			c.log.Error("the contract failed", "tx", stub.GetTxID(), "panic", bug, "stack", string(debug.Stack()))
			response = failure(failed(protocol.CodeInternal, errors.New("the contract failed on this batch")))
		}
	}()
	payload, err := c.submit(stub)
	if err != nil {
		c.log.Warn("not endorsed", "tx", stub.GetTxID(), "error", err)
		return failure(err)
	}
	return shim.Success(payload)
}

func failed(code string, err error) error {
	return &protocol.Error{Status: protocol.StatusFailed, Code: code, Reason: err.Error()}
}

func failure(err error) *peer.Response {
	e := &protocol.Error{Status: protocol.StatusFailed, Code: protocol.CodeInternal, Reason: err.Error()}
	errors.As(err, &e)
	return &peer.Response{Status: e.Status, Message: e.Error()}
}

// submit decides the batches and hands their writes to the peer. Errors are refusals.
func (c *Chaincode) submit(stub shim.ChaincodeStubInterface) (payload []byte, err error) {
	txs, err := c.transactions(stub)
	if err != nil {
		return nil, err
	}
	effects, each, err := contract.DecideEach(state{stub}, txs)
	if err != nil {
		return nil, failed(protocol.CodeState, err)
	}
	outcomes := slices.Concat(each...)
	if payload, err = contract.EncodeOutcomes(outcomes); err != nil {
		return nil, failed(protocol.CodeInternal, err)
	}
	if len(payload) > protocol.MaxBatchBytes {
		return nil, protocol.Wrong(protocol.CodeTooLarge, "what there is to say of the batches has %d bytes, more than the %d allowed", len(payload), protocol.MaxBatchBytes)
	}
	summary, err := protocol.EncodeSummary(outcomes)
	if err != nil {
		return nil, failed(protocol.CodeInternal, err)
	}
	if err := stub.SetEvent(protocol.EventName, summary); err != nil {
		return nil, failed(protocol.CodeInternal, err)
	}
	if err := write(stub, effects); err != nil {
		return nil, failed(protocol.CodeState, err)
	}
	return payload, nil
}

// transactions reads a proposal.
func (c *Chaincode) transactions(stub shim.ChaincodeStubInterface) ([]contract.Tx, error) {
	batches, err := protocol.Batches(stub.GetArgs())
	if err != nil {
		return nil, err
	}
	at, err := c.time(stub)
	if err != nil {
		return nil, err
	}
	actor, err := actorOf(stub)
	if err != nil {
		return nil, protocol.Wrong(protocol.CodeCertificate, "%v", err)
	}
	txs := make([]contract.Tx, len(batches))
	for i, batch := range batches {
		txs[i] = contract.Tx{ID: protocol.BatchID(stub.GetTxID(), i), Actor: actor, Time: at, Batch: batch}
	}
	return txs, nil
}

// time is the proposal's, which the submitter sets and all endorsers see alike. Each endorser holds it against its own clock.
func (c *Chaincode) time(stub shim.ChaincodeStubInterface) (event.Time, error) {
	stamp, err := stub.GetTxTimestamp()
	if err == nil {
		err = stamp.CheckValid()
	}
	if err != nil {
		return event.Time{}, protocol.Wrong(protocol.CodeClockSkew, "the proposal has no time: %v", err)
	}
	at, now := stamp.AsTime(), c.clock()
	if skew := now.Sub(at); skew.Abs() > protocol.MaxClockSkew {
		return event.Time{}, protocol.Wrong(protocol.CodeClockSkew, "the proposal's time is %s, this endorser's %s: more than %s apart",
			at.Format(time.RFC3339), now.UTC().Format(time.RFC3339), protocol.MaxClockSkew)
	}
	return event.Time{Time: at}, nil
}

func actorOf(stub shim.ChaincodeStubInterface) (contract.Actor, error) {
	creator, err := stub.GetCreator()
	if err != nil {
		return contract.Actor{}, err
	}
	var id msp.SerializedIdentity
	if err := proto.Unmarshal(creator, &id); err != nil {
		return contract.Actor{}, fmt.Errorf("chaincode: the submitter's identity cannot be read: %w", err)
	}
	return protocol.ParseActor(id.Mspid, id.IdBytes)
}
