package main

import (
	"errors"
	"fmt"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for a member; works beside a running server."`
}

type tokenCreateCmd struct {
	Data   string `default:"data" env:"FOODTRACE_DATA" type:"existingdir" help:"Data directory."`
	Member string `required:"" help:"MSP ID of the member."`
	Role   string `required:"" enum:"regulator,producer,processor,carrier,wholesaler,retailer,laboratory" help:"Role in which the bearer acts; one of the member's roles."`
	output
}

func (tokenCreateCmd) Help() string {
	return "Example:\n  foodtrace token create --data data --member producer --role producer\n\nThe token is shown once; only its hash is kept."
}

func (c *tokenCreateCmd) Run(a *app) (err error) {
	if _, err := identity.Open(c.Data, nil).Signer(c.Member, operator); err != nil {
		return fmt.Errorf("member %s has no identity in %s: %w", c.Member, c.Data, err)
	}
	tokens, err := auth.Open(dataDir(c.Data).tokens())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tokens.Close()) }()
	token, err := tokens.Create(a.ctx, c.Member, contract.Role(c.Role))
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(a.out, map[string]string{"member": c.Member, "role": c.Role, "token": token})
	}
	_, err = fmt.Fprintln(a.out, token)
	return err
}
