package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/evidencetest"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

const limit = 32 << 20

func configOf(server *services.S3Server, bucket string) Config {
	return Config{Endpoint: server.Endpoint, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey}
}

// open opens a store, and returns what it logged.
func open(t *testing.T, c Config) (*Store, string) {
	t.Helper()
	var log bytes.Buffer
	s, err := New(t.Context(), c, t.TempDir(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s, log.String()
}

// plainBucket makes a bucket as somebody would who knows neither versions nor locks.
func plainBucket(t *testing.T, c Config) {
	t.Helper()
	client, err := c.withDefaults().client()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), c.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
}

// write writes bytes under the name of a file, as somebody else with rights to the bucket could.
func write(t *testing.T, s *Store, digest string, b []byte) {
	t.Helper()
	_, err := s.client.Client.PutObject(t.Context(), s.config.Bucket, key(digest), bytes.NewReader(b), int64(len(b)),
		minio.PutObjectOptions{UserMetadata: map[string]string{digestKey: digest}, SendContentMd5: true})
	if err != nil {
		t.Fatal(err)
	}
}

// everyVersion lists all that is below a name, deletions too, newest first.
func everyVersion(t *testing.T, s *Store, prefix string) []minio.ObjectInfo {
	t.Helper()
	var all []minio.ObjectInfo
	for o := range s.client.ListObjectsIter(t.Context(), s.config.Bucket, minio.ListObjectsOptions{Prefix: prefix, WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		all = append(all, o)
	}
	return all
}

// damage replaces all versions of a file by one with a bit changed, its name and metadata the same.
func damage(t *testing.T, s *Store, digest string) {
	t.Helper()
	b := read(t, s, digest)
	b[len(b)/2] ^= 1
	var versions []minio.ObjectInfo
	if s.features.Versioning {
		versions = everyVersion(t, s, key(digest))
	}
	for _, v := range versions {
		if err := s.client.RemoveObject(t.Context(), s.config.Bucket, key(digest), minio.RemoveObjectOptions{VersionID: v.VersionID}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, digest, b)
}

func read(t *testing.T, s *Store, digest string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func random(n int) ([]byte, string) {
	b := make([]byte, n)
	rand.Read(b)
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:])
}

func put(t *testing.T, s *Store, b []byte) string {
	t.Helper()
	digest, _, err := s.Put(t.Context(), bytes.NewReader(b), limit)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// onBoth runs a test on servers of two makes, which differ in what they check.
func onBoth(t *testing.T, test func(*testing.T, *services.S3Server)) {
	t.Run("minio", func(t *testing.T) { test(t, services.S3(t)) })
	t.Run("versitygw", func(t *testing.T) { test(t, services.Versity(t).S3Server) })
}

// TestConformance runs the suite on a bucket that we make, with versions and object lock; on one that was there without; and
// on one that we make at a server that has neither.
func TestConformance(t *testing.T) {
	onBoth(t, testConformance)
	t.Run("plain server", func(t *testing.T) {
		s, log := open(t, configOf(services.PlainS3(t), "plain"))
		if s.Features() != (Features{}) || !strings.Contains(log, "objectLock=false") {
			t.Errorf("%+v, %s", s.Features(), log)
		}
		run(t, s)
	})
}

func testConformance(t *testing.T, server *services.S3Server) {
	t.Run("locked", func(t *testing.T) {
		s, log := open(t, configOf(server, "locked"))
		if s.Features() != (Features{Versioning: true, ObjectLock: true}) || !strings.Contains(log, "objectLock=true") {
			t.Errorf("%+v, %s", s.Features(), log)
		}
		run(t, s)
	})
	t.Run("plain", func(t *testing.T) {
		c := configOf(server, "plain")
		c.RetentionDays = 30
		plainBucket(t, c)
		s, log := open(t, c)
		if s.Features() != (Features{}) || !strings.Contains(log, "level=WARN") || !strings.Contains(log, "without object lock") {
			t.Errorf("%+v, %s", s.Features(), log)
		}
		run(t, s)
	})
}

func run(t *testing.T, s *Store) {
	s.partSize = 5 << 20 // the least that servers take, so that parts are tested with small files
	evidencetest.Run(t, s, func(t *testing.T, digest string) { damage(t, s, digest) })
	left, err := os.ReadDir(s.spool)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
	for o := range s.client.ListIncompleteUploads(t.Context(), s.config.Bucket, "", true) {
		t.Errorf("an upload was left half done: %+v", o)
	}
}

// TestOnce: the same bytes at one time are one version, in parts too.
func TestOnce(t *testing.T) { onBoth(t, testOnce) }

func testOnce(t *testing.T, server *services.S3Server) {
	s, _ := open(t, configOf(server, "once"))
	b, digest := random(1 << 20)
	errs := make(chan error)
	for range 8 {
		go func() {
			_, _, err := s.Put(t.Context(), bytes.NewReader(b), limit)
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if all := everyVersion(t, s, ""); len(all) != 1 || all[0].Key != key(digest) {
		t.Errorf("%d versions: %+v", len(all), all)
	}
}

// TestRetention: while it lasts nobody deletes a file, the administrator neither, and what is written or deleted over it does
// not hide it.
func TestRetention(t *testing.T) { onBoth(t, testRetention) }

func testRetention(t *testing.T, server *services.S3Server) {
	c := configOf(server, "retained")
	c.RetentionDays = 10
	s, _ := open(t, c)
	ctx := t.Context()
	want, digest := random(6 << 20)
	put(t, s, want)

	first := everyVersion(t, s, key(digest))[0]
	kept, until, err := s.kept(ctx, digest)
	if err != nil || !kept || time.Until(until) < 9*24*time.Hour || time.Until(until) > 11*24*time.Hour {
		t.Fatalf("kept %t until %v: %v", kept, until, err)
	}
	for _, bypass := range []bool{false, true} {
		err := s.client.RemoveObject(ctx, c.Bucket, key(digest), minio.RemoveObjectOptions{VersionID: first.VersionID, GovernanceBypass: bypass})
		if err == nil {
			t.Fatalf("a version was deleted before its time (bypass %t)", bypass)
		}
	}
	mode, shorter := minio.Compliance, time.Now().Add(time.Hour)
	if err := s.client.PutObjectRetention(ctx, c.Bucket, key(digest), minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &shorter}); err == nil {
		t.Error("the retention was shortened")
	}

	for name, do := range map[string]func(){
		"overwritten": func() { write(t, s, digest, append([]byte{want[0] ^ 1}, want[1:]...)) },
		"deleted": func() {
			if err := s.client.RemoveObject(ctx, c.Bucket, key(digest), minio.RemoveObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		do()
		if got := read(t, s, digest); !bytes.Equal(got, want) {
			t.Errorf("%s: %d other bytes", name, len(got))
		}
		if size, err := s.Stat(ctx, digest); err != nil || size != int64(len(want)) {
			t.Errorf("%s: stat %d, %v", name, size, err)
		}
	}
	// Keeping the bytes again makes them the newest version.
	put(t, s, want)
	if ok, _, err := s.kept(ctx, digest); !ok || err != nil {
		t.Errorf("not mended: %v", err)
	}
	if got := read(t, s, digest); !bytes.Equal(got, want) {
		t.Error("other bytes after mending")
	}
}

// TestRetentionRunsAnew: a file that is kept a second time is retained from then on; no second version is made.
func TestRetentionRunsAnew(t *testing.T) { onBoth(t, testRetentionRunsAnew) }

func testRetentionRunsAnew(t *testing.T, server *services.S3Server) {
	c := configOf(server, "anew")
	c.RetentionDays = 2
	s, _ := open(t, c)
	b, digest := random(1000)
	put(t, s, b)
	s.config.RetentionDays = 20
	put(t, s, b)
	if kept, until, err := s.kept(t.Context(), digest); !kept || err != nil || time.Until(until) < 19*24*time.Hour {
		t.Errorf("kept %t until %v: %v", kept, until, err)
	}
	s.config.RetentionDays = 0 // a shorter one changes nothing
	put(t, s, b)
	if all := everyVersion(t, s, ""); len(all) != 1 {
		t.Errorf("%d versions", len(all))
	}
}

func TestVerify(t *testing.T) { onBoth(t, testVerify) }

func testVerify(t *testing.T, server *services.S3Server) {
	s, _ := open(t, configOf(server, "verified"))
	good, _ := random(1000)
	put(t, s, good)
	bad, digest := random(2000)
	put(t, s, bad)
	damage(t, s, digest)
	write(t, s, "x/"+digest, good)
	problems := map[string]error{}
	files, size, err := s.Verify(t.Context(), func(path string, problem error) { problems[path] = problem })
	if err != nil || files != 2 || size != 3000 || len(problems) != 2 {
		t.Errorf("%d files, %d bytes, %v, %v", files, size, problems, err)
	}
	if !errors.Is(problems[key(digest)], evidence.ErrDamaged) || problems[key("x/"+digest)] == nil {
		t.Errorf("%v", problems)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Verify(ctx, func(string, error) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
