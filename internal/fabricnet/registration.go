package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// registerMembers begins the ledger: the regulator registers all members. Nobody has registered sites yet, so the policy is
// lenient.
func (n *Network) registerMembers(ctx context.Context) error {
	return n.register(ctx, contract.Registration{Members: n.state.Members, Policy: &contract.Policy{Lenient: true, Summaries: true}})
}

// register writes a registration as the regulator's gateway.
func (n *Network) register(ctx context.Context, r contract.Registration) (err error) {
	by, err := n.Signer(n.regulator(), gatewayUser)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(n.path("tmp"), "replica-")
	if err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	defer os.RemoveAll(dir)
	l, err := fabric.Open(fabric.Options{Config: n.Config(by.MSP), Identity: by, Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	receipt, err := l.Submit(ctx, by, &contract.Batch{Records: []contract.Record{{Registration: &r}}})
	if err != nil {
		return err
	}
	if o := receipt.Outcomes[0]; o.Status == contract.Refused {
		return fmt.Errorf("fabricnet: the contract refused the registration: %v", o.Findings)
	}
	return nil
}

// regulator is the first member that has this role.
func (n *Network) regulator() string {
	for _, m := range n.state.Members {
		for _, r := range m.Roles {
			if r == contract.Regulator {
				return m.MSP
			}
		}
	}
	return ""
}
