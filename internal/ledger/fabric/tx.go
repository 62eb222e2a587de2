package fabric

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer"
)

// transaction is an envelope of a block, taken apart as far as it can be.
type transaction struct {
	id        string // as it says, "" when it cannot be read
	key       string // ID under which peers index it: id, or what they compute when it says none
	kind      common.HeaderType
	channel   string
	time      time.Time // of the proposal
	creator   []byte    // serialized identity
	nonce     []byte
	chaincode string // that was invoked

	envelope common.Envelope
	payload  *peer.ChaincodeActionPayload
	action   *peer.ChaincodeAction // what was endorsed
	sets     []namespaceSet        // what was read and written, once checkAction has looked
	endorsed bool                  // as its own chaincode's policy asks for, once checkEndorsement has looked
	ours     bool                  // valid, and a submission to our chaincode, once decided
	strange  error                 // why one that those endorsed who may is not ours all the same
	read     *readResult           // once ledgerTxs was called
}

type readResult struct {
	txs []ledger.Tx
	err error
}

// namespaceSet is what a transaction read and wrote of one chaincode's state.
type namespaceSet struct {
	namespace   string
	public      *kvrwset.KVRWSet
	collections []collectionSet
}

// collectionSet is of a private collection, of which the ledger knows hashes.
type collectionSet struct {
	name string
	set  *kvrwset.HashedRWSet
}

// invalid is why a transaction has no effect.
type invalid struct {
	code   peer.TxValidationCode
	reason error
}

func (i *invalid) Error() string { return fmt.Sprintf("%s: %v", i.code, i.reason) }

func (i *invalid) Unwrap() error { return i.reason }

func because(code peer.TxValidationCode, err error) error {
	if err == nil {
		return nil
	}
	return &invalid{code, err}
}

// parseTx takes an envelope apart and checks its form, its ID, and that what was endorsed is what was proposed. The transaction
// is returned as far as it was read, together with an *invalid.
func parseTx(data []byte) (*transaction, error) {
	tx := &transaction{}
	var payload common.Payload
	if err := unmarshal(data, &tx.envelope); err != nil {
		return tx, because(peer.TxValidationCode_INVALID_OTHER_REASON, err)
	}
	if err := unmarshal(tx.envelope.Payload, &payload); err != nil {
		return tx, because(peer.TxValidationCode_BAD_PAYLOAD, err)
	}
	if err := tx.readHeader(payload.Header); err != nil {
		return tx, because(peer.TxValidationCode_BAD_COMMON_HEADER, err)
	}
	switch tx.kind {
	case common.HeaderType_CONFIG:
		return tx, nil
	case common.HeaderType_ENDORSER_TRANSACTION:
	default:
		return tx, because(peer.TxValidationCode_UNSUPPORTED_TX_PAYLOAD, fmt.Errorf("a transaction of type %s", tx.kind))
	}
	if tx.id != txID(tx.nonce, tx.creator) {
		return tx, because(peer.TxValidationCode_BAD_PROPOSAL_TXID, errors.New("its ID is not that of its nonce and creator"))
	}
	if err := tx.readAction(payload.Data, payload.Header.ChannelHeader); err != nil {
		return tx, because(peer.TxValidationCode_INVALID_ENDORSER_TRANSACTION, err)
	}
	return tx, nil
}

// readTx is parseTx, and checks that a member signed. It returns an *unproven when that is all that cannot be told.
func (c *channel) readTx(data []byte) (*transaction, error) {
	tx, err := parseTx(data)
	if len(tx.creator) > 0 {
		var u *unproven
		wrong := c.checkCreator(tx.creator, tx.envelope.Payload, tx.envelope.Signature)
		switch {
		case errors.As(wrong, &u) && err == nil:
			return tx, u
		case wrong != nil:
			return tx, because(peer.TxValidationCode_BAD_CREATOR_SIGNATURE, wrong)
		}
	}
	return tx, err
}

