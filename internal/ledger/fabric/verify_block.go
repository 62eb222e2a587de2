package fabric

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// BlockError says what is wrong with a block that a peer sent.
type BlockError struct {
	Block  uint64
	Tx     int    // index of the transaction in the block, or -1: the block itself
	TxID   string // "" when Tx is -1, or it cannot be read
	Reason string // a sentence
}

func (e *BlockError) Error() string {
	if e.Tx < 0 {
		return fmt.Sprintf("block %d: %s", e.Block, e.Reason)
	}
	return fmt.Sprintf("block %d, transaction %d (%s): %s", e.Block, e.Tx, e.TxID, e.Reason)
}

// verified is a block that was found right, and what it changes.
type verified struct {
	block   *common.Block
	hash    [sha256.Size]byte
	record  record
	txs     []*transaction // all of the block
	config  *common.Config // that it brings into force, or nil
	channel *channel       // of it
	batch   *pebble.Batch
	// conflicts has the key on which a transaction failed version validation, by its index.
	conflicts map[int]string
}

func (v *verified) close() {
	if v.batch != nil {
		v.batch.Close()
		v.batch = nil
	}
}

// headerHash is the hash of a block: over its header in ASN.1.
func headerHash(h *common.BlockHeader) [sha256.Size]byte { return sha256.Sum256(headerBytes(h)) }

func headerBytes(h *common.BlockHeader) []byte {
	b, err := asn1.Marshal(struct {
		Number             *big.Int
		PreviousHash, Data []byte
	}{new(big.Int).SetUint64(h.Number), h.PreviousHash, h.DataHash})
	if err != nil {
		panic(err) // not for such a struct
	}
	return b
}

func metadata(b *common.Block, index common.BlockMetadataIndex) []byte {
	if m := b.GetMetadata().GetMetadata(); int(index) < len(m) {
		return m[index]
	}
	return nil
}

// verify checks the block that follows the replica, from whomever it comes, and says what it changes. What is returned is
// to be applied or closed. Errors: *BlockError; the replica's.
func (r *replica) verify(block *common.Block) (_ *verified, err error) {
	v := &verified{block: block, conflicts: map[int]string{}}
	wrong := func(format string, args ...any) error {
		return &BlockError{Block: r.pos.Height, Tx: -1, Reason: fmt.Sprintf(format, args...)}
	}
	if block.GetHeader() == nil || block.Header.Number != r.pos.Height {
		return nil, wrong("another block was sent in its place")
	}
	v.hash = headerHash(block.Header)
	if sum := sha256.Sum256(bytes.Join(block.GetData().GetData(), nil)); !bytes.Equal(sum[:], block.Header.DataHash) {
		return nil, wrong("its transactions do not have the hash in its header")
	}
	if r.pos.Height == 0 {
		return v, r.verifyGenesis(v)
	}
	if !bytes.Equal(block.Header.PreviousHash, r.pos.Hash[:]) {
		return nil, wrong("it does not follow the block before")
	}
	if err := r.conf.checkOrderer(block); err != nil {
		return nil, wrong("%v", err)
	}
	flags := metadata(block, common.BlockMetadataIndex_TRANSACTIONS_FILTER)
	if len(flags) != len(block.Data.Data) {
		return nil, wrong("it has %d transactions and %d validation flags", len(block.Data.Data), len(flags))
	}
	v.batch = r.db.NewIndexedBatch()
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	return v, r.verifyTxs(v, flags)
}

func (r *replica) verifyGenesis(v *verified) (err error) {
	wrong := func(reason string) error { return &BlockError{Tx: -1, Reason: reason} }
	if v.hash != headerHash(r.genesis.Header) {
		return wrong("it is not the first block that was configured")
	}
	if v.config, err = readConfig(v.block); err == nil && v.config == nil {
		err = errors.New("it holds no configuration")
	}
	if err == nil {
		v.channel, err = newChannel(v.config)
	}
	if err != nil {
		return wrong(err.Error())
	}
	v.record = record{v.hash, time.Unix(0, 0).UTC(), []byte{codeOther}}
	v.txs = []*transaction{{kind: common.HeaderType_CONFIG}}
	v.batch = r.db.NewIndexedBatch()
	return nil
}

