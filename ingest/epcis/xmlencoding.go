package epcis

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// encodings are those that a document may declare, in lower case. nil is UTF-8. What declares UTF-16 and does not have it is taken for UTF-8:
// programs write that when they turn a text in memory into a file.
var encodings = map[string]encoding.Encoding{
	"utf-8": nil, "utf8": nil, "us-ascii": nil, "ascii": nil, "utf-16": nil, "utf-16le": nil, "utf-16be": nil,
	"gb18030": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GB18030, "gb2312": simplifiedchinese.GB18030, "cp936": simplifiedchinese.GB18030,
	"big5": traditionalchinese.Big5, "iso-8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252,
}

// wide is the encoding of a document whose first character has two bytes (XML 1.0, appendix F), else nil.
func wide(head []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	case bytes.HasPrefix(head, []byte("\x00<")):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case bytes.HasPrefix(head, []byte("<\x00")):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	}
	return nil
}

var declaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// decode returns the document in UTF-8. foreign says that it was in another encoding, base what it skipped of the document.
func decode(in *bufio.Reader) (out *bufio.Reader, foreign bool, base int64, err error) {
	head, _ := in.Peek(SniffLen) // an error is met again
	enc := wide(head)
	if enc == nil {
		if bytes.HasPrefix(head, byteOrderMark) {
			base = int64(len(byteOrderMark))
			_, err = in.Discard(len(byteOrderMark))
			return in, false, base, err
		}
		if m := declaration.FindSubmatch(head); m != nil {
			var known bool
			if enc, known = encodings[strings.ToLower(string(m[1]))]; !known {
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
	last    uint32 // bytes
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
	if g.last = (g.last<<8 | uint32(b)) & 0xffffff; g.last == 0xefbfbd { // U+FFFD stands for what has no character
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
