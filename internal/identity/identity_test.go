package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestSigner(t *testing.T) {
	dir := t.TempDir()
	s := Open(dir, nil)
	if _, err := s.Signer("Farm", "Li Wei"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("before it exists: %v", err)
	}
	if err := s.Issue("Farm", "Li Wei"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("without authority: %v", err)
	}
	if err := s.CreateCA("Farm"); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateCA("Farm"); !errors.Is(err, ErrExists) {
		t.Fatalf("second authority: %v", err)
	}
	for _, cn := range []string{"Li Wei", "李伟", "../../x", "a/b"} {
		if err := s.Issue("Farm", cn); err != nil {
			t.Fatal(err)
		}
		by, err := Open(dir, nil).Signer("Farm", cn)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := s.Trust().Check("Farm", by.Cert, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if cert.Subject.CommonName != cn {
			t.Errorf("common name %q, want %q", cert.Subject.CommonName, cn)
		}
		digest := sha256.Sum256([]byte("bytes"))
		sig, err := by.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || !ecdsa.VerifyASN1(cert.PublicKey.(*ecdsa.PublicKey), digest[:], sig) {
			t.Errorf("the key does not belong to the certificate: %v", err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "identities", "Farm", "*.pem"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, want 5: %v", len(files), err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", f, info.Mode())
		}
	}
}

func TestNames(t *testing.T) {
	s := Open(t.TempDir(), nil)
	for _, msp := range []string{"", ".", "..", "../x", "a/b", ".hidden", "a b", "ä"} {
		if err := s.CreateCA(msp); !errors.Is(err, ErrName) {
			t.Errorf("MSP ID %q: %v", msp, err)
		}
		if _, err := s.Ensure(msp, "x"); !errors.Is(err, ErrName) {
			t.Errorf("MSP ID %q: %v", msp, err)
		}
	}
	if err := s.Issue("Farm", ""); !errors.Is(err, ErrName) {
		t.Errorf("empty common name: %v", err)
	}
}

func TestUntrusted(t *testing.T) {
	s, other := Open(t.TempDir(), nil), Open(t.TempDir(), nil)
	farm, err := s.Ensure("Farm", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ensure("Shop", "x"); err != nil {
		t.Fatal(err)
	}
	fake, err := other.Ensure("Farm", "x")
	if err != nil {
		t.Fatal(err)
	}
	ca, _, err := s.load("Farm", "ca")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, c := range map[string]struct {
		msp  string
		cert []byte
		at   time.Time
	}{
		"another member":       {"Shop", farm.Cert, now},
		"unknown member":       {"Nobody", farm.Cert, now},
		"member as path":       {"../trust/Farm", farm.Cert, now},
		"same name, other CA":  {"Farm", fake.Cert, now},
		"not yet valid":        {"Farm", farm.Cert, now.Add(-48 * time.Hour)},
		"no longer valid":      {"Farm", farm.Cert, now.AddDate(memberYears, 0, 1)},
		"the authority itself": {"Farm", ca.Raw, now},
		"no certificate":       {"Farm", []byte("x"), now},
	} {
		if _, err := s.Trust().Check(c.msp, c.cert, c.at); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v, want ErrUntrusted", name, err)
		}
	}
}

// TestEnsureConcurrent: whoever comes at once gets one and the same identity.
func TestEnsureConcurrent(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	certs := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			by, err := Open(dir, nil).Ensure("Farm", "x")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			certs[string(by.Cert)] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(certs) != 1 {
		t.Errorf("%d certificates, want 1", len(certs))
	}
}

// TestEnsureAfterCrash: an authority that was made but not yet trusted is trusted by the next call.
func TestEnsureAfterCrash(t *testing.T) {
	dir := t.TempDir()
	s := Open(dir, nil)
	if err := s.CreateCA("Farm"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.Trust().path("Farm")); err != nil {
		t.Fatal(err)
	}
	by, err := s.Ensure("Farm", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust().Check("Farm", by.Cert, time.Now()); err != nil {
		t.Error(err)
	}
}

// FuzzCheck: no certificate speaks for a member but those that its authority signed.
func FuzzCheck(f *testing.F) {
	s := Open(f.TempDir(), nil)
	farm, err := s.Ensure("Farm", "x")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Now()
	f.Add("Farm", farm.Cert)
	f.Add("../Farm", []byte("0\x82"))
	f.Fuzz(func(t *testing.T, msp string, der []byte) {
		if _, err := s.Trust().Check(msp, der, now); err == nil && !bytes.Equal(der, farm.Cert) {
			t.Errorf("%q trusts %x", msp, der)
		} else if err != nil && !errors.Is(err, ErrUntrusted) {
			t.Error(err)
		}
	})
}
