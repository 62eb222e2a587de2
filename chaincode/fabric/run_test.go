package fabric

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair writes a self-signed certificate and its key.
func writePair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestMisconfigured(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "cc")
	good := map[string]string{"CHAINCODE_ID": "foodtrace_1:abc", "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0"}
	for _, c := range []struct {
		say string
		env map[string]string
	}{
		{"CHAINCODE_SERVER_ADDRESS is not set", map[string]string{"CHAINCODE_SERVER_ADDRESS": ""}},
		{"CHAINCODE_ID is not set", map[string]string{"CHAINCODE_ID": ""}},
		{"TLS needs both", map[string]string{"CHAINCODE_TLS_CERT": cert}},
		{"TLS needs both", map[string]string{"CHAINCODE_TLS_CLIENT_CA": cert}},
		{"CHAINCODE_TLS_CERT and CHAINCODE_TLS_KEY:", map[string]string{"CHAINCODE_TLS_CERT": key, "CHAINCODE_TLS_KEY": key}},
		{"CHAINCODE_TLS_CLIENT_CA:", map[string]string{"CHAINCODE_TLS_CERT": cert, "CHAINCODE_TLS_KEY": key, "CHAINCODE_TLS_CLIENT_CA": dir}},
		{"has no certificate in PEM", map[string]string{"CHAINCODE_TLS_CERT": cert, "CHAINCODE_TLS_KEY": key, "CHAINCODE_TLS_CLIENT_CA": key}},
	} {
		getenv := func(name string) string {
			if v, ok := c.env[name]; ok {
				return v
			}
			return good[name]
		}
		err := Run(t.Context(), getenv, quiet(atNoon), slog.New(slog.DiscardHandler))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%v, want %q", err, c.say)
		}
	}
}

// TestAddressInUse: that is no mistake of the configuration.
func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := map[string]string{"CHAINCODE_ID": "x", "CHAINCODE_SERVER_ADDRESS": l.Addr().String()}
	if err := Run(t.Context(), func(k string) string { return env[k] }, quiet(atNoon), slog.New(slog.DiscardHandler)); err == nil || errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

// TestServe: the service listens, takes a new certificate while it runs, and stops.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "first")
	env := map[string]string{"CHAINCODE_ID": "x", "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0", "CHAINCODE_TLS_CERT": cert, "CHAINCODE_TLS_KEY": key}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, func(k string) string { return env[k] }, quiet(atNoon), slog.New(slog.NewTextHandler(in, nil)))
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	lines.Scan()
	_, rest, _ := strings.Cut(lines.Text(), "address=")
	address, _, _ := strings.Cut(rest, " ")
	for _, name := range []string{"first", "second"} {
		if name == "second" {
			writePair(t, dir, name)
		}
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != name {
			t.Errorf("certificate of %s, want %s", got, name)
		}
		conn.Close()
	}
	cancel()
	for lines.Scan() {
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