func (tx *transaction) readHeader(h *common.Header) error {
	var channel common.ChannelHeader
	var signature common.SignatureHeader
	if h == nil {
		return errors.New("it has no header")
	}
	if err := unmarshal(h.ChannelHeader, &channel); err != nil {
		return err
	}
	tx.id, tx.key, tx.kind, tx.channel = channel.TxId, channel.TxId, common.HeaderType(channel.Type), channel.ChannelId
	tx.time = channel.GetTimestamp().AsTime()
	if err := unmarshal(h.SignatureHeader, &signature); err != nil {
		return err
	}
	tx.creator, tx.nonce = signature.Creator, signature.Nonce
	if tx.key == "" {
		tx.key = txID(tx.nonce, tx.creator) // also of nothing, as peers do
	}
	var extension peer.ChaincodeHeaderExtension
	if unmarshal(channel.Extension, &extension) == nil { // looked at where it matters
		tx.chaincode = extension.GetChaincodeId().GetName()
	}
	switch {
	case channel.Epoch != 0:
		return fmt.Errorf("it is of the epoch %d", channel.Epoch)
	case len(tx.nonce) == 0 || len(tx.creator) == 0:
		return errors.New("it has no nonce or no creator")
	}
	return nil
}

func (c *channel) checkCreator(creator, message, signature []byte) error {
	id, err := c.identity(creator)
	if err != nil {
		return err
	}
	if id.invalid != nil {
		return id.invalid
	}
	return id.verify(message, signature)
}

// txID is the ID of a transaction: lower-case hex of SHA-256 over nonce and creator.
func txID(nonce, creator []byte) string {
	h := sha256.New()
	h.Write(nonce)
	h.Write(creator)
	return hex.EncodeToString(h.Sum(nil))
}

func (tx *transaction) readAction(data, channelHeader []byte) error {
	var t peer.Transaction
	if err := unmarshal(data, &t); err != nil {
		return err
	}
	if len(t.Actions) != 1 || t.Actions[0] == nil {
		return fmt.Errorf("it has %d actions, not one", len(t.Actions))
	}
	var header common.SignatureHeader
	if err := unmarshal(t.Actions[0].Header, &header); err != nil {
		return err
	}
	if len(header.Nonce) == 0 || len(header.Creator) == 0 {
		return errors.New("its action has no nonce or no creator")
	}
	tx.payload = &peer.ChaincodeActionPayload{}
	if err := unmarshal(t.Actions[0].Payload, tx.payload); err != nil {
		return err
	}
	var response peer.ProposalResponsePayload
	if err := unmarshal(tx.payload.GetAction().GetProposalResponsePayload(), &response); err != nil {
		return err
	}
	if !bytes.Equal(response.ProposalHash, proposalHash(channelHeader, t.Actions[0].Header, tx.payload.ChaincodeProposalPayload)) {
		return errors.New("what was endorsed is another proposal")
	}
	tx.action = &peer.ChaincodeAction{}
	if len(response.Extension) == 0 || unmarshal(response.Extension, tx.action) != nil {
		tx.action = nil // looked at where it matters
	}
	return nil
}

func proposalHash(channelHeader, signatureHeader, payload []byte) []byte {
	h := sha256.New()
	h.Write(channelHeader)
	h.Write(signatureHeader)
	h.Write(payload)
	return h.Sum(nil)
}

// readSets takes apart what the transaction read and wrote.
func (tx *transaction) readSets() error {
	var sets rwset.TxReadWriteSet
	if err := unmarshal(tx.action.GetResults(), &sets); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, ns := range sets.NsRwset {
		if seen[ns.Namespace] {
			return fmt.Errorf("the namespace %q comes twice", ns.Namespace)
		}
		seen[ns.Namespace] = true
		s := namespaceSet{namespace: ns.Namespace, public: &kvrwset.KVRWSet{}}
		if err := unmarshal(ns.Rwset, s.public); err != nil {
			return err
		}
		for _, coll := range ns.CollectionHashedRwset {
			set := &kvrwset.HashedRWSet{}
			if err := unmarshal(coll.HashedRwset, set); err != nil {
				return err
			}
			s.collections = append(s.collections, collectionSet{coll.CollectionName, set})
		}
		tx.sets = append(tx.sets, s)
	}
	return nil
}

