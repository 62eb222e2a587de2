// Package evidence keeps files (reports, photos, the documents that were captured) by the SHA-256 of their bytes.
package evidence

import (
	"context"
	"errors"
	"io"
	"time"
)

// Store keeps immutable files. Implementations: fs (a directory), s3. evidencetest is the suite that says what it means.
type Store interface {
	// Put keeps what r yields and returns its digest (lower-case hex SHA-256) and size once it is durable. Keeping the
	// same bytes twice is one file. At most limit bytes are read: more is ErrTooLarge, and nothing is kept.
	Put(ctx context.Context, r io.Reader, limit int64) (sha256 string, size int64, err error)
	// Open returns the bytes; the last Read reports ErrDamaged when they no longer match the digest. ErrNotFound.
	Open(ctx context.Context, sha256 string) (io.ReadCloser, error)
	// Stat returns the size in bytes, or ErrNotFound.
	Stat(ctx context.Context, sha256 string) (size int64, err error)
}

// Presigner is a Store whose server can hand a file to a client by itself. Who calls has checked that the client may have it.
type Presigner interface {
	// PresignedURL returns an address from which anybody can download the file, as an attachment of that name, until the
	// time is over (seconds count, at most a week). Nobody checks what comes from there: the client compares it with the
	// digest. ErrNotFound; errors.ErrUnsupported where the store is not set up for clients.
	PresignedURL(ctx context.Context, sha256, name string, validity time.Duration) (string, error)
}

var (
	ErrNotFound = errors.New("evidence: no such file")
	ErrTooLarge = errors.New("evidence: the file is larger than allowed")
	ErrDamaged  = errors.New("evidence: the bytes do not match their digest")
	// ErrUnavailable: the store is out of reach or full; the same call may work later. The sentence says which.
	ErrUnavailable = errors.New("evidence: the store cannot be used now")
)
