package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/drop"
	"github.com/foodtrace-ledger/foodtrace/internal/bucket"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/s3"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

const wholeConfig = `
listen: 127.0.0.1:8081
publicURL: https://trace.example.cn
data: data
member: producer-a
identity: {cert: msp/cert.pem, key: /secret/key.pem}
fabric:
  channel: foodtrace
  chaincode: foodtrace
  genesis: genesis.block
  peers: [{msp: producer-a, address: "127.0.0.1:7051", tlsca: tls/a.pem, servername: peer0}]
  orderers: [{msp: orderers, address: "127.0.0.1:7050", tlsca: tls/o.pem}]
evidence:
  s3: {endpoint: "127.0.0.1:9000", bucket: evidence, accessKey: a, retentionDays: 30}
drops:
  - {directory: drop, behaviour: proceed, mapping: erp.yaml, settleSeconds: 2}
  - s3: {endpoint: "127.0.0.1:9000", bucket: orders, prefix: in/, accessKey: a, secretKeyFile: s3.secret}
subscriptions: {allow: [10.1.0.0/16, "fd00::/8"]}
`

func noEnv(string) string { return "" }

func TestConfig(t *testing.T) {
	path := writeFile(t, "foodtrace.yaml", wholeConfig)
	dir := filepath.Dir(path)
	env := map[string]string{"FOODTRACE_EVIDENCE_S3_SECRET_KEY": "s", "FOODTRACE_EVIDENCE_S3_SECURE": "true", "FOODTRACE_INDEX_POSTGRES": "postgres://x/y",
		"FOODTRACE_PUBLIC_URL": "https://other.example.cn", "FOODTRACE_TOKEN": "nothing of ours"}
	got, err := readConfig(path, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := &config{
		Listen: "127.0.0.1:8081", PublicURL: "https://other.example.cn", Data: filepath.Join(dir, "data"), Member: "producer-a",
		Identity: identityConfig{Cert: filepath.Join(dir, "msp/cert.pem"), Key: "/secret/key.pem"},
		Fabric: fabric.Config{Channel: "foodtrace", Chaincode: "foodtrace", Genesis: filepath.Join(dir, "genesis.block"),
			Peers:    []fabric.Node{{MSP: "producer-a", Address: "127.0.0.1:7051", TLSCA: filepath.Join(dir, "tls/a.pem"), ServerName: "peer0"}},
			Orderers: []fabric.Node{{MSP: "orderers", Address: "127.0.0.1:7050", TLSCA: filepath.Join(dir, "tls/o.pem")}}},
		Index:         indexConfig{Postgres: "postgres://x/y"},
		Evidence:      evidenceConfig{S3: &s3.Config{Endpoint: "127.0.0.1:9000", Bucket: "evidence", AccessKey: "a", SecretKey: "s", Secure: true, RetentionDays: 30}},
		Subscriptions: subscriptionsConfig{Allow: []string{"10.1.0.0/16", "fd00::/8"}},
		Drops: []dropConfig{
			{Directory: filepath.Join(dir, "drop"), Behaviour: "proceed", Mapping: filepath.Join(dir, "erp.yaml"), SettleSeconds: 2},
			{S3: &drop.Bucket{Prefix: "in/", Config: bucket.Config{Endpoint: "127.0.0.1:9000", Bucket: "orders", AccessKey: "a", SecretKeyFile: filepath.Join(dir, "s3.secret")}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Everything that is wrong is said at once, with its place.
func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"empty": {"{}", []string{"data: is missing", "member: is missing", "identity.cert: is missing", "identity.key: is missing", "fabric.channel: is missing",
			"fabric.chaincode: is missing", "fabric.genesis: is missing", "fabric.peers: is missing", "fabric.orderers: is missing"}},
		"unknown": {wholeConfig + "colour: red\nIndex: {}\nindex: {postgre: x}\n", []string{"colour: there is no such key", "Index: there is no such key",
			"index.postgre: there is no such key"}},
		"in a list": {strings.Replace(wholeConfig, "servername: peer0", "servername: peer0, tlsCA: x", 1), []string{"fabric.peers[0].tlsCA: there is no such key"}},
		"types": {strings.Replace(strings.Replace(wholeConfig, "retentionDays: 30", "retentionDays: many", 1), "member: producer-a", "member: [a]", 1),
			[]string{"evidence.s3.retentionDays: ", "member: "}},
		"two secrets": {strings.Replace(wholeConfig, "accessKey: a", "accessKey: a, secretKey: s, secretKeyFile: f", 1), []string{"evidence.s3.secretKeyFile: contradicts"}},
		"no value":    {wholeConfig + "index:\n", []string{"index: has no value"}},
		"no sense": {strings.NewReplacer("127.0.0.1:9000", "http://127.0.0.1:9000", "127.0.0.1:7051", "peer0", "https://trace", "ftp://trace",
			"listen: 127.0.0.1:8081", "listen: 8081", "retentionDays: 30", "retentionDays: -1").Replace(wholeConfig),
			[]string{"evidence.s3.endpoint: ", "evidence.s3.retentionDays: ", "evidence.s3.secretKey: is missing", "fabric.peers[0].address: ", "publicURL: ", "listen: ", "drops[1].s3: "}},
		"subscriptions": {strings.Replace(wholeConfig, "10.1.0.0/16", "10.1.2.3, everywhere", 1), []string{"evidence.s3.secretKey: is missing", "subscriptions.allow[0]: ", "subscriptions.allow[1]: "}},
		"drops": {strings.NewReplacer("directory: drop,", "member: other, settleSeconds: -1,", "settleSeconds: 2", "speed: 9", "behaviour: proceed", "behaviour: hope",
			"prefix: in/", "prefix: in").Replace(wholeConfig), []string{"drops[0].speed: there is no such key"}},
		"drops, no sense": {strings.NewReplacer("directory: drop,", "member: other,", "settleSeconds: 2", "settleSeconds: -2", "behaviour: proceed", "behaviour: hope",
			"prefix: in/", "prefix: in", "bucket: orders", "bucket: O_", ", secretKeyFile: s3.secret", "").Replace(wholeConfig), []string{"evidence.s3.secretKey: is missing", "drops[0]: names either", "drops[0].member: is other",
			"drops[0].behaviour: ", "drops[0].settleSeconds: ", "drops[1].s3.prefix: ", "drops[1].s3: bucket", "drops[1].s3: accessKey"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readConfig(writeFile(t, "foodtrace.yaml", c.content), noEnv)
			if err == nil {
				t.Fatal("it was taken")
			}
			lines := strings.Split(err.Error(), "\n  ")[1:]
			for _, want := range c.want {
				if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
					t.Errorf("%q is not said:\n%v", want, err)
				}
			}
			if len(lines) != len(c.want) {
				t.Errorf("%d complaints, want %d:\n%v", len(lines), len(c.want), err)
			}
		})
	}
	for _, content := range []string{"data: [", "data: a\ndata: b\n", "- a"} {
		if _, err := readConfig(writeFile(t, "foodtrace.yaml", content), noEnv); err == nil {
			t.Errorf("%q was taken", content)
		}
	}
	if _, err := readConfig(filepath.Join(t.TempDir(), "none.yaml"), noEnv); err == nil {
		t.Error("a file that is not there was taken")
	}
}

// A gateway whose own configuration is wrong says so and ends: nobody has to wait for it.
func TestServeRefusesItsConfiguration(t *testing.T) {
	for name, content := range map[string]string{"member: is missing": "{}", "cert.pem": strings.NewReplacer("retentionDays: 30", "retentionDays: 30, secretKey: s", ", mapping: erp.yaml", "").Replace(wholeConfig)} {
		code, _, errOut := run(t, "serve", "--config", writeFile(t, "foodtrace.yaml", content))
		if code != exitError || !strings.Contains(errOut, name) {
			t.Errorf("exit %d: %s", code, errOut)
		}
	}
}

// FuzzConfig: a configuration is refused with what is wrong, or all that a gateway needs is in it.
func FuzzConfig(f *testing.F) {
	f.Add(wholeConfig)
	f.Add("a: &a [*a, {<<: *a}]\n1: ~\ndrops: {}")
	path := writeFile(f, "foodtrace.yaml", "")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := readConfig(path, noEnv)
		if err == nil && (c.Data == "" || c.Member == "" || len(c.Fabric.Peers) == 0 || !filepath.IsAbs(c.Identity.Key)) {
			t.Errorf("%+v", c)
		}
	})
}
