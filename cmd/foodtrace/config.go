package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/s3"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// config is the file of a member's gateway (foodtrace serve --config). docs/operations.md explains each key.
type config struct {
	Listen       string         `koanf:"listen"`
	PublicURL    string         `koanf:"publicURL"`
	ClientHeader string         `koanf:"clientHeader"`
	Data         string         `koanf:"data"`
	Member       string         `koanf:"member"` // MSP ID for which this gateway signs
	Identity     identityConfig `koanf:"identity"`
	Fabric       fabric.Config  `koanf:"fabric"`
	Index        indexConfig    `koanf:"index"`
	Evidence     evidenceConfig `koanf:"evidence"`
	Drops        []dropConfig   `koanf:"drops"`

	Subscriptions subscriptionsConfig `koanf:"subscriptions"`
}

// subscriptionsConfig says which networks subscriptions may call though they are not public.
type subscriptionsConfig struct {
	Allow []string `koanf:"allow"` // CIDR
}

// networks are those of a configuration that was checked.
func (s subscriptionsConfig) networks() (list []netip.Prefix) {
	for _, text := range s.Allow {
		if p, err := netip.ParsePrefix(text); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// identityConfig are the PEM files of the identity with which the gateway signs.
type identityConfig struct {
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
}

// indexConfig says where the read model is; empty: a SQLite file in the data directory.
type indexConfig struct {
	Postgres string `koanf:"postgres"` // connection string
}

// evidenceConfig says where files are kept; empty: a folder in the data directory.
type evidenceConfig struct {
	S3 *s3.Config `koanf:"s3"`
}

// complaints are all that is wrong with a configuration: the key's path and a sentence each.
type complaints []string

func (c *complaints) add(path, sentence string) { *c = append(*c, path+": "+sentence) }

func (c complaints) Error() string {
	if len(c) == 1 {
		return "one thing is wrong:\n  " + c[0]
	}
	return fmt.Sprintf("%d things are wrong:\n  %s", len(c), strings.Join(c, "\n  "))
}

// addDecoding adds every single error of a decoder.
func (c *complaints) addDecoding(err error) {
	switch e := err.(type) {
	case nil:
	case *mapstructure.DecodeError:
		c.add(e.Name(), e.Unwrap().Error())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			c.addDecoding(one)
		}
	case interface{ Unwrap() error }:
		c.addDecoding(e.Unwrap())
	default:
		*c = append(*c, err.Error())
	}
}

// envPrefix begins the names of environment variables that override keys: evidence.s3.secretKey is FOODTRACE_EVIDENCE_S3_SECRET_KEY.
const envPrefix = "FOODTRACE_"

// readConfig reads a file and what the environment overrides in it, and says all that is wrong at once. Relative paths are
// relative to the file's folder.
func readConfig(path string, getenv func(string) string) (*config, error) {
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("the configuration %s cannot be read: %w", path, err)
	}
	for _, key := range scalars("", reflect.TypeFor[config]()) {
		if value := getenv(envName(key)); value != "" {
			if err := k.Set(key, value); err != nil {
				return nil, fmt.Errorf("%s: %w", envName(key), err)
			}
		}
	}
	var c config
	wrong := fill(k, &c)
	if len(wrong) == 0 { // else what is missing may be what could not be read
		wrong = c.check()
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("the configuration %s: %w", path, wrong)
	}
	return &c, c.resolve(filepath.Dir(path))
}

// fill fills c in. What is of the wrong type, unknown or empty is a complaint.
func fill(k *koanf.Koanf, c *config) (wrong complaints) {
	var seen mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", Metadata: &seen, WeaklyTypedInput: true, // the environment has only text
		MatchName: func(key, field string) bool { return key == field },
	})
	if err == nil {
		err = decoder.Decode(k.Raw())
	}
	wrong.addDecoding(err)
	for _, key := range seen.Unused {
		wrong.add(key, "there is no such key")
	}
	for key, value := range k.All() {
		if value == nil {
			wrong.add(key, "has no value; leave the key out")
		}
	}
	slices.Sort(wrong)
	return wrong
}

