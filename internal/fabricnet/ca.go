package fabricnet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// authority is the client of one certificate authority of the network's fabric-ca-server, over its REST interface.
type authority struct {
	name   string // = MSP ID
	url    string
	client *http.Client
	secret string    // of everybody, the registrar included
	admin  *identity // the registrar, once enrolled
}

// identity is a certificate and its key.
type identity struct {
	cert []byte // PEM
	key  *ecdsa.PrivateKey
}

const (
	caTimeout     = 30 * time.Second // for one request: some milliseconds, but SQLite serves one at a time
	maxCAResponse = 1 << 20          // a certificate, or a list of revoked ones
	profileTLS    = "tls"            // the signing profile of certificates for TLS
	registrar     = "registrar"      // user of each authority who may register others and revoke
)

// authority returns the client of a member's, or the ordering organisation's, certificate authority.
func (n *Network) authority(msp string) (*authority, error) {
	pool, err := certPool(n.path("ca", "server", "ca.pem"))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	return &authority{name: msp, url: "https://" + n.state.address("ca"), secret: n.state.CASecret,
		client: &http.Client{Transport: transport, Timeout: caTimeout}}, nil
}

// register makes an identity known to the authority; it may enroll with the network's secret from then on. Its type becomes
// the organisational unit that Fabric reads the node's or person's kind from. Roles go into its certificates.
func (a *authority) register(ctx context.Context, name, kind, roles string) error {
	type attribute struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		ECert bool   `json:"ecert"`
	}
	request := struct {
		ID     string      `json:"id"`
		Type   string      `json:"type"`
		Secret string      `json:"secret"`
		CA     string      `json:"caname"`
		Attrs  []attribute `json:"attrs,omitempty"`
	}{ID: name, Type: kind, Secret: a.secret, CA: a.name}
	if roles != "" {
		request.Attrs = []attribute{{Name: rolesAttribute, Value: roles, ECert: true}}
	}
	err := a.administer(ctx, "/api/v1/register", request, nil)
	if r := (refusal{}); errors.As(err, &r) && r.Code == alreadyRegistered {
		return nil
	}
	return err
}

// rolesAttribute is the certificate attribute that narrows an identity to some of its member's roles.
const rolesAttribute = "foodtrace.roles"

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// enroll gets the first certificate of an identity that is registered, with the network's secret.
func (a *authority) enroll(ctx context.Context, name string) (*identity, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	login := func(r *http.Request, _ []byte) error { r.SetBasicAuth(name, a.secret); return nil }
	return a.certify(ctx, "/api/v1/enroll", name, "", key, login)
}

// reenrollTLS gets a certificate for TLS on the strength of another that is valid still.
func (a *authority) reenrollTLS(ctx context.Context, id *identity, name string, key *ecdsa.PrivateKey) (*identity, error) {
	return a.certify(ctx, "/api/v1/reenroll", name, profileTLS, key, id.sign)
}

// certify has the authority certify a key for whoever signs the request.
func (a *authority) certify(ctx context.Context, path, name, profile string, key *ecdsa.PrivateKey, sign func(*http.Request, []byte) error) (*identity, error) {
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
	if profile == profileTLS {
		template.IPAddresses, template.DNSNames = []net.IP{net.ParseIP(host)}, []string{"localhost"}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, err
	}
	request := map[string]any{"caname": a.name, "profile": profile,
		"certificate_request": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr}))}
	var result struct {
		Cert []byte // base64 of PEM
	}
	if err := a.call(ctx, path, request, sign, &result); err != nil {
		return nil, err
	}
	return &identity{cert: result.Cert, key: key}, nil
}

// revoke revokes all certificates of an identity and returns the authority's revocation list, PEM.
func (a *authority) revoke(ctx context.Context, name string) ([]byte, error) {
	request := map[string]any{"id": name, "caname": a.name, "reason": "cessationofoperation"}
	if err := a.administer(ctx, "/api/v1/revoke", request, nil); err != nil {
		return nil, err
	}
	var result struct {
		CRL []byte // base64 of PEM
	}
	err := a.administer(ctx, "/api/v1/gencrl", map[string]any{"caname": a.name}, &result)
	return result.CRL, err
}

// refusal is why the authority did not do it, in its words.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r refusal) Error() string { return fmt.Sprintf("%s (%d)", r.Message, r.Code) }

// alreadyRegistered is the code of fabric-ca for an identity that it knows.
const alreadyRegistered = 74

// ping asks the authority for what it is.
func (a *authority) ping(ctx context.Context) error {
	anybody := func(*http.Request, []byte) error { return nil }
	return a.call(ctx, "/api/v1/cainfo", map[string]any{"caname": a.name}, anybody, nil)
}

// call posts a request and reads the result into v. The errors that the server gives are in its words.
func (a *authority) call(ctx context.Context, path string, request any, sign func(*http.Request, []byte) error, v any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := sign(r, body); err != nil {
		return err
	}
	response, err := a.client.Do(r)
	if err != nil {
		return fmt.Errorf("fabricnet: the certificate authority %s: %w", a.name, err)
	}
	defer response.Body.Close()
	var answer struct {
		Result  json.RawMessage `json:"result"`
		Errors  []refusal       `json:"errors"`
		Success bool            `json:"success"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxCAResponse)).Decode(&answer); err != nil {
		return fmt.Errorf("fabricnet: the certificate authority %s answered %s: %w", a.name, response.Status, err)
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("fabricnet: the certificate authority %s refused %s: %w", a.name, path, answer.Errors[0])
	}
	if !answer.Success {
		return fmt.Errorf("fabricnet: the certificate authority %s answered %s to %s", a.name, response.Status, path)
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, v)
}

// administer has a request signed by the authority's registrar.
func (a *authority) administer(ctx context.Context, path string, request, result any) (err error) {
	if a.admin == nil {
		if a.admin, err = a.enroll(ctx, registrar); err != nil {
			return err
		}
	}
	return a.call(ctx, path, request, a.admin.sign, result)
}

// sign signs a request the way of fabric-ca: over method, path, body and certificate.
func (id *identity) sign(r *http.Request, body []byte) error {
	b64 := base64.StdEncoding.EncodeToString
	cert := b64(id.cert)
	digest := sha256.Sum256([]byte(strings.Join([]string{r.Method, b64([]byte(r.URL.RequestURI())), b64(body), cert}, ".")))
	signature, err := signLowS(id.key, digest[:])
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", cert+"."+b64(signature))
	return nil
}

// signLowS signs as Fabric wants it: of the two values of s that verify, the lower one.
func signLowS(key *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	if isHighS(s) {
		s.Sub(elliptic.P256().Params().N, s)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}

func isHighS(s *big.Int) bool {
	return s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0
}

func certPool(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("fabricnet: %s holds no certificate", file)
	}
	return pool, nil
}
