package identity_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/identity"
)

// files writes a certificate of one key and the private key of another, which usually are the same.
func files(t *testing.T, certKey, key crypto.Signer, change func(*x509.Certificate)) (cert, keyFile string, der []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, certKey.Public(), certKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b *pem.Block) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der}), write("key.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), der
}

func ecKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestLoad(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	key := ecKey(t, elliptic.P256())
	cert, keyFile, der := files(t, key, key, nil)
	by, until, err := identity.Load("farm", cert, keyFile, now)
	if err != nil || by.MSP != "farm" || !bytes.Equal(by.Cert, der) || !until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %v, %v", by.MSP, until, err)
	}
	if _, _, err := identity.Load("farm", cert, keyFile, time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC)); err != nil {
		t.Errorf("half an hour too early: %v", err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		certKey, key crypto.Signer
		change       func(*x509.Certificate)
		now          time.Time
		want         string
	}{
		"another key": {key, ecKey(t, elliptic.P256()), nil, now, "does not match"},
		"P-384":       {ecKey(t, elliptic.P384()), nil, nil, now, "no ECDSA P-256"},
		"not ECDSA":   {edwards, nil, nil, now, "no ECDSA P-256"},
		"expired":     {key, nil, nil, now.AddDate(1, 0, 0), "expired"},
		"too early":   {key, nil, nil, now.AddDate(-1, 0, 0), "not valid before"},
		"not to sign": {key, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, now, "not for signing"},
	} {
		if c.key == nil {
			c.key = c.certKey
		}
		cert, keyFile, _ := files(t, c.certKey, c.key, c.change)
		if _, _, err := identity.Load("farm", cert, keyFile, c.now); !errors.Is(err, identity.ErrUnusable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := identity.Load("farm", filepath.Join(t.TempDir(), "none"), keyFile, now); !errors.Is(err, identity.ErrUnusable) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
