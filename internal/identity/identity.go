// Package identity keeps the members' X.509 identities of one machine: a certificate authority for each member, the
// certificates it issued with their keys, and the certificates of the authorities that the ledger trusts.
//
//	DIR/identities/MSP/ca.pem       the member's authority: certificate and key
//	DIR/identities/MSP/user-CN.pem  a person or machine of the member: certificate and key
//	DIR/trust/MSP.pem               the authorities whose certificates speak for the member
//
// Keys are ECDSA P-256 in PKCS #8, in files that only the owner can read. Whoever has a key can write in that member's name.
package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

var (
	ErrExists   = errors.New("identity: it is there already")
	ErrNotFound = errors.New("identity: not found")
	ErrName     = errors.New("identity: an MSP ID is 1 to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit; a common name 1 to 64 characters")
)

const (
	// An authority outlives what it issues; records have to be verifiable for as long as food laws ask (FSMA 204: 2 years,
	// China's food safety law: 2 years after shelf life), and far beyond.
	authorityYears = 30
	memberYears    = 10
	// backdate lets a certificate be used at once on a machine whose clock is behind.
	backdate = time.Hour
	// maxNameLen is the upper bound of a common name (RFC 5280, ub-common-name), and keeps file names portable.
	maxNameLen = 64
)

var mspPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Store is the identities of one data directory. It may be used by several processes at once.
type Store struct {
	dir string
	now func() time.Time
}

// Open returns the identities kept under a data directory, which need not exist yet. A nil clock is time.Now.
func Open(dir string, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{dir: dir, now: now}
}

// Trust returns the authorities trusted in this data directory.
func (s *Store) Trust() Trust { return Trust(filepath.Join(s.dir, "trust")) }

// CreateCA makes the certificate authority of a member and has this data directory's ledger trust it. ErrExists, ErrName.
func (s *Store) CreateCA(msp string) error {
	if !mspPattern.MatchString(msp) {
		return fmt.Errorf("%w: MSP ID %q", ErrName, msp)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl, err := s.template(msp, msp+" authority", authorityYears)
	if err != nil {
		return err
	}
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.MaxPathLenZero = true, true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return err
	}
	if err := s.save(msp, "ca", der, key); err != nil {
		return err
	}
	return s.Trust().Add(msp, der)
}

// Issue makes a key and certificate for a person or machine of a member. ErrExists, ErrName, ErrNotFound (no authority).
func (s *Store) Issue(msp, cn string) error {
	file, err := userFile(msp, cn)
	if err != nil {
		return err
	}
	ca, caKey, err := s.load(msp, "ca")
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl, err := s.template(msp, cn, memberYears)
	if err != nil {
		return err
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	return s.save(msp, file, der, key)
}

// Signer loads the identity of a person or machine of a member. ErrName, ErrNotFound.
func (s *Store) Signer(msp, cn string) (ledger.Signer, error) {
	file, err := userFile(msp, cn)
	if err != nil {
		return ledger.Signer{}, err
	}
	cert, key, err := s.load(msp, file)
	if err != nil {
		return ledger.Signer{}, err
	}
	return ledger.Signer{MSP: msp, Cert: cert.Raw, Key: key}, nil
}

// Ensure returns a signer, making the member's authority and the identity where they do not exist yet.
func (s *Store) Ensure(msp, cn string) (ledger.Signer, error) {
	by, err := s.Signer(msp, cn)
	if !errors.Is(err, ErrNotFound) {
		return by, err
	}
	if err := s.CreateCA(msp); err != nil && !errors.Is(err, ErrExists) {
		return ledger.Signer{}, err
	}
	ca, _, err := s.load(msp, "ca")
	if err != nil {
		return ledger.Signer{}, err
	}
	// The authority may have been left without trust by a crash in CreateCA.
	if err := s.Trust().Add(msp, ca.Raw); err != nil && !errors.Is(err, ErrExists) {
		return ledger.Signer{}, err
	}
	if err := s.Issue(msp, cn); err != nil && !errors.Is(err, ErrExists) {
		return ledger.Signer{}, err
	}
	return s.Signer(msp, cn)
}

func (s *Store) template(msp, cn string, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280: at most 20 octets, positive
	if err != nil {
		return nil, err
	}
	now := s.now().UTC()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{msp}, CommonName: cn},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.AddDate(years, 0, 0),
	}, nil
}

func (s *Store) save(msp, file string, der []byte, key *ecdsa.PrivateKey) error {
	path := s.path(msp, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, 0o600, &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func (s *Store) load(msp, file string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	path := s.path(msp, file)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %s", ErrNotFound, path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	pair, err := tls.X509KeyPair(data, data) // also checks that they belong together
	if err != nil {
		return nil, nil, fmt.Errorf("identity: %s: %w", path, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("identity: %s holds no ECDSA key", path)
	}
	return pair.Leaf, key, nil
}

func (s *Store) path(msp, file string) string {
	return filepath.Join(s.dir, "identities", msp, file+".pem")
}

// userFile names the files of a common name, which may hold any characters; the prefix keeps it apart from the authority.
func userFile(msp, cn string) (string, error) {
	if !mspPattern.MatchString(msp) || cn == "" || len(cn) > maxNameLen {
		return "", fmt.Errorf("%w: MSP ID %q, common name %q", ErrName, msp, cn)
	}
	return "user-" + url.PathEscape(cn), nil
}

// writePEM creates a file that appears whole or not at all, and never replaces one: link fails where rename would not.
func writePEM(path string, mode fs.FileMode, blocks ...*pem.Block) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	defer os.Remove(f.Name())
	err = f.Chmod(mode)
	for _, b := range blocks {
		err = errors.Join(err, pem.Encode(f, b))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	err = os.Link(f.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", ErrExists, path)
	}
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	dir := filepath.Dir(path)
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

// syncDir makes the names in a directory last: no submission may be on the ledger whose signer's authority is lost.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
