package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"time"

	"github.com/hyperledger/fabric-protos-go/msp"
)

// The checks here are those that Fabric's peers do with their membership service (package msp of Fabric), no more and no
// fewer: a certificate that they accept and this refuses would stop the follower, one that this accepts and they refuse
// would let a peer lie. They work on the certificates as they are. A root certificate with a signature in its second form (high S) needs
// no care, because Go's crypto/x509 takes both.

// authority is one organisation's membership service: who may speak for it.
type authority struct {
	id            string    // MSP ID
	unread        *unproven // why nothing else is known of it, or nil
	roots         *x509.CertPool
	intermediates *x509.CertPool
	parents       map[string]bool // certificates, DER, that issued an intermediate one: they issue no identities
	crls          []*pkix.CertificateList
	admins        [][]byte // certificates of named administrators, TBS
	units         []unit   // one of which every identity must have, if there is any
	nodeOUs       bool
	roles         map[msp.MSPRole_MSPRoleType]unit // the units that tell roles apart, when nodeOUs
	hash          func() hash.Hash                 // of chains of certificates, which principals name; nil: an unknown one
}

// unit is an organisational unit that a certificate may name.
type unit struct {
	name   string
	issuer []byte // TBS of the certificate that must have issued it; nil: any
}

// newAuthority reads an organisation's membership service from the channel's configuration.
func newAuthority(conf *msp.FabricMSPConfig) (*authority, error) {
	a := &authority{
		id: conf.Name, roots: x509.NewCertPool(), intermediates: x509.NewCertPool(), parents: map[string]bool{},
		roles: map[msp.MSPRole_MSPRoleType]unit{}, hash: chainHash(conf.GetCryptoConfig().GetIdentityIdentifierHashFunction()),
	}
	if _, err := addCerts(a.roots, conf.RootCerts); err != nil {
		return nil, fmt.Errorf("root certificate: %w", err)
	}
	intermediates, err := addCerts(a.intermediates, conf.IntermediateCerts)
	if err != nil {
		return nil, fmt.Errorf("intermediate certificate: %w", err)
	}
	for _, c := range intermediates {
		chain, err := a.chain(c)
		if err != nil {
			return nil, fmt.Errorf("intermediate certificate: %w", err)
		}
		for _, parent := range chain[1:] {
			a.parents[string(parent.Raw)] = true
		}
	}
	for _, p := range conf.Admins {
		c, err := parseCert(p)
		if err != nil {
			return nil, fmt.Errorf("administrator's certificate: %w", err)
		}
		a.admins = append(a.admins, c.RawTBSCertificate)
	}
	for _, p := range conf.RevocationList {
		//lint:ignore SA1019 peers read it with this, which takes some that its successor refuses
		crl, err := x509.ParseCRL(p)
		if err != nil {
			return nil, fmt.Errorf("revocation list: %w", err)
		}
		a.crls = append(a.crls, crl)
	}
	return a, a.setUnits(conf)
}

func (a *authority) setUnits(conf *msp.FabricMSPConfig) error {
	for _, ou := range conf.OrganizationalUnitIdentifiers {
		u, err := newUnit(ou)
		if err != nil {
			return err
		}
		a.units = append(a.units, u)
	}
	nodes := conf.FabricNodeOus
	if nodes == nil || !nodes.Enable {
		return nil
	}
	for role, ou := range map[msp.MSPRole_MSPRoleType]*msp.FabricOUIdentifier{
		msp.MSPRole_CLIENT: nodes.ClientOuIdentifier, msp.MSPRole_PEER: nodes.PeerOuIdentifier,
		msp.MSPRole_ADMIN: nodes.AdminOuIdentifier, msp.MSPRole_ORDERER: nodes.OrdererOuIdentifier,
	} {
		if ou == nil {
			continue
		}
		u, err := newUnit(ou)
		if err != nil {
			return err
		}
		a.roles[role] = u
	}
	a.nodeOUs = len(a.roles) > 0
	return nil
}

func newUnit(ou *msp.FabricOUIdentifier) (unit, error) {
	u := unit{name: ou.OrganizationalUnitIdentifier}
	if len(ou.Certificate) == 0 {
		return u, nil
	}
	c, err := parseCert(ou.Certificate)
	if err != nil {
		return u, fmt.Errorf("certificate of the organisational unit %s: %w", u.name, err)
	}
	u.issuer = c.RawTBSCertificate
	return u, nil
}

func addCerts(pool *x509.CertPool, pems [][]byte) (certs []*x509.Certificate, err error) {
	for _, p := range pems {
		c, err := parseCert(p)
		if err != nil {
			return nil, err
		}
		pool.AddCert(c)
		certs = append(certs, c)
	}
	return certs, nil
}

func parseCert(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it is not in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// chain returns the one chain from a certificate to a root, as of when the certificate was issued: Fabric lets an expired
// certificate stand in blocks, since those would be invalid otherwise once time goes by.
func (a *authority) chain(c *x509.Certificate) ([]*x509.Certificate, error) {
	chains, err := c.Verify(x509.VerifyOptions{Roots: a.roots, Intermediates: a.intermediates, CurrentTime: c.NotBefore.Add(time.Second)})
	if err != nil {
		return nil, err
	}
	if len(chains) != 1 {
		return nil, fmt.Errorf("there are %d chains of certificates from it, not one", len(chains))
	}
	return chains[0], nil
}

// identity is a certificate that claims to be of an organisation.
type identity struct {
	authority *authority
	cert      *x509.Certificate
	key       *ecdsa.PublicKey
	invalid   error // why the organisation does not stand for it; nil: it does
}

// identity reads the identity of a certificate in PEM. Whether it is valid stands in it.
func (a *authority) identity(certPEM []byte) (*identity, error) {
	c, err := parseCert(certPEM)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be read: %w", err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the certificate's key is not an ECDSA key")
	}
	id := &identity{authority: a, cert: c, key: key}
	id.invalid = a.validate(c)
	return id, nil
}

