// Command foodtrace-chaincode is the contract as a chaincode service of Hyperledger Fabric. Peers connect to it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/fabric"
)

const usage = `foodtrace-chaincode runs the foodtrace contract as a chaincode service. It takes no arguments; its environment says:

  CHAINCODE_SERVER_ADDRESS  where to listen, e.g. 0.0.0.0:9999
  CHAINCODE_ID              package ID of the installed chaincode (peer lifecycle chaincode queryinstalled), e.g. foodtrace_1:5c3e…
  CHAINCODE_TLS_CERT        file with the service's certificate, PEM; without it the service speaks plain text
  CHAINCODE_TLS_KEY         file with its key, PEM
  CHAINCODE_TLS_CLIENT_CA   file with the authorities of peers that may connect, PEM; without it any peer may

SIGTERM lets the transactions in progress end. Both files of the certificate may be replaced while the service runs.

Example: CHAINCODE_SERVER_ADDRESS=127.0.0.1:9999 CHAINCODE_ID=foodtrace_1:5c3e… foodtrace-chaincode
`

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if len(os.Args) > 1 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := fabric.Run(ctx, os.Getenv, fabric.New(time.Now, log), log); err != nil {
		log.Error(err.Error())
		if errors.Is(err, fabric.ErrConfig) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}