// scalars lists the paths of the keys that have a single value.
func scalars(path string, t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := strings.TrimPrefix(path+"."+f.Tag.Get("koanf"), ".")
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch typ.Kind() {
		case reflect.Struct:
			keys = append(keys, scalars(key, typ)...)
		case reflect.Slice: // a list has no name in the environment
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

// envName is the name of the environment variable of a key: words in capitals with _ between.
func envName(key string) string {
	var b strings.Builder
	b.WriteString(envPrefix)
	before := '.'
	for _, r := range key {
		switch {
		case r == '.':
			b.WriteByte('_')
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte('_')
			fallthrough
		default:
			b.WriteRune(unicode.ToUpper(r))
		}
		before = r
	}
	return b.String()
}

// check says what is missing or makes no sense.
func (c *config) check() (wrong complaints) {
	need := func(path, value, what string) {
		if value == "" {
			wrong.add(path, "is missing: "+what)
		}
	}
	address := func(path, value string) {
		if _, port, err := net.SplitHostPort(value); value != "" && (err != nil || port == "") {
			wrong.add(path, fmt.Sprintf("%q is not an address of the form host:port", value))
		}
	}
	need("data", c.Data, "the folder of this gateway's jobs, tokens and copies")
	need("member", c.Member, "the MSP ID of the organisation that this gateway is of")
	need("identity.cert", c.Identity.Cert, "the PEM file of the certificate with which it signs")
	need("identity.key", c.Identity.Key, "the PEM file of the certificate's private key")
	need("fabric.channel", c.Fabric.Channel, "the name of the channel")
	need("fabric.chaincode", c.Fabric.Chaincode, "the name of the chaincode on the channel")
	need("fabric.genesis", c.Fabric.Genesis, "the file of the channel's first block, with which all trust begins")
	address("listen", c.Listen)
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		wrong.add("publicURL", fmt.Sprintf("%q is not an address of the form https://host", c.PublicURL))
	}
	nodes := func(path, what string, list []fabric.Node) {
		if len(list) == 0 {
			wrong.add(path, "is missing: at least one "+what)
		}
		for i, n := range list {
			at := fmt.Sprintf("%s[%d].", path, i)
			need(at+"msp", n.MSP, "the MSP ID of the organisation that runs it")
			need(at+"address", n.Address, "host:port")
			need(at+"tlsca", n.TLSCA, "the PEM file of the authority of its TLS certificate")
			address(at+"address", n.Address)
		}
	}
	nodes("fabric.peers", "peer", c.Fabric.Peers)
	nodes("fabric.orderers", "orderer", c.Fabric.Orderers)
	if s := c.Evidence.S3; s != nil {
		need("evidence.s3.endpoint", s.Endpoint, "host:port of the server")
		need("evidence.s3.bucket", s.Bucket, "the bucket's name")
		if s.AccessKey != "" && s.SecretKey == "" && s.SecretKeyFile == "" {
			wrong.add("evidence.s3.secretKey", "is missing: the account's secret; better in a file, evidence.s3.secretKeyFile, or in the environment, "+envName("evidence.s3.secretKey"))
		}
		if s.SecretKey != "" && s.SecretKeyFile != "" {
			wrong.add("evidence.s3.secretKeyFile", "contradicts evidence.s3.secretKey: leave one of the two out")
		}
		if strings.Contains(s.Endpoint, "/") {
			wrong.add("evidence.s3.endpoint", fmt.Sprintf("%q is not host:port; secure says whether it is https", s.Endpoint))
		}
		if s.RetentionDays < 0 {
			wrong.add("evidence.s3.retentionDays", "cannot be negative")
		}
	}
	for i, text := range c.Subscriptions.Allow {
		if _, err := netip.ParsePrefix(text); err != nil {
			wrong.add(fmt.Sprintf("subscriptions.allow[%d]", i), fmt.Sprintf("%q is not a network of the form 10.1.0.0/16", text))
		}
	}
	for i := range c.Drops {
		c.Drops[i].check(&wrong, fmt.Sprintf("drops[%d]", i), c.Member)
	}
	return wrong
}

// resolve makes all paths absolute.
func (c *config) resolve(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	paths := []*string{&c.Data, &c.Identity.Cert, &c.Identity.Key, &c.Fabric.Genesis}
	for _, list := range [][]fabric.Node{c.Fabric.Peers, c.Fabric.Orderers} {
		for i := range list {
			paths = append(paths, &list[i].TLSCA)
		}
	}
	if c.Evidence.S3 != nil && c.Evidence.S3.SecretKeyFile != "" {
		paths = append(paths, &c.Evidence.S3.SecretKeyFile)
	}
	for i := range c.Drops {
		paths = append(paths, c.Drops[i].paths()...)
	}
	for _, p := range paths {
		if !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return nil
}