func (a *authority) validate(c *x509.Certificate) error {
	if c.IsCA {
		return errors.New("an authority's own certificate does not speak for it")
	}
	chain, err := a.chain(c)
	if err != nil {
		return err
	}
	if len(chain) < 2 || a.parents[string(chain[1].Raw)] {
		return errors.New("its issuer issues intermediate certificates only")
	}
	if err := a.revoked(c, chain[1]); err != nil {
		return err
	}
	return a.checkUnits(c, chain[1])
}

func (a *authority) revoked(c, issuer *x509.Certificate) error {
	if issuer.SubjectKeyId == nil {
		return errors.New("its issuer has no key identifier")
	}
	for _, crl := range a.crls {
		key, err := authorityKey(crl)
		if err != nil {
			return err
		}
		if !bytes.Equal(key, issuer.SubjectKeyId) {
			continue
		}
		for _, r := range crl.TBSCertList.RevokedCertificates {
			//lint:ignore SA1019 as peers do
			if r.SerialNumber.Cmp(c.SerialNumber) == 0 && issuer.CheckCRLSignature(crl) == nil {
				return errors.New("the certificate has been revoked")
			}
		}
	}
	return nil
}

// authorityKey returns the key identifier of who issued a revocation list.
func authorityKey(crl *pkix.CertificateList) ([]byte, error) {
	for _, e := range crl.TBSCertList.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 35}) {
			continue
		}
		var named struct {
			Key    []byte  `asn1:"optional,tag:0"`
			Issuer []byte  `asn1:"optional,tag:1"`
			Serial big.Int `asn1:"optional,tag:2"`
		}
		if _, err := asn1.Unmarshal(e.Value, &named); err != nil {
			return nil, fmt.Errorf("a revocation list's authority cannot be read: %w", err)
		}
		return named.Key, nil
	}
	return nil, errors.New("a revocation list names no authority")
}

// checkUnits says whether the certificate has one of the units that are asked for, and exactly one role.
func (a *authority) checkUnits(c, issuer *x509.Certificate) error {
	if len(a.units) > 0 && !a.hasUnit(c, issuer) {
		return fmt.Errorf("none of its organisational units %v is one of the organisation's", c.Subject.OrganizationalUnit)
	}
	if !a.nodeOUs {
		return nil
	}
	roles := 0
	for _, name := range c.Subject.OrganizationalUnit {
		for _, u := range a.roles {
			if u.name != name {
				continue
			}
			if !u.issuedBy(issuer) {
				return fmt.Errorf("another authority may issue certificates with the unit %s", name)
			}
			roles++
			break
		}
	}
	if roles != 1 {
		return fmt.Errorf("its organisational units %v name %d roles, not one", c.Subject.OrganizationalUnit, roles)
	}
	return nil
}

func (a *authority) hasUnit(c, issuer *x509.Certificate) bool {
	for _, name := range c.Subject.OrganizationalUnit {
		for _, u := range a.units {
			if u.name == name && u.issuedBy(issuer) {
				return true
			}
		}
	}
	return false
}

func (u unit) issuedBy(issuer *x509.Certificate) bool {
	return u.issuer == nil || bytes.Equal(u.issuer, issuer.RawTBSCertificate)
}

// hasRole says whether a valid identity has a role. Without units for roles, the named administrators alone are told apart.
func (id *identity) hasRole(role msp.MSPRole_MSPRoleType) bool {
	if role == msp.MSPRole_MEMBER {
		return id.invalid == nil
	}
	if role == msp.MSPRole_ADMIN {
		for _, tbs := range id.authority.admins {
			if bytes.Equal(tbs, id.cert.RawTBSCertificate) {
				return true
			}
		}
	}
	u, ok := id.authority.roles[role]
	if id.invalid != nil || !id.authority.nodeOUs || !ok {
		return false
	}
	for _, name := range id.cert.Subject.OrganizationalUnit {
		if name == u.name {
			return true
		}
	}
	return false
}

// errSignature is said of a signature that does not match.
var errSignature = errors.New("the signature does not match the certificate")

// verify checks a signature over a message: ECDSA over SHA-256, in the one of its two forms that Fabric allows (low S).
func (id *identity) verify(message, signature []byte) error {
	var sig struct{ R, S *big.Int }
	// What follows the signature is not looked at, as on the peers.
	if _, err := asn1.Unmarshal(signature, &sig); err != nil || sig.R == nil || sig.S == nil || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 {
		return errSignature
	}
	if sig.S.Cmp(halfOrder(id.key)) > 0 {
		return fmt.Errorf("%w: it is in the form that Fabric refuses (high S)", errSignature)
	}
	digest := sha256.Sum256(message)
	if !ecdsa.Verify(id.key, digest[:], sig.R, sig.S) {
		return errSignature
	}
	return nil
}

func halfOrder(key *ecdsa.PublicKey) *big.Int { return new(big.Int).Rsh(key.Params().N, 1) }

// name is for messages.
func (id *identity) name() string { return id.authority.id + " " + id.cert.Subject.CommonName }
