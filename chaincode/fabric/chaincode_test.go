package fabric

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// noon is the time of the tests' service and proposals.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)

func atNoon() time.Time { return noon }

func encode(t testing.TB, batch *contract.Batch) []byte {
	t.Helper()
	data, err := batch.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// registration makes Authority a regulator, with a batch of its own.
func registration(t testing.TB) []byte {
	return encode(t, &contract.Batch{Records: []contract.Record{{Registration: &contract.Registration{
		Members: []contract.Member{{MSP: "Authority", Roles: []contract.Role{contract.Regulator}}},
	}}}})
}

func submission(id string, creator []byte, batches ...[]byte) proposal {
	return proposal{id: id, creator: creator, time: noon, args: append([][]byte{[]byte(protocol.Submit)}, batches...)}
}

// TestSameAsDecide: a supply chain told through the shim has the writes and outcomes that the contract gives directly, in
// the same order, with and without batched writes, a batch in each transaction or several.
func TestSameAsDecide(t *testing.T) {
	for name, params := range map[string]*peer.ChaincodeAdditionalParams{
		"single writes":  nil,
		"batched writes": {UseWriteBatch: true, MaxSizeWriteBatch: 500},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := startService(t, quiet(atNoon), nil)
			p := connect(t, address, nil, params)
			for i, tx := range supplyChain(t) {
				half := len(tx.batch.Records) / 2
				if half == 0 || i%2 == 0 {
					wantSame(t, p, identity(t, tx.by, "tester", ""), txID(i), tx.batch)
					continue
				}
				first, second := &contract.Batch{Records: tx.batch.Records[:half]}, &contract.Batch{Records: tx.batch.Records[half:], Atomic: true}
				wantSame(t, p, identity(t, tx.by, "tester", ""), txID(i), first, second, first)
			}
			if len(p.state.Dump()) < 100 {
				t.Errorf("the state has only %d keys", p.state.Len())
			}
			if batched := p.asked[peer.ChaincodeMessage_WRITE_BATCH_STATE] > 0; batched != (params != nil) {
				t.Errorf("asked for %v", p.asked)
			}
		})
	}
}

