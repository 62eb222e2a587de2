package services

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/tools"
)

// VersityServer is an S3 server of another make than MinIO: strict about checksums, and with accounts of their own rights.
type VersityServer struct {
	*S3Server
	bin string
}

// Versity starts one for a test.
func Versity(t testing.TB) *VersityServer {
	t.Helper()
	Enabled(t)
	s, err := StartVersity(t.Context(), t.TempDir())
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

// StartVersity starts one that keeps its data and its log in dir, on a file system with extended attributes. The first on a
// machine builds it: some minutes.
func StartVersity(ctx context.Context, dir string) (*VersityServer, error) {
	bin, err := tools.Build(ctx, tools.Versity, os.Stderr)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for _, name := range []string{"buckets", "versions", "accounts"} {
		folders[name] = filepath.Join(dir, name)
		if err := os.MkdirAll(folders[name], 0o700); err != nil {
			return nil, fmt.Errorf("services: %w", err)
		}
	}
	s := &VersityServer{S3Server: &S3Server{Endpoint: fmt.Sprintf("127.0.0.1:%d", port), AccessKey: rand.Text(), SecretKey: rand.Text()},
		bin: filepath.Join(bin, "versitygw")}
	s.Server, err = start(ctx, program{
		name: "versitygw",
		command: func() *exec.Cmd {
			cmd := exec.Command(s.bin, "--port", s.Endpoint, "--quiet", "--health", "/health", "--iam-dir", folders["accounts"],
				"posix", "--versioning-dir", folders["versions"], folders["buckets"])
			cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
			return cmd
		},
		ready: func(ctx context.Context) error { return healthy(ctx, "http://"+s.Endpoint+"/health") },
		log:   filepath.Join(dir, "versitygw.log"),
		stop:  os.Interrupt,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Account makes an account without rights and returns its keys.
func (s *VersityServer) Account(ctx context.Context) (accessKey, secretKey string, err error) {
	accessKey, secretKey = rand.Text(), rand.Text()
	cmd := exec.CommandContext(ctx, s.bin, "admin", "--endpoint-url", "http://"+s.Endpoint, "create-user", "--role", "user", "--access", accessKey, "--secret", secretKey)
	cmd.Env = append(os.Environ(), "ADMIN_ACCESS_KEY="+s.AccessKey, "ADMIN_SECRET_KEY="+s.SecretKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("services: versitygw makes no account: %w: %s", err, out)
	}
	return accessKey, secretKey, nil
}
