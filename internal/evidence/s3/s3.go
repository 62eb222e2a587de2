// Package s3 keeps evidence in a bucket of an S3 server: PREFIX/abcd…, the name being the SHA-256 of the bytes. Where the
// bucket has object lock, a file cannot be deleted or changed by anybody until its retention is over; what is written over it
// is a newer version, and the one whose bytes have the digest is found and served.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

const (
	// prefix is the folder of the files, so that a bucket can hold other things beside them.
	prefix = "evidence/"
	// partSize is the size above which a file is uploaded in parts, and the size of each: what is sent again when a
	// connection breaks, and the memory that an upload takes.
	partSize = 16 << 20 // bytes
	// mediaType is given to every file, as the gateway does: no browser shows it as a page.
	mediaType = "application/octet-stream"
	// digestKey is the user metadata that says the digest, for people who look into the bucket. Nothing here believes it.
	digestKey = "Sha256"
)

// Store implements evidence.Store and evidence.Presigner. Several processes may use one bucket.
type Store struct {
	client   minio.Core
	public   *minio.Client // signs for the address that clients reach; nil: no direct downloads
	config   Config
	features Features
	spool    string
	partSize uint64
	writing  keyLock // one upload at a time of the same bytes
}

var (
	_ evidence.Store     = (*Store)(nil)
	_ evidence.Presigner = (*Store)(nil)
)

// Features is what the bucket offers, found out by New.
type Features struct {
	Versioning bool // what is written over a file leaves the file
	ObjectLock bool // and nobody can delete it while its retention lasts
}

// New opens the store in a bucket, which it makes if it is not there: with versioning and object lock where the server has
// them. An existing bucket is taken as it is. What it offers goes to the log. Uploads wait in the directory spool until their
// digest is known; it needs room for the files that are uploaded at one time.
func New(ctx context.Context, c Config, spool string, log *slog.Logger) (*Store, error) {
	c = c.withDefaults()
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	s := &Store{client: minio.Core{Client: client}, config: c, spool: spool, partSize: partSize}
	if s.public, err = c.publicClient(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if err := s.prepareBucket(ctx); err != nil {
		return nil, err
	}
	level, text := slog.LevelInfo, "evidence is kept in a bucket"
	if c.RetentionDays > 0 && !s.features.ObjectLock {
		level, text = slog.LevelWarn, "evidence is kept in a bucket without object lock: retention cannot be enforced"
	}
	log.Log(ctx, level, text, "bucket", c.Bucket, "endpoint", c.Endpoint, "versioning", s.features.Versioning,
		"objectLock", s.features.ObjectLock, "retentionDays", c.RetentionDays, "directDownloads", s.public != nil)
	return s, nil
}

// Features says what the bucket offers.
func (s *Store) Features() Features { return s.features }

func key(digest string) string { return prefix + digest }

// Put implements evidence.Store. Bytes that are there already are read back and compared before they count as kept; damaged
// ones get a new version. Where there is a retention, it runs anew.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error) {
	f, err := s.openSpool()
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	digest, size, err = evidence.Copy(ctx, f, r, limit)
	if err != nil {
		return "", 0, fmt.Errorf("evidence: %w", err)
	}
	unlock, err := s.writing.lock(ctx, digest)
	if err != nil {
		return "", 0, fmt.Errorf("evidence: %w", err)
	}
	defer unlock()
	kept, retained, err := s.kept(ctx, digest)
	if err == nil && kept {
		err = s.extend(ctx, digest, retained)
	} else if err == nil {
		err = s.upload(ctx, f, digest, size)
	}
	if err != nil {
		return "", 0, err
	}
	return digest, size, nil
}

