package fabric

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	pkgerrors "github.com/pkg/errors"

	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// TestWhatOrdererSaid: only what is certain is taken for certain.
func TestWhatOrdererSaid(t *testing.T) {
	server := func(code common.Status, message string) error {
		return pkgerrors.Wrap(status.New(status.OrdererServerStatus, int32(code), message, nil), "calling")
	}
	for name, test := range map[string]struct {
		err  error
		want ordererSaid
	}{
		"no connection": {status.New(status.OrdererClientStatus, status.ConnectionFailed.ToInt32(), "refused", nil), hasNot},
		"no leader":     {server(common.Status_SERVICE_UNAVAILABLE, "no Raft leader"), hasNot},
		"unavailable":   {server(common.Status_SERVICE_UNAVAILABLE, "timed out waiting on forwarding to 2"), mayHave},
		"internal":      {server(common.Status_INTERNAL_SERVER_ERROR, ""), mayHave},
		"forbidden":     {server(common.Status_FORBIDDEN, ""), wasRefused},
		"bad request":   {server(common.Status_BAD_REQUEST, ""), wasRefused},
		"too large":     {server(common.Status_REQUEST_ENTITY_TOO_LARGE, ""), wasRefused},
		"broken stream": {pkgerrors.New("EOF"), mayHave},
		"transport":     {status.New(status.GRPCTransportStatus, 14, "transport is closing", nil), mayHave},
	} {
		if got := whatOrdererSaid(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestRefusedByPeers(t *testing.T) {
	chaincode := func(code int32) error {
		return pkgerrors.Wrap(status.New(status.ChaincodeStatus, code, "CODE: sentence", nil), "calling")
	}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"the submission is wrong":    {chaincode(protocol.StatusWrong), true},
		"the endorser failed":        {chaincode(protocol.StatusFailed), false},
		"not a member":               {status.New(status.GRPCTransportStatus, 2, "error validating proposal: access denied: channel [foodtrace] creator org unknown, creator is malformed", nil), true},
		"no connection":              {status.New(status.EndorserClientStatus, status.ConnectionFailed.ToInt32(), "refused", nil), false},
		"not of the SDK":             {errors.New("its endorsement: x"), false},
		"the chaincode does not run": {status.New(status.ChaincodeStatus, 500, "error in simulation: failed to execute transaction", nil), false},
	} {
		if got := refused(test.err); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// testRound is a round with a peer of each of these members, and a policy of the majority of four.
func testRound(t *testing.T, peers ...string) (*round, *chain) {
	c := newChain(t, members()...)
	r := &round{
		Ledger: &Ledger{opts: Options{Config: testConfig}, replica: c.replica}, ctx: t.Context(), channel: c.replica.conf,
		policy: c.replica.conf.policy(policyEndorse), pending: map[string]int{}, results: map[string][]answer{}, against: map[string]bool{},
	}
	for _, p := range peers {
		r.all = append(r.all, &node{Node: Node{MSP: p, Address: p}})
	}
	r.left = r.all
	return r, c
}

// answered takes an answer of the peer of a member as if it had been asked.
func (r *round) answered(c *chain, msp, result string, err error) bool {
	r.pending[msp]++
	a := answer{err: err, signer: anyPeer(msp), response: &pb.ProposalResponse{Payload: []byte(result), Endorsement: &pb.Endorsement{Endorser: []byte(msp)}}}
	for _, n := range r.all {
		if n.MSP == msp {
			a.node = n
		}
	}
	_, _, ok := r.take(a)
	return ok
}

// TestEndorsingRound: what several answers together mean.
func TestEndorsingRound(t *testing.T) {
	wrong := status.New(status.ChaincodeStatus, protocol.StatusWrong, "CLOCK_SKEW: x", nil)
	down := errors.New("down")
	type said struct {
		msp, result string
		err         error
	}
	for name, test := range map[string]struct {
		peers   []string
		answers []said
		enough  bool
		want    error
	}{
		"three agree":              {members(), []said{{"a", "x", nil}, {"b", "x", nil}, {"c", "x", nil}}, true, nil},
		"three of four agree":      {members(), []said{{"a", "x", nil}, {"b", "y", nil}, {"c", "x", nil}, {"d", "x", nil}}, true, nil},
		"two and two":              {members(), []said{{"a", "x", nil}, {"b", "y", nil}, {"c", "x", nil}, {"d", "y", nil}}, false, errDisagree},
		"one refuses, three agree": {members(), []said{{"a", "", wrong}, {"b", "x", nil}, {"c", "x", nil}, {"d", "x", nil}}, true, nil},
		"one refuses, one is down": {members(), []said{{"a", "", wrong}, {"b", "", down}, {"c", "x", nil}, {"d", "x", nil}}, false, ledger.ErrNotOrdered},
		"two refuse":               {members(), []said{{"a", "", wrong}, {"b", "", wrong}, {"c", "x", nil}, {"d", "x", nil}}, false, ledger.ErrRefused},
		"all are down":             {members(), []said{{"a", "", down}, {"b", "", down}, {"c", "", down}, {"d", "", down}}, false, ledger.ErrNotOrdered},
		"too few peers":            {members()[:2], []said{{"a", "x", nil}, {"b", "x", nil}}, false, ledger.ErrNotOrdered},
		"too few peers, refused":   {members()[:2], []said{{"a", "", wrong}, {"b", "", wrong}}, false, ledger.ErrNotOrdered},
	} {
		t.Run(name, func(t *testing.T) {
			r, c := testRound(t, test.peers...)
			enough := false
			for _, a := range test.answers {
				if enough {
					t.Error("enough before the last answer")
				}
				enough = r.answered(c, a.msp, a.result, a.err)
			}
			if enough != test.enough {
				t.Fatalf("enough: %t", enough)
			}
			if err := r.failure(); !enough && !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// TestHopeful: peers are asked as long as those that were asked cannot be enough.
func TestHopeful(t *testing.T) {
	r, _ := testRound(t, members()...)
	for i, msp := range members() {
		if got := r.hopeful(); got != (i >= 3) {
			t.Errorf("with %d asked: %t", i, got)
		}
		r.pending[msp]++
	}
	r, c := testRound(t, members()...)
	r.answered(c, "a", "x", nil)
	r.answered(c, "b", "y", nil)
	r.pending["c"]++
	if r.hopeful() {
		t.Error("two who differ and one to come are no hope")
	}
	r.pending["d"]++
	if !r.hopeful() {
		t.Error("one and two to come are hope")
	}
}

// TestOrdered: who failed lately is asked last, and comes back to its place.
func TestOrdered(t *testing.T) {
	now := time.Now()
	nodes := []*node{{Node: Node{Address: "a"}}, {Node: Node{Address: "b"}}, {Node: Node{Address: "c"}}}
	names := func(at time.Time) (s string) {
		for _, n := range ordered(nodes, at) {
			s += n.Address
		}
		return s
	}
	nodes[0].fails(now)
	nodes[1].fails(now.Add(-probation))
	if got := names(now) + names(now.Add(probation)); got != "bcaabc" {
		t.Error(got)
	}
	nodes[0].works()
	if got := names(now); got != "abc" {
		t.Error(got)
	}
}

// TestLanes: one at a time for each key, and nothing is kept of those that are gone.
func TestLanes(t *testing.T) {
	var l lanes
	var inside atomic.Int32
	ctx := t.Context()
	done := make(chan error)
	for i := range 40 {
		go func() {
			leave, err := l.enter(ctx, fmt.Sprint(i%2))
			if err == nil {
				if n := inside.Add(1); n > 2 {
					err = fmt.Errorf("%d are inside", n)
				}
				time.Sleep(time.Millisecond)
				inside.Add(-1)
				leave()
			}
			done <- err
		}()
	}
	for range 40 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	leave, err := l.enter(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := l.enter(short, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
	leave()
	if len(l.all) != 0 {
		t.Errorf("%d lanes are left", len(l.all))
	}
}

// TestPause: random, growing, bounded.
func TestPause(t *testing.T) {
	for failed := range 70 {
		most := min(10*time.Millisecond<<min(failed, 16), time.Second)
		for range 20 {
			if d := pause(failed, 10*time.Millisecond, time.Second); d < 0 || d > most {
				t.Fatalf("pause %v after %d failures, at most %v", d, failed, most)
			}
		}
	}
	if pause(-1, time.Second, time.Second) != 0 {
		t.Error("a pause after a success")
	}
}

func TestBadConfigurations(t *testing.T) {
	full := Config{Channel: "c", Chaincode: "f", Genesis: "g", Peers: []Node{{}}, Orderers: []Node{{}}}
	for name, spoil := range map[string]func(*Config){
		"no channel":     func(c *Config) { c.Channel = "" },
		"no chaincode":   func(c *Config) { c.Chaincode = "" },
		"no peers":       func(c *Config) { c.Peers = nil },
		"no orderers":    func(c *Config) { c.Orderers = nil },
		"no first block": func(c *Config) { c.Genesis = "" },
		"not a file":     func(c *Config) { c.Genesis = t.TempDir() + "/none" },
		"not a block":    func(c *Config) { c.Genesis = "submit_test.go" },
	} {
		c := full
		spoil(&c)
		if _, err := Open(Options{Config: c, Dir: t.TempDir()}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Verify(t.Context(), Options{Config: c}, nil, nil); err == nil {
			t.Errorf("verify, %s: no error", name)
		}
	}
}
