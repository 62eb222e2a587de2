package fabric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/msp"
)

// authority reads the organisation as the channel's configuration has it.
func (o *org) authority() *authority { return must(newAuthority(o.conf)) }

func valid(t *testing.T, a *authority, c *x509.Certificate) error {
	t.Helper()
	id, err := a.identity(pemOf(c))
	if err != nil {
		t.Fatal(err)
	}
	return id.invalid
}

// TestMembership: who is a member, and who is not.
func TestMembership(t *testing.T) {
	o := newOrg(t, "a")
	sub := template("intermediate authority")
	sub.IsCA, sub.BasicConstraintsValid, sub.KeyUsage = true, true, x509.KeyUsageCertSign
	middle, middleKey := issue(t, sub, o.cert, o.key)
	expired := template("expired", "client")
	expired.NotAfter = time.Now().Add(-time.Minute)
	issued := func(tmpl *x509.Certificate) *x509.Certificate {
		c, _ := issue(t, tmpl, o.cert, o.key)
		return c
	}
	below, _ := issue(t, template("below", "client"), middle, middleKey)
	self, _ := issue(t, template("self", "client"), nil, nil)
	other := newOrg(t, "a")
	foreign, _ := issue(t, template("foreign", "client"), other.cert, other.key)
	for name, test := range map[string]struct {
		cert *x509.Certificate
		want bool
	}{
		"a client":                {issued(template("x", "client")), true},
		"other units too":         {issued(template("x", "sales", "client")), true},
		"expired":                 {issued(expired), true}, // it was valid when it was issued: see chain
		"no unit":                 {issued(template("x")), false},
		"an unknown unit":         {issued(template("x", "sales")), false},
		"two roles":               {issued(template("x", "client", "peer")), false},
		"a role twice":            {issued(template("x", "client", "client")), false},
		"the authority":           {o.cert, false},
		"a further authority":     {middle, false},
		"of an unknown authority": {below, false},
		"of oneself":              {self, false},
		"of another of that name": {foreign, false},
	} {
		if err := valid(t, o.authority(), test.cert); (err == nil) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}

	// With the intermediate authority known, what it issues is of the organisation, but has no role: the units are pinned to the
	// root. And nothing counts any more that the root issued itself.
	o.conf.IntermediateCerts = [][]byte{pemOf(middle)}
	if err := valid(t, o.authority(), below); err == nil {
		t.Error("a role that another authority than the pinned one issued is taken")
	}
	if err := valid(t, o.authority(), issued(template("x", "client"))); err == nil {
		t.Error("the root issues identities beside an intermediate authority")
	}
	o.conf.FabricNodeOus = nil
	if err := valid(t, o.authority(), below); err != nil {
		t.Errorf("of an intermediate authority: %v", err)
	}
}

func TestRevocation(t *testing.T) {
	o := newOrg(t, "a")
	one, two := o.account("one", "client"), o.account("two", "client")
	o.revoke(t, one)
	for who, want := range map[*account]bool{one: false, two: true} {
		if err := valid(t, o.authority(), must(x509.ParseCertificate(who.Cert))); (err == nil) != want {
			t.Errorf("%v", err)
		}
	}
	// A list that the authority did not sign revokes nothing.
	other := newOrg(t, "a")
	other.cert.SubjectKeyId = o.cert.SubjectKeyId
	other.revoke(t, two)
	o.conf.RevocationList = other.conf.RevocationList
	if err := valid(t, o.authority(), must(x509.ParseCertificate(two.Cert))); err != nil {
		t.Errorf("revoked by a list of somebody else: %v", err)
	}
}

