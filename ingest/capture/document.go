package capture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

// inMemory is the size up to which a document is read into memory whole.
const inMemory = 64 << 20

// The problems of a document as a whole that are of no reader.
const (
	codeRead   ingest.Code = "READ"           // its bytes could not be read
	codeLost   ingest.Code = "DOCUMENT_LOST"  // the evidence store does not have its bytes any more
	codeSigner ingest.Code = "SIGNER_UNKNOWN" // this machine cannot sign for the member
	codeLedger ingest.Code = "LEDGER_REFUSED" // the ledger took nothing of it
	codeAtomic ingest.Code = "CAPTURE_LIMIT"  // too many records to be written together
)

// sniff looks at the first bytes of a document and says what it is, or refuses with ErrMediaType what cannot be captured. It reads no
// further: the rest is judged when the document is parsed, after it was kept.
func sniff(r io.Reader) (body io.Reader, mediaType string, err error) {
	br := bufio.NewReaderSize(r, formats.SniffLen)
	head, err := br.Peek(formats.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("capture: reading the document: %w", err)
	}
	format := formats.Sniff(head)
	if format == formats.None {
		return nil, "", ErrMediaType
	}
	return br, format.MediaType(), nil
}

// document is a job's document as it is read from the evidence store.
type document struct {
	*formats.Document
	body *stream
}

// openDocument opens the document of a job. Errors: that it is lost (see lost), a *ingest.Problem of the document, or that the store is away.
func (s *Service) openDocument(ctx context.Context, j Job) (*document, error) {
	mapping, err := s.mapping(ctx, j.Mapping)
	if err != nil {
		return nil, err
	}
	body, err := s.Evidence.Open(ctx, j.Evidence.SHA256)
	if err != nil {
		return nil, err
	}
	d := &document{body: &stream{ReadCloser: body}}
	bytes, err := s.whole(d.body, j.Evidence.Size)
	if err == nil {
		d.Document, err = formats.Open(bytes, formats.Options{Mapping: mapping, Sender: j.Member, Zone: j.Zone, Dates: j.Dates, TempDir: filepath.Dir(s.Path)})
	}
	if err != nil {
		return nil, errors.Join(err, body.Close())
	}
	return d, nil
}

func (s *Service) mapping(ctx context.Context, digest string) ([]byte, error) {
	if digest == "" {
		return nil, nil
	}
	body, err := s.Evidence.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// whole reads a document that fits into memory, so that it can be read again: its @context may come last.
func (s *Service) whole(body io.Reader, size int64) (io.Reader, error) {
	if size > s.inMemory {
		return body, nil
	}
	all := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // room to see the end without growing
	if _, err := all.ReadFrom(body); err != nil {
		return nil, err
	}
	return bytes.NewReader(all.Bytes()), nil
}

// Close frees what reading needed.
func (d *document) Close() error { return errors.Join(d.Document.Close(), d.body.Close()) }

// away returns the error with which the store went away while the document was read, nil if it did not.
func (d *document) away() error {
	if lost(d.body.err) {
		return nil
	}
	return d.body.err
}

// lost reports whether no later try can read the bytes. A store that is away has not lost them.
func lost(err error) bool {
	return errors.Is(err, evidence.ErrNotFound) || errors.Is(err, evidence.ErrDamaged)
}

// stream remembers why reading ended, so that a store that went away is not taken for a document that is cut off.
type stream struct {
	io.ReadCloser
	err error
}

func (s *stream) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
