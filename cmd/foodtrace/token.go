package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
)

// tokenCmd works beside a running server: all of it is about a file that both read each time.
type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for a member."`
	List   tokenListCmd   `cmd:"" help:"List the tokens that are good: ID, member, role, when each was made."`
	Revoke tokenRevokeCmd `cmd:"" help:"Make tokens worthless, at once."`
}

// tokenPlace says whose tokens a command is about.
type tokenPlace struct {
	Config string `env:"FOODTRACE_CONFIG" type:"path" xor:"where" help:"Configuration of a member's gateway on a Fabric network."`
	Data   string `env:"FOODTRACE_DATA" type:"path" xor:"where" help:"Data directory of a ledger on this machine. Default: ${data}"`
}

type tokenCreateCmd struct {
	tokenPlace
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
		return writeJSON(a.out, map[string]string{"id": string(auth.IDOf(token)), "member": c.Member, "role": c.Role, "token": token})
	}
	_, err = fmt.Fprintln(a.out, token)
	return err
}

type tokenListCmd struct {
	tokenPlace
	output
}

func (c *tokenListCmd) Run(a *app) error {
	return c.with(a, func(tokens *auth.Tokens) error {
		list, err := tokens.List(a.ctx)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			all := make([]map[string]string, len(list))
			for i, t := range list {
				all[i] = map[string]string{"id": string(t.ID), "member": t.Member, "role": string(t.Role), "created": t.Created.Format(time.RFC3339)}
			}
			return writeJSON(a.out, all)
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		_, err = fmt.Fprintln(w, "ID\tMEMBER\tROLE\tCREATED")
		for _, t := range list {
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, t.Member, t.Role, t.Created.Format(time.RFC3339))
		}
		return errors.Join(err, w.Flush())
	})
}

type tokenRevokeCmd struct {
	tokenPlace
	IDs []string `arg:"" name:"id" help:"ID of a token, or as many of its first digits as tell it from the others; or the token itself."`
}

func (tokenRevokeCmd) Help() string {
	return "Example:\n  foodtrace token revoke --data data 3f9a1c\n\nA running server refuses the tokens from then on, and closes the WebSockets that were opened with them. " +
		"A subscription is its member's: it rests when no token of the member in its role is left."
}

func (c *tokenRevokeCmd) Run(a *app) error {
	return c.with(a, func(tokens *auth.Tokens) error {
		meant := make([]auth.Token, len(c.IDs))
		var wrong error
		for i, id := range c.IDs {
			var err error
			meant[i], err = tokenMeant(a.ctx, tokens, id)
			wrong = errors.Join(wrong, err)
		}
		if wrong != nil {
			return wrong // none is revoked
		}
		for _, t := range meant {
			if err := tokens.Revoke(a.ctx, t.ID); err != nil && !errors.Is(err, auth.ErrUnknownToken) { // named twice
				return err
			}
			if _, err := fmt.Fprintf(a.out, "revoked %s: %s, %s\n", t.ID, t.Member, t.Role); err != nil {
				return err
			}
			if left, err := tokens.Stands(a.ctx, t.Principal, ""); err == nil && !left {
				a.log.Warn("no token of the member in this role is left: its subscriptions rest until there is one", "member", t.Member, "role", t.Role)
			}
		}
		return nil
	})
}

// tokenMeant is the token that an ID, the beginning of one, or the token itself names. What may be a secret is not repeated.
func tokenMeant(ctx context.Context, tokens *auth.Tokens, text string) (auth.Token, error) {
	id, what := auth.IDOf(text), "this token"
	if id == "" {
		id, what = auth.ID(strings.ToLower(text)), "a token whose ID begins with "+strconv.Quote(text)
	}
	found, err := tokens.Find(ctx, string(id))
	switch {
	case err != nil:
		return auth.Token{}, err
	case len(found) == 0:
		return auth.Token{}, fmt.Errorf("%s is not known: foodtrace token list shows those that are", what)
	case len(found) > 1 || id == "":
		return auth.Token{}, fmt.Errorf("%s is one of %d: give more digits", what, len(found))
	}
	return found[0], nil
}

// with opens the tokens that there are.
func (p *tokenPlace) with(a *app, do func(*auth.Tokens) error) (err error) {
	dir := dataDir(cmp.Or(p.Data, defaultData))
	if p.Config != "" {
		conf, err := readConfig(p.Config, a.getenv)
		if err != nil {
			return err
		}
		dir = dataDir(conf.Data)
	}
	if _, err := os.Stat(dir.tokens()); err != nil {
		return fmt.Errorf("there are no tokens in %s: %w", dir, err)
	}
	tokens, err := auth.Open(dir.tokens())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tokens.Close()) }()
	return do(tokens)
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
