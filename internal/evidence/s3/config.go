package s3

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
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

const (
	defaultRegion = "us-east-1"
	// maxRetentionDays is what S3 servers accept: a hundred years.
	maxRetentionDays = 36500

	// A request is repeated while the server restarts or is busy; in between the client waits up to a second.
	maxTries = 8
	// dialTimeout: a server that takes longer to accept is not there. With maxTries, a call fails within a minute.
	dialTimeout = 5 * time.Second
	// answerTimeout is for the first byte of an answer: disks may have to be woken.
	answerTimeout = 30 * time.Second
)

func (c Config) withDefaults() Config {
	c.Region = cmp.Or(c.Region, defaultRegion)
	return c
}

func (c Config) check() error {
	var errs []error
	if c.Endpoint == "" || strings.Contains(c.Endpoint, "/") {
		errs = append(errs, fmt.Errorf("endpoint %q is not host:port", c.Endpoint))
	}
	if err := s3utils.CheckValidBucketNameStrict(c.Bucket); err != nil {
		errs = append(errs, fmt.Errorf("bucket %q: %w", c.Bucket, err))
	}
	if c.RetentionDays < 0 || c.RetentionDays > maxRetentionDays {
		errs = append(errs, fmt.Errorf("retentionDays is %d; it can be 0 to %d", c.RetentionDays, maxRetentionDays))
	}
	if c.SecretKey != "" && c.SecretKeyFile != "" {
		errs = append(errs, errors.New("secretKey and secretKeyFile are both given"))
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
	keys, err := c.credentials()
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.ResponseHeaderTimeout = answerTimeout
	// TrailingHeaders stays off: servers that are in use refuse the checksums sent there. MD5 and our own digest do.
	client, err := minio.New(host, &minio.Options{Creds: keys, Secure: secure, Region: c.Region, Transport: guarded{transport}, MaxRetries: maxTries})
	if err != nil {
		return nil, fmt.Errorf("evidence: the configuration of S3: %w", err)
	}
	return client, nil
}

func (c Config) credentials() (*credentials.Credentials, error) {
	if c.AccessKey == "" {
		keys := credentials.NewEnvAWS()
		if v, err := keys.GetWithContext(nil); err != nil || v.AccessKeyID == "" {
			return nil, errors.New("evidence: the configuration of S3: there is no accessKey, and no AWS_ACCESS_KEY_ID in the environment")
		}
		return keys, nil
	}
	secret := c.SecretKey
	if c.SecretKeyFile != "" {
		text, err := os.ReadFile(c.SecretKeyFile)
		if err != nil {
			return nil, fmt.Errorf("evidence: the secret key of S3: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	return credentials.NewStaticV4(c.AccessKey, secret, ""), nil
}
