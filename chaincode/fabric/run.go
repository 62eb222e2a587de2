package fabric

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// ErrConfig says that the environment of a service is wrong.
var ErrConfig = errors.New("configuration")

// Run serves a chaincode as its environment says, until ctx is done: CHAINCODE_SERVER_ADDRESS, CHAINCODE_ID and, for TLS,
// CHAINCODE_TLS_CERT, CHAINCODE_TLS_KEY and CHAINCODE_TLS_CLIENT_CA, names of PEM files.
func Run(ctx context.Context, getenv func(string) string, cc shim.Chaincode, log *slog.Logger) error {
	id, address := getenv("CHAINCODE_ID"), getenv("CHAINCODE_SERVER_ADDRESS")
	switch {
	case address == "":
		return fmt.Errorf("%w: CHAINCODE_SERVER_ADDRESS is not set: where to listen, e.g. 127.0.0.1:9999", ErrConfig)
	case id == "":
		return fmt.Errorf("%w: CHAINCODE_ID is not set: the package ID that `peer lifecycle chaincode queryinstalled` lists", ErrConfig)
	}
	secure, err := tlsConfig(getenv("CHAINCODE_TLS_CERT"), getenv("CHAINCODE_TLS_KEY"), getenv("CHAINCODE_TLS_CLIENT_CA"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("CHAINCODE_SERVER_ADDRESS: %w", err)
	}
	log.Info("serving", "address", listener.Addr().String(), "package", id, "tls", secure != nil)
	if err := NewService(id, cc, log).Serve(ctx, listener, secure); err != nil {
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
