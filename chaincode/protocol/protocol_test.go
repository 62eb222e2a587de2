package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// certificate is one whose attribute extension has this value; "" for none.
func certificate(t testing.TB, attributes string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "li.wei"}, NotAfter: time.Now().Add(time.Hour)}
	if attributes != "" {
		template.ExtraExtensions = []pkix.Extension{{Id: attributeOID, Value: []byte(attributes)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestParseActor(t *testing.T) {
	for _, c := range []struct {
		name, attributes string
		roles            []contract.Role
		err              string
	}{
		{"no extension", "", nil, ""},
		{"other attributes", `{"attrs":{"hf.Affiliation":"","hf.EnrollmentID":"li.wei","hf.Type":"client"}}`, nil, ""},
		{"no attributes", `{"attrs":{}}`, nil, ""},
		{"one role", `{"attrs":{"hf.Type":"client","foodtrace.roles":"regulator"}}`, []contract.Role{contract.Regulator}, ""},
		{"two roles", `{"attrs":{"foodtrace.roles":"regulator, laboratory"}}`, []contract.Role{contract.Regulator, contract.Laboratory}, ""},
		{"empty list", `{"attrs":{"foodtrace.roles":" "}}`, []contract.Role{}, ""},
		{"unknown role", `{"attrs":{"foodtrace.roles":"regulatr"}}`, nil, `there is no role "regulatr"`},
		{"other case", `{"attrs":{"foodtrace.roles":"Regulator"}}`, nil, `there is no role "Regulator"`},
		{"trailing comma", `{"attrs":{"foodtrace.roles":"regulator,"}}`, nil, `there is no role ""`},
		{"twice", `{"attrs":{"foodtrace.roles":"regulator","foodtrace.roles":"producer"}}`, nil, "cannot be read"},
		{"not JSON", `regulator`, nil, "cannot be read"},
		{"not text", `{"attrs":{"foodtrace.roles":["regulator"]}}`, nil, "cannot be read"},
	} {
		actor, err := ParseActor("AuthorityMSP", certificate(t, c.attributes))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "li.wei") {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			continue
		}
		want := contract.Actor{MSP: "AuthorityMSP", Subject: "li.wei", Roles: c.roles}
		if err != nil || cmp.Diff(want, actor) != "" || (actor.Roles == nil) != (c.roles == nil) {
			t.Errorf("%s: %v %s", c.name, err, cmp.Diff(want, actor))
		}
	}
}

func TestParseActorRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":     "",
		"not PEM":     "-----BEGIN",
		"a key":       string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})),
		"not a chain": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})),
	} {
		if actor, err := ParseActor("X", []byte(data)); err == nil {
			t.Errorf("%s: %+v", name, actor)
		}
	}
}

func TestEncodeSummary(t *testing.T) {
	refused := contract.Outcome{ID: "b", Status: contract.Refused, Findings: []contract.Finding{{Code: contract.CodeLotHeld, Message: "held"}}}
	remarked := contract.Outcome{ID: "c", Status: contract.Accepted, Findings: []contract.Finding{{Code: contract.CodeCheckDigit, Message: "wrong"}}}
	data, err := EncodeSummary([]contract.Outcome{{ID: "a", Status: contract.Accepted}, refused, remarked, {ID: "d", Status: contract.Accepted}, {ID: "e", Status: contract.Duplicate}})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	plain, err := dec.DecodeAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got Summary
	if err := json.Unmarshal(plain, &got); err != nil {
		t.Fatal(err)
	}
	want := Summary{Accepted: 2, Other: []PositionedOutcome{{1, refused}, {2, remarked}, {4, contract.Outcome{ID: "e", Status: contract.Duplicate}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := EncodeSummary([]contract.Outcome{{ID: "\xff"}}); err == nil {
		t.Error("text that is not UTF-8 was encoded")
	}
}

// FuzzParseActor: whatever an identity holds, there is an error or roles that exist, and none of them is lost.
func FuzzParseActor(f *testing.F) {
	f.Add(certificate(f, ""), "regulator, laboratory")
	f.Add(certificate(f, `{"attrs":{"foodtrace.roles":"regulator"}}`), " ")
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), "regulator,,")
	f.Fuzz(func(t *testing.T, text []byte, list string) {
		actor, err := ParseActor("AuthorityMSP", text)
		if err != nil && len(actor.Roles) > 0 {
			t.Errorf("an error and roles: %v, %v", err, actor.Roles)
		}
		roles, err := parseRoles(list)
		if err == nil && roles == nil {
			t.Error("no role became no restriction")
		}
		for _, r := range append(roles, actor.Roles...) {
			if !r.Known() {
				t.Errorf("there is no role %q", r)
			}
		}
	})
}
