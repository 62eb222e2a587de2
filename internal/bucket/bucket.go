// Package bucket connects to a bucket of an S3 server, and says in words what goes wrong there.
package bucket

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	Endpoint      string `koanf:"endpoint"` // host:port
	Secure        bool   `koanf:"secure"`   // HTTPS
	Bucket        string `koanf:"bucket"`
	Region        string `koanf:"region"` // empty: us-east-1, as servers of one's own say
	AccessKey     string `koanf:"accessKey"`
	SecretKey     string `koanf:"secretKey"`
	SecretKeyFile string `koanf:"secretKeyFile"` // a file that holds the secret key, instead of SecretKey
}

const (
	// DefaultRegion is what servers of one's own say.
	DefaultRegion = "us-east-1"
	// A request is repeated while the server restarts or is busy; in between the client waits up to a second.
	maxTries = 8
	// dialTimeout: a server that takes longer to accept is not there. With maxTries, a call fails within a minute.
	dialTimeout = 5 * time.Second
	// answerTimeout is for the first byte of an answer: disks may have to be woken.
	answerTimeout = 30 * time.Second
)

// Check says everything that is wrong with the configuration.
func (c Config) Check() error {
	var errs []error
	if c.Endpoint == "" || strings.Contains(c.Endpoint, "/") {
		errs = append(errs, fmt.Errorf("endpoint %q is not host:port", c.Endpoint))
	}
	if err := s3utils.CheckValidBucketNameStrict(c.Bucket); err != nil {
		errs = append(errs, fmt.Errorf("bucket %q: %w", c.Bucket, err))
	}
	if c.SecretKey != "" && c.SecretKeyFile != "" {
		errs = append(errs, errors.New("secretKey and secretKeyFile are both given"))
	}
	if c.AccessKey != "" && c.SecretKey == "" && c.SecretKeyFile == "" {
		errs = append(errs, errors.New("accessKey has no secretKey and no secretKeyFile"))
	}
	return errors.Join(errs...)
}

// Client makes a client. It asks the server nothing.
func (c Config) Client() (*minio.Client, error) {
	keys, err := c.credentials()
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(c.Secure)
	if err != nil {
		return nil, err
	}
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.ResponseHeaderTimeout = answerTimeout
	// TrailingHeaders stays off: servers that are in use refuse the checksums sent there. MD5 and our own digest do.
	client, err := minio.New(c.Endpoint, &minio.Options{Creds: keys, Secure: c.Secure, Region: cmp.Or(c.Region, DefaultRegion),
		Transport: guarded{transport}, MaxRetries: maxTries})
	if err != nil {
		return nil, fmt.Errorf("the configuration of S3: %w", err)
	}
	return client, nil
}

func (c Config) credentials() (*credentials.Credentials, error) {
	if c.AccessKey == "" {
		keys := credentials.NewEnvAWS()
		if v, err := keys.GetWithContext(nil); err != nil || v.AccessKeyID == "" {
			return nil, errors.New("the configuration of S3: there is no accessKey, and no AWS_ACCESS_KEY_ID in the environment")
		}
		return keys, nil
	}
	secret := c.SecretKey
	if c.SecretKeyFile != "" {
		text, err := os.ReadFile(c.SecretKeyFile)
		if err != nil {
			return nil, fmt.Errorf("the secret key of S3: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	return credentials.NewStaticV4(c.AccessKey, secret, ""), nil
}

// Explain says in a few words what an error of a client means, and whether another try later may mend it.
func Explain(err error) (words string, away bool) {
	answer := minio.ToErrorResponse(err)
	var (
		broken  net.Error
		request *url.Error
	)
	switch {
	case answer.Code == minio.NoSuchBucket:
		return "the bucket is gone", false
	case answer.Code == minio.InvalidAccessKeyID, answer.Code == minio.SignatureDoesNotMatch:
		return "the server does not know these credentials", false
	case answer.Code == minio.AccessDenied:
		return "these credentials do not have the right", false
	case answer.Code == "XMinioStorageFull", answer.StatusCode == http.StatusInsufficientStorage:
		return "the server's disks are full", true
	case answer.StatusCode >= 500:
		return "the server cannot do it now, it is busy, or its disks are full or broken", true
	case errors.As(err, &request), errors.As(err, &broken), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the server cannot be reached", true
	}
	return "the request failed", false
}

// NotFound reports whether an error says that there is no such object, or none but a mark that it was deleted.
func NotFound(err error) bool {
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey, minio.NoSuchVersion, minio.MethodNotAllowed:
		return true
	}
	return false
}