// checkOrderer checks that the ordering service signed the block.
func (c *channel) checkOrderer(block *common.Block) error {
	var m common.Metadata
	if err := unmarshal(metadata(block, common.BlockMetadataIndex_SIGNATURES), &m); err != nil {
		return fmt.Errorf("its signatures cannot be read: %w", err)
	}
	header := headerBytes(block.Header)
	var set []signed
	for _, s := range m.Signatures {
		var h common.SignatureHeader
		if err := unmarshal(s.SignatureHeader, &h); err != nil {
			return fmt.Errorf("a signature cannot be read: %w", err)
		}
		set = append(set, signed{h.Creator, slices.Concat(m.Value, s.SignatureHeader, header), s.Signature})
	}
	if !c.policy(policyBlocks).satisfiedBy(c.signers(set)) {
		return fmt.Errorf("no orderer of the channel signed it: its %d signatures do not satisfy %s", len(set), policyBlocks)
	}
	return nil
}

// verifyTxs finds out which transactions are valid, and compares with what the peer says.
func (r *replica) verifyTxs(v *verified, flags []byte) error {
	checks := r.checkAll(v)
	v.record = record{v.hash, r.last.time, make([]byte, len(flags))}
	in := &inBlock{written: map[string]bool{}, ids: map[string]bool{}, own: map[string]bool{}}
	for _, tx := range v.txs {
		maps.Copy(in.own, tx.ownPolicies())
	}
	for i, tx := range v.txs {
		wrong := func(format string, args ...any) error {
			return &BlockError{v.block.Header.Number, i, tx.id, fmt.Sprintf(format, args...)}
		}
		said := peer.TxValidationCode(flags[i])
		why := r.decide(v, i, checks[i], said, in)
		code := peer.TxValidationCode_VALID
		var inv *invalid
		switch {
		case errors.As(why, &inv):
			code = inv.code
		case why != nil:
			return wrong("it cannot be verified: %v", why)
		}
		if (said == peer.TxValidationCode_VALID) != (code == peer.TxValidationCode_VALID) {
			if why == nil {
				why = errors.New("it is valid")
			}
			return wrong("the peer says %s, but %v", said, why)
		}
		v.record.codes[i] = byte(code)
		switch {
		case why != nil:
		case !tx.ours:
			v.record.codes[i] = codeOther
		case tx.time.After(v.record.time): // endorsers of our chaincode have looked at it; nobody has at that of others
			v.record.time = tx.time
		}
	}
	return nil
}

// checkAll does for each transaction what needs no order: form, signatures, policies. As many at a time as there are processors.
func (r *replica) checkAll(v *verified) []error {
	data := v.block.Data.Data
	v.txs = make([]*transaction, len(data))
	checks := make([]error, len(data))
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(data))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(data); i += workers {
				v.txs[i], checks[i] = r.check(data[i])
			}
		})
	}
	wg.Wait()
	return checks
}

func (r *replica) check(data []byte) (*transaction, error) {
	var unknown *unproven // creator
	tx, err := r.conf.readTx(data)
	if err != nil && !errors.As(err, &unknown) {
		return tx, err
	}
	if tx.channel != r.channelID {
		return tx, because(peer.TxValidationCode_TARGET_CHAIN_NOT_FOUND, fmt.Errorf("it is of the channel %q", tx.channel))
	}
	if tx.kind == common.HeaderType_CONFIG {
		return tx, err
	}
	if found, err := r.knows(tx.id); err != nil {
		return tx, err
	} else if found {
		return tx, because(peer.TxValidationCode_DUPLICATE_TXID, errors.New("an earlier transaction has its ID"))
	}
	err = r.conf.checkEndorsement(r.db, tx)
	if err == nil && tx.chaincode == r.chaincode && tx.endorsed {
		_, _ = tx.ledgerTxs() // here, because it takes time and many can be read at once; whoever needs it asks for its error
	}
	if err == nil && unknown != nil {
		err = unknown
	}
	return tx, err
}

// parseID returns ok false for what cannot be the ID of a transaction.
func parseID(id string) (_ [sha256.Size]byte, ok bool) {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != id {
		return [sha256.Size]byte{}, false
	}
	return [sha256.Size]byte(b), true
}

func (r *replica) knows(id string) (bool, error) {
	parsed, ok := parseID(id)
	if !ok {
		return false, nil
	}
	_, found, err := store.FindTx(r.db, parsed)
	return found, err
}

