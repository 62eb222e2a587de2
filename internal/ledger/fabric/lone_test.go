package fabric

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

var (
	privateKey = sha256.Sum256([]byte("private key"))
	someValue  = sha256.Sum256([]byte("value"))
)

// inCollection adds a write into an organisation's implicit collection to our chaincode's set.
func inCollection(msp string, sets ...*rwset.NsReadWriteSet) []*rwset.NsReadWriteSet {
	return hashed(testChaincode, msp, &kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: privateKey[:], ValueHash: someValue[:]}}}, sets...)
}

// hashed adds what is done in an organisation's implicit collection of a chaincode to the chaincode's set.
func hashed(namespace, msp string, s *kvrwset.HashedRWSet, sets ...*rwset.NsReadWriteSet) []*rwset.NsReadWriteSet {
	coll := &rwset.CollectionHashedReadWriteSet{CollectionName: implicitCollection + msp, HashedRwset: encode(s)}
	for _, s := range sets {
		if s.Namespace == namespace {
			s.CollectionHashedRwset = append(s.CollectionHashedRwset, coll)
			return sets
		}
	}
	return append(sets, &rwset.NsReadWriteSet{Namespace: namespace, CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{coll}})
}

func policyOf(keyHash []byte) *kvrwset.HashedRWSet {
	return &kvrwset.HashedRWSet{MetadataWrites: []*kvrwset.KVMetadataWriteHash{{KeyHash: keyHash, Entries: []*kvrwset.KVMetadataEntry{{Name: "VALIDATION_PARAMETER", Value: []byte("x")}}}}}
}

// TestOneOrganisationAlone: with its own implicit collection, which Fabric lets it write alone, an organisation makes valid
// transactions of our chaincode. They forge nothing, and whatever is in them, they stop nobody.
func TestOneOrganisationAlone(t *testing.T) {
	merkle := set("another namespace", &kvrwset.KVRWSet{RangeQueriesInfo: []*kvrwset.RangeQueryInfo{{
		ReadsInfo: &kvrwset.RangeQueryInfo_ReadsMerkleHashes{ReadsMerkleHashes: &kvrwset.QueryReadsMerkleSummary{MaxDegree: 2}},
	}}})
	for name, d := range map[string]*draft{
		"a batch and outcomes":     {sets: inCollection("a")},
		"another function":         {function: "another", sets: inCollection("a")},
		"no batch":                 {argument: []byte("no batch"), sets: inCollection("a")},
		"no outcomes":              {response: []byte("no outcomes"), sets: inCollection("a")},
		"a time that cannot be":    {time: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), sets: inCollection("a")},
		"the lifecycle's":          {chaincode: lifecycleNamespace, sets: inCollection("a", hashed(lifecycleNamespace, "a", policyOf(privateKey[:]))...)},
		"a policy of a key":        {sets: hashed(testChaincode, "a", policyOf(privateKey[:]))},
		"a range of hashes":        {sets: inCollection("a", merkle)},
		"the state beside the key": {sets: inCollection("a", set(testChaincode+"$$h"+implicitCollection+"a", &kvrwset.KVRWSet{Reads: []*kvrwset.KVRead{{Key: "a hash", Version: &kvrwset.Version{BlockNum: 9}}}}))},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, members()...)
			l := &Ledger{opts: Options{Config: testConfig}, replica: c.replica}
			alone := func(d *draft) *draft {
				d.endorsers = []*account{c.peers["a"]}
				return d
			}
			b := c.block(c.envelope(alone(d)), c.envelope(&draft{}))
			v := c.accept(b)
			block, err := l.decode(b, v.txs, v.record)
			if err != nil || len(block.Txs) != 1 || block.Txs[0].ID != v.txs[1].id || v.txs[0].strange != nil {
				t.Fatalf("followers see %+v, %v", block, err)
			}
			if at := v.txs[1].time; !block.Time.Time.Equal(at) {
				t.Errorf("the block's time is %s, want %s", block.Time.Time, at)
			}
			if _, err := l.Receipt(t.Context(), v.txs[0].id); !errors.Is(err, ledger.ErrNoSuchTx) {
				t.Errorf("its receipt: %v", err)
			}
			// Nor does it with what comes after it, whatever peers find of that.
			after := alone(&draft{sets: inCollection("a")})
			c.accept(flag(c.block(c.envelope(after)), 0, peer.TxValidationCode_MVCC_READ_CONFLICT))
			// What others have to endorse is not believed for it.
			c.wantWrong(c.block(c.envelope(alone(&draft{sets: inCollection("a", writes("key", "1", nil)...)}))), "ENDORSEMENT_POLICY_FAILURE")
			policy := set(testChaincode, &kvrwset.KVRWSet{MetadataWrites: []*kvrwset.KVMetadataWrite{{Key: "key"}}})
			c.wantWrong(c.block(c.envelope(alone(&draft{sets: inCollection("a", policy)}))), "ENDORSEMENT_POLICY_FAILURE")
			c.wantWrong(c.block(c.envelope(alone(&draft{sets: inCollection("b")}))), "ENDORSEMENT_POLICY_FAILURE")
			c.wantWrong(c.block(c.envelope(alone(&draft{sets: []*rwset.NsReadWriteSet{}}))), "ENDORSEMENT_POLICY_FAILURE")
			c.wantWrong(flag(c.block(c.envelope(&draft{sets: []*rwset.NsReadWriteSet{}})), 0, peer.TxValidationCode_MVCC_READ_CONFLICT), "it is valid")
		})
	}
}

