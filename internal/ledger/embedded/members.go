package embedded

import (
	"crypto/ecdsa"
	"errors"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
)

// maxMembers bounds the certificates remembered; beyond it they are forgotten and checked anew.
const maxMembers = 4096

// members checks who signed. It remembers certificates that were found trusted: taking an authority out of the trust
// folder takes effect with the next start, adding one at once.
type members struct {
	trust identity.Trust

	mu    sync.Mutex
	known map[string]member // by MSP ID, zero byte, certificate
}

type member struct {
	actor               contract.Actor
	key                 *ecdsa.PublicKey
	notBefore, notAfter time.Time
}

func newMembers(trust identity.Trust) *members {
	return &members{trust: trust, known: map[string]member{}}
}

var errSignature = errors.New("the signature does not match the certificate")

// check returns who signed a submission; identity.ErrUntrusted when the certificate is not trusted at that time; errSignature.
func (m *members) check(s *submission, at time.Time) (contract.Actor, error) {
	who, err := m.find(s.msp, s.cert, at)
	if err == nil && !ecdsa.VerifyASN1(who.key, s.digest[:], s.signature) {
		err = errSignature
	}
	return who.actor, err
}

func (m *members) find(msp string, cert []byte, at time.Time) (member, error) {
	id := msp + "\x00" + string(cert)
	m.mu.Lock()
	who, ok := m.known[id]
	m.mu.Unlock()
	if ok && !at.Before(who.notBefore) && !at.After(who.notAfter) {
		return who, nil
	}
	c, err := m.trust.Check(msp, cert, at)
	if err != nil {
		return member{}, err
	}
	who = member{
		actor:     contract.Actor{MSP: msp, Subject: c.Subject.CommonName},
		key:       c.PublicKey.(*ecdsa.PublicKey), // Check allows no other
		notBefore: c.NotBefore,
		notAfter:  c.NotAfter,
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= maxMembers {
		clear(m.known)
	}
	m.known[id] = who
	return who, nil
}
