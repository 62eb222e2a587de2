package services

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/tools"
)

// S3Server is a MinIO server of one node. Its credentials are new with each.
type S3Server struct {
	*Server
	Endpoint             string // host:port, plain HTTP
	AccessKey, SecretKey string
}

// drives is what MinIO needs on one node to offer versions and object lock.
const drives = 4

// S3 starts an S3 server for a test.
func S3(t testing.TB) *S3Server { return s3For(t, drives) }

// PlainS3 starts, for a test, an S3 server that has neither versions nor object lock.
func PlainS3(t testing.TB) *S3Server { return s3For(t, 1) }

func s3For(t testing.TB, drives int) *S3Server {
	t.Helper()
	Enabled(t)
	s, err := startS3(t.Context(), t.TempDir(), drives)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// StartS3 starts an S3 server that keeps its data and its log in dir. The first on a machine builds it: some minutes.
func StartS3(ctx context.Context, dir string) (*S3Server, error) { return startS3(ctx, dir, drives) }

func startS3(ctx context.Context, dir string, drives int) (*S3Server, error) {
	bin, err := tools.Build(ctx, tools.Minio, os.Stderr)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &S3Server{Endpoint: fmt.Sprintf("127.0.0.1:%d", port), AccessKey: rand.Text(), SecretKey: rand.Text()}
	args := []string{"server", "--quiet", "--config-dir", filepath.Join(dir, "config"), "--address", s.Endpoint}
	for i := range drives {
		args = append(args, filepath.Join(dir, fmt.Sprintf("drive%d", i+1)))
	}
	s.Server, err = start(ctx, program{
		name: "minio",
		command: func() *exec.Cmd {
			cmd := exec.Command(filepath.Join(bin, "minio"), args...)
			cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey,
				"MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+dir)
			return cmd
		},
		ready: func(ctx context.Context) error { return healthy(ctx, "http://"+s.Endpoint+"/minio/health/cluster") },
		log:   filepath.Join(dir, "minio.log"),
		stop:  os.Interrupt,
	})
	return s, err
}

func healthy(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // only so that the connection can be used again
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	return nil
}
