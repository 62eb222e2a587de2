package s3

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/bucket"
)

// Config says where the bucket is. Without AccessKey, both keys come from the environment: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY.
type Config struct {
	Endpoint      string `koanf:"endpoint" yaml:"endpoint"`                     // host:port
	Secure        bool   `koanf:"secure" yaml:"secure"`                         // HTTPS
	Bucket        string `koanf:"bucket" yaml:"bucket"`                         // made if it is not there
	Region        string `koanf:"region" yaml:"region,omitempty"`               // empty: us-east-1, as servers of one's own say
	AccessKey     string `koanf:"accessKey" yaml:"accessKey,omitempty"`         //
	SecretKey     string `koanf:"secretKey" yaml:"secretKey,omitempty"`         //
	SecretKeyFile string `koanf:"secretKeyFile" yaml:"secretKeyFile,omitempty"` // a file that holds the secret key, instead of SecretKey
	RetentionDays int    `koanf:"retentionDays" yaml:"retentionDays,omitempty"` // for so long nobody can delete a file; 0: no retention
	PublicURL     string `koanf:"publicURL" yaml:"publicURL,omitempty"`         // the server as clients reach it: offers direct downloads
}

// maxRetentionDays is what S3 servers accept: a hundred years.
const maxRetentionDays = 36500

func (c Config) withDefaults() Config {
	c.Region = cmp.Or(c.Region, bucket.DefaultRegion)
	return c
}

func (c Config) check() error {
	errs := []error{bucket.Config{Endpoint: c.Endpoint, Bucket: c.Bucket, SecretKey: c.SecretKey, SecretKeyFile: c.SecretKeyFile}.Check()}
	if c.RetentionDays < 0 || c.RetentionDays > maxRetentionDays {
		errs = append(errs, fmt.Errorf("retentionDays is %d; it can be 0 to %d", c.RetentionDays, maxRetentionDays))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("evidence: the configuration of S3: %w", err)
	}
	return nil
}

// client makes a client for the server's address.
func (c Config) client() (*minio.Client, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.clientFor(c.Endpoint, c.Secure)
}

// publicClient makes a client that signs for PublicURL, or nil where that is empty. It asks the server nothing.
func (c Config) publicClient() (*minio.Client, error) {
	if c.PublicURL == "" {
		return nil, nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("evidence: the configuration of S3: publicURL %q is not like https://files.example.cn", c.PublicURL)
	}
	return c.clientFor(u.Host, u.Scheme == "https")
}

func (c Config) clientFor(host string, secure bool) (*minio.Client, error) {
	client, err := bucket.Config{Endpoint: host, Secure: secure, Region: c.Region, AccessKey: c.AccessKey, SecretKey: c.SecretKey,
		SecretKeyFile: c.SecretKeyFile}.Client()
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return client, nil
}