// inBlock is what the transactions of a block did, up to the one that is decided.
type inBlock struct {
	written map[string]bool // keys
	ids     map[string]bool // of those that passed check
	own     map[string]bool // where any of the block sets endorsement policies of single keys
}

// decide says finally whether a transaction is valid, after those before it in the block, and if so adds its writes to the batch.
func (r *replica) decide(v *verified, i int, check error, said peer.TxValidationCode, in *inBlock) error {
	tx := v.txs[i]
	why, err := r.doubt(v, tx, check, said, in)
	switch {
	case err != nil:
		return err
	case why != nil:
	case tx.kind == common.HeaderType_CONFIG:
		why = r.takeConfig(v)
	case in.ids[tx.id]:
		why = because(peer.TxValidationCode_DUPLICATE_TXID, errors.New("an earlier transaction of the block has its ID"))
	default:
		in.ids[tx.id] = true
		why = r.decideReads(v, i, said, in)
	}
	var inv *invalid
	if why != nil && !errors.As(why, &inv) {
		return why
	}
	if why == nil {
		tx.ours, tx.strange = tx.isOurs(r.chaincode)
		if r.inspect != nil {
			r.inspect(v.batch, v.block.Header.Number, i, tx)
		}
		if err := r.write(v.batch, tx, version{v.block.Header.Number, uint32(i)}, in.written); err != nil {
			return err
		}
	}
	return errors.Join(why, r.setPlace(v, i, why == nil))
}

var errHearsay = errors.New("the peer says so, and nothing that is read here depends on it")

// doubt is check, but for a transaction that cannot matter, and of which it cannot be told here whether it is endorsed as it should be: there,
// what the peer says is taken. To stop would let any organisation stop everybody, with its own collection.
func (r *replica) doubt(v *verified, tx *transaction, check error, said peer.TxValidationCode, in *inBlock) (why, err error) {
	var inv *invalid
	var u *unproven
	if tx.kind == common.HeaderType_CONFIG || tx.matters(r.chaincode) {
		return check, nil
	}
	doubtful := errors.As(check, &u)
	if !doubtful && (check == nil || errors.As(check, &inv) && inv.code == peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE) {
		if doubtful, err = tx.underOwnPolicies(v.batch, in.own); err != nil {
			return nil, err
		}
	}
	switch {
	case !doubtful:
		return check, nil
	case said == peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE || said == peer.TxValidationCode_BAD_CREATOR_SIGNATURE:
		return because(said, errHearsay), nil
	}
	return nil, nil
}

// decideReads says whether what the transaction read is still so. Of one that does not matter the peer is believed: with the keys that
// peers keep beside the state, and ranges of which only hashes are told, one organisation could have us come to another result.
func (r *replica) decideReads(v *verified, i int, said peer.TxValidationCode, in *inBlock) error {
	tx := v.txs[i]
	if !tx.matters(r.chaincode) {
		if said != peer.TxValidationCode_VALID {
			return because(peer.TxValidationCode_INVALID_OTHER_REASON, errHearsay)
		}
		return nil
	}
	for _, namespace := range []string{r.chaincode, lifecycleNamespace} {
		if tx.ownPolicies()[string(ownKey(namespace, ""))] {
			return errors.New("it sets endorsement policies of single keys, which are not in use")
		}
	}
	key, why := r.conflict(v.batch, tx, in.written)
	if key != "" {
		v.conflicts[i] = key
	}
	return why
}

// setPlace notes where a transaction stands: the first with its ID, or the valid one, of which there is no more than one.
func (r *replica) setPlace(v *verified, i int, valid bool) error {
	id, ok := parseID(v.txs[i].key)
	if !ok {
		return nil
	}
	_, found, err := store.FindTx(v.batch, id)
	if err != nil || found && !valid {
		return err
	}
	return store.SetTx(v.batch, id, store.Place{Height: v.block.Header.Number, Index: uint32(i)})
}

// takeConfig brings a new configuration into force. The orderers have checked who signed the change, and signed the block.
func (r *replica) takeConfig(v *verified) (err error) {
	if v.config, err = readConfig(v.block); err != nil || v.config == nil {
		return errors.Join(errors.New("the configuration does not stand alone in its block"), err)
	}
	if v.config.Sequence != r.conf.sequence+1 {
		return fmt.Errorf("the configuration %d follows the configuration %d", v.config.Sequence, r.conf.sequence)
	}
	v.channel, err = newChannel(v.config)
	return err
}
