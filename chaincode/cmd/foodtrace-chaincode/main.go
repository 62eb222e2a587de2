// Command foodtrace-chaincode is the contract as a chaincode service of Hyperledger Fabric. Peers connect to it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
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
	if err := run(ctx, os.Getenv, log); err != nil {
		log.Error(err.Error())
		if errors.Is(err, errConfig) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errConfig = errors.New("configuration")

// run serves until ctx is done.
func run(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	id, address := getenv("CHAINCODE_ID"), getenv("CHAINCODE_SERVER_ADDRESS")
	switch {
	case address == "":
		return fmt.Errorf("%w: CHAINCODE_SERVER_ADDRESS is not set: where to listen, e.g. 127.0.0.1:9999", errConfig)
	case id == "":
		return fmt.Errorf("%w: CHAINCODE_ID is not set: the package ID that `peer lifecycle chaincode queryinstalled` lists", errConfig)
	}
	secure, err := tlsConfig(getenv("CHAINCODE_TLS_CERT"), getenv("CHAINCODE_TLS_KEY"), getenv("CHAINCODE_TLS_CLIENT_CA"))
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("CHAINCODE_SERVER_ADDRESS: %w", err)
	}
	log.Info("serving", "address", listener.Addr().String(), "package", id, "tls", secure != nil)
	if err := fabric.NewService(id, fabric.New(time.Now, log), log).Serve(ctx, listener, secure); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// tlsConfig is nil without a certificate.
func tlsConfig(cert, key, clientCA string) (*tls.Config, error) {
	if cert == "" && key == "" && clientCA == "" {
		return nil, nil
	}
	if cert == "" || key == "" {
		return nil, errors.New("TLS needs both CHAINCODE_TLS_CERT and CHAINCODE_TLS_KEY")
	}
	load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { // anew for each peer, so that the files may be replaced
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	if _, err := load(nil); err != nil {
		return nil, fmt.Errorf("CHAINCODE_TLS_CERT and CHAINCODE_TLS_KEY: %w", err)
	}
	config := &tls.Config{GetCertificate: load, MinVersion: tls.VersionTLS12}
	if clientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, fmt.Errorf("CHAINCODE_TLS_CLIENT_CA: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CHAINCODE_TLS_CLIENT_CA: %s has no certificate in PEM", clientCA)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