// TestHashedState: the versions of private keys are those that peers have, whose oddities the lifecycle's definitions depend on.
func TestHashedState(t *testing.T) {
	nothing := sha256.Sum256(nil)
	is := func(value []byte) *kvrwset.HashedRWSet {
		return &kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: privateKey[:], ValueHash: value}}}
	}
	twice := is(someValue[:])
	twice.HashedWrites = append(twice.HashedWrites, twice.HashedWrites[0])
	purge := is(someValue[:])
	purge.HashedWrites[0].IsPurge = true
	both := is(someValue[:])
	both.MetadataWrites = policyOf(privateKey[:]).MetadataWrites
	for name, test := range map[string]struct {
		sets []*kvrwset.HashedRWSet // of one transaction each, of blocks 2, 3…
		want uint64                 // block that wrote it last, 0: it is not there
	}{
		"written":                      {[]*kvrwset.HashedRWSet{is(someValue[:])}, 2},
		"deleted":                      {[]*kvrwset.HashedRWSet{is(someValue[:]), is(nil)}, 0},
		"the hash of nothing":          {[]*kvrwset.HashedRWSet{is(someValue[:]), is(nothing[:])}, 0},
		"said to be purged":            {[]*kvrwset.HashedRWSet{purge}, 2},
		"written twice, not there":     {[]*kvrwset.HashedRWSet{twice}, 0},
		"written twice, there":         {[]*kvrwset.HashedRWSet{is(someValue[:]), twice}, 3},
		"its policy, not there":        {[]*kvrwset.HashedRWSet{policyOf(privateKey[:])}, 0},
		"its policy, there":            {[]*kvrwset.HashedRWSet{is(someValue[:]), policyOf(privateKey[:])}, 3},
		"written together with policy": {[]*kvrwset.HashedRWSet{both}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, members()...)
			for _, s := range test.sets {
				c.accept(c.block(c.envelope(&draft{sets: hashed(testChaincode, "a", s), endorsers: []*account{c.peers["a"]}})))
			}
			v, err := readVersion(c.replica.db, hashedKey(testChaincode, implicitCollection+"a", privateKey[:]))
			if err != nil || v == nil && test.want != 0 || v != nil && v.Height != test.want {
				t.Errorf("%+v, %v, want block %d", v, err, test.want)
			}
		})
	}
}

// TestNoID: peers index a transaction that says no ID under the one that is its creator's and nonce's, so that the right one, later, is a
// duplicate to them.
func TestNoID(t *testing.T) {
	c := newChain(t, members()...)
	d := &draft{nonce: []byte("once")}
	right := c.envelope(d)
	c.accept(flag(c.block(c.envelope(&draft{nonce: d.nonce, noID: true})), 0, peer.TxValidationCode_BAD_PROPOSAL_TXID))
	c.wantWrong(c.block(right), "DUPLICATE_TXID")
	c.accept(flag(c.block(right), 0, peer.TxValidationCode_DUPLICATE_TXID))
	// In one block, it is none.
	d = &draft{nonce: []byte("again")}
	right = c.envelope(d)
	c.accept(flag(c.block(c.envelope(&draft{nonce: d.nonce, noID: true}), right), 0, peer.TxValidationCode_BAD_PROPOSAL_TXID))
	id, _ := parseID(d.id)
	if at, _, err := store.FindTx(c.replica.db, id); err != nil || at != (store.Place{Height: 4, Index: 1}) {
		t.Errorf("%+v, %v, want the valid one", at, err)
	}
}

// TestVersionOutOfRange: the number of a transaction is compared as it is.
func TestVersionOutOfRange(t *testing.T) {
	if (version{Height: 3, Index: 1}).is(&kvrwset.Version{BlockNum: 3, TxNum: 1<<32 + 1}) {
		t.Error("a version out of range is believed")
	}
}

// TestForeignService: an organisation that turns its membership service into one that is not known here stops nobody. Peers are believed
// about its members where that changes nothing, and nowhere else.
func TestForeignService(t *testing.T) {
	c := newChain(t, members()...)
	group := c.group(members())
	group.Groups["Application"].Groups["group of d"].Values["MSP"].Value = encode(&msp.MSPConfig{Type: 1, Config: encode(&msp.IdemixMSPConfig{Name: "d"})})
	c.accept(c.block(c.configTx(&common.Config{Sequence: 1, ChannelGroup: group})))
	theirs := c.orgs["d"].account("gateway", "client")
	alone := func() []byte {
		return c.envelope(&draft{by: theirs, sets: inCollection("a"), endorsers: []*account{c.peers["a"]}})
	}
	c.accept(flag(c.block(alone(), alone(), c.envelope(&draft{})), 0, peer.TxValidationCode_BAD_CREATOR_SIGNATURE))
	c.wantWrong(c.block(c.envelope(&draft{by: theirs})), "cannot be read")
	c.wantWrong(c.block(c.envelope(&draft{by: theirs, endorsers: []*account{c.peers["a"]}})), "ENDORSEMENT_POLICY_FAILURE")
	c.accept(c.block(c.envelope(&draft{})))
}
