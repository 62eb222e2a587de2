// Package content says what the bytes of a file are, whatever its sender calls it, and whether a browser may show them. Only pictures and
// PDF documents that are nothing else besides are shown; all other files are kept as they are, and handed out to be stored.
package content

import (
	"bufio"
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // decodes the sizes of pictures
	_ "image/png"  // likewise
	"io"
	"net/http"
	"strings"
)

// SniffLen is how many of a file's first bytes Sniff looks at.
const SniffLen = 512

// Unknown is the media type of everything that has no other.
const Unknown = "application/octet-stream"

// The media types that may be shown.
const (
	png  = "image/png"
	jpeg = "image/jpeg"
	webp = "image/webp"
	pdf  = "application/pdf"
)

// Shown lists them.
var Shown = []string{png, jpeg, webp, pdf}

// IsPicture reports whether a media type is one of the pictures that may be shown.
func IsPicture(mediaType string) bool {
	return mediaType == png || mediaType == jpeg || mediaType == webp
}

// Sniff returns the media type of a file by its first bytes (WHATWG MIME Sniffing, section 6 and 7), and Unknown for programs.
func Sniff(head []byte) string {
	head = head[:min(len(head), SniffLen)]
	media, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if strings.HasPrefix(media, "text/") && bytes.Contains(bytes.ToLower(head), []byte("<svg")) {
		return "image/svg+xml"
	}
	return media
}

// maxPixels bounds a picture: what a telephone can hold unpacked, several times what a camera makes.
const maxPixels = 100_000_000

// headSize is where the size of a picture must be found: JPEG has at most some 64 KiB of other things before it, several times.
const headSize = 1 << 20 // bytes

// tailSize is where the directory of a ZIP archive ends: 22 bytes and a comment (APPNOTE, section 4.3.16).
const tailSize = 22 + 1<<16

// Examine reads a file to its end and returns its media type, and whether it may be shown: it is a picture or a PDF document, and holds
// nothing that is another kind of file too, or does something.
func Examine(r io.Reader) (mediaType string, show bool, err error) {
	br := bufio.NewReaderSize(r, headSize)
	head, err := br.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, err
	}
	mediaType = Sniff(head)
	forbidden, ok := active[mediaType]
	if !ok || mediaType != pdf && mediaType != webp && !fits(head) {
		return mediaType, false, nil
	}
	tail, found, err := search(br, forbidden, mediaType == pdf)
	if err != nil {
		return "", false, err
	}
	return mediaType, !found && !bytes.Contains(tail, []byte("PK\x05\x06")) && ends(mediaType, tail), nil
}

// markup begins what browsers and servers run, in lower case.
var markup = []string{"<script", "<html", "<svg", "<!doctype", "<iframe", "<body", "javascript:", "<?php"}

// active lists, for each media type that may be shown, what must not be in it.
var active = map[string][]string{
	png: append([]string{"%pdf-"}, markup...), jpeg: append([]string{"%pdf-"}, markup...), webp: append([]string{"%pdf-"}, markup...),
	// ISO 32000-1, section 12.6.4: actions that run scripts and programs, send forms, or hand over files.
	pdf: append([]string{"/javascript", "/js(", "/js ", "/js<", "/js\n", "/js\r", "/launch", "/embeddedfile", "/richmedia", "/xfa", "/submitform", "/importdata"}, markup...),
}

// fits reports whether a picture says that it has a size that can be shown.
func fits(head []byte) bool {
	c, _, err := image.DecodeConfig(bytes.NewReader(head))
	return err == nil && c.Width > 0 && c.Height > 0 && int64(c.Width)*int64(c.Height) <= maxPixels
}

// ends reports whether a file ends as its kind does: nothing comes after a PNG's last chunk, and a PDF document's end is near the end.
func ends(mediaType string, tail []byte) bool {
	switch mediaType {
	case png:
		return bytes.HasSuffix(tail, []byte("\x00\x00\x00\x00IEND\xaeB`\x82"))
	case pdf:
		return bytes.Contains(tail[max(0, len(tail)-1024):], []byte("%%EOF"))
	}
	return true
}

// search reads to the end, and reports whether one of the words is there, in capitals or not. It also returns the last bytes.
func search(r io.Reader, words []string, names bool) (tail []byte, found bool, err error) {
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	overlap := 3 * longest // each character of a name may take three
	block := make([]byte, 64<<10)
	var window []byte
	for {
		n, err := io.ReadFull(r, block)
		window = append(window[max(0, len(window)-overlap):], block[:n]...)
		tail = append(tail, block[:n]...)
		tail = tail[max(0, len(tail)-tailSize):]
		text := bytes.ToLower(window)
		if names {
			text = unescape(text)
		}
		for _, w := range words {
			found = found || bytes.Contains(text, []byte(w))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return tail, found, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
}

// unescape replaces #hh by the character that it stands for in a name of a PDF document (ISO 32000-1, section 7.3.5). Text is in lower case.
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte{'#'}) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '#' && i+2 < len(text) {
			if a, b := hex(text[i+1]), hex(text[i+2]); a >= 0 && b >= 0 {
				out = append(out, bytes.ToLower([]byte{byte(a<<4 | b)})...)
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// hex is the value of a lower-case hexadecimal digit, -1 for another character.
func hex(c byte) int { return strings.IndexByte("0123456789abcdef", c) }
