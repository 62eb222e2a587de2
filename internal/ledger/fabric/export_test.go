package fabric

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Forgery is a transaction in the making, which tests spoil at whatever step they like.
type Forgery struct {
	ledger       *Ledger
	by           *account
	proposal     *proposal
	result       []byte
	endorsements []*peer.Endorsement
	envelope     *fab.SignedEnvelope
}

// Forge proposes a batch and has it endorsed by the peers of these members, and no others.
func (l *Ledger) Forge(ctx context.Context, by ledger.Signer, batch *contract.Batch, msps ...string) (*Forgery, error) {
	a, err := newAccount(by)
	if err != nil {
		return nil, err
	}
	encoded, err := batch.Encode()
	if err != nil {
		return nil, err
	}
	f := &Forgery{ledger: l, by: a}
	if f.proposal, err = l.propose(a, encoded); err != nil {
		return nil, err
	}
	return f, f.endorse(ctx, msps)
}

func (f *Forgery) endorse(ctx context.Context, msps []string) error {
	c, _, err := f.ledger.ready(ctx)
	if err != nil {
		return err
	}
	r := &round{Ledger: f.ledger, ctx: ctx, by: f.by, proposal: f.proposal, channel: c}
	for _, msp := range msps {
		i := slices.IndexFunc(f.ledger.net.peers, func(n *node) bool { return n.MSP == msp })
		a := r.ask(f.ledger.net.peers[i])
		if a.err != nil {
			return fmt.Errorf("%s: %w", msp, a.err)
		}
		if f.result != nil && !slices.Equal(f.result, a.response.Payload) {
			return errDisagree
		}
		f.result = a.response.Payload
		f.endorsements = append(f.endorsements, a.response.Endorsement)
	}
	return nil
}

// Twin is another batch under the ID of the first one.
func (f *Forgery) Twin(ctx context.Context, batch *contract.Batch, msps ...string) (*Forgery, error) {
	encoded, err := batch.Encode()
	if err != nil {
		return nil, err
	}
	twin := &Forgery{ledger: f.ledger, by: f.by}
	if twin.proposal, err = f.ledger.propose(f.by, encoded); err != nil {
		return nil, err
	}
	twin.proposal.id, twin.proposal.header = f.proposal.id, f.proposal.header
	twin.proposal.hash = proposalHash(f.proposal.header.ChannelHeader, f.proposal.header.SignatureHeader, twin.proposal.payload)
	if err := twin.proposal.sign(f.by); err != nil {
		return nil, err
	}
	return twin, twin.endorse(ctx, msps)
}

// Change replaces what was proposed by another batch, and keeps the endorsements.
func (f *Forgery) Change(batch *contract.Batch) error {
	encoded, err := batch.Encode()
	if err != nil {
		return err
	}
	other, err := f.ledger.propose(f.by, encoded)
	f.proposal.payload = other.payload
	return err
}

// ChangeResult replaces what was endorsed: the response says another message.
func (f *Forgery) ChangeResult() error {
	var payload peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	if err := errors.Join(unmarshal(f.result, &payload), unmarshal(payload.Extension, &action)); err != nil {
		return err
	}
	action.Response.Message = "forged"
	var err error
	if payload.Extension, err = marshal(&action); err != nil {
		return err
	}
	f.result, err = marshal(&payload)
	return err
}

// Sign makes the transaction.
func (f *Forgery) Sign() (err error) {
	f.envelope, err = f.proposal.envelope(f.by, f.result, f.endorsements)
	return err
}

// BreakSignature spoils the submitter's signature.
func (f *Forgery) BreakSignature() error {
	signature, err := f.by.Sign([]byte("something else"))
	f.envelope.Signature = signature
	return err
}

// Alone is a submission with outcomes of somebody's invention that the peer alone, whose key this is, endorsed: it writes
// nothing but its organisation's own collection. Change (may be nil) changes what is written and read.
func (l *Ledger) Alone(by, peerKey ledger.Signer, function string, batch []byte, outcomes []contract.Outcome, change func(*kvrwset.HashedRWSet)) (*Forgery, error) {
	a, err := newAccount(by)
	if err != nil {
		return nil, err
	}
	endorser, err := newAccount(peerKey)
	if err != nil {
		return nil, err
	}
	f := &Forgery{ledger: l, by: a}
	if f.proposal, err = l.propose(a, batch); err != nil {
		return nil, err
	}
	conf := l.opts.Config
	f.proposal.payload = encode(&peer.ChaincodeProposalPayload{Input: encode(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: conf.Chaincode}, Input: &peer.ChaincodeInput{Args: [][]byte{[]byte(function), batch}},
	}})})
	key := sha256.Sum256([]byte(f.proposal.id))
	written := &kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: key[:], ValueHash: key[:]}}}
	if change != nil {
		change(written)
	}
	f.result = encode(&peer.ProposalResponsePayload{
		ProposalHash: proposalHash(f.proposal.header.ChannelHeader, f.proposal.header.SignatureHeader, f.proposal.payload),
		Extension: encode(&peer.ChaincodeAction{
			Results:     encode(&rwset.TxReadWriteSet{NsRwset: hashed(conf.Chaincode, peerKey.MSP, written)}),
			Response:    &peer.Response{Status: 200, Payload: must(contract.EncodeOutcomes(outcomes))},
			ChaincodeId: &peer.ChaincodeID{Name: conf.Chaincode, Version: "1"},
		}),
	})
	f.endorsements = []*peer.Endorsement{{Endorser: endorser.serialized, Signature: must(endorser.Sign(slices.Concat(f.result, endorser.serialized)))}}
	return f, f.Sign()
}