// writes says whether anything is written in the namespace, where that is.
func (s namespaceSet) writes() bool {
	if s.public == nil {
		return false
	}
	if len(s.public.Writes)+len(s.public.MetadataWrites) > 0 {
		return true
	}
	for _, c := range s.collections {
		if c.writes() {
			return true
		}
	}
	return false
}

// publicly says whether anything is written in the namespace's public state. That is what a collection without a name is, too.
func (s namespaceSet) publicly() bool {
	if len(s.public.Writes)+len(s.public.MetadataWrites) > 0 {
		return true
	}
	for _, c := range s.collections {
		if c.name == "" && c.writes() {
			return true
		}
	}
	return false
}

// writesTo says whether a transaction wrote into a chaincode's public state.
func (tx *transaction) writesTo(chaincode string) bool {
	for _, s := range tx.sets {
		if s.namespace == chaincode && s.publicly() {
			return true
		}
	}
	return false
}

// matters says whether anything that is read here depends on the transaction: the state of our chaincode, the definitions of
// chaincodes, or what those endorsed who may. Whatever one organisation alone can make valid does not.
func (tx *transaction) matters(chaincode string) bool {
	return tx.chaincode == chaincode && tx.endorsed || tx.writesTo(chaincode) || tx.writesTo(lifecycleNamespace)
}

// isOurs says whether a valid transaction is a submission to our chaincode: one that the chaincode's own policy is satisfied with, and
// not merely that of a collection, which Fabric asks in its place when nothing else is written. Strange is why one that
// needed the endorsement of those who may is none.
func (tx *transaction) isOurs(chaincode string) (ours bool, strange error) {
	if tx.chaincode != chaincode || !tx.endorsed {
		if tx.writesTo(chaincode) {
			strange = errors.New("another chaincode wrote into the state of ours")
		}
		return false, strange
	}
	for _, s := range tx.sets {
		if s.namespace == chaincode && len(s.collections) > 0 {
			return false, errors.New("it uses a private collection, which the contract does not")
		}
	}
	if _, err := tx.ledgerTxs(); err != nil {
		return false, err
	}
	return true, nil
}

func (c collectionSet) writes() bool { return len(c.set.HashedWrites)+len(c.set.MetadataWrites) > 0 }

// ledgerTxs are the batches of a transaction of our chaincode as readers see them, one transaction each. They are read once.
func (tx *transaction) ledgerTxs() ([]ledger.Tx, error) {
	if tx.read == nil {
		txs, err := tx.readLedgerTxs()
		tx.read = &readResult{txs, err}
	}
	return tx.read.txs, tx.read.err
}

func (tx *transaction) readLedgerTxs() ([]ledger.Tx, error) {
	args, err := tx.arguments()
	if err != nil {
		return nil, err
	}
	batches, err := protocol.Batches(args)
	if err != nil {
		return nil, err
	}
	var creator msp.SerializedIdentity
	if err := unmarshal(tx.creator, &creator); err != nil {
		return nil, err
	}
	actor, err := protocol.ParseActor(creator.Mspid, creator.IdBytes)
	if err != nil {
		return nil, err
	}
	if !time.Unix(0, tx.time.UnixNano()).Equal(tx.time) {
		return nil, errors.New("its time is out of range")
	}
	all, err := contract.DecodeOutcomes(tx.action.GetResponse().GetPayload())
	if err != nil {
		return nil, err
	}
	outcomes, err := protocol.Split(all, batches)
	if err != nil {
		return nil, err
	}
	txs := make([]ledger.Tx, len(batches))
	for i, batch := range batches {
		txs[i] = ledger.Tx{ID: protocol.BatchID(tx.id, i), Actor: actor, Time: event.Time{Time: tx.time}, Batch: batch, Outcomes: outcomes[i]}
	}
	return txs, nil
}

// arguments returns the function and arguments of the invocation, as they were proposed.
func (tx *transaction) arguments() ([][]byte, error) {
	var proposal peer.ChaincodeProposalPayload
	var spec peer.ChaincodeInvocationSpec
	if err := unmarshal(tx.payload.ChaincodeProposalPayload, &proposal); err != nil {
		return nil, err
	}
	if err := unmarshal(proposal.Input, &spec); err != nil {
		return nil, err
	}
	return spec.GetChaincodeSpec().GetInput().GetArgs(), nil
}
