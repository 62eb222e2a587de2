package sheet

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// xmlScanner reads the tokens of a part: what ECMA-376 parts have of XML 1.0, which is UTF-8 without document type definitions. A workbook of a
// million rows is half a gigabyte of XML; this is some ten times as fast as encoding/xml. Attributes and text are valid until the next token.
type xmlScanner struct {
	in    *partReader
	name  xml.Name // of the element that closes itself
	empty bool     // it does
	text  []byte
	attrs []xml.Attr
	names map[string]string
}

// maxNames are the names and short values that are kept to be used again.
const maxNames = 4096

var errXML = errors.New("the XML is not well-formed")

// next returns a StartElement, EndElement or CharData, or a Directive for a document type definition. io.EOF ends the part between tokens only.
func (s *xmlScanner) next() (xml.Token, error) {
	if s.empty {
		s.empty = false
		return xml.EndElement{Name: s.name}, nil
	}
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return nil, err
		}
		if c != '<' {
			s.in.unread()
			return s.chars()
		}
		if c, err = s.byte(); err != nil {
			return nil, err
		}
		switch c {
		case '/':
			name, c, err := s.word()
			for err == nil && isBlank(c) {
				c, err = s.byte()
			}
			if err == nil && c != '>' {
				err = errXML
			}
			return xml.EndElement{Name: name}, err
		case '?':
			if err := s.until("?>"); err != nil {
				return nil, err
			}
			if bytes.HasPrefix(s.text, []byte("xml ")) && bytes.Contains(s.text, []byte("encoding")) && !bytes.Contains(bytes.ToLower(s.text), []byte("utf-8")) {
				return nil, errXML
			}
		case '!':
			tok, err := s.declared()
			if tok != nil || err != nil {
				return tok, err
			}
		default:
			s.in.unread()
			return s.start()
		}
	}
}

// byte is a byte within a token: the end of the part is none.
func (s *xmlScanner) byte() (byte, error) {
	c, err := s.in.ReadByte()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

// until reads up to the end of a token into text.
func (s *xmlScanner) until(end string) error {
	s.text = s.text[:0]
	for !bytes.HasSuffix(s.text, []byte(end)) {
		c, err := s.byte()
		if err != nil {
			return err
		}
		s.text = append(s.text, c)
	}
	s.text = s.text[:len(s.text)-len(end)]
	return nil
}

// declared reads what begins with "<!": comments are skipped.
func (s *xmlScanner) declared() (xml.Token, error) {
	var head [2]byte
	for i := range head {
		c, err := s.byte()
		if err != nil {
			return nil, err
		}
		head[i] = c
	}
	switch string(head[:]) {
	case "--":
		return nil, s.until("-->")
	case "[C":
		if err := s.until("]]>"); err != nil {
			return nil, err
		}
		rest, ok := bytes.CutPrefix(s.text, []byte("DATA["))
		if !ok || !utf8.Valid(rest) {
			return nil, errXML
		}
		return xml.CharData(rest), nil
	}
	return xml.Directive(nil), nil
}

// chars reads text up to the next tag.
func (s *xmlScanner) chars() (xml.Token, error) {
	s.text = s.text[:0]
	for {
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) && len(s.text) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if c == '<' {
			s.in.unread()
			break
		}
		if err := s.append(c); err != nil {
			return nil, err
		}
	}
	if !utf8.Valid(s.text) {
		return nil, errXML
	}
	return xml.CharData(s.text), nil
}

// append adds a character of a text or of an attribute, which may be written as a reference.
func (s *xmlScanner) append(c byte) error {
	if c != '&' {
		s.text = append(s.text, c)
		return nil
	}
	var room [12]byte
	ref := room[:0]
	for {
		c, err := s.byte()
		if err != nil {
			return err
		}
		if c == ';' {
			break
		}
		if len(ref) == cap(ref) {
			return errXML
		}
		ref = append(ref, c)
	}
	switch string(ref) {
	case "amp":
		s.text = append(s.text, '&')
	case "lt":
		s.text = append(s.text, '<')
	case "gt":
		s.text = append(s.text, '>')
	case "quot":
		s.text = append(s.text, '"')
	case "apos":
		s.text = append(s.text, '\'')
	default:
		digits, numeric := bytes.CutPrefix(ref, []byte("#"))
		base := 10
		if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
			digits, base = hex, 16
		}
		n, err := strconv.ParseUint(string(digits), base, 32)
		if !numeric || err != nil || n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return errXML
		}
		s.text = utf8.AppendRune(s.text, rune(n))
	}
	return nil
}

// start reads a start tag.
func (s *xmlScanner) start() (xml.Token, error) {
	name, c, err := s.word()
	if err != nil {
		return nil, err
	}
	s.attrs = s.attrs[:0]
	for {
		for isBlank(c) {
			if c, err = s.byte(); err != nil {
				return nil, err
			}
		}
		switch c {
		case '>':
			return xml.StartElement{Name: name, Attr: s.attrs}, nil
		case '/':
			if c, err = s.byte(); err != nil || c != '>' {
				return nil, errors.Join(err, errXML)
			}
			s.name, s.empty = name, true
			return xml.StartElement{Name: name, Attr: s.attrs}, nil
		}
		s.in.unread()
		if c, err = s.attribute(); err != nil {
			return nil, err
		}
	}
}

// attribute reads one attribute, and returns the byte behind it.
func (s *xmlScanner) attribute() (byte, error) {
	name, c, err := s.word()
	for err == nil && isBlank(c) {
		c, err = s.byte()
	}
	if err == nil && c != '=' {
		err = errXML
	}
	quote := byte(' ')
	for err == nil && isBlank(quote) {
		quote, err = s.byte()
	}
	if err == nil && quote != '"' && quote != '\'' {
		err = errXML
	}
	s.text = s.text[:0]
	for err == nil {
		if c, err = s.byte(); err != nil || c == quote {
			break
		}
		if c == '<' {
			return 0, errXML
		}
		err = s.append(c)
	}
	if err != nil {
		return 0, err
	}
	if !utf8.Valid(s.text) {
		return 0, errXML
	}
	s.attrs = append(s.attrs, xml.Attr{Name: name, Value: s.same(s.text)})
	return s.byte()
}

// word reads a name, and returns the byte behind it.
func (s *xmlScanner) word() (name xml.Name, c byte, err error) {
	s.text = s.text[:0]
	for {
		if c, err = s.byte(); err != nil {
			return name, 0, err
		}
		if isBlank(c) || c == '>' || c == '/' || c == '=' {
			break
		}
		if c == '<' || c == '"' || c == '\'' || c == '&' {
			return name, 0, errXML
		}
		s.text = append(s.text, c)
	}
	if len(s.text) == 0 || !utf8.Valid(s.text) {
		return name, 0, errXML
	}
	if prefix, local, ok := bytes.Cut(s.text, []byte(":")); ok {
		return xml.Name{Space: s.same(prefix), Local: s.same(local)}, c, nil
	}
	return xml.Name{Local: s.same(s.text)}, c, nil
}

// same is a text as a string, the one of before if there was one.
func (s *xmlScanner) same(b []byte) string {
	if v, ok := s.names[string(b)]; ok {
		return v
	}
	v := string(b)
	if len(s.names) < maxNames && len(b) <= 3 {
		s.names[v] = v
	} else if len(s.names) < maxNames && len(b) <= 32 && (b[0] < '0' || b[0] > '9') && b[len(b)-1] > '9' {
		s.names[v] = v
	}
	return v
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
