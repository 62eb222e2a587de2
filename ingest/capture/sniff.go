package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
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
