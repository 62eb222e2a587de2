package fabric

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/txn"

	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

const (
	// endorseTimeout bounds one peer's work on a proposal; the largest batches take a peer some seconds.
	endorseTimeout = 30 * time.Second
	// endorseSlow is after what time without an answer one more peer is asked.
	endorseSlow = 3 * time.Second
	// endorsePatience is for how long peers are asked in vain: a member's peer, or its chaincode, may be starting again.
	endorsePatience = 30 * time.Second
)

// errTooFew is when peers that are needed cannot be reached, or fail: in a while they may be back.
var errTooFew = ledger.ErrFewPeers

// errDisagree is when endorsers, each at a height of its own, came to different results: the proposal is made again.
var errDisagree = errors.New("the endorsers' results differ")

// proposal are submissions as endorsers get them.
type proposal struct {
	id        string
	header    common.Header
	payload   []byte // pb.ChaincodeProposalPayload
	hash      []byte
	signed    *pb.SignedProposal
	chaincode string
}

// propose makes a new proposal of encoded batches, with an ID of its own.
func (l *Ledger) propose(by *account, batches ...[]byte) (*proposal, error) {
	conf := l.opts.Config
	h, err := txn.NewHeader(l.net.peers[0].client(by), conf.Channel)
	if err != nil {
		return nil, err
	}
	channelHeader, err := txn.CreateChannelHeader(common.HeaderType_ENDORSER_TRANSACTION,
		txn.ChannelHeaderOpts{TxnHeader: h, ChaincodeID: conf.Chaincode, Timestamp: l.opts.Now()})
	if err != nil {
		return nil, err
	}
	signatureHeader, err := txn.CreateSignatureHeader(h)
	if err != nil {
		return nil, err
	}
	input, err := marshal(&pb.ChaincodeInvocationSpec{ChaincodeSpec: &pb.ChaincodeSpec{
		Type: pb.ChaincodeSpec_GOLANG, ChaincodeId: &pb.ChaincodeID{Name: conf.Chaincode},
		Input: &pb.ChaincodeInput{Args: append([][]byte{[]byte(protocol.Submit)}, batches...)},
	}})
	if err != nil {
		return nil, err
	}
	p := &proposal{id: string(h.TransactionID()), chaincode: conf.Chaincode}
	if p.header.ChannelHeader, err = marshal(channelHeader); err != nil {
		return nil, err
	}
	if p.header.SignatureHeader, err = marshal(signatureHeader); err != nil {
		return nil, err
	}
	if p.payload, err = marshal(&pb.ChaincodeProposalPayload{Input: input}); err != nil {
		return nil, err
	}
	p.hash = proposalHash(p.header.ChannelHeader, p.header.SignatureHeader, p.payload)
	return p, p.sign(by)
}

func (p *proposal) sign(by *account) error {
	header, err := marshal(&p.header)
	if err != nil {
		return err
	}
	p.signed = &pb.SignedProposal{}
	if p.signed.ProposalBytes, err = marshal(&pb.Proposal{Header: header, Payload: p.payload}); err != nil {
		return err
	}
	p.signed.Signature, err = by.Sign(p.signed.ProposalBytes)
	return err
}

// envelope makes the transaction of an endorsed proposal.
func (p *proposal) envelope(by *account, result []byte, endorsements []*pb.Endorsement) (*fab.SignedEnvelope, error) {
	payload, err := marshal(&pb.ChaincodeActionPayload{
		ChaincodeProposalPayload: p.payload,
		Action:                   &pb.ChaincodeEndorsedAction{ProposalResponsePayload: result, Endorsements: endorsements},
	})
	if err != nil {
		return nil, err
	}
	data, err := marshal(&pb.Transaction{Actions: []*pb.TransactionAction{{Header: p.header.SignatureHeader, Payload: payload}}})
	if err != nil {
		return nil, err
	}
	e := &fab.SignedEnvelope{}
	if e.Payload, err = marshal(&common.Payload{Header: &p.header, Data: data}); err != nil {
		return nil, err
	}
	e.Signature, err = by.Sign(e.Payload)
	return e, err
}

// answer is what a peer said to a proposal.
type answer struct {
	node     *node
	response *pb.ProposalResponse
	signer   signer
	err      error
}

// round is one proposal on its way through the endorsers.
type round struct {
	*Ledger
	ctx      context.Context
	by       *account
	proposal *proposal
	channel  *channel
	policy   policy

	all     []*node
	left    []*node             // of these, not asked yet
	pending map[string]int      // MSP ID → peers that have not answered
	answers chan answer         // has room for all
	results map[string][]answer // by result
	errs    []error
	against map[string]bool // MSP IDs of peers that refused it
}

// endorse asks as many peers as the endorsement policy needs, the member's own first and all at once, and others where these
// fail or are slow, until enough of them give one result. Errors: errDisagree, ErrRefused, ErrNotOrdered.
func (l *Ledger) endorse(ctx context.Context, by *account, p *proposal, c *channel, enough policy) (result []byte, endorsements []*pb.Endorsement, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	peers := ordered(l.net.peers, time.Now())
	r := &round{
		Ledger: l, ctx: ctx, by: by, proposal: p, channel: c, policy: enough, all: peers, left: peers,
		pending: map[string]int{}, answers: make(chan answer, len(peers)), results: map[string][]answer{}, against: map[string]bool{},
	}
	slow := time.NewTicker(endorseSlow)
	defer slow.Stop()
	for {
		for !r.hopeful() && r.askNext() {
		}
		if len(r.pending) == 0 {
			return nil, nil, r.failure()
		}
		select {
		case a := <-r.answers:
			if result, endorsements, ok := r.take(a); ok {
				return result, endorsements, nil
			}
		case <-slow.C:
			r.askNext()
		case <-ctx.Done():
			return nil, nil, notOrdered(context.Cause(ctx))
		}
	}
}

