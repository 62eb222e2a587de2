package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// says checks that an error names the bucket, the server and the trouble.
func says(t *testing.T, c Config, err error, trouble string, kind error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", trouble)
	}
	for _, part := range []string{c.Bucket, c.Endpoint, trouble} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if kind != nil && !errors.Is(err, kind) || kind == nil && errors.Is(err, evidence.ErrUnavailable) {
		t.Errorf("%v: want kind %v", err, kind)
	}
	if c.SecretKey != "" && strings.Contains(err.Error(), c.SecretKey) {
		t.Errorf("%v: the secret key", err)
	}
}

func TestConfig(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_ACCESS_KEY", "")
	good := Config{Endpoint: "127.0.0.1:1", Bucket: "bucket", AccessKey: "a", SecretKey: "s"}
	for trouble, change := range map[string]func(*Config){
		"not host:port":           func(c *Config) { c.Endpoint = "http://127.0.0.1:9000" },
		"bucket \"\"":             func(c *Config) { c.Bucket = "" },
		"retentionDays is -1":     func(c *Config) { c.RetentionDays = -1 },
		"retentionDays is 99999":  func(c *Config) { c.RetentionDays = 99999 },
		"bucket \"A_b\"":          func(c *Config) { c.Bucket = "A_b" },
		"both given":              func(c *Config) { c.SecretKeyFile = "f" },
		"publicURL \"files.cn\"":  func(c *Config) { c.PublicURL = "files.cn" },
		"publicURL \"ftp://x\"":   func(c *Config) { c.PublicURL = "ftp://x" },
		"publicURL \"http://x/y":  func(c *Config) { c.PublicURL = "http://x/y" },
		"there is no accessKey":   func(c *Config) { c.AccessKey = "" },
		"no such file":            func(c *Config) { c.SecretKey, c.SecretKeyFile = "", filepath.Join(t.TempDir(), "none") },
		"the configuration of S3": func(c *Config) { c.Endpoint = "a b" },
	} {
		c := good
		change(&c)
		_, err := New(t.Context(), c, t.TempDir(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), trouble) {
			t.Errorf("%v, want %q", err, trouble)
		}
	}
}

// TestKeys: the secret key from a file, and both keys from the environment.
func TestKeys(t *testing.T) {
	c := configOf(services.S3(t), "keys")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(c.SecretKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile := c
	fromFile.SecretKey, fromFile.SecretKeyFile = "", file
	open(t, fromFile)
	t.Setenv("AWS_ACCESS_KEY_ID", c.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", c.SecretKey)
	fromEnvironment := c
	fromEnvironment.AccessKey, fromEnvironment.SecretKey = "", ""
	open(t, fromEnvironment)
}

func TestErrors(t *testing.T) { onBoth(t, testErrors) }

func testErrors(t *testing.T, server *services.S3Server) {
	c := configOf(server, "errors")
	s, _ := open(t, c)
	b, digest := random(1000)

	wrong := c
	wrong.SecretKey = "not the secret"
	_, err := New(t.Context(), wrong, t.TempDir(), slog.New(slog.DiscardHandler))
	says(t, wrong, err, "does not know these credentials", nil)
	wrong.AccessKey = "nobody"
	_, err = New(t.Context(), wrong, t.TempDir(), slog.New(slog.DiscardHandler))
	says(t, wrong, err, "does not know these credentials", nil)

	if err := s.client.RemoveBucket(t.Context(), c.Bucket); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Put(t.Context(), bytes.NewReader(b), limit)
	says(t, c, err, "the bucket is gone", nil)
	_, err = s.Open(t.Context(), digest)
	says(t, c, err, "the bucket is gone", nil)

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_, _, err = s.Put(t.Context(), bytes.NewReader(b), limit)
	says(t, c, err, "cannot be reached", evidence.ErrUnavailable)
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("tried for %s", took)
	}
	_, err = New(t.Context(), c, t.TempDir(), slog.New(slog.DiscardHandler))
	says(t, c, err, "cannot be reached", evidence.ErrUnavailable)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun = time.Now()
	if _, err := s.Open(ctx, digest); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %s, want the deadline's error", err, time.Since(begun))
	}
}

// TestDeaf: a server that accepts and never answers does not hold a call for ever: it ends with its context.
func TestDeaf(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = New(ctx, Config{Endpoint: l.Addr().String(), Bucket: "bucket", AccessKey: "a", SecretKey: "s"}, t.TempDir(), slog.New(slog.DiscardHandler))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline's error", err)
	}
}

// TestServerKilled kills the server again and again while files are put: what was acknowledged is there, whole; what was not
// may be put again.
func TestServerKilled(t *testing.T) { onBoth(t, testServerKilled) }

