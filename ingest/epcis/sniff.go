package epcis

import "bytes"

// Format is one of the formats that a document can have.
type Format uint8

// The formats of EPCIS.
const (
	None Format = iota // neither
	JSON
	XML
)

// SniffLen is how far the first meaningful byte is looked for: behind a byte order mark, blanks, and comments that real
// files begin with.
const SniffLen = 4096

// Sniff tells the format of a document by its first bytes.
func Sniff(head []byte) Format {
	if isWide(head) {
		head = bytes.ReplaceAll(bytes.TrimPrefix(bytes.TrimPrefix(head, []byte("\xfe\xff")), []byte("\xff\xfe")), []byte{0}, nil)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n")
	switch {
	case len(head) == 0:
		return None
	case head[0] == '<':
		return XML
	case head[0] == '{' || head[0] == '[' || head[0] == '/':
		return JSON
	}
	return None
}

// isWide says whether characters have two bytes: by a byte order mark, or the zero byte of an ASCII character.
func isWide(head []byte) bool {
	return len(head) > 1 && (head[0] == 0 || head[1] == 0 || head[0] == 0xfe && head[1] == 0xff || head[0] == 0xff && head[1] == 0xfe)
}

// MediaType is what the format is called on the web.
func (f Format) MediaType() string {
	switch f {
	case JSON:
		return "application/ld+json"
	case XML:
		return "application/xml"
	}
	return "application/octet-stream"
}
