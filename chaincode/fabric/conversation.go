package fabric

import (
	"errors"
	"sync"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
)

var (
	errStopped = errors.New("the chaincode service has stopped")
	errBroken  = []byte("the stream from the peer is broken")
)

// conversation is the stream from one peer, with the transactions that are open on it. The shim alone would leave those
// that wait for an answer waiting for ever when the stream breaks, each with its batch, and could not be stopped without breaking it.
type conversation struct {
	peer.Chaincode_ConnectServer
	service *Service
	in      chan received
	ended   chan struct{} // the shim has let go of the stream

	broken  error      // only for Recv, which is not called concurrently
	sending sync.Mutex // gRPC allows one Send at a time

	mu      sync.Mutex
	changed *sync.Cond        // a transaction ended or waits
	open    map[txKey]*openTx // transactions being decided
}

type txKey struct{ channel, id string }

// openTx is a transaction on its way through the chaincode.
type openTx struct{ waits bool } // for the peer's answer

type received struct {
	msg *peer.ChaincodeMessage
	err error
}

// abandon forgets what is open when the shim has let go of the stream.
func (c *conversation) abandon() {
	close(c.ended)
	c.mu.Lock()
	defer c.mu.Unlock()
	for range c.open {
		c.service.open.Done()
	}
	clear(c.open)
	c.changed.Broadcast()
}

func keyOf(msg *peer.ChaincodeMessage) txKey { return txKey{msg.ChannelId, msg.Txid} }

func newConversation(s *Service, stream peer.Chaincode_ConnectServer) *conversation {
	c := &conversation{Chaincode_ConnectServer: stream, service: s, in: make(chan received), ended: make(chan struct{}), open: map[txKey]*openTx{}}
	c.changed = sync.NewCond(&c.mu)
	go c.read()
	return c
}

// read carries messages to Recv until the stream ends.
func (c *conversation) read() {
	for {
		msg, err := c.Chaincode_ConnectServer.Recv()
		select {
		case c.in <- received{msg, err}:
		case <-c.ended:
			return
		}
		if err != nil {
			return
		}
	}
}

// Recv hands the peer's messages to the shim. While the service stops, it turns new transactions away, and ends when none is left.
// When the stream is broken, it answers for the peer until no transaction is open.
func (c *conversation) Recv() (*peer.ChaincodeMessage, error) {
	for c.broken == nil {
		select {
		case r := <-c.in:
			if r.err != nil {
				c.broken = r.err
			} else if c.receive(r.msg) {
				return r.msg, nil
			}
		case <-c.service.drained:
			return nil, errStopped
		}
	}
	return c.windUp()
}

// receive keeps the books on a message from the peer; false: it was a transaction that is turned away.
func (c *conversation) receive(msg *peer.ChaincodeMessage) bool {
	begins := msg.Type == peer.ChaincodeMessage_TRANSACTION || msg.Type == peer.ChaincodeMessage_INIT
	if begins && !c.service.begin() {
		c.turnAway(msg)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	tx := c.open[keyOf(msg)]
	switch {
	case begins && tx == nil:
		c.open[keyOf(msg)] = &openTx{}
	case begins: // twice: the shim refuses to read for it
		c.service.open.Done()
	case tx != nil:
		tx.waits = false
	}
	return true
}

func (c *conversation) turnAway(msg *peer.ChaincodeMessage) {
	response := failure(failed(protocol.CodeStopping, errors.New("the chaincode service is being stopped")))
	payload, err := proto.Marshal(response)
	answer := &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_COMPLETED, Payload: payload, Txid: msg.Txid, ChannelId: msg.ChannelId}
	if err == nil {
		err = c.send(answer)
	}
	if err != nil {
		c.service.log.Warn("a transaction got no answer", "tx", msg.Txid, "error", err)
	}
}

// windUp answers each open transaction that waits, and says that the stream is broken once none is open.
func (c *conversation) windUp() (*peer.ChaincodeMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 {
		for key, tx := range c.open {
			if tx.waits {
				tx.waits = false
				return &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_ERROR, Payload: errBroken, Txid: key.id, ChannelId: key.channel}, nil
			}
		}
		c.changed.Wait()
	}
	return nil, c.broken
}

// Send hands the shim's messages to the peer. That the stream is broken is Recv's to say, after it has answered for the peer.
func (c *conversation) Send(msg *peer.ChaincodeMessage) error {
	ends := msg.Type == peer.ChaincodeMessage_COMPLETED || msg.Type == peer.ChaincodeMessage_ERROR
	if !ends {
		c.mark(msg)
	}
	err := c.send(msg)
	if ends {
		c.end(msg)
	}
	return err
}

func (c *conversation) send(msg *peer.ChaincodeMessage) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if err := c.Chaincode_ConnectServer.Send(msg); err != nil && c.Context().Err() == nil {
		return err
	}
	return nil
}

// mark notes that a transaction waits for the peer's answer.
func (c *conversation) mark(msg *peer.ChaincodeMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tx := c.open[keyOf(msg)]; tx != nil {
		tx.waits = true
		c.changed.Signal()
	}
}

// end notes that a transaction is through.
func (c *conversation) end(msg *peer.ChaincodeMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.open[keyOf(msg)]; ok {
		delete(c.open, keyOf(msg))
		c.service.open.Done()
		c.changed.Signal()
	}
}