func testServerKilled(t *testing.T, server *services.S3Server) {
	const kills, writers = 3, 4
	s, _ := open(t, configOf(server, "killed"))
	s.partSize = 5 << 20
	var (
		mu           sync.Mutex
		acknowledged = map[string]int{} // digest → size
		failed       [][]byte
		wg           sync.WaitGroup
	)
	stop := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				b, digest := random([]int{2_000, 300_000, 12 << 20}[(i+w)%3])
				_, _, err := s.Put(t.Context(), bytes.NewReader(b), limit)
				mu.Lock()
				if err == nil {
					acknowledged[digest] = len(b)
				} else {
					failed = append(failed, b)
				}
				mu.Unlock()
			}
		})
	}
	for range kills {
		time.Sleep(700 * time.Millisecond)
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	t.Logf("%d files acknowledged, %d not, over %d kills", len(acknowledged), len(failed), kills)
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	for digest, size := range acknowledged {
		if got := read(t, s, digest); len(got) != size { // read checks the digest
			t.Errorf("%s: %d bytes of %d", digest, len(got), size)
		}
	}
	for _, b := range failed {
		put(t, s, b)
	}
	files, _, err := s.Verify(t.Context(), func(path string, problem error) { t.Errorf("%s: %v", path, problem) })
	if err != nil || files != len(acknowledged)+len(failed) {
		t.Errorf("%d files, want %d + %d: %v", files, len(acknowledged), len(failed), err)
	}
}

// TestServerFull: a full disk at the server is told as one, nothing is acknowledged, and it works again when there is room.
func TestServerFull(t *testing.T) {
	services.Enabled(t)
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1200m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("needs a small file system, and mounting one is not allowed here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	server, err := services.StartS3(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := configOf(server, "full")
	s, _ := open(t, c)
	before, _ := random(100_000)
	kept := put(t, s, before)
	ballast := filepath.Join(dir, "ballast")
	if out, err := exec.Command("sh", "-c", "head -c 2G /dev/zero >'"+ballast+"' 2>/dev/null; df '"+dir+"'").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	b, digest := random(12 << 20)
	_, _, err = s.Put(t.Context(), bytes.NewReader(b), limit)
	says(t, c, err, "disks are full", evidence.ErrUnavailable)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	read(t, s, kept)
	if _, err := s.Stat(t.Context(), digest); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("%v: what did not fit is there", err)
	}
	put(t, s, b)
	read(t, s, digest)
}

// TestPresigned: the address gives the file, as an attachment, until its time is over; a changed one is refused.
func TestPresigned(t *testing.T) { onBoth(t, testPresigned) }

func testPresigned(t *testing.T, server *services.S3Server) {
	c := configOf(server, "presigned")
	c.RetentionDays = 1
	closed, _ := open(t, c)
	want, digest := random(100_000)
	put(t, closed, want)
	if _, err := closed.PresignedURL(t.Context(), digest, "x", time.Minute); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without publicURL: %v", err)
	}
	c.PublicURL = "http://" + c.Endpoint
	s, _ := open(t, c)
	sign := func(validity time.Duration) *url.URL {
		t.Helper()
		address, err := s.PresignedURL(t.Context(), digest, "报告 \"1\".pdf", validity)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	short := sign(time.Second)
	u := sign(time.Minute)
	write(t, s, digest, []byte("written over it later"))
	res, body := get(t, u)
	if res.StatusCode != http.StatusOK || !bytes.Equal(body, want) {
		t.Errorf("%s, %d bytes", res.Status, len(body))
	}
	if d, m := res.Header.Get("Content-Disposition"), res.Header.Get("Content-Type"); d != "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20%221%22.pdf" || m != mediaType {
		t.Errorf("%q, %q", d, m)
	}
	if strings.Contains(u.String(), c.SecretKey) {
		t.Error("the address has the secret key in it")
	}
	for name, change := range map[string]func(url.Values, *url.URL){
		"longer":     func(q url.Values, _ *url.URL) { q.Set("X-Amz-Expires", "6000") },
		"a page":     func(q url.Values, _ *url.URL) { q.Set("response-content-type", "text/html") },
		"shown":      func(q url.Values, _ *url.URL) { q.Set("response-content-disposition", "inline") },
		"other file": func(_ url.Values, u *url.URL) { u.Path = strings.TrimSuffix(u.Path, digest) + strings.Repeat("0", 64) },
		"no version": func(q url.Values, _ *url.URL) { q.Del("versionId") },
		"unsigned":   func(q url.Values, _ *url.URL) { clear(q) },
	} {
		altered := *u
		q := altered.Query()
		change(q, &altered)
		altered.RawQuery = q.Encode()
		if res, _ := get(t, &altered); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
	time.Sleep(1100 * time.Millisecond)
	if res, _ := get(t, short); res.StatusCode != http.StatusForbidden {
		t.Errorf("after its time: %s", res.Status)
	}
	if _, err := s.PresignedURL(t.Context(), strings.Repeat("0", 64), "x", time.Minute); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("no such file: %v", err)
	}
}

func get(t *testing.T, u *url.URL) (*http.Response, []byte) {
	t.Helper()
	res, err := http.Get(u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}
