package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// IsDigest reports whether s is a SHA-256 as stores write it: 64 lower-case hexadecimal digits.
func IsDigest(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// NoDigest is what a store says of a name that IsDigest refuses: nothing can have it.
func NoDigest(name string) error {
	return fmt.Errorf("%w: %.80q is not a SHA-256 in lower-case hex", ErrNotFound, name)
}

// Copy is the first half of a Put: it writes what r yields to w and returns its digest and size. It ends with ctx, with what
// r or w says, or with ErrTooLarge once it has read one byte more than limit.
func Copy(ctx context.Context, w io.Writer, r io.Reader, limit int64) (digest string, size int64, err error) {
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(w, sum), io.LimitReader(&reader{ctx: ctx, r: r}, limit+1))
	if err == nil && size > limit {
		err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}

// Check returns r with what Open promises: it ends with ctx, and with ErrDamaged instead of io.EOF when its bytes do not
// have the digest.
func Check(ctx context.Context, r io.ReadCloser, digest string) io.ReadCloser {
	return &reader{ctx: ctx, r: r, Closer: r, sum: sha256.New(), want: digest}
}

type reader struct {
	ctx context.Context
	r   io.Reader
	io.Closer
	sum  hash.Hash // nil: not checked
	want string
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	if r.sum == nil {
		return n, err
	}
	r.sum.Write(b[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(r.sum.Sum(nil)); got != r.want {
			return n, fmt.Errorf("%w: %s", ErrDamaged, r.want)
		}
	}
	return n, err
}
