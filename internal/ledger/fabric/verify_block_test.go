package fabric

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

func members() []string { return []string{"a", "b", "c", "d"} }

// wantWrong wants a block to be refused for a reason, and nothing to have changed.
func (c *chain) wantWrong(b *common.Block, reason string) {
	c.t.Helper()
	before := c.replica.pos
	v, err := c.verify(b)
	var wrong *BlockError
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Error(), reason) {
		c.t.Errorf("%v, want a *BlockError that says %q", err, reason)
	}
	if err == nil {
		v.close()
	}
	if c.replica.pos != before {
		c.t.Errorf("the replica has changed")
	}
}

// TestBlocks: a block is believed only as an orderer made it, in its place.
func TestBlocks(t *testing.T) {
	c := newChain(t, members()...)
	next := func() *common.Block { return c.block(c.envelope(&draft{})) }
	for name, test := range map[string]struct {
		spoil  func(b *common.Block)
		reason string
	}{
		"another number":         {func(b *common.Block) { b.Header.Number++ }, "another block"},
		"no header":              {func(b *common.Block) { b.Header = nil }, "another block"},
		"another previous block": {func(b *common.Block) { b.Header.PreviousHash = make([]byte, 32); c.seal(b) }, "does not follow"},
		"changed data":           {func(b *common.Block) { b.Data.Data[0][20] ^= 1 }, "hash in its header"},
		"data left out":          {func(b *common.Block) { b.Data.Data = nil }, "hash in its header"},
		"no signature":           {func(b *common.Block) { b.Metadata.Metadata[0] = nil }, "no orderer"},
		"signed by a peer":       {func(b *common.Block) { b.Metadata.Metadata[0] = c.signBlock(b, c.peers["a"]) }, "no orderer"},
		"signed by a stranger": {func(b *common.Block) {
			b.Metadata.Metadata[0] = c.signBlock(b, newOrg(t, ordering).account("orderer", "orderer"))
		}, "no orderer"},
		"signature of another": {func(b *common.Block) { b.Metadata.Metadata[0] = c.signBlock(c.genesis, c.orderer) }, "no orderer"},
		"too few flags":        {func(b *common.Block) { b.Metadata.Metadata[2] = nil }, "0 validation flags"},
		"no metadata":          {func(b *common.Block) { b.Metadata = nil }, "no orderer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := next()
			test.spoil(b)
			c.wantWrong(b, test.reason)
		})
	}
	c.accept(next())
}

func TestAnotherGenesis(t *testing.T) {
	c, other := newChain(t, members()...), newChain(t, members()...)
	c.replica.pos.Height = 0
	c.wantWrong(other.genesis, "not the first block")
}

