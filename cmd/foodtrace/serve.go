package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
)

// web are the flags of the commands that serve.
type web struct {
	Listen    string `default:"127.0.0.1:8080" env:"FOODTRACE_LISTEN" help:"Address to listen on."`
	PublicURL string `env:"FOODTRACE_PUBLIC_URL" help:"Address under which people reach this server; QR codes lead there. Default: the address listened on."`
	// Without it, everybody behind a reverse proxy shares one limit of requests.
	ClientHeader string `env:"FOODTRACE_CLIENT_HEADER" help:"Header in which a reverse proxy in front puts the client's address, e.g. X-Real-IP. The proxy must overwrite it."`
}

type serveCmd struct {
	Data string `default:"data" env:"FOODTRACE_DATA" type:"path" help:"Data directory; made if it is not there."`
	web
}

func (serveCmd) Help() string {
	return "Example:\n  foodtrace serve --data /var/lib/foodtrace --listen :8080 --public-url https://trace.example.cn\n\n" +
		"On an empty data directory it makes a ledger with two members, regulator and producer, and prints a token for each."
}

// founders are the members of a ledger that nobody prepared.
var founders = contract.Registration{
	Members: []contract.Member{
		{MSP: "regulator", Name: contract.Text{ZH: "监管部门", EN: "Regulator"}, Roles: []contract.Role{contract.Regulator}},
		{MSP: "producer", Name: contract.Text{ZH: "生产企业", EN: "Producer"}, Roles: []contract.Role{contract.Producer}},
	},
	Policy: &contract.Policy{Lenient: true},
}

func (c *serveCmd) Run(a *app) (err error) {
	n, err := openNode(dataDir(c.Data), a.log)
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
	if err := n.spreadAsRegulator(a.ctx); err != nil {
		return err
	}
	return c.serve(a, n, gateway.Config{}, func(url string) error {
		_, err := fmt.Fprintf(a.out, "serving %s on %s\n", c.Data, url)
		return err
	})
}

// spreadAsRegulator spreads holds in the name of the first regulator whose identity is on this machine.
func (n *node) spreadAsRegulator(ctx context.Context) error {
	members, err := n.index.Members(ctx)
	if err != nil {
		return err
	}
	if err := n.spread(regulatorOf(contract.Registration{Members: members})); err != nil {
		n.log.Warn("no regulator's identity is on this machine: marks of holds do not spread from here (holds are in force all the same)", "err", err)
	}
	return nil
}

// stopTimeout is how long requests in flight may take to end.
const stopTimeout = 10 * time.Second

// serve listens, says so, and serves until the command is interrupted.
func (w web) serve(a *app, n *node, config gateway.Config, ready func(url string) error) error {
	listener, err := net.Listen("tcp", w.Listen)
	if err != nil {
		return err
	}
	config.PublicURL, config.ClientHeader = w.PublicURL, w.ClientHeader
	if config.PublicURL == "" {
		config.PublicURL = "http://" + listener.Addr().String()
	}
	handler, err := n.handler(config)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := gateway.Server(handler, a.log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := ready(config.PublicURL); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return err
	case <-a.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
