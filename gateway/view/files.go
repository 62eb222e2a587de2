package view

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Files lists the files of an event: those of its record, and those that the event itself names by their digest, as a certificate
// (EPCIS 2.0, certificationInfo) or as a business transaction of a type that is a document of that kind. A name is RFC 6920's
// ni:///sha-256;VALUE, the value in base64url or, as event hashes have it, in hexadecimal digits.
func Files(e index.Event) []contract.Evidence {
	list := slices.Clone(e.Evidence)
	if e.Event == nil {
		return list
	}
	for _, uri := range named(e.Event) {
		if sum, ok := digest(uri); ok {
			list = append(list, contract.Evidence{SHA256: sum})
		}
	}
	return list
}

// documents are the types of business transactions that are files about goods (CBV 2.0, section 7.3.4): certificate and test results.
var documents = []string{"cert", "testres"}

func named(e *event.Event) []string {
	list := slices.Clone(e.Certification)
	for _, t := range e.BizTransactions {
		for _, d := range documents {
			if t.Type == d || strings.HasSuffix(t.Type, ":"+d) || strings.HasSuffix(t.Type, "/BTT-"+d) {
				list = append(list, t.BizTransaction)
			}
		}
	}
	return list
}

// digest returns the SHA-256 that a URI names, in hexadecimal digits.
func digest(uri string) (string, bool) {
	value, ok := strings.CutPrefix(uri, "ni:///sha-256;")
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
