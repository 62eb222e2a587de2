package view

import (
	"net/url"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// LotPath is where the pages of items that are not GS1's begin: their URI follows, percent-encoded.
const LotPath = "/lot/"

// Path is the path of an item's page: that of its canonical Digital Link, or LotPath and its URI.
func Path(key string) string {
	if id, err := gs1.Parse(key); id.Kind != gs1.Other && (err == nil || gs1.IsCheckDigit(err)) {
		return strings.TrimPrefix(id.Canonical, "https://id.gs1.org")
	}
	return LotPath + url.PathEscape(key)
}