// wantSame sends batches and decides them directly on the same state.
func wantSame(t *testing.T, p *testPeer, creator []byte, id string, batches ...*contract.Batch) {
	t.Helper()
	var who msp.SerializedIdentity
	if err := proto.Unmarshal(creator, &who); err != nil {
		t.Fatal(err)
	}
	var txs []contract.Tx
	var data [][]byte
	for i, batch := range batches {
		data = append(data, encode(t, batch))
		decoded, err := contract.DecodeBatch(data[i])
		if err != nil {
			t.Fatal(err)
		}
		txs = append(txs, contract.Tx{ID: protocol.BatchID(id, i), Actor: contract.Actor{MSP: who.Mspid, Subject: "tester"}, Time: event.Time{Time: noon}, Batch: decoded})
	}
	effects, each, err := contract.DecideEach(p.state.Clone(), txs)
	outcomes := slices.Concat(each...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := contract.EncodeOutcomes(outcomes)
	if err != nil {
		t.Fatal(err)
	}
	c := p.propose(submission(id, creator, data...))
	if c.response.Status != shim.OK || !bytes.Equal(c.response.Payload, want) {
		t.Fatalf("tx %s: %d %q, want %+v", id, c.response.Status, c.response.Message, outcomes)
	}
	if summary, err := protocol.EncodeSummary(outcomes); err != nil || c.event.GetEventName() != protocol.EventName || !bytes.Equal(c.event.GetPayload(), summary) {
		t.Fatalf("tx %s: event %q, %v", id, c.event.GetEventName(), err)
	}
	if p.asked[peer.ChaincodeMessage_WRITE_BATCH_STATE] > 0 { // which has no order
		slices.SortFunc(c.writes, func(a, b contract.KV) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	}
	if diff := cmp.Diff(digest(effects), digest(c.writes)); diff != "" {
		t.Fatalf("tx %s: other writes: %s", id, diff)
	}
	if err := p.state.Apply(c.writes); err != nil {
		t.Fatal(err)
	}
}

// digest makes writes comparable: an empty value is a deletion.
func digest(effects contract.Effects) (all []string) {
	for _, kv := range effects {
		all = append(all, fmt.Sprintf("%s %t %x", kv.Key, len(kv.Value) == 0, sha256.Sum256(kv.Value)))
	}
	return all
}

type submitted struct {
	by    string
	batch *contract.Batch
}

// supplyChain is a small world with its registration, in batches of one sender.
func supplyChain(t *testing.T) (txs []submitted) {
	opt := simulate.Messy()
	opt.Lots = 25
	w := simulate.New(7, opt)
	reg := w.Registration()
	for _, m := range reg.Members {
		if slices.Contains(m.Roles, contract.Regulator) {
			txs = append(txs, submitted{m.MSP, &contract.Batch{Records: []contract.Record{{Registration: &reg}}}})
			break
		}
	}
	if len(txs) == 0 {
		t.Fatal("the world has no regulator")
	}
	for s := range w.Records() {
		last := &txs[len(txs)-1]
		if last.by != s.By || len(last.batch.Records) == 20 {
			txs = append(txs, submitted{s.By, new(contract.Batch)})
			last = &txs[len(txs)-1]
		}
		last.batch.Records = append(last.batch.Records, s.Record)
	}
	return txs
}

// TestRefusedProposals: whatever is wrong with a proposal has a code, writes nothing, and harms no later one.
func TestRefusedProposals(t *testing.T) {
	address, _ := startService(t, quiet(atNoon), nil)
	p := connect(t, address, nil, nil)
	good, who := registration(t), identity(t, "Authority", "li", "")
	submit := []byte(protocol.Submit)
	late := protocol.MaxClockSkew + time.Second
	for name, c := range map[string]struct {
		proposal
		code string
	}{
		"no function":      {proposal{creator: who, time: noon}, protocol.CodeFunction},
		"another function": {proposal{creator: who, time: noon, args: [][]byte{[]byte("get"), good}}, protocol.CodeFunction},
		"no argument":      {proposal{creator: who, time: noon, args: [][]byte{submit}}, protocol.CodeArguments},
		"one is bad":       {proposal{creator: who, time: noon, args: [][]byte{submit, good, []byte("{}")}}, protocol.CodeBatch},
		"too many":         {proposal{creator: who, time: noon, args: append([][]byte{submit}, slices.Repeat([][]byte{good}, protocol.MaxBatches+1)...)}, protocol.CodeArguments},
		"not a batch":      {proposal{creator: who, time: noon, args: [][]byte{submit, []byte("{}")}}, protocol.CodeBatch},
		"half a batch":     {proposal{creator: who, time: noon, args: [][]byte{submit, good[:len(good)/2]}}, protocol.CodeBatch},
		"an empty batch":   {proposal{creator: who, time: noon, args: [][]byte{submit, encode(t, &contract.Batch{})}}, protocol.CodeBatch},
		"too large":        {proposal{creator: who, time: noon, args: [][]byte{submit, make([]byte, protocol.MaxBatchBytes+1)}}, protocol.CodeTooLarge},
		"too early":        {proposal{creator: who, time: noon.Add(-late), args: [][]byte{submit, good}}, protocol.CodeClockSkew},
		"too late":         {proposal{creator: who, time: noon.Add(late), args: [][]byte{submit, good}}, protocol.CodeClockSkew},
		"no year":          {proposal{creator: who, time: time.Time{}.AddDate(-5, 0, 0), args: [][]byte{submit, good}}, protocol.CodeClockSkew},
		"no certificate":   {proposal{creator: []byte("x"), time: noon, args: [][]byte{submit, good}}, protocol.CodeCertificate},
		"unknown role":     {proposal{creator: identity(t, "Authority", "li", "regulatr"), time: noon, args: [][]byte{submit, good}}, protocol.CodeCertificate},
	} {
		c.id = name
		wantRefusal(t, name, p.propose(c.proposal), protocol.StatusWrong, c.code)
	}
	if p.asked[peer.ChaincodeMessage_GET_STATE] > 0 {
		t.Error("the state was read for a refused proposal")
	}
	edge := submission("edge", who, good)
	edge.time = noon.Add(protocol.MaxClockSkew)
	if c := p.propose(edge); c.response.Status != shim.OK || len(c.writes) == 0 {
		t.Errorf("%d %s", c.response.Status, c.response.Message)
	}
}

// TestCertificateRoles: the attribute of the certificate reaches the contract.
func TestCertificateRoles(t *testing.T) {
	address, _ := startService(t, quiet(atNoon), nil)
	p := connect(t, address, nil, nil)
	for roles, want := range map[string]contract.Status{"": contract.Accepted, "regulator,laboratory": contract.Accepted, "laboratory": contract.Refused} {
		c := p.propose(submission("roles-"+roles, identity(t, "Authority", "li", roles), registration(t)))
		outcomes, err := contract.DecodeOutcomes(c.response.Payload)
		if err != nil || outcomes[0].Status != want || want == contract.Refused && outcomes[0].Findings[0].Code != contract.CodeRoleRequired {
			t.Errorf("%q: %+v, %v", roles, outcomes, err)
		}
	}
}

// TestStateFails: an answer that the peer cannot give, or a damaged one, ends the proposal and not the service.
func TestStateFails(t *testing.T) {
	address, _ := startService(t, quiet(atNoon), nil)
	p := connect(t, address, nil, nil)
	who := identity(t, "Authority", "li", "")
	p.state.Fail = func(int) error { return errors.New("disk on fire") }
	wantRefusal(t, "unreadable", p.propose(submission("a", who, registration(t))), protocol.StatusFailed, protocol.CodeState)
	p.state.Fail = nil
	if err := p.state.Apply(contract.Effects{{Key: "policy", Value: []byte("damaged")}}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "damaged", p.propose(submission("b", who, registration(t))), protocol.StatusFailed, protocol.CodeState)
	if err := p.state.Apply(contract.Effects{{Key: "policy"}}); err != nil {
		t.Fatal(err)
	}
	if c := p.propose(submission("c", who, registration(t))); c.response.Status != shim.OK {
		t.Errorf("%d %s", c.response.Status, c.response.Message)
	}
}

// TestPanic: a defect ends the proposal and not the service.
func TestPanic(t *testing.T) {
	fail := true
	address, _ := startService(t, quiet(func() time.Time {
		if fail {
			panic("a defect")
		}
		return noon
	}), nil)
	p := connect(t, address, nil, nil)
	who := identity(t, "Authority", "li", "")
	for i := range 2 * maxConcurrent { // no slot is lost either
		wantRefusal(t, "panic", p.propose(submission(txID(i), who, registration(t))), protocol.StatusFailed, protocol.CodeInternal)
	}
	fail = false
	if c := p.propose(submission("last", who, registration(t))); c.response.Status != shim.OK {
		t.Errorf("%d %s", c.response.Status, c.response.Message)
	}
}

// TestRange: the state's ranges are those of the contract's interface, over several pages and at the edges.
func TestRange(t *testing.T) {
	probe := &rangeProbe{}
	address, _ := startService(t, probe, nil)
	p := connect(t, address, nil, nil)
	keys := []string{"a", "item/", "item/1", "item/2", "item/\U0010FFFFx", "item/中", "item0", "j", "\U0010FFFF", "\U0010FFFFz", "\uD7FFa", "\uE000"}
	slices.Sort(keys)
	for _, key := range keys {
		if err := p.state.Apply(contract.Effects{{Key: key, Value: []byte(key)}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, prefix := range []string{"item/", "none/", "a", "\U0010FFFF", "\uD7FF", "item/\U0010FFFF"} {
		probe.prefix = prefix
		c := p.propose(submission(txID(i), identity(t, "M", "x", ""), nil))
		var want string
		for kv, err := range p.state.Range(prefix) {
			if err != nil {
				t.Fatal(err)
			}
			want += kv.Key + "=" + string(kv.Value) + "\n"
		}
		if c.response.Status != shim.OK || string(c.response.Payload) != want {
			t.Errorf("%q: %d %q %s, want %q", prefix, c.response.Status, c.response.Payload, c.response.Message, want)
		}
	}
	p.state.Fail = func(int) error { return errors.New("disk on fire") }
	if c := p.propose(submission("broken", identity(t, "M", "x", ""), nil)); c.response.Status == shim.OK {
		t.Error("an error of the range was lost")
	}
}

// rangeProbe is a chaincode that answers with a range of its state.
type rangeProbe struct{ prefix string }

func (*rangeProbe) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (r *rangeProbe) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	var all []byte
	for kv, err := range (state{stub}).Range(r.prefix) {
		if err != nil {
			return shim.Error(err.Error())
		}
		all = append(all, kv.Key+"="+string(kv.Value)+"\n"...)
	}
	return shim.Success(all)
}