// TestTransactions: each of these is invalid. A peer that says so is believed, one that says it is valid is not, and the reverse for
// one that is valid.
func TestTransactions(t *testing.T) {
	c := newChain(t, members()...)
	stranger := newOrg(t, "a").account("gateway", "client")
	highS := func(sig []byte) []byte {
		var s struct{ R, S *big.Int }
		must(asn1.Unmarshal(sig, &s))
		s.S.Sub(elliptic.P256().Params().N, s.S)
		return must(asn1.Marshal(s))
	}
	first := &draft{nonce: []byte("used")}
	c.accept(c.block(c.envelope(first)))
	at := &kvrwset.Version{BlockNum: 2}
	c.accept(c.block(c.envelope(&draft{sets: writes("key", "1", nil)}), c.envelope(&draft{sets: writes("range/1", "1", nil)})))
	flip := func(b []byte) []byte {
		b = append([]byte{}, b...)
		b[len(b)-1] ^= 1
		return b
	}
	for name, test := range map[string]struct {
		draft *draft
		code  peer.TxValidationCode
	}{
		"valid":                         {&draft{}, peer.TxValidationCode_VALID},
		"right version":                 {&draft{sets: writes("key", "2", &kvrwset.Version{BlockNum: 3})}, peer.TxValidationCode_VALID},
		"right range":                   {&draft{sets: reads("range/", "range0", "range/1", &kvrwset.Version{BlockNum: 3, TxNum: 1})}, peer.TxValidationCode_VALID},
		"more endorsers than needed":    {&draft{endorsers: []*account{c.peers["a"], c.peers["b"], c.peers["c"], c.peers["d"]}}, peer.TxValidationCode_VALID},
		"broken signature":              {&draft{signature: flip}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"signature of high S":           {&draft{signature: highS}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"no signature":                  {&draft{signature: func([]byte) []byte { return nil }}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"creator of another authority":  {&draft{by: stranger}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"creator of no member":          {&draft{by: newOrg(t, "z").account("gateway", "client")}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"creator without a role":        {&draft{by: c.orgs["a"].account("gateway")}, peer.TxValidationCode_BAD_CREATOR_SIGNATURE},
		"another ID":                    {&draft{id: strings.Repeat("ab", 32)}, peer.TxValidationCode_BAD_PROPOSAL_TXID},
		"another channel":               {&draft{channel: "another"}, peer.TxValidationCode_TARGET_CHAIN_NOT_FOUND},
		"undefined chaincode":           {&draft{chaincode: "another", sets: []*rwset.NsReadWriteSet{}}, peer.TxValidationCode_INVALID_CHAINCODE},
		"proposal changed":              {&draft{proposed: flip}, peer.TxValidationCode_INVALID_ENDORSER_TRANSACTION},
		"result changed":                {&draft{endorsed: forgeResult}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"another result endorsed":       {&draft{result: flip}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"nobody endorsed":               {&draft{endorsers: []*account{}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"one member endorsed":           {&draft{endorsers: []*account{c.peers["a"]}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"half of the members endorsed":  {&draft{endorsers: []*account{c.peers["a"], c.peers["b"]}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"one member endorsed often":     {&draft{endorsers: []*account{c.peers["a"], c.peers["b"], c.peers["b"], c.orgs["b"].account("peer2", "peer"), c.orgs["a"].account("peer2", "peer")}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"a client endorsed":             {&draft{endorsers: []*account{c.peers["a"], c.peers["b"], c.orgs["c"].account("user", "client")}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"an orderer endorsed":           {&draft{endorsers: []*account{c.peers["a"], c.peers["b"], c.orderer}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"a stranger endorsed":           {&draft{endorsers: []*account{c.peers["a"], c.peers["b"], newOrg(t, "c").account("peer", "peer")}}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		"the ID is used":                {&draft{nonce: first.nonce}, peer.TxValidationCode_DUPLICATE_TXID},
		"written since":                 {&draft{sets: writes("key", "2", at)}, peer.TxValidationCode_MVCC_READ_CONFLICT},
		"read before it was there":      {&draft{sets: writes("key", "2", nil)}, peer.TxValidationCode_MVCC_READ_CONFLICT},
		"read what is not there":        {&draft{sets: writes("no key", "2", at)}, peer.TxValidationCode_MVCC_READ_CONFLICT},
		"a key more in the range":       {&draft{sets: reads("range/", "range0", "", nil)}, peer.TxValidationCode_PHANTOM_READ_CONFLICT},
		"a newer version in the range":  {&draft{sets: reads("range/", "range0", "range/1", at)}, peer.TxValidationCode_PHANTOM_READ_CONFLICT},
		"a key less in the range":       {&draft{sets: reads("none/", "none0", "none/1", at)}, peer.TxValidationCode_PHANTOM_READ_CONFLICT},
		"a namespace twice":             {&draft{sets: append(writes("x", "1", nil), writes("y", "1", nil)...)}, peer.TxValidationCode_BAD_RWSET},
		"definitions without lifecycle": {&draft{sets: append(writes("x", "1", nil), set("another", &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "x", Value: []byte("x")}}}))}, peer.TxValidationCode_INVALID_CHAINCODE},
	} {
		t.Run(name, func(t *testing.T) {
			envelope := c.envelope(test.draft)
			if test.code == peer.TxValidationCode_VALID {
				c.wantWrong(flag(c.block(envelope), 0, peer.TxValidationCode_MVCC_READ_CONFLICT), "it is valid")
				c.wantWrong(flag(c.block(envelope), 0, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE), "it is valid")
			} else {
				c.wantWrong(c.block(envelope), test.code.String())
			}
			v, err := c.verify(flag(c.block(envelope), 0, test.code))
			if err != nil {
				t.Fatal(err)
			}
			defer v.close()
			if got := peer.TxValidationCode(v.record.codes[0]); got != test.code {
				t.Errorf("%s, want %s", got, test.code)
			}
			for _, w := range test.draft.writes() {
				wrote, err := readVersion(v.batch, stateKey(testChaincode, w))
				if err != nil || (wrote != nil && wrote.Height == v.block.Header.Number) != (test.code == peer.TxValidationCode_VALID) {
					t.Errorf("%s was written: %v, %v", w, wrote, err)
				}
			}
		})
	}
}

// writes returns the keys of our chaincode that a transaction writes.
func (d *draft) writes() (keys []string) {
	for _, s := range d.sets {
		var set kvrwset.KVRWSet
		if err := unmarshal(s.Rwset, &set); err != nil {
			panic(err)
		}
		for _, w := range set.Writes {
			if s.Namespace == testChaincode {
				keys = append(keys, w.Key)
			}
		}
	}
	return keys
}

// reads is a set that reads a range with one key (or none) in it.
func reads(from, to, key string, at *kvrwset.Version) []*rwset.NsReadWriteSet {
	raw := &kvrwset.QueryReads{}
	if key != "" {
		raw.KvReads = []*kvrwset.KVRead{{Key: key, Version: at}}
	}
	return []*rwset.NsReadWriteSet{set(testChaincode, &kvrwset.KVRWSet{RangeQueriesInfo: []*kvrwset.RangeQueryInfo{{
		StartKey: from, EndKey: to, ItrExhausted: true, ReadsInfo: &kvrwset.RangeQueryInfo_RawReads{RawReads: raw},
	}}})}
}

// forgeResult says something else in the response that was endorsed.
func forgeResult(result []byte) []byte {
	var payload peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	if err := errors.Join(unmarshal(result, &payload), unmarshal(payload.Extension, &action)); err != nil {
		panic(err)
	}
	action.Response.Message = "forged"
	payload.Extension = encode(&action)
	return encode(&payload)
}

// TestOrderInBlock: later transactions of a block see what earlier ones wrote, and their IDs.
func TestOrderInBlock(t *testing.T) {
	c := newChain(t, members()...)
	twin := &draft{nonce: []byte("twin")}
	b := c.block(
		c.envelope(&draft{sets: writes("key", "1", nil)}),
		c.envelope(&draft{sets: writes("key", "2", nil)}),
		c.envelope(twin),
		c.envelope(&draft{nonce: twin.nonce, sets: writes("another", "1", nil)}),
		c.envelope(&draft{sets: reads("key", "key0", "key", &kvrwset.Version{BlockNum: 2})}),
		c.envelope(&draft{sets: reads("key", "key0", "", nil)}),
	)
	c.wantWrong(b, "transaction 1")
	flag(b, 1, peer.TxValidationCode_MVCC_READ_CONFLICT)
	c.wantWrong(b, "transaction 3")
	flag(b, 3, peer.TxValidationCode_DUPLICATE_TXID)
	c.wantWrong(b, "transaction 5")
	v := c.accept(flag(b, 5, peer.TxValidationCode_PHANTOM_READ_CONFLICT))
	if v.conflicts[1] != "key" {
		t.Errorf("conflicts %v, want one on the key", v.conflicts)
	}
	state := view(context.Background(), c.replica.db, testChaincode)
	for key, want := range map[string]string{"key": "1", "another": ""} {
		if got, err := state.Get(key); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", key, got, err, want)
		}
	}
}

// TestSpoiledCopyFirst: somebody who orders a spoiled copy of a transaction before it cannot hide the valid one.
func TestSpoiledCopyFirst(t *testing.T) {
	c := newChain(t, members()...)
	d := &draft{nonce: []byte("once")}
	right := c.envelope(d)
	spoiled := c.envelope(&draft{nonce: d.nonce, signature: func([]byte) []byte { return nil }})
	c.accept(flag(c.block(spoiled, right), 0, peer.TxValidationCode_BAD_CREATOR_SIGNATURE))
	id, _ := parseID(d.id)
	at, found, err := store.FindTx(c.replica.db, id)
	if err != nil || !found || at != (store.Place{Height: 2, Index: 1}) {
		t.Errorf("%+v, %t, %v, want the valid one", at, found, err)
	}
}

// TestConfigBlocks: a new configuration is in force from the next block on, if it follows the one before.
func TestConfigBlocks(t *testing.T) {
	c := newChain(t, members()...)
	revoked := c.client
	c.orgs["a"].revoke(t, revoked)
	next := &common.Config{Sequence: 1, ChannelGroup: c.group(members())}
	skipped := &common.Config{Sequence: 2, ChannelGroup: next.ChannelGroup}
	c.wantWrong(c.block(c.configTx(skipped)), "configuration 2 follows the configuration 0")
	c.wantWrong(c.block(c.configTx(next), c.envelope(&draft{})), "does not stand alone")
	c.accept(c.block(c.envelope(&draft{by: revoked})))
	c.accept(c.block(c.configTx(next)))
	b := c.block(c.envelope(&draft{by: revoked}))
	c.wantWrong(b, "revoked")
	c.accept(flag(b, 0, peer.TxValidationCode_BAD_CREATOR_SIGNATURE))
	c.accept(c.block(c.envelope(&draft{by: c.orgs["a"].account("gateway", "client")})))

	// It is in force after a restart, too.
	dir := t.TempDir()
	if err := errors.Join(c.replica.db.Flush(), c.replica.db.Checkpoint(dir+"/copy")); err != nil {
		t.Fatal(err)
	}
	again, err := openReplica(dir+"/copy", testConfig, c.genesis, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer again.db.Close()
	if again.pos != c.replica.pos || again.conf.sequence != 1 || again.last.hash != c.replica.last.hash {
		t.Errorf("opened again: %+v, configuration %d", again.pos, again.conf.sequence)
	}
}

// revoke puts an identity on the organisation's revocation list.
func (o *org) revoke(t testing.TB, who *account) {
	t.Helper()
	cert := must(x509.ParseCertificate(who.Cert))
	list := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: time.Now()}},
	}, o.cert, o.key))
	o.conf.RevocationList = [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})}
}

// TestDecode: followers see valid transactions of our chaincode, and nothing else.
func TestDecode(t *testing.T) {
	c := newChain(t, members()...)
	l := &Ledger{opts: Options{Config: testConfig}, replica: c.replica}
	d := &draft{}
	b := flag(c.block(c.envelope(&draft{signature: func([]byte) []byte { return nil }}), c.envelope(d)), 0, peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
	v := c.accept(b)
	block, err := l.decode(b, v.txs, v.record)
	if err != nil || len(block.Txs) != 1 {
		t.Fatalf("%+v, %v", block, err)
	}
	tx := block.Txs[0]
	if tx.ID != d.id || tx.Actor.MSP != "a" || tx.Actor.Subject != "gateway" || !tx.Time.Time.Equal(d.time) || len(tx.Batch.Records) != 1 || tx.Outcomes[0].ID != "hold-1" {
		t.Errorf("%+v", tx)
	}
	if block.Hash != v.hash || block.Height != 2 || !block.Time.Time.Equal(d.time) {
		t.Errorf("%+v", block)
	}
	// A majority endorsed these. They are valid, and nobody sees them.
	for name, bad := range map[string]*draft{
		"too many outcomes":     {outcomes: []contract.Outcome{{}, {}}},
		"no outcomes":           {outcomes: []contract.Outcome{}},
		"no batch":              {argument: []byte("no batch")},
		"another function":      {function: "another"},
		"a time that cannot be": {time: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a collection":          {sets: inCollection("a", writes("of a collection", "1", nil)...)},
	} {
		b := c.block(c.envelope(bad))
		v := c.accept(b)
		if block, err := l.decode(b, v.txs, v.record); err != nil || len(block.Txs) != 0 || v.txs[0].strange == nil {
			t.Errorf("%s: %+v, %v, strange: %v", name, block, err, v.txs[0].strange)
		}
		if v.record.time.After(d.time) {
			t.Errorf("%s: the block's time is %s", name, v.record.time)
		}
	}
}

// BenchmarkVerify is what verifying and applying a transaction costs, in blocks of 100 with three endorsements each and a record.
func BenchmarkVerify(b *testing.B) {
	c := newChain(b, members()...)
	const size = 100
	blocks := 0
	for b.Loop() {
		b.StopTimer()
		var envelopes [][]byte
		for i := range size {
			key := fmt.Sprint(blocks, "/", i)
			envelopes = append(envelopes, c.envelope(&draft{sets: writes(key, "value", nil)}))
		}
		block := c.block(envelopes...)
		blocks++
		b.StartTimer()
		c.accept(block)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(blocks*size), "µs/tx")
}

// TestEveryByte: whatever byte of a block is changed, it is refused, or still the same block with the same validity: what peers add to it
// beside the flags is of no importance.
func TestEveryByte(t *testing.T) {
	c := newChain(t, members()...)
	right := flag(c.block(c.envelope(&draft{}), c.envelope(&draft{endorsers: []*account{}})), 1, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	hash, data := headerHash(right.Header), encode(right)
	believed := 0
	for i := range data {
		for _, mask := range []byte{1, 0x80} {
			data[i] ^= mask
			var b common.Block
			if unmarshal(data, &b) == nil && c.believes(t, i, &b, hash) {
				believed++
			}
			data[i] ^= mask
		}
	}
	if believed > 100 { // flags of the invalid one, and what is no part of what is signed
		t.Errorf("%d of %d changes make no difference", believed, 2*len(data))
	}
}

// believes verifies a changed block, which is the block with that hash or refused.
func (c *chain) believes(t *testing.T, i int, b *common.Block, hash [32]byte) bool {
	t.Helper()
	v, err := c.verify(b)
	var wrong *BlockError
	switch {
	case err == nil:
		defer v.close()
		if v.hash != hash || !v.record.valid(0) || v.record.valid(1) {
			t.Errorf("byte %d: another block is believed", i)
		}
		return true
	case !errors.As(err, &wrong):
		t.Errorf("byte %d: %v", i, err)
	}
	return false
}
