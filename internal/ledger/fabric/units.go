package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"hash"
	"math/big"

	"github.com/hyperledger/fabric-protos-go/msp"
)

// chainHash returns the hash function of a name in an organisation's configuration, or nil.
func chainHash(name string) func() hash.Hash {
	switch name {
	case "", "SHA256":
		return sha256.New
	case "SHA384":
		return sha512.New384
	case "SHA3_256":
		return func() hash.Hash { return sha3.New256() }
	case "SHA3_384":
		return func() hash.Hash { return sha3.New384() }
	}
	return nil
}

// hasUnit says whether a valid identity's certificate names an organisational unit, and the chain of its issuers is that of the principal.
func (id *identity) hasUnit(named *msp.OrganizationUnit) bool {
	if id.invalid != nil || id.authority.hash == nil || named.MspIdentifier != id.authority.id {
		return false
	}
	chain, err := id.authority.chain(id.cert)
	if err != nil {
		return false
	}
	h := id.authority.hash()
	for i, c := range chain[1:] {
		issuer := chain[min(i+2, len(chain)-1)]
		h.Write(lowS(c, issuer))
	}
	if !bytes.Equal(h.Sum(nil), named.CertifiersIdentifier) {
		return false
	}
	for _, name := range id.cert.Subject.OrganizationalUnit {
		if name == named.OrganizationalUnitIdentifier {
			return true
		}
	}
	return false
}

// lowS returns a certificate, DER, with its signature in the form that Fabric rewrites certificates to.
func lowS(c, issuer *x509.Certificate) []byte {
	key, ok := issuer.PublicKey.(*ecdsa.PublicKey)
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(c.Signature, &sig); !ok || err != nil || sig.S.Cmp(halfOrder(key)) <= 0 {
		return c.Raw
	}
	sig.S.Sub(key.Params().N, sig.S)
	var parts struct {
		Signed, Algorithm asn1.RawValue
		Signature         asn1.BitString
	}
	signature, err := asn1.Marshal(sig)
	if _, parseErr := asn1.Unmarshal(c.Raw, &parts); err != nil || parseErr != nil {
		return c.Raw
	}
	parts.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	raw, err := asn1.Marshal(parts)
	if err != nil {
		return c.Raw
	}
	return raw
}
