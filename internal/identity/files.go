package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// ErrUnusable is returned for an identity that cannot sign.
var ErrUnusable = errors.New("identity: the identity cannot sign")

// Load reads an identity that another authority issued from two PEM files: a certificate (the first of the file, its
// intermediates may follow) and its private key. It returns the signer and until when the certificate is valid. ErrUnusable,
// when the two do not belong together, the key is not ECDSA P-256, or the certificate is not valid at now.
func Load(msp, certFile, keyFile string, now time.Time) (ledger.Signer, time.Time, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return ledger.Signer{}, time.Time{}, fmt.Errorf("%w: %s and %s: %w", ErrUnusable, certFile, keyFile, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return ledger.Signer{}, time.Time{}, fmt.Errorf("%w: %s holds no ECDSA P-256 key", ErrUnusable, keyFile)
	}
	cert := pair.Leaf
	if err := usable(cert, now); err != nil {
		return ledger.Signer{}, time.Time{}, fmt.Errorf("%w: %s: %w", ErrUnusable, certFile, err)
	}
	return ledger.Signer{MSP: msp, Cert: cert.Raw, Key: key}, cert.NotAfter, nil
}

func usable(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate expired on %s: have the organisation's authority issue another", cert.NotAfter.Format(time.RFC3339))
	case now.Add(backdate).Before(cert.NotBefore): // a clock that is a little behind is no reason
		return fmt.Errorf("the certificate is not valid before %s: is this machine's clock right?", cert.NotBefore.Format(time.RFC3339))
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("the certificate is not for signing")
	}
	return nil
}
