package fabric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

const (
	// broadcastTimeout bounds one orderer's answer.
	broadcastTimeout = 10 * time.Second
	// broadcastPatience is for how long orderers are asked in vain: longer than they take to elect a new leader.
	broadcastPatience = 30 * time.Second
)

// broadcast hands a transaction to the ordering service. An orderer that may have taken it, or not, is no end: the same
// transaction is sent to the next one, since its ID lets it be valid only once. Errors: ErrRefused and ErrNotOrdered, when no orderer
// has it for sure; any other one, when one may.
func (l *Ledger) broadcast(ctx context.Context, by *account, envelope *fab.SignedEnvelope) error {
	ctx, cancel := context.WithTimeout(ctx, broadcastPatience)
	defer cancel()
	maybe, refusals := false, 0
	var last error
	for failed := 0; ctx.Err() == nil && refusals < len(l.net.orderers); failed++ {
		refusals = 0
		for _, o := range ordered(l.net.orderers, time.Now()) {
			err := o.send(ctx, by, envelope)
			if err == nil {
				o.works()
				return nil
			}
			last = fmt.Errorf("orderer %s: %w", o.Address, err)
			switch whatOrdererSaid(err) {
			case wasRefused:
				refusals++
				continue // it works
			case mayHave:
				maybe = true
			}
			o.fails(time.Now())
			l.Metrics.Failovers.Add(1)
		}
		if refusals < len(l.net.orderers) {
			sleep(ctx, pause(failed, firstPause, maxPause/5))
		}
	}
	switch {
	case maybe:
		return last
	case refusals == len(l.net.orderers):
		return fmt.Errorf("%w: %w", ledger.ErrRefused, last)
	}
	return fmt.Errorf("%w: no orderer takes it: %w", ledger.ErrNotOrdered, errors.Join(last, ctx.Err()))
}

func (n *node) send(ctx context.Context, by *account, envelope *fab.SignedEnvelope) error {
	ctx, cancel := n.request(ctx, by, broadcastTimeout)
	defer cancel()
	_, err := n.orderer.SendBroadcast(ctx, envelope)
	return err
}

type ordererSaid int

const (
	mayHave    ordererSaid = iota // it may be ordered
	hasNot                        // it is not ordered
	wasRefused                    // and will not be
)

func whatOrdererSaid(err error) ordererSaid {
	s, ok := status.FromError(err)
	if !ok {
		return mayHave
	}
	switch {
	case s.Group == status.OrdererClientStatus && s.Code == status.ConnectionFailed.ToInt32():
		return hasNot
	case s.Group != status.OrdererServerStatus:
		return mayHave
	}
	switch common.Status(s.Code) {
	case common.Status_BAD_REQUEST, common.Status_FORBIDDEN, common.Status_REQUEST_ENTITY_TOO_LARGE, common.Status_NOT_FOUND:
		return wasRefused
	case common.Status_SERVICE_UNAVAILABLE:
		if strings.Contains(s.Message, "no Raft leader") { // other reasons may come after it was passed on
			return hasNot
		}
	}
	return mayHave
}
