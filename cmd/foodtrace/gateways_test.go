package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// network is what tests share that bring no evidence of a member that another one brought: verify misses what went with a test.
var network fabricnet.Shared

// memberConfig writes the configuration of a member's gateway: what the network wrote for it, a new data directory, and more.
func memberConfig(t testing.TB, n *fabricnet.Network, msp, more string) (file, data string) {
	t.Helper()
	written, err := os.ReadFile(n.MemberFile(msp))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var lines [][]byte
	for line := range bytes.Lines(written) {
		if !bytes.HasPrefix(line, []byte("data:")) && !bytes.HasPrefix(line, []byte("listen:")) && !bytes.HasPrefix(line, []byte("publicURL:")) {
			lines = append(lines, line)
		}
	}
	content := append(bytes.Join(lines, nil), "\ndata: data\nlisten: 127.0.0.1:0\n"+more...)
	file = filepath.Join(dir, "foodtrace.yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, filepath.Join(dir, "data")
}

// onS3 is the part of a configuration that keeps evidence in a bucket of its own.
func onS3(s *services.S3Server, bucket string) string {
	return fmt.Sprintf("evidence: {s3: {endpoint: %q, bucket: %s, accessKey: %s, secretKey: %s}}\n", s.Endpoint, bucket, s.AccessKey, s.SecretKey)
}

// onPostgres is the part that keeps the index in a database.
func onPostgres(dsn string) string { return fmt.Sprintf("index: {postgres: %q}\n", dsn) }

// gatewayOf is a member's gateway that runs.
type gatewayOf struct {
	msp, file, data string
	url, token      string
	stop            func()
}

// roleOf is the role of a member's token.
func roleOf(msp string) string {
	for _, m := range fabricnet.DefaultMembers() {
		if m.MSP == msp {
			return string(m.Roles[0])
		}
	}
	return string(contract.Producer)
}

// serveGateway starts a member's gateway in this process.
func serveGateway(t *testing.T, n *fabricnet.Network, msp, more string) *gatewayOf {
	t.Helper()
	g := &gatewayOf{msp: msp}
	g.file, g.data = memberConfig(t, n, msp, more)
	g.token = must(t, "token", "create", "--config", g.file, "--member", msp, "--role", roleOf(msp))
	g.token = g.token[:len(g.token)-1] // the line's end
	out, errOut, stop := begin(t, "serve", "--config", g.file)
	g.stop = stop
	g.url = await(t, out, servingLine, errOut.String)[1]
	return g
}

func (g *gatewayOf) as() []string { return []string{"--server", g.url, "--token", g.token} }

// remote is the client of the gateway.
func (g *gatewayOf) remote() remote { return remote{Server: g.url, Token: g.token} }

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not after %v", what, patience)
}
