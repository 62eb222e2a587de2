package epcis

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/transform"

	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

var declaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// decode returns the document in UTF-8. foreign says that it was in another encoding, base what it skipped of the document.
func decode(in *bufio.Reader) (out *bufio.Reader, foreign bool, base int64, err error) {
	head, _ := in.Peek(SniffLen) // an error is met again
	enc := charset.Wide(head)
	if enc == nil {
		if bytes.HasPrefix(head, byteOrderMark) {
			base = int64(len(byteOrderMark))
			_, err = in.Discard(len(byteOrderMark))
			return in, false, base, err
		}
		if m := declaration.FindSubmatch(head); m != nil {
			var known bool
			if enc, known = charset.Named(string(m[1])); !known {
				return nil, false, 0, &Problem{Code: CodeXMLEncoding, Message: "Documents in " + string(m[1]) + " cannot be read. Use UTF-8."}
			}
		}
	}
	if enc == nil {
		return in, false, 0, nil
	}
	return bufio.NewReader(transform.NewReader(in, enc.NewDecoder())), true, 0, nil
}

// guard is what the XML decoder reads from: it ends a token that is too long, and a text that cannot be decoded.
type guard struct {
	*bufio.Reader
	left    int // bytes that the token may still have
	foreign bool
	lost    charset.Lost
	ref     []byte // a reference that has begun, with its '&'
}

func (g *guard) ReadByte() (byte, error) {
	if g.left--; g.left < 0 {
		return 0, &Problem{Code: CodeLimit, Message: "A tag, text or comment is longer than " + itoa(maxToken) + " bytes."}
	}
	b, err := g.Reader.ReadByte()
	if err == nil && (b == '&' || len(g.ref) > 0) {
		err = g.reference(b)
	}
	if err != nil || !g.foreign {
		return b, err
	}
	if g.lost.Byte(b) {
		return 0, &Problem{Code: CodeXMLEncoding, Message: "The text is not in the encoding that the document declares."}
	}
	return b, nil
}

// reference refuses a surrogate by its number (&#xd83d;), which is no character; the decoder would make another one of it.
func (g *guard) reference(b byte) error {
	if b == '&' {
		g.ref = g.ref[:0]
	}
	if g.ref = append(g.ref, b); b != ';' && len(g.ref) < len("&#x00d83d;") {
		return nil
	}
	digits, base := strings.TrimPrefix(string(g.ref), "&#"), 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(digits, ";"), base, 32)
	g.ref = g.ref[:0]
	if err == nil && utf16.IsSurrogate(rune(n)) {
		return &Problem{Code: CodeXMLSyntax, Message: "The reference is to half of a surrogate pair, which is no character."}
	}
	return nil
}

var _ io.ByteReader = (*guard)(nil)