// hopeful says whether those that were asked and have not failed can be enough.
func (r *round) hopeful() bool {
	var hoped []signer
	for msp := range r.pending {
		hoped = append(hoped, anyPeer(msp))
	}
	if len(r.results) == 0 {
		return r.policy.satisfiedBy(hoped)
	}
	for _, same := range r.results {
		if r.policy.satisfiedBy(append(signersOf(same), hoped...)) {
			return true
		}
	}
	return false
}

func signersOf(answers []answer) (signers []signer) {
	for _, a := range answers {
		signers = append(signers, a.signer)
	}
	return signers
}

// askNext asks the next peer of an organisation that is not in it already, if there is one.
func (r *round) askNext() bool {
	for i, n := range r.left {
		if r.pending[n.MSP] > 0 || r.has(n.MSP) {
			continue
		}
		r.left = slices.Delete(slices.Clone(r.left), i, i+1)
		r.pending[n.MSP]++
		go func() { r.answers <- r.ask(n) }()
		return true
	}
	return false
}

func (r *round) has(msp string) bool {
	for _, same := range r.results {
		if slices.ContainsFunc(same, func(a answer) bool { return a.node.MSP == msp }) {
			return true
		}
	}
	return false
}

// ask sends the proposal to a peer and checks what comes back.
func (r *round) ask(n *node) answer {
	ctx, cancel := n.request(r.ctx, r.by, endorseTimeout)
	defer cancel()
	response, err := n.peer.ProcessTransactionProposal(ctx, fab.ProcessProposalRequest{SignedProposal: r.proposal.signed})
	if err != nil {
		return answer{node: n, err: err}
	}
	a := answer{node: n, response: response.ProposalResponse}
	a.signer, a.err = r.check(a.response)
	return a
}

// check says who endorsed, if everything is right with the endorsement. What is not would be found invalid in a block.
func (r *round) check(response *pb.ProposalResponse) (signer, error) {
	e := response.GetEndorsement()
	id, err := r.channel.identity(e.GetEndorser())
	if err == nil {
		err = id.invalid
	}
	if err == nil {
		err = id.verify(slices.Concat(response.Payload, e.Endorser), e.Signature)
	}
	if err != nil {
		return nil, fmt.Errorf("its endorsement: %w", err)
	}
	var payload pb.ProposalResponsePayload
	if err := unmarshal(response.Payload, &payload); err != nil || !bytes.Equal(payload.ProposalHash, r.proposal.hash) {
		return nil, errors.New("it endorsed another proposal")
	}
	return id, nil
}

// take notes an answer. ok: with it, enough peers have given one result.
func (r *round) take(a answer) (result []byte, endorsements []*pb.Endorsement, ok bool) {
	if r.pending[a.node.MSP]--; r.pending[a.node.MSP] == 0 {
		delete(r.pending, a.node.MSP)
	}
	if a.err != nil {
		r.errs = append(r.errs, fmt.Errorf("peer %s of %s: %w", a.node.Address, a.node.MSP, a.err))
		switch {
		case refused(a.err):
			r.against[a.node.MSP] = true
		case r.ctx.Err() == nil:
			a.node.fails(time.Now())
			r.Metrics.Failovers.Add(1)
		}
		return nil, nil, false
	}
	a.node.works()
	same := append(r.results[string(a.response.Payload)], a)
	r.results[string(a.response.Payload)] = same
	if !r.policy.satisfiedBy(signersOf(same)) {
		return nil, nil, false
	}
	for _, a := range same {
		endorsements = append(endorsements, a.response.Endorsement)
	}
	return a.response.Payload, endorsements, true
}

// failure says why there are not enough endorsements: because of those who refused it, those who differ, or those who failed.
func (r *round) failure() error {
	var all, willing []signer
	for _, n := range r.all {
		all = append(all, anyPeer(n.MSP))
		if !r.against[n.MSP] {
			willing = append(willing, anyPeer(n.MSP))
		}
	}
	switch errs := errors.Join(r.errs...); {
	case !r.policy.satisfiedBy(all):
		return fmt.Errorf("%w: the configured peers cannot satisfy the endorsement policy", ledger.ErrNotOrdered)
	case !r.policy.satisfiedBy(willing):
		return refuse(errs)
	case len(r.results) > 1:
		return errDisagree
	default:
		return fmt.Errorf("%w: %w: %w", ledger.ErrNotOrdered, errTooFew, errs)
	}
}

// refused says whether a peer or its chaincode refused the submission itself, rather than failed.
func refused(err error) bool {
	var s *status.Status
	if !errors.As(err, &s) {
		var ok bool
		if s, ok = status.FromError(err); !ok {
			return false
		}
	}
	return s.Group == status.ChaincodeStatus && s.Code == protocol.StatusWrong ||
		// A peer says so in the words of its error alone.
		strings.Contains(s.Message, "access denied") || strings.Contains(s.Message, "creator is malformed")
}
