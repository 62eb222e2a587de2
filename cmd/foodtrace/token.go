package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for a member; works beside a running server."`
}

type tokenCreateCmd struct {
	Config string `env:"FOODTRACE_CONFIG" type:"path" xor:"where" help:"Configuration of a member's gateway on a Fabric network."`
	Data   string `env:"FOODTRACE_DATA" type:"path" xor:"where" help:"Data directory of a ledger on this machine. Default: ${data}"`
	Member string `required:"" help:"MSP ID of the member."`
	Role   string `required:"" enum:"regulator,producer,processor,carrier,wholesaler,retailer,laboratory" help:"Role in which the bearer acts; one of the member's roles."`
	output
}

func (tokenCreateCmd) Help() string {
	return "Example:\n  foodtrace token create --data data --member producer --role producer\n\nThe token is shown once; only its hash is kept."
}

func (c *tokenCreateCmd) Run(a *app) (err error) {
	dir, err := c.dir(a)
	if err != nil {
		return err
	}
	tokens, err := auth.Open(dir.tokens())
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

// dir is the data directory of a gateway that can sign for the member.
func (c *tokenCreateCmd) dir(a *app) (dataDir, error) {
	if c.Config == "" {
		dir := cmp.Or(c.Data, defaultData)
		if _, err := identity.Open(dir, nil).Signer(c.Member, operator); err != nil {
			return "", fmt.Errorf("member %s has no identity in %s: %w", c.Member, dir, err)
		}
		return dataDir(dir), nil
	}
	conf, err := readConfig(c.Config, a.getenv)
	if err != nil {
		return "", err
	}
	if c.Member != conf.Member {
		return "", fmt.Errorf("the gateway of %s signs for member %s only, so a token of %s could write nothing there", c.Config, conf.Member, c.Member)
	}
	return dataDir(conf.Data), os.MkdirAll(conf.Data, 0o700)
}
