package event

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// fileStart begins the names of files by their SHA-256 (RFC 6920, without an authority).
const fileStart = "ni:///sha-256;"

// FileURI is how an event names a file: by the SHA-256 of its bytes, in lower-case hexadecimal digits as event hashes have it.
func FileURI(sha256 string) string { return fileStart + sha256 }

// Files returns the SHA-256, in lower-case hexadecimal digits, of each file that the event names: as a certificate (EPCIS 2.0, certificationInfo),
// or as a business transaction of a type that is a document of that kind. A name is RFC 6920's ni:///sha-256;VALUE, the value in base64url or,
// as event hashes have it, in hexadecimal digits. Each is listed once, in the event's order.
func (e *Event) Files() (list []string) {
	add := func(uri string) {
		if sum, ok := fileDigest(uri); ok && !slices.Contains(list, sum) {
			list = append(list, sum)
		}
	}
	for _, uri := range e.Certification {
		add(uri)
	}
	for _, t := range e.BizTransactions {
		if isDocument(t.Type) {
			add(t.BizTransaction)
		}
	}
	return list
}

// documents are the types of business transactions that are files about goods (CBV 2.0, section 7.3.4): certificate and test results.
var documents = []string{"cert", "testres"}

func isDocument(transaction string) bool {
	return slices.ContainsFunc(documents, func(d string) bool {
		return transaction == d || strings.HasSuffix(transaction, ":"+d) || strings.HasSuffix(transaction, "/BTT-"+d)
	})
}

// fileDigest returns the SHA-256 that a URI names.
func fileDigest(uri string) (string, bool) {
	value, ok := strings.CutPrefix(uri, fileStart)
	if !ok {
		return "", false
	}
	value, _, _ = strings.Cut(value, "?")
	if sum, err := hex.DecodeString(value); err == nil && len(sum) == 32 {
		return hex.EncodeToString(sum), true
	}
	sum, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	return hex.EncodeToString(sum), err == nil && len(sum) == 32
}
