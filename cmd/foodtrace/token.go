package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
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
	dir, database, err := c.dir(a)
	if err != nil {
		return err
	}
	if err := c.checkRole(a, dir, database); err != nil {
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

// dir is the data directory of a gateway that can sign for the member, and the database of its index, if it is in one.
func (c *tokenCreateCmd) dir(a *app) (dir dataDir, database string, err error) {
	if c.Config == "" {
		dir := cmp.Or(c.Data, defaultData)
		if _, err := identity.Open(dir, nil).Signer(c.Member, operator); err != nil {
			return "", "", fmt.Errorf("member %s has no identity in %s: %w", c.Member, dir, err)
		}
		return dataDir(dir), "", nil
	}
	conf, err := readConfig(c.Config, a.getenv)
	if err != nil {
		return "", "", err
	}
	if c.Member != conf.Member {
		return "", "", fmt.Errorf("the gateway of %s signs for member %s only, so a token of %s could write nothing there", c.Config, conf.Member, c.Member)
	}
	return dataDir(conf.Data), conf.Index.Postgres, os.MkdirAll(conf.Data, 0o700)
}

// databasePatience is how long a database may take to answer: the token can be made without it.
const databasePatience = 10 * time.Second

// checkRole refuses a role that the member has not. Where the members are not known, it says that it does not know.
func (c *tokenCreateCmd) checkRole(a *app, dir dataDir, database string) error {
	ctx, cancel := context.WithTimeout(a.ctx, databasePatience)
	defer cancel()
	members, err := membersKnown(ctx, dir, database)
	at := slices.IndexFunc(members, func(m contract.Member) bool { return m.MSP == c.Member })
	switch {
	case err != nil:
		a.log.Warn("the index cannot be asked, so it was not checked that the member has this role", "member", c.Member, "role", c.Role, "err", err)
	case at < 0:
		a.log.Warn("the member is not registered, as far as it is known here, so it was not checked that it has this role", "member", c.Member, "role", c.Role)
	case !slices.Contains(members[at].Roles, contract.Role(c.Role)):
		return fmt.Errorf("member %s is not registered as %s but as %v: a token with that role could write nothing", c.Member, c.Role, members[at].Roles)
	}
	return nil
}

// membersKnown are the members as the index has them; none where there is no index yet.
func membersKnown(ctx context.Context, dir dataDir, database string) (_ []contract.Member, err error) {
	var rows index.Index
	if database != "" {
		rows, err = postgres.Open(ctx, database, postgres.Options{GraphMB: -1})
	} else {
		if _, err := os.Stat(dir.index()); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		rows, err = sqlite.Open(dir.index(), fileOnly)
	}
	if err != nil {
		return nil, err
	}
	members, err := rows.Members(ctx)
	return members, errors.Join(err, rows.Close())
}
