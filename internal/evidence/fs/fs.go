// Package fs keeps evidence in a directory: DIR/ab/cd/abcd… , the name being the SHA-256 of the bytes. A file is there whole
// and on disk, or not at all.
package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

const (
	tempDir = "tmp"
	// staleTemp is the age from which a temporary file is what a crash left behind: no upload takes as long.
	staleTemp = 24 * time.Hour
)

// Store implements evidence.Store. Several processes may use one directory.
type Store struct{ dir string }

var _ evidence.Store = (*Store)(nil)

// New opens the store in a directory, or begins one, and removes what uploads left behind that a crash cut short.
func New(dir string) (*Store, error) {
	temp := filepath.Join(dir, tempDir)
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	old, err := os.ReadDir(temp)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	for _, e := range old {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > staleTemp {
			os.Remove(filepath.Join(temp, e.Name()))
		}
	}
	return &Store{dir}, nil
}

// Put implements evidence.Store. Bytes that are there already are written anew, which also mends a damaged file.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, tempDir), "put-*")
	if err != nil {
		return "", 0, fmt.Errorf("evidence: %w", err)
	}
	defer os.Remove(f.Name())
	digest, size, err = evidence.Copy(ctx, f, r, limit)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, fmt.Errorf("evidence: %w", err)
	}
	if err := s.place(f.Name(), digest); err != nil {
		return "", 0, fmt.Errorf("evidence: %w", err)
	}
	return digest, size, nil
}

// place gives a complete file its name, and makes the names last down from the store's own directory.
func (s *Store) place(temp, digest string) error {
	path := s.path(digest)
	leaf := filepath.Dir(path)
	if err := os.MkdirAll(leaf, 0o700); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	for _, dir := range []string{leaf, filepath.Dir(leaf), s.dir} {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements evidence.Store.
func (s *Store) Open(ctx context.Context, digest string) (io.ReadCloser, error) {
	f, err := s.open(digest)
	if err != nil {
		return nil, err
	}
	return evidence.Check(ctx, f, digest), nil
}

// Stat implements evidence.Store.
func (s *Store) Stat(_ context.Context, digest string) (int64, error) {
	f, err := s.open(digest)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("evidence: %w", err)
	}
	return info.Size(), nil
}

func (s *Store) open(digest string) (*os.File, error) {
	if !evidence.IsDigest(digest) {
		return nil, evidence.NoDigest(digest)
	}
	f, err := os.Open(s.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", evidence.ErrNotFound, digest)
	}
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return f, nil
}

func (s *Store) path(digest string) string {
	return filepath.Join(s.dir, digest[:2], digest[2:4], digest)
}

// Verify reads every file and reports each that is damaged (ErrDamaged), cannot be read, or does not belong here, by its
// path below the store's directory. Whether a file is missing is for those to say who refer to it. The error is ctx's, or of
// the directory itself.
func (s *Store) Verify(ctx context.Context, report func(path string, problem error)) (files int, bytes int64, err error) {
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(s.dir, path) // path begins with s.dir
		switch {
		case err != nil && path == s.dir:
			return err
		case err != nil:
			report(rel, err)
			return nil
		case d.IsDir() && rel == tempDir:
			return filepath.SkipDir
		case d.IsDir():
			return nil
		case !evidence.IsDigest(d.Name()) || path != s.path(d.Name()):
			report(rel, errors.New("evidence: a file that does not belong here"))
			return nil
		}
		n, err := s.check(ctx, d.Name())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		files, bytes = files+1, bytes+n
		if err != nil {
			report(rel, err)
		}
		return nil
	})
	return files, bytes, err
}

func (s *Store) check(ctx context.Context, digest string) (int64, error) {
	r, err := s.Open(ctx, digest)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}
