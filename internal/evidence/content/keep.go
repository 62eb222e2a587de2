package content

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

const (
	// MaxFile bounds a file that somebody uploads: a long laboratory report with pictures, or a minute of video.
	MaxFile = 100 << 20 // bytes
	// MaxName bounds its name: what file systems allow.
	MaxName = 255 // bytes
)

var (
	// ErrEmpty: a file without a byte proves nothing.
	ErrEmpty = errors.New("evidence: the file is empty")
	// ErrName: a name of more than MaxName bytes.
	ErrName = fmt.Errorf("evidence: a file name may have at most %d bytes", MaxName)
)

// Keep keeps a file that somebody uploads, and returns what a record says of it: its media type is what the bytes are, its name what the
// uploader calls it. Errors: those of Put, ErrEmpty and ErrName, with which nothing is kept.
func Keep(ctx context.Context, store evidence.Store, name string, r io.Reader) (ref contract.Evidence, err error) {
	if len(name) > MaxName {
		return ref, ErrName
	}
	body := bufio.NewReaderSize(r, SniffLen)
	head, err := body.Peek(SniffLen) // what is no end comes again
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return ref, ErrEmpty
	}
	ref = contract.Evidence{MediaType: Sniff(head), Name: plain(name)}
	ref.SHA256, ref.Size, err = store.Put(ctx, body, MaxFile)
	return ref, err
}

// Read returns what a record says of a file that is kept already, of which nobody knows the name. Errors: those of Stat and Open.
func Read(ctx context.Context, store evidence.Store, sha256 string) (ref contract.Evidence, err error) {
	size, err := store.Stat(ctx, sha256)
	if err != nil {
		return ref, err
	}
	file, err := store.Open(ctx, sha256)
	if err != nil {
		return ref, err
	}
	defer file.Close()
	head := make([]byte, SniffLen)
	n, err := io.ReadFull(file, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // shorter
	}
	return contract.Evidence{SHA256: sha256, MediaType: Sniff(head[:n]), Size: size}, err
}

// plain is a name that can be shown and put on the record: without control characters, and without those that turn the direction of writing,
// which make "gpj.exe" look like "exe.jpg".
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, name)
}
