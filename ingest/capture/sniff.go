package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// sniffLen is how far the first meaningful byte is looked for: behind a byte order mark, blanks, and comments that real
// files begin with.
const sniffLen = 4096

// sniff looks at the first bytes of a document and refuses with ErrMediaType what cannot be JSON. It reads no further:
// the rest is judged when the document is parsed, after it was kept.
func sniff(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, sniffLen)
	head, err := br.Peek(sniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("capture: reading the document: %w", err)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if len(head) == 0 || (head[0] != '{' && head[0] != '[' && head[0] != '/') {
		return nil, ErrMediaType
	}
	return br, nil
}
