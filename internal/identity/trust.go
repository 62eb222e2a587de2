package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrUntrusted is returned for a certificate that does not speak for the member it claims.
var ErrUntrusted = errors.New("identity: the certificate is not trusted")

// Trust is a folder with one file MSP.pem for each member: the certificates of its authorities. Files are read when
// they are needed, so that a member added while the ledger runs is known at once.
type Trust string

// Add has the authority speak for a member that has none yet. ErrExists, ErrName.
func (t Trust) Add(msp string, der []byte) error {
	if !mspPattern.MatchString(msp) {
		return fmt.Errorf("%w: MSP ID %q", ErrName, msp)
	}
	if err := os.MkdirAll(string(t), 0o755); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return writePEM(t.path(msp), 0o644, &pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Check parses a certificate and says whether it speaks for a member at a time: it chains to one of the member's
// authorities, is valid then, and holds an ECDSA P-256 key that may sign. Else ErrUntrusted, with the reason.
func (t Trust) Check(msp string, der []byte, at time.Time) (*x509.Certificate, error) {
	if !mspPattern.MatchString(msp) {
		return nil, fmt.Errorf("%w: MSP ID %.80q", ErrUntrusted, msp)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	file, err := os.ReadFile(t.path(msp))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: no authority is known for member %q", ErrUntrusted, msp)
	}
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(file) {
		return nil, fmt.Errorf("identity: %s holds no certificate", t.path(msp))
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || cert.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, fmt.Errorf("%w: it holds no ECDSA P-256 key that may sign", ErrUntrusted)
	}
	return cert, nil
}

func (t Trust) path(msp string) string { return filepath.Join(string(t), msp+".pem") }