func TestUnitsAndAdministrators(t *testing.T) {
	o := newOrg(t, "a")
	o.conf.OrganizationalUnitIdentifiers = []*msp.FabricOUIdentifier{{OrganizationalUnitIdentifier: "sales", Certificate: pemOf(o.cert)}}
	seller, boss := o.account("seller", "client", "sales"), o.account("boss", "admin", "sales")
	if err := valid(t, o.authority(), must(x509.ParseCertificate(o.account("x", "client").Cert))); err == nil {
		t.Error("without the unit that all must have: valid")
	}
	named := must(x509.ParseCertificate(seller.Cert))
	identities := func() (seller_, boss_ *identity) {
		a := o.authority()
		return must(a.identity(pemOf(named))), must(a.identity(pemOf(must(x509.ParseCertificate(boss.Cert)))))
	}
	s, b := identities()
	if s.invalid != nil || b.invalid != nil || s.hasRole(msp.MSPRole_ADMIN) || !b.hasRole(msp.MSPRole_ADMIN) {
		t.Errorf("%v, %v, administrators: %t, %t", s.invalid, b.invalid, s.hasRole(msp.MSPRole_ADMIN), b.hasRole(msp.MSPRole_ADMIN))
	}
	o.conf.Admins = [][]byte{pemOf(named)}
	if s, _ := identities(); !s.hasRole(msp.MSPRole_ADMIN) || s.hasRole(msp.MSPRole_PEER) {
		t.Error("a named administrator is none, or is a peer")
	}
	o.conf.FabricNodeOus.Enable = false
	if s, b := identities(); s.hasRole(msp.MSPRole_CLIENT) || b.hasRole(msp.MSPRole_ADMIN) || !s.hasRole(msp.MSPRole_MEMBER) {
		t.Error("roles are told apart although the organisation does not")
	}
}

// TestHighS: certificates signed in the second form of an ECDSA signature are as good as others, the root and what it issued;
// signatures over messages are not.
func TestHighS(t *testing.T) {
	o := newOrg(t, "a")
	low := pemOf(o.cert)
	o.cert = otherForm(t, o.cert)
	o.conf.RootCerts = [][]byte{pemOf(o.cert)}
	if string(low) == string(o.conf.RootCerts[0]) {
		t.Fatal("the certificate is the same")
	}
	peer := o.account("peer", "peer")
	cert := must(x509.ParseCertificate(peer.Cert))
	for name, pinned := range map[string][]byte{"the same form": o.conf.RootCerts[0], "the other form": low} {
		o.conf.FabricNodeOus.PeerOuIdentifier.Certificate = pinned
		for _, c := range []*x509.Certificate{cert, otherForm(t, cert)} {
			if err := valid(t, o.authority(), c); err != nil {
				t.Errorf("root and pinned certificate in %s: %v", name, err)
			}
		}
	}
	id := must(o.authority().identity(pemOf(cert)))
	message := []byte("message")
	signature := must(peer.Sign(message))
	var s struct{ R, S *big.Int }
	must(asn1.Unmarshal(signature, &s))
	high := must(asn1.Marshal(struct{ R, S *big.Int }{s.R, new(big.Int).Sub(elliptic.P256().Params().N, s.S)}))
	for name, test := range map[string]struct {
		message, signature []byte
		want               bool
	}{
		"right":           {message, signature, true},
		"high S":          {message, high, false},
		"another message": {[]byte("another"), signature, false},
		"nothing":         {message, nil, false},
		"junk":            {message, []byte("junk"), false},
		"junk behind it":  {message, append(append([]byte{}, signature...), 1), true}, // as on the peers
		"R is 0":          {message, must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int), s.S})), false},
		"S is negative":   {message, must(asn1.Marshal(struct{ R, S *big.Int }{s.R, big.NewInt(-1)})), false},
	} {
		if err := id.verify(test.message, test.signature); (err == nil) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// otherForm gives a certificate's signature the other S.
func otherForm(t *testing.T, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	var whole struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var s struct{ R, S *big.Int }
	must(asn1.Unmarshal(c.Raw, &whole))
	must(asn1.Unmarshal(whole.Signature.Bytes, &s))
	s.S.Sub(elliptic.P256().Params().N, s.S)
	whole.Signature.Bytes = must(asn1.Marshal(s))
	whole.Signature.BitLength = 8 * len(whole.Signature.Bytes)
	return must(x509.ParseCertificate(must(asn1.Marshal(whole))))
}

// TestSign: signatures are always in the form that Fabric takes.
func TestSign(t *testing.T) {
	a := newOrg(t, "a").account("x", "client")
	half := halfOrder(a.Key.Public().(*ecdsa.PublicKey))
	for range 50 {
		var s struct{ R, S *big.Int }
		must(asn1.Unmarshal(must(a.Sign([]byte("message"))), &s))
		if s.S.Cmp(half) > 0 {
			t.Fatal("a signature with high S")
		}
	}
}

// FuzzIdentity: whatever stands where a certificate should, there is an error and no panic.
func FuzzIdentity(f *testing.F) {
	o := newOrg(f, "a")
	a := o.authority()
	f.Add(pemOf(o.cert))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.account("x", "client").Cert}))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, err := a.identity(data); err == nil && id.cert == nil {
			t.Error("neither an identity nor an error")
		}
	})
}
