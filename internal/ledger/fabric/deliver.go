package fabric

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hyperledger/fabric-protos-go/common"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/chconfig"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/comm"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/client/dispatcher"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient/connection"
)

// forEver asks for all blocks that will ever be.
const forEver = math.MaxUint64

// deliver asks a peer for whole blocks, from a height to another, and hands each on. It ends with the last one, with the
// first error of take, or when ctx ends, with its error.
func (n *node) deliver(ctx context.Context, by *account, channelID string, from, to uint64, take func(*common.Block) error) error {
	position := func(height uint64) *ab.SeekPosition {
		return &ab.SeekPosition{Type: &ab.SeekPosition_Specified{Specified: &ab.SeekSpecified{Number: height}}}
	}
	return n.seek(ctx, by, channelID, position(from), position(to), take)
}

func (n *node) seek(ctx context.Context, by *account, channelID string, start, stop *ab.SeekPosition, take func(*common.Block) error) error {
	options := append(comm.OptsFromPeerConfig(&n.config.PeerConfig), comm.WithConnectTimeout(connectTimeout), comm.WithParentContext(ctx))
	c, err := connection.New(n.client(by), chconfig.NewChannelCfg(channelID), connection.Deliver, n.config.URL, options...)
	if err != nil {
		return err
	}
	events := make(chan any)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Receive(events)
	}()
	defer func() { // Receive may have one more event to hand over
		c.Close()
		for {
			select {
			case <-events:
			case <-ended:
				return
			}
		}
	}()
	if err := c.Send(&ab.SeekInfo{Start: start, Stop: stop, Behavior: ab.SeekInfo_BLOCK_UNTIL_READY}); err != nil {
		return err
	}
	for {
		select {
		case e := <-events:
			block, err := blockOf(e)
			if err == nil && block != nil {
				err = take(block)
			}
			if block == nil || err != nil {
				return err
			}
		case <-ended:
			return errors.New("the peer ended the stream of blocks")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// blockOf returns nil when all blocks were sent.
func blockOf(e any) (*common.Block, error) {
	switch e := e.(type) {
	case *dispatcher.DisconnectedEvent:
		return nil, e.Err
	case *connection.Event:
		response, ok := e.Event.(*pb.DeliverResponse)
		if !ok {
			break
		}
		switch r := response.Type.(type) {
		case *pb.DeliverResponse_Block:
			return r.Block, nil
		case *pb.DeliverResponse_Status:
			if r.Status == common.Status_SUCCESS {
				return nil, nil
			}
			return nil, fmt.Errorf("the peer sends no blocks: %s", r.Status)
		}
	}
	return nil, fmt.Errorf("the peer sent a %T", e)
}
