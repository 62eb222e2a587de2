package fabric

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
)

// testPeer speaks the peer's side of the chaincode protocol with a service: it hands over proposals and serves a state.
type testPeer struct {
	t      testing.TB
	stream peer.Chaincode_ConnectClient
	close  func()
	ended  chan struct{} // the stream is over

	sending sync.Mutex // gRPC allows one Send at a time

	mu    sync.Mutex
	state *contracttest.MemState
	open  map[string]*call
	asked map[peer.ChaincodeMessage_Type]int
	hold  chan struct{} // when set, GET_STATE is answered once it is closed
}

// call is a proposal and what the chaincode made of it.
type call struct {
	writes   contract.Effects
	ranges   []contract.KV // left of the open query
	response *peer.Response
	event    *peer.ChaincodeEvent
	failure  string // an ERROR instead of a response
	asked    chan struct{}
	done     chan struct{}
}

// startService runs a service and returns where, and how to stop it; the test waits for its end.
func startService(t testing.TB, cc shim.Chaincode, secure *tls.Config) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- NewService("foodtrace_1:abc", cc, slog.New(slog.DiscardHandler)).Serve(ctx, listener, secure)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

func quiet(clock func() time.Time) *Chaincode { return New(clock, slog.New(slog.DiscardHandler)) }

// connect opens a peer's stream to a service. params, when not nil, are what the peer offers.
func connect(t testing.TB, address string, secure *tls.Config, params *peer.ChaincodeAdditionalParams) *testPeer {
	t.Helper()
	creds := insecure.NewCredentials()
	if secure != nil {
		creds = credentials.NewTLS(secure)
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		t.Fatal(err)
	}
	p := &testPeer{t: t, state: contracttest.NewState(), open: map[string]*call{}, asked: map[peer.ChaincodeMessage_Type]int{}, ended: make(chan struct{})}
	p.close = sync.OnceFunc(func() { conn.Close() })
	t.Cleanup(p.close)
	if p.stream, err = peer.NewChaincodeClient(conn).Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.register(params); err != nil {
		t.Fatal(err)
	}
	go p.serve()
	t.Cleanup(func() { p.close(); <-p.ended })
	return p
}

func (p *testPeer) register(params *peer.ChaincodeAdditionalParams) error {
	msg, err := p.stream.Recv()
	if err != nil {
		return err
	}
	var id peer.ChaincodeID
	if err := proto.Unmarshal(msg.Payload, &id); err != nil || msg.Type != peer.ChaincodeMessage_REGISTER || id.Name != "foodtrace_1:abc" {
		return fmt.Errorf("registered with %s %q, %v", msg.Type, id.Name, err)
	}
	ready := &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_READY}
	if params != nil {
		if ready.Payload, err = proto.Marshal(params); err != nil {
			return err
		}
	}
	return errors.Join(p.stream.Send(&peer.ChaincodeMessage{Type: peer.ChaincodeMessage_REGISTERED}), p.stream.Send(ready))
}

func (p *testPeer) send(msg *peer.ChaincodeMessage) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	return p.stream.Send(msg)
}

// serve answers the chaincode until the stream ends.
func (p *testPeer) serve() {
	defer close(p.ended)
	for {
		msg, err := p.stream.Recv()
		if err != nil {
			return
		}
		if answer := p.answer(msg); answer != nil {
			answer.Txid, answer.ChannelId = msg.Txid, msg.ChannelId
			if p.send(answer) != nil {
				return
			}
		}
	}
}

func (p *testPeer) answer(msg *peer.ChaincodeMessage) *peer.ChaincodeMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[msg.Type]++
	c := p.open[msg.Txid]
	if c == nil {
		return nil
	}
	payload, err := p.handle(c, msg)
	switch {
	case msg.Type == peer.ChaincodeMessage_COMPLETED || msg.Type == peer.ChaincodeMessage_ERROR:
		delete(p.open, msg.Txid)
		close(c.done)
		return nil
	case err != nil:
		return &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_ERROR, Payload: []byte(err.Error())}
	case p.hold != nil && msg.Type == peer.ChaincodeMessage_GET_STATE:
		select {
		case c.asked <- struct{}{}:
		default:
		}
		hold := p.hold
		go func() {
			select {
			case <-hold:
				p.send(&peer.ChaincodeMessage{Type: peer.ChaincodeMessage_RESPONSE, Payload: payload, Txid: msg.Txid, ChannelId: msg.ChannelId})
			case <-p.ended:
			}
		}()
		return nil
	}
	return &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_RESPONSE, Payload: payload}
}