// SetsPolicy has what Alone writes set an endorsement policy for the key, which is anybody's.
func SetsPolicy(s *kvrwset.HashedRWSet) {
	policy := encode(&peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: &common.SignaturePolicyEnvelope{Rule: nOutOf(0)}}})
	s.MetadataWrites = []*kvrwset.KVMetadataWriteHash{{KeyHash: s.HashedWrites[0].KeyHash, Entries: []*kvrwset.KVMetadataEntry{{Name: "VALIDATION_PARAMETER", Value: policy}}}}
}

// HideID sends the transaction's header without its ID, as a transaction of its own.
func (f *Forgery) HideID(ctx context.Context) error {
	var header common.ChannelHeader
	err := unmarshal(f.proposal.header.ChannelHeader, &header)
	header.TxId = ""
	payload := encode(&common.Payload{
		Header: &common.Header{ChannelHeader: encode(&header), SignatureHeader: f.proposal.header.SignatureHeader},
		Data:   encode(&peer.Transaction{}),
	})
	signature, signErr := f.by.Sign(payload)
	return errors.Join(err, signErr, f.ledger.broadcast(ctx, f.by, &fab.SignedEnvelope{Payload: payload, Signature: signature}))
}

// ID is the transaction's.
func (f *Forgery) ID() string { return f.proposal.id }

// Order sends the transaction, and returns its code once it is in a block. Again: as its ID is on the ledger already.
func (f *Forgery) Order(ctx context.Context, again bool) (string, error) {
	l := f.ledger
	if !again {
		s := &convoy{Ledger: l, by: f.by}
		found, err := s.order(ctx, f.proposal.id, f.envelope)
		if found.code == codeOther {
			return "VALID, of others", err
		}
		return found.code.String(), err
	}
	height, err := l.Height(ctx)
	if err != nil {
		return "", err
	}
	if err := l.broadcast(ctx, f.by, f.envelope); err != nil {
		return "", err
	}
	for ; ; height++ {
		if _, err := l.await(ctx, height); err != nil || ctx.Err() != nil {
			return "", errors.Join(err, ctx.Err())
		}
		code, err := l.codeIn(ctx, height, f.proposal.id)
		if code != "" || err != nil {
			return code, err
		}
	}
}

// codeIn returns the code of a transaction in a block, "" when it is not in it.
func (l *Ledger) codeIn(ctx context.Context, height uint64, id string) (code string, err error) {
	rec, err := readRecord(l.replica.db, height)
	if err != nil {
		return "", err
	}
	err = l.net.peers[0].deliver(ctx, l.reader, l.opts.Config.Channel, height, height, func(raw *common.Block) error {
		for i, data := range raw.Data.Data {
			if tx, _ := parseTx(data); tx.id == id {
				code = peer.TxValidationCode(rec.codes[i]).String()
			}
		}
		return nil
	})
	return code, err
}

// Await returns once the ledger has the height, or fails after a while.
func (l *Ledger) Await(ctx context.Context, height uint64) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := l.await(ctx, height-1)
	return errors.Join(err, ctx.Err())
}

// AllAccepted says whether the endorsed result accepts all records.
func (f *Forgery) AllAccepted() bool {
	var payload peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	if unmarshal(f.result, &payload) != nil || unmarshal(payload.Extension, &action) != nil {
		return false
	}
	outcomes, err := contract.DecodeOutcomes(action.GetResponse().GetPayload())
	return err == nil && !slices.ContainsFunc(outcomes, func(o contract.Outcome) bool { return o.Status != contract.Accepted })
}

// Via is the same transaction, sent and waited for by another client.
func (f *Forgery) Via(l *Ledger) *Forgery {
	other := *f
	other.ledger = l
	return &other
}
