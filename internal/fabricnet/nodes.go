package fabricnet

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"text/template"
	"time"
)

//go:embed templates/*.yaml
var templateFiles embed.FS

// orderers are the names of the orderers: three, so that one may fail.
var orderers = [...]string{"orderer1", "orderer2", "orderer3"}

const (
	certificateLife = "8760h"   // of identities: a year, so that their rotation is no rare event
	rootLife        = "131400h" // of authorities: 15 years
)

// render fills in a template.
func render(name string, data any) ([]byte, error) {
	quote := func(s string) (string, error) { q, err := json.Marshal(s); return string(q), err } // YAML reads JSON's strings
	t, err := template.New(name).Funcs(template.FuncMap{"q": quote, "shell": ShellQuote}).ParseFS(templateFiles, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.Bytes(), err
}

type caServer struct {
	Host        string
	Port        int
	Operations  string
	Authorities []string // configuration files
}

// writeCA writes the configuration of one authority, or, with server, of the server and its own authority.
func (n *Network) writeCA(name string, server *caServer) error {
	data := struct {
		Name, Registrar, Secret, Life, RootLife, KeyFile string
		Server                                           *caServer
	}{Name: name, Registrar: registrar, Secret: n.state.CASecret, Life: certificateLife, RootLife: rootLife, Server: server}
	dir, file := n.path("ca", name), "config.yaml"
	if server != nil {
		file = "fabric-ca-server-config.yaml" // the name that the server looks for
	} else if n.options.HighS {
		root, key, err := highSRoot(name)
		if err != nil {
			return err
		}
		data.KeyFile = "ca-key.pem"
		if err := writeFiles(dir, map[string][]byte{"ca.pem": root, data.KeyFile: key}); err != nil {
			return err
		}
	}
	config, err := render("ca.yaml", data)
	if err != nil {
		return err
	}
	return writeFiles(dir, map[string][]byte{file: config})
}

// writeCAServer writes the configuration of the server of all authorities, those of further organisations included.
func (n *Network) writeCAServer(further ...string) error {
	server := &caServer{Host: host, Port: n.state.port("ca"), Operations: n.state.address("ca/operations")}
	for _, msp := range append(n.organisations(), further...) {
		server.Authorities = append(server.Authorities, n.path("ca", msp, "config.yaml"))
	}
	return n.writeCA("server", server)
}

// organisations are the MSP IDs of the ordering organisation and the members.
func (n *Network) organisations() []string {
	msps := []string{ordering}
	for _, m := range n.state.Members {
		msps = append(msps, m.MSP)
	}
	return msps
}

// highSRoot makes the certificate and key of an authority whose own signature has the higher of the two possible values of
// s, as other software than Fabric's makes it half of the time.
func highSRoot(name string) (cert, key []byte, err error) {
	private, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	life, err := time.ParseDuration(rootLife)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{Organization: []string{name}, CommonName: name + " authority"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for {
		der, err := x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
		if err != nil {
			return nil, nil, err
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, nil, err
		}
		var signature struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(made.Signature, &signature); err != nil {
			return nil, nil, err
		}
		if isHighS(signature.S) {
			pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), err
		}
	}
}

// writeOrderer writes an orderer's configuration.
func (n *Network) writeOrderer(name string) error {
	config, err := render("orderer.yaml", struct {
		Host, MSP, Admin, Operations string
		Port                         int
	}{Host: host, MSP: ordering, Port: n.state.port(name + "/listen"), Admin: n.state.address(name + "/admin"), Operations: n.state.address(name + "/operations")})
	if err != nil {
		return err
	}
	return writeFiles(n.org(ordering, name), map[string][]byte{"orderer.yaml": config})
}

// writePeer writes the configuration of a member's peer.
func (n *Network) writePeer(msp string) error {
	name := peerName(msp)
	config, err := render("core.yaml", struct{ Name, MSP, Address, Chaincode, Operations, Builder, Snapshots string }{
		Name: name, MSP: msp, Address: n.state.address(name), Chaincode: n.state.address(name + "/chaincode"), Operations: n.state.address(name + "/operations"),
		Builder: n.path("builder"), Snapshots: n.org(msp, "peer", "data", "snapshots")})
	if err != nil {
		return err
	}
	return writeFiles(n.org(msp, "peer"), map[string][]byte{"core.yaml": config})
}

// builder is the external builder for chaincode that is a service: there is nothing to build.
var builder = map[string][]byte{
	"bin/detect":  []byte("#!/bin/sh\ngrep -q '\"type\":\"ccaas\"' \"$2/metadata.json\"\n"),
	"bin/build":   []byte("#!/bin/sh\ncp \"$1/connection.json\" \"$3/\"\n"),
	"bin/release": []byte("#!/bin/sh\nmkdir -p \"$2/chaincode/server\" && cp \"$1/connection.json\" \"$2/chaincode/server/\"\n"),
}

func peerName(msp string) string      { return "peer." + msp }
func chaincodeName(msp string) string { return "chaincode." + msp }

// serviceName is the name of the process that runs a chaincode for a member's peer.
func serviceName(msp string, c chaincode) string {
	if c.Name != "" {
		return c.Name + "." + msp
	}
	return chaincodeName(msp)
}

// processes are all of the network's, in the order in which they are started.
func (n *Network) processes() []process {
	ps := []process{{name: "ca", id: "ca", program: filepath.Join(n.caBin, "fabric-ca-server"), args: []string{"start", "--home", n.path("ca", "server")},
		dir: n.path("ca", "server"), address: n.state.address("ca")}}
	for _, name := range orderers {
		home := n.org(ordering, name)
		ps = append(ps, process{name: name, id: name, program: filepath.Join(n.bin, "orderer"), dir: home, address: n.state.address(name + "/listen"),
			env: []string{"FABRIC_CFG_PATH=" + home, "FABRIC_LOGGING_SPEC=info"}})
	}
	for _, m := range n.state.Members {
		home := n.org(m.MSP, "peer")
		ps = append(ps, process{name: peerName(m.MSP), id: peerName(m.MSP), program: filepath.Join(n.bin, "peer"), args: []string{"node", "start"}, dir: home,
			address: n.state.address(peerName(m.MSP)), env: []string{"FABRIC_CFG_PATH=" + home, "FABRIC_LOGGING_SPEC=info"}})
	}
	for _, m := range n.state.Members {
		if _, installed := n.state.Chaincode.Packages[m.MSP]; installed {
			ps = append(ps, n.service(m.MSP, n.state.Chaincode))
		}
	}
	return ps
}

// service is the process that runs a chaincode for a member's peer, and for it only. The chaincodes of two sequences may run
// at once, which an upgrade without a pause needs.
func (n *Network) service(msp string, c chaincode) process {
	name, home := serviceName(msp, c), n.org(msp, "chaincode")
	p := process{name: name, id: fmt.Sprintf("%s#%d", name, c.Sequence), program: n.program(c), dir: home, address: n.serviceAddress(msp, c)}
	p.env = []string{"CHAINCODE_ID=" + c.Packages[msp], "CHAINCODE_SERVER_ADDRESS=" + p.address, "CHAINCODE_TLS_CERT=" + filepath.Join(home, "tls", "cert.pem"),
		"CHAINCODE_TLS_KEY=" + filepath.Join(home, "tls", "key.pem"), "CHAINCODE_TLS_CLIENT_CA=" + filepath.Join(home, "msp", "cacerts", "ca.pem")}
	return p
}

// program is the network's own copy of the chaincode service.
func (n *Network) program(c chaincode) string {
	return n.path("chaincode", c.Name, fmt.Sprint(c.Sequence), ChaincodeProgram)
}

// serviceAddress is where a member's chaincode service listens. Two addresses are enough, for a chaincode and its successor.
func (n *Network) serviceAddress(msp string, c chaincode) string {
	return n.state.address(fmt.Sprintf("%s/%d", serviceName(msp, c), c.Sequence%2))
}
