package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
)

// web are the flags of the commands that serve.
type web struct {
	Listen    string `env:"FOODTRACE_LISTEN" help:"Address to listen on. Default: ${listen}"`
	PublicURL string `env:"FOODTRACE_PUBLIC_URL" help:"Address under which people reach this server; QR codes lead there. Default: the address listened on."`
	// Without it, everybody behind a reverse proxy shares one limit of requests.
	ClientHeader string `env:"FOODTRACE_CLIENT_HEADER" help:"Header in which a reverse proxy in front puts the client's address, e.g. X-Real-IP. The proxy must overwrite it."`
	// Without it, whoever may subscribe could have this machine call what only this machine can reach.
	SubscriptionsAllow []netip.Prefix `env:"FOODTRACE_SUBSCRIPTIONS_ALLOW" placeholder:"CIDR" help:"Networks that subscriptions may call though they are not public, also without TLS, e.g. 10.1.0.0/16."`
}

// Defaults of flags that a configuration file may set instead.
const (
	defaultListen = "127.0.0.1:8080"
	defaultData   = "data"
)

type serveCmd struct {
	Config string `env:"FOODTRACE_CONFIG" type:"path" xor:"where" help:"Configuration of a member's gateway on a Fabric network. The other flags override it."`
	Data   string `env:"FOODTRACE_DATA" type:"path" xor:"where" help:"Data directory of a ledger on this machine; made if it is not there. Default: ${data}"`
	web
	dropFlags
}

func (serveCmd) Help() string {
	return "Example:\n  foodtrace serve --data /var/lib/foodtrace --listen :8080 --public-url https://trace.example.cn\n\n" +
		"On an empty data directory it makes a ledger with two members, regulator and producer, and prints a token for each.\n\n" +
		"A member's gateway on a Fabric network:\n  foodtrace serve --config /etc/foodtrace.yaml\n\n" +
		"Files that are dropped into a directory are captured:\n  foodtrace serve --data /var/lib/foodtrace --drop /srv/drop --drop-member producer\n\n" +
		"docs/operations.md has the configuration's keys. It waits for peers, database and object store that are away."
}

// founders are the members of a ledger that nobody prepared.
var founders = contract.Registration{
	Members: []contract.Member{
		{MSP: "regulator", Name: contract.Text{ZH: "监管部门", EN: "Regulator"}, Roles: []contract.Role{contract.Regulator}},
		{MSP: "producer", Name: contract.Text{ZH: "生产企业", EN: "Producer"}, Roles: []contract.Role{contract.Producer}},
	},
	Policy: &contract.Policy{Lenient: true, Summaries: true},
}

func (c *serveCmd) Run(a *app) error {
	if c.Config != "" {
		return c.serveMember(a)
	}
	return c.serveEmbedded(a)
}

func (c *serveCmd) serveEmbedded(a *app) (err error) {
	dir := cmp.Or(c.Data, defaultData)
	places, err := c.places()
	if err != nil {
		return err
	}
	n, err := openEmbedded(dataDir(dir), a.log, c.SubscriptionsAllow...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	height, err := n.ledger.Height(a.ctx)
	if err != nil {
		return err
	}
	if height == 0 {
		if err := n.begin(a.ctx, founders); err != nil {
			return err
		}
		for _, m := range founders.Members {
			token, err := n.tokens.Create(a.ctx, m.MSP, m.Roles[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "token of %s (shown once): %s\n", m.MSP, token)
		}
	}
	n.spreadAsRegulator()
	if err := n.takeDrops(places, ""); err != nil {
		return err
	}
	return c.serve(a, n.node, gateway.Config{}, func(url string) error {
		_, err := fmt.Fprintf(a.out, "serving %s on %s\n", dir, url)
		return err
	})
}

// serve listens, says so, and serves a node until the command is interrupted.
func (w web) serve(a *app, n *node, config gateway.Config, ready func(url string) error) error {
	listener, err := w.listen()
	if err != nil {
		return err
	}
	handler, err := n.handler(w.config(config, listener))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveHTTP(a, listener, handler, func(context.Context) error { return ready(w.url(listener)) })
}

func (w web) listen() (net.Listener, error) {
	return net.Listen("tcp", cmp.Or(w.Listen, defaultListen))
}

func (w web) url(l net.Listener) string { return cmp.Or(w.PublicURL, "http://"+l.Addr().String()) }

func (w web) config(c gateway.Config, l net.Listener) gateway.Config {
	c.PublicURL, c.ClientHeader = w.url(l), w.ClientHeader
	return c
}

// stopTimeout is how long requests in flight may take to end.
const stopTimeout = 10 * time.Second

// serveHTTP serves, beside a work that begins once it does, until the command is interrupted or the work fails.
func serveHTTP(a *app, listener net.Listener, handler http.Handler, work func(context.Context) error) error {
	server := gateway.Server(handler, a.log)
	group, ctx := errgroup.WithContext(a.ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return work(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := server.Shutdown(stopping); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	})
	return group.Wait()
}