// openSpool makes a file without a name: no crash leaves it behind.
func (s *Store) openSpool() (*os.File, error) {
	f, err := os.CreateTemp(s.spool, "put-*")
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("evidence: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

// kept reports whether the newest version is the file, by reading it: neither its size nor its metadata is believed. It also
// returns the time until which that version is retained.
func (s *Store) kept(ctx context.Context, digest string) (kept bool, retained time.Time, err error) {
	v, err := s.current(ctx, digest)
	if errors.Is(err, evidence.ErrNotFound) {
		return false, time.Time{}, nil
	}
	if err != nil {
		return false, time.Time{}, err
	}
	kept, err = s.matches(ctx, digest, v)
	return kept, v.retained, err
}

func (s *Store) upload(ctx context.Context, f *os.File, digest string, size int64) error {
	opts := minio.PutObjectOptions{
		ContentType: mediaType, ContentDisposition: "attachment", UserMetadata: map[string]string{digestKey: digest},
		PartSize:       s.partSize,
		SendContentMd5: true, // the server compares what arrives; with object lock it insists
	}
	if until, ok := s.retainUntil(); ok {
		opts.Mode, opts.RetainUntilDate = minio.Compliance, until
	}
	// A section, because it can be read from its start again when a request is repeated.
	if _, err := s.client.Client.PutObject(ctx, s.config.Bucket, key(digest), io.NewSectionReader(f, 0, size), size, opts); err != nil {
		return s.explain(ctx, "keep "+digest, err)
	}
	return nil
}

// retainUntil is the time until which a file kept now may not be deleted.
func (s *Store) retainUntil() (time.Time, bool) {
	if s.config.RetentionDays == 0 || !s.features.ObjectLock {
		return time.Time{}, false
	}
	return time.Now().UTC().AddDate(0, 0, s.config.RetentionDays), true
}

// extend makes the retention of a file that is there last as if it was kept now: another record names it, which has to be
// proved as long as any. Steps of less than a day are not worth a request.
func (s *Store) extend(ctx context.Context, digest string, retained time.Time) error {
	until, ok := s.retainUntil()
	if !ok || until.Sub(retained) < 24*time.Hour {
		return nil
	}
	mode := minio.Compliance
	err := s.client.PutObjectRetention(ctx, s.config.Bucket, key(digest), minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until})
	if err != nil {
		return s.explain(ctx, "extend the retention of "+digest, err)
	}
	return nil
}

// Open implements evidence.Store.
func (s *Store) Open(ctx context.Context, digest string) (io.ReadCloser, error) {
	v, err := s.find(ctx, digest)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, digest, v)
}

// Stat implements evidence.Store.
func (s *Store) Stat(ctx context.Context, digest string) (int64, error) {
	v, err := s.find(ctx, digest)
	return v.size, err
}

// read begins to read a version; the end of it checks the digest.
func (s *Store) read(ctx context.Context, digest string, v version) (io.ReadCloser, error) {
	body, _, _, err := s.client.GetObject(ctx, s.config.Bucket, key(digest), minio.GetObjectOptions{VersionID: v.id})
	if err != nil {
		return nil, s.explain(ctx, "read "+digest, err)
	}
	return evidence.Check(ctx, body, digest), nil
}

// matches reports whether the bytes of a version have the digest.
func (s *Store) matches(ctx context.Context, digest string, v version) (bool, error) {
	r, err := s.read(ctx, digest, v)
	if err != nil {
		return false, err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	if errors.Is(err, evidence.ErrDamaged) {
		return false, nil
	}
	if err != nil {
		return false, s.explain(ctx, "read "+digest, err)
	}
	return true, nil
}

// Verify reads every file and reports each that is damaged (ErrDamaged), cannot be read, or does not belong here, by its
// name in the bucket. Whether a file is missing is for those to say who refer to it. The error is ctx's, or of the bucket
// itself.
func (s *Store) Verify(ctx context.Context, report func(path string, problem error)) (files int, bytes int64, err error) {
	for o := range s.client.ListObjectsIter(ctx, s.config.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return files, bytes, s.explain(ctx, "list the files", o.Err)
		}
		digest := path.Base(o.Key)
		if o.Key != key(digest) || !evidence.IsDigest(digest) {
			report(o.Key, errors.New("evidence: a file that does not belong here"))
			continue
		}
		n, err := s.check(ctx, digest)
		if ctx.Err() != nil {
			return files, bytes, ctx.Err()
		}
		files, bytes = files+1, bytes+n
		if err != nil {
			report(o.Key, err)
		}
	}
	return files, bytes, ctx.Err()
}

func (s *Store) check(ctx context.Context, digest string) (int64, error) {
	r, err := s.Open(ctx, digest)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}