// handle does what a message asks and returns the answer's payload.
func (p *testPeer) handle(c *call, msg *peer.ChaincodeMessage) ([]byte, error) {
	switch msg.Type {
	case peer.ChaincodeMessage_GET_STATE:
		var get peer.GetState
		if err := proto.Unmarshal(msg.Payload, &get); err != nil {
			return nil, err
		}
		return p.state.Get(get.Key)
	case peer.ChaincodeMessage_PUT_STATE:
		var put peer.PutState
		err := proto.Unmarshal(msg.Payload, &put)
		c.writes = append(c.writes, contract.KV{Key: put.Key, Value: put.Value})
		return nil, err
	case peer.ChaincodeMessage_DEL_STATE:
		var del peer.DelState
		err := proto.Unmarshal(msg.Payload, &del)
		c.writes = append(c.writes, contract.KV{Key: del.Key})
		return nil, err
	case peer.ChaincodeMessage_WRITE_BATCH_STATE:
		var batch peer.WriteBatchState
		err := proto.Unmarshal(msg.Payload, &batch)
		for _, w := range batch.Rec {
			c.writes = append(c.writes, contract.KV{Key: w.Key, Value: w.Value})
		}
		return nil, err
	case peer.ChaincodeMessage_GET_STATE_BY_RANGE:
		var ask peer.GetStateByRange
		if err := proto.Unmarshal(msg.Payload, &ask); err != nil {
			return nil, err
		}
		if p.state.Fail != nil {
			return nil, p.state.Fail(0)
		}
		for _, kv := range p.state.Dump() {
			if kv.Key >= ask.StartKey && (ask.EndKey == "" || kv.Key < ask.EndKey) {
				c.ranges = append(c.ranges, kv)
			}
		}
		return c.page()
	case peer.ChaincodeMessage_QUERY_STATE_NEXT:
		return c.page()
	case peer.ChaincodeMessage_QUERY_STATE_CLOSE:
		c.ranges = nil
		return proto.Marshal(&peer.QueryResponse{})
	case peer.ChaincodeMessage_COMPLETED:
		c.response, c.event = new(peer.Response), msg.ChaincodeEvent
		return nil, proto.Unmarshal(msg.Payload, c.response)
	case peer.ChaincodeMessage_ERROR:
		c.failure = string(msg.Payload)
		return nil, nil
	}
	return nil, fmt.Errorf("the test's peer does not know %s", msg.Type)
}

// page is the next two entries of the open query.
func (c *call) page() ([]byte, error) {
	page := &peer.QueryResponse{Id: "q"}
	for range min(2, len(c.ranges)) {
		kv, err := proto.Marshal(&queryresult.KV{Key: c.ranges[0].Key, Value: c.ranges[0].Value})
		if err != nil {
			return nil, err
		}
		page.Results = append(page.Results, &peer.QueryResultBytes{ResultBytes: kv})
		c.ranges = c.ranges[1:]
	}
	page.HasMore = len(c.ranges) > 0
	return proto.Marshal(page)
}

// proposal is what a client sends.
type proposal struct {
	id      string
	creator []byte // serialized identity
	time    time.Time
	args    [][]byte
}

// begin hands a proposal over.
func (p *testPeer) begin(pr proposal) *call {
	p.t.Helper()
	c := &call{asked: make(chan struct{}, 1), done: make(chan struct{})}
	p.mu.Lock()
	p.open[pr.id] = c
	p.mu.Unlock()
	input := p.marshal(&peer.ChaincodeInput{Args: pr.args})
	header := &common.Header{
		ChannelHeader: p.marshal(&common.ChannelHeader{Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: "foodtrace", TxId: pr.id,
			Timestamp: timestamppb.New(pr.time)}),
		SignatureHeader: p.marshal(&common.SignatureHeader{Creator: pr.creator}),
	}
	signed := &peer.SignedProposal{ProposalBytes: p.marshal(&peer.Proposal{Header: p.marshal(header)})}
	if err := p.send(&peer.ChaincodeMessage{Type: peer.ChaincodeMessage_TRANSACTION, Payload: input, Txid: pr.id, ChannelId: "foodtrace", Proposal: signed}); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *testPeer) marshal(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// propose hands a proposal over and waits for its end.
func (p *testPeer) propose(pr proposal) *call {
	p.t.Helper()
	c := p.begin(pr)
	select {
	case <-c.done:
	case <-p.ended:
		p.t.Fatal("the stream ended before the response")
	case <-time.After(30 * time.Second):
		p.t.Fatal("no response within 30 s")
	}
	if c.failure != "" {
		p.t.Fatalf("the shim failed: %s", c.failure)
	}
	return c
}

// identity is a member's creator bytes; roles "": a certificate without the attribute.
func identity(t testing.TB, mspID, name, roles string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	if roles != "" {
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}, Value: []byte(`{"attrs":{"foodtrace.roles":"` + roles + `"}}`)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})})
	if err != nil {
		t.Fatal(err)
	}
	return creator
}

func txID(n int) string { return fmt.Sprintf("%064x", n) }

// wantRefusal says that a response is a refusal with a status and code.
func wantRefusal(t testing.TB, name string, c *call, status int32, code string) {
	t.Helper()
	if c.response.Status != status || !strings.HasPrefix(c.response.Message, code+": ") || len(c.writes) > 0 || len(c.response.Payload) > 0 {
		t.Errorf("%s: %d %q, %d writes; want %d %s", name, c.response.Status, c.response.Message, len(c.writes), status, code)
	}
}
