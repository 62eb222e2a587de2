// Package fabric runs the contract as a chaincode service of Hyperledger Fabric: the stub becomes the contract's state, the
// submitter's certificate its actor, the proposal's time its time. chaincode/protocol says what goes in and out.
package fabric

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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
			response = failure(&refusal{protocol.StatusFailed, protocol.CodeInternal, "the contract failed on this batch"})
		}
	}()
	payload, err := c.submit(stub)
	if err != nil {
		c.log.Warn("not endorsed", "tx", stub.GetTxID(), "error", err)
		return failure(err)
	}
	return shim.Success(payload)
}

// refusal is why a proposal is not endorsed.
type refusal struct {
	status int32
	code   string
	reason string
}

func (r *refusal) Error() string { return r.code + ": " + r.reason }

func wrong(code, format string, args ...any) error {
	return &refusal{protocol.StatusWrong, code, fmt.Sprintf(format, args...)}
}

func failed(code string, err error) error { return &refusal{protocol.StatusFailed, code, err.Error()} }

func failure(err error) *peer.Response {
	r := &refusal{protocol.StatusFailed, protocol.CodeInternal, err.Error()}
	errors.As(err, &r)
	return &peer.Response{Status: r.status, Message: r.Error()}
}

// submit decides the batch and hands its writes to the peer. Errors are refusals.
func (c *Chaincode) submit(stub shim.ChaincodeStubInterface) (payload []byte, err error) {
	tx, err := c.transaction(stub)
	if err != nil {
		return nil, err
	}
	effects, outcomes, err := contract.Decide(state{stub}, tx)
	if err != nil {
		return nil, failed(protocol.CodeState, err)
	}
	if payload, err = contract.EncodeOutcomes(outcomes); err != nil {
		return nil, failed(protocol.CodeInternal, err)
	}
	if len(payload) > protocol.MaxBatchBytes {
		return nil, wrong(protocol.CodeTooLarge, "what there is to say of the batch has %d bytes, more than the %d allowed", len(payload), protocol.MaxBatchBytes)
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

// transaction reads a proposal.
func (c *Chaincode) transaction(stub shim.ChaincodeStubInterface) (contract.Tx, error) {
	batch, err := batchOf(stub.GetArgs())
	if err != nil {
		return contract.Tx{}, err
	}
	at, err := c.time(stub)
	if err != nil {
		return contract.Tx{}, err
	}
	actor, err := actorOf(stub)
	if err != nil {
		return contract.Tx{}, wrong(protocol.CodeCertificate, "%v", err)
	}
	return contract.Tx{ID: stub.GetTxID(), Actor: actor, Time: at, Batch: batch}, nil
}

// batchOf reads the arguments of a proposal: the function's name and the batch.
func batchOf(args [][]byte) (*contract.Batch, error) {
	if len(args) == 0 || string(args[0]) != protocol.Submit {
		return nil, wrong(protocol.CodeFunction, "the chaincode has one function, %s", protocol.Submit)
	}
	if len(args) != 2 {
		return nil, wrong(protocol.CodeArguments, "%s takes one argument, not %d", protocol.Submit, len(args)-1)
	}
	if len(args[1]) > protocol.MaxBatchBytes {
		return nil, wrong(protocol.CodeTooLarge, "the batch has %d bytes, more than the %d allowed", len(args[1]), protocol.MaxBatchBytes)
	}
	batch, err := contract.DecodeBatch(args[1])
	if err != nil {
		return nil, wrong(protocol.CodeBatch, "%v", err)
	}
	if len(batch.Records) == 0 {
		return nil, wrong(protocol.CodeBatch, "the batch holds no record")
	}
	return batch, nil
}

// time is the proposal's, which the submitter sets and all endorsers see alike. Each endorser holds it against its own clock.
func (c *Chaincode) time(stub shim.ChaincodeStubInterface) (event.Time, error) {
	stamp, err := stub.GetTxTimestamp()
	if err == nil {
		err = stamp.CheckValid()
	}
	if err != nil {
		return event.Time{}, wrong(protocol.CodeClockSkew, "the proposal has no time: %v", err)
	}
	at, now := stamp.AsTime(), c.clock()
	if skew := now.Sub(at); skew.Abs() > protocol.MaxClockSkew {
		return event.Time{}, wrong(protocol.CodeClockSkew, "the proposal's time is %s, this endorser's %s: more than %s apart",
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
