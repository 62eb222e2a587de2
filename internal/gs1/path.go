package gs1

import "strings"

// splitHTTP cuts an http or https URI into host (with user and port) and path (without query and fragment).
func splitHTTP(uri string) (host, path string, ok bool) {
	rest, ok := cutHTTP(uri)
	if !ok {
		return "", "", false
	}
	for _, mark := range [...]byte{'?', '#'} {
		if i := strings.IndexByte(rest, mark); i >= 0 {
			rest = rest[:i]
		}
	}
	i := strings.IndexByte(rest, '/')
	if i < 0 {
		return rest, "", true
	}
	return rest[:i], rest[i:], true
}

// cutHTTP removes the scheme. QR codes carry it in capitals when that makes them smaller; a mixture is not allowed.
func cutHTTP(uri string) (rest string, ok bool) {
	for _, scheme := range [...]string{"https://", "http://", "HTTPS://", "HTTP://"} {
		if strings.HasPrefix(uri, scheme) {
			return uri[len(scheme):], true
		}
	}
	return "", false
}

func isCanonicalHost(host string) bool {
	const name = "id.gs1.org"
	host, _, _ = strings.Cut(host, ":")
	return len(host) == len(name) && strings.EqualFold(host, name)
}

// maxPairs is the most (AI, value) pairs of a path: 01 with 22, 10 and 21.
const maxPairs = 4

type pathPair struct {
	key  *key       // of the first pair in the path
	qual *qualifier // of the others
	raw  string
}

// pathPairs reads the path from its end, because anything may precede the key. The first pair is the last in the path.
// It checks that the qualifiers are the key's and in order. stem is the part before the key.
func pathPairs(path string) (pairs [maxPairs]pathPair, n int, stem string, err *Error) {
	stem = path
	for n < maxPairs {
		i := strings.LastIndexByte(stem, '/')
		if i < 0 {
			break
		}
		j := strings.LastIndexByte(stem[:i], '/')
		if j < 0 {
			break
		}
		name := stem[j+1 : i]
		p := pathPair{key: keyNamed(name), raw: stem[i+1:]}
		if p.key == nil {
			p.qual = qualifierNamed(name)
		}
		if p.key == nil && p.qual == nil {
			break
		}
		stem = stem[:j]
		pairs[n] = p
		n++
		if p.key != nil {
			return pairs, n, stem, inOrder(pairs[:n])
		}
	}
	return pairs, 0, "", fault(KeyUnknown, "", "the path does not end in a GS1 key and its qualifiers")
}

func inOrder(pairs []pathPair) *Error {
	key, rank := pairs[len(pairs)-1].key, uint8(0)
	for i := len(pairs) - 2; i >= 0; i-- {
		q := pairs[i].qual
		if !q.fits(key) || q.rank <= rank || q.alone && rank > 0 {
			return fault(QualifierWrong, q.ai, "the key does not take this qualifier here")
		}
		rank = q.rank
	}
	return nil
}

// fromPath makes the canonical form of a Digital Link path. The result has a key only if it is readable.
func fromPath(room []byte, path string) (canonical, *Error) {
	pairs, n, _, err := pathPairs(path)
	if err != nil {
		return canonical{}, err
	}
	var c canonical
	c.start(room, pairs[n-1].key)
	keyFault := c.pathKey(pairs[n-1].raw)
	if keyFault != nil && !c.faulty {
		return canonical{}, keyFault
	}
	for i := n - 2; i >= 0; i-- {
		if e := c.pathQualifier(pairs[i].qual, pairs[i].raw); e != nil {
			err = e
		}
	}
	if err != nil {
		return c.despite(err), err
	}
	if keyFault != nil {
		return c, keyFault
	}
	return c, c.checkDigits()
}

// pathKey appends the value of the primary key; a short GTIN is filled with zeros.
func (c *canonical) pathKey(raw string) *Error {
	if strings.IndexByte(raw, '%') >= 0 { // digits may be percent-encoded too
		plain := unescapePath(raw)
		digits := min(len(plain), c.key.digits)
		raw = plain[:digits] + escapePath(plain[digits:])
	}
	n := len(raw)
	if c.key.kind == Class && (n == 8 || n == 12 || n == 13) {
		c.text = append(c.text, zeros[:14-n]...)
		return c.keyValue(raw, n)
	}
	return c.keyValue(raw, c.key.digits)
}

// keyValue appends a value of n digits and a tail.
func (c *canonical) keyValue(raw string, n int) *Error {
	k := c.key
	if k.check == 0 {
		if err := checkPrefix(k.ai, raw); err != nil {
			return err
		}
	}
	if len(raw) < n {
		return fault(LengthWrong, k.ai, "the key is too short")
	}
	if !allDigits(raw[:n]) {
		return fault(CharsetWrong, k.ai, "the key starts with something else than digits")
	}
	c.text = append(c.text, raw[:n]...)
	err := c.value(k.ai, raw[n:], 0, k.tail, k.set)
	c.keyEnd = len(c.text)
	if c.faulty = err == nil && k.kind == GRAI && raw[0] != '0'; c.faulty { // often left out; it is readable without
		return fault(ValueWrong, k.ai, "a GRAI starts with 0")
	}
	return err
}

// pathQualifier checks a qualifier and keeps it unless a finer one follows; the variant (22) is not part of the identity.
func (c *canonical) pathQualifier(q *qualifier, raw string) *Error {
	c.text = c.text[:c.keyEnd]
	c.startQualifier(q)
	err := c.value(q.ai, raw, 1, q.max, q.set)
	if q.ai == "22" {
		c.text, c.qual = c.text[:c.keyEnd], nil
	}
	return err
}
