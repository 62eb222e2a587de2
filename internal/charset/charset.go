// Package charset finds out in what encoding a text is, and brings it to UTF-8.
package charset

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// ByteOrderMark may begin a text in UTF-8.
const ByteOrderMark = "\xef\xbb\xbf"

var mark = []byte(ByteOrderMark)

// named are encodings by the names that documents declare, in lower case. nil is UTF-8. What declares UTF-16 and does not have it is taken
// for UTF-8: programs write that when they turn a text in memory into a file.
var named = map[string]encoding.Encoding{
	"utf-8": nil, "utf8": nil, "us-ascii": nil, "ascii": nil, "utf-16": nil, "utf-16le": nil, "utf-16be": nil,
	"gb18030": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GB18030, "gb2312": simplifiedchinese.GB18030, "cp936": simplifiedchinese.GB18030,
	"big5": traditionalchinese.Big5, "iso-8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252,
}

// Named is the encoding that a document declares by a name; nil is UTF-8.
func Named(name string) (enc encoding.Encoding, known bool) {
	enc, known = named[strings.ToLower(name)]
	return enc, known
}

// Lost sees to it that a text was decoded without loss. Its zero value is ready.
type Lost uint32

// Byte takes the next byte of the text in UTF-8. True: it ends U+FFFD, which stands for what has no character.
func (l *Lost) Byte(c byte) bool {
	*l = (*l<<8 | Lost(c)) & 0xffffff
	return *l == 0xefbfbd
}

// Wide is the encoding of a text of two-byte characters, with or without byte order mark, else nil. One of the first two characters is ASCII.
func Wide(head []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	case len(head) < 4:
		return nil
	case head[0] == 0 && head[1] != 0: // a header row has some ASCII character near its start
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case head[0] != 0 && head[1] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	}
	return nil
}

// Plain decodes the first bytes of a text as far as its delimiters and controls are concerned. ok is false for what is no text.
func Plain(head []byte) (text string, ok bool) {
	if enc := Wide(head); enc != nil {
		head, _ = enc.NewDecoder().Bytes(head[:len(head)&^1])
	}
	head = bytes.TrimPrefix(head, mark)
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1a {
			return "", false
		}
	}
	return string(head), true
}

// sample collects the lines of a text that are not ASCII, to guess its encoding from.
type sample struct {
	utf8  bool // so far
	rest  []byte
	bytes []byte
}

// sampleLen is how much of a text that is not UTF-8 its encoding is guessed from: some ten thousand characters.
const sampleLen = 32 << 10

func (s *sample) Write(p []byte) (int, error) {
	n := len(p)
	if s.utf8 {
		s.rest = append(s.rest, p...)
		s.rest = s.rest[validPrefix(s.rest):]
		s.utf8 = !invalidStart(s.rest)
		if s.utf8 {
			s.rest = append([]byte(nil), s.rest...)
		}
	}
	for len(p) > 0 && len(s.bytes) < sampleLen {
		line := p
		if i := bytes.IndexByte(p, '\n'); i >= 0 {
			line = p[:i+1]
		}
		p = p[len(line):]
		if !isASCII(line) {
			s.bytes = append(s.bytes, line[:min(len(line), sampleLen-len(s.bytes))]...)
		}
	}
	return n, nil
}

func validPrefix(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		i += n
	}
	return i
}

// invalidStart says whether b begins with bytes that no continuation makes UTF-8.
func invalidStart(b []byte) bool { return len(b) > 0 && utf8.FullRune(b) }

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// guess is the encoding of a text that is not UTF-8: the one under which most of its characters are common ones.
func guess(b []byte) encoding.Encoding {
	if lonely(b) {
		return charmap.Windows1252
	}
	if common(b, traditionalchinese.Big5, 0xa4, 0xc6, 0x40) > common(b, simplifiedchinese.GB18030, 0xb0, 0xd7, 0xa1) {
		return traditionalchinese.Big5
	}
	return simplifiedchinese.GB18030
}

// lonely says whether most bytes beyond ASCII stand alone, as the accented letters of Western languages do. In Big5 one in five does.
func lonely(b []byte) bool {
	high, alone := 0, 0
	for i, c := range b {
		if c < utf8.RuneSelf {
			continue
		}
		high++
		if (i == 0 || b[i-1] < utf8.RuneSelf) && (i+1 == len(b) || b[i+1] < utf8.RuneSelf) {
			alone++
		}
	}
	return alone*2 >= high
}

// common is the share, in thousandths, of the characters beyond ASCII that an encoding's table of common ones has: two bytes, of which
// the first lies between lead and last and the second is at least trail. (Big5 level 1: 5,401 characters; GB 2312 level 1: 3,755.)
func common(b []byte, enc encoding.Encoding, lead, last, trail byte) int {
	text, _ := enc.NewDecoder().Bytes(b)
	encoder := enc.NewEncoder()
	total, known := 0, 0
	for _, r := range string(text) {
		if r < utf8.RuneSelf || 0xff00 <= r && r <= 0xffef || 0x3000 <= r && r <= 0x303f { // punctuation is in both
			continue
		}
		total++
		code, err := encoder.Bytes([]byte(string(r)))
		if err == nil && r != utf8.RuneError && len(code) == 2 && lead <= code[0] && code[0] <= last && code[1] >= trail {
			known++
		}
	}
	if total == 0 {
		return 0
	}
	return known * 1000 / total
}

// Detect reads the whole text to know its encoding; nil is UTF-8.
func Detect(r io.ReaderAt, size int64) (encoding.Encoding, error) {
	head := make([]byte, min(size, 4))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if enc := Wide(head); enc != nil {
		return enc, nil
	}
	s := &sample{utf8: true}
	if _, err := io.Copy(s, io.NewSectionReader(r, 0, size)); err != nil {
		return nil, err
	}
	if s.utf8 && len(s.rest) == 0 {
		return nil, nil
	}
	return guess(s.bytes), nil
}

// Decoded is the text in UTF-8, without byte order mark.
func Decoded(r io.ReaderAt, size int64, enc encoding.Encoding) *bufio.Reader {
	var in io.Reader = io.NewSectionReader(r, 0, size)
	if enc != nil {
		in = transform.NewReader(in, enc.NewDecoder())
	}
	out := bufio.NewReaderSize(in, 64<<10)
	if head, _ := out.Peek(len(mark)); bytes.Equal(head, mark) {
		_, _ = out.Discard(len(mark)) // they have been read
	}
	return out
}
