package query

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// pattern is what a MATCH value names beside itself. The zero pattern names nothing.
type pattern struct {
	head  string // how keys of the pattern begin; '?' stands for any character
	whole bool   // the key ends there, or '/' follows: the head is a whole identifier
}

const stem = "https://id.gs1.org/"

// patternOf reads a pure identity pattern (GS1 TDS, section 8): urn:epc:idpat:sgtin:9506000.013435.*; also with the stars further to the left, and likewise with
// class:lgtin. A trade item as such, in whatever form, names all of its lots and instances: for Digital Link URIs that is the only way to say so.
func patternOf(uri, key string) pattern {
	family, body, ok := strings.Cut(strings.TrimPrefix(uri, "urn:epc:"), ":")
	if !ok || !strings.HasPrefix(uri, "urn:epc:") || !strings.HasSuffix(body, "*") || family != "idpat" && family != "class" {
		if id, _ := gs1.Parse(key); id.Kind == gs1.Class { // whatever its check digit
			return pattern{id.Canonical, true}
		}
		return pattern{}
	}
	scheme, fields, _ := strings.Cut(body, ":")
	list := strings.Split(fields, ".")
	stated := 0
	for stated < len(list) && list[stated] != "*" {
		stated++
	}
	switch {
	case stated == 0:
		return pattern{head: heads[scheme].prefix("")}
	case stated == 1:
		return pattern{head: heads[scheme].prefix(list[0])}
	}
	return ofReference(scheme, list[:stated])
}

// shape is how the canonical keys of a scheme begin: the application identifier, then digits of the key that come before the company prefix.
type shape struct{ ai, lead string }

func (s shape) prefix(company string) string {
	switch {
	case s.ai == "" || strings.Trim(company, "0123456789") != "":
		return ""
	case company == "":
		return stem + s.ai + "/"
	}
	return stem + s.ai + "/" + s.lead + company
}

// heads are the schemes of TDS and their Digital Link form; '?' is an indicator or extension digit, which the reference holds.
var heads = map[string]shape{
	"sgtin": {"01", "?"}, "lgtin": {"01", "?"}, "upui": {"01", "?"}, "itip": {"8006", "?"}, "sscc": {"00", "?"}, "sgln": {"414", ""},
	"pgln": {"417", ""}, "grai": {"8003", "0"}, "giai": {"8004", ""}, "gdti": {"253", ""}, "sgcn": {"255", ""}, "gsrn": {"8018", ""},
	"gsrnp": {"8017", ""}, "cpi": {"8010", ""}, "gsin": {"402", ""}, "ginc": {"401", ""},
}

// ofReference is the pattern with company prefix and reference stated.
func ofReference(scheme string, fields []string) pattern {
	prefix := strings.Join(fields[:2], ".")
	switch scheme {
	case "sgtin", "upui", "lgtin":
		key, err := gs1.Canonical("urn:epc:idpat:sgtin:" + prefix + ".*")
		if err != nil {
			return pattern{}
		}
		if scheme == "lgtin" {
			return pattern{head: key + "/10/"}
		}
		return pattern{key, true}
	case "sgln":
		key, err := gs1.Canonical("urn:epc:id:sgln:" + prefix + ".0")
		if err != nil {
			return pattern{}
		}
		return pattern{key, true}
	case "grai", "gdti", "sgcn", "cpi", "itip":
		if scheme == "itip" {
			if len(fields) != 4 {
				return pattern{}
			}
			prefix = strings.Join(fields, ".")
		}
		key, err := gs1.Canonical("urn:epc:idpat:" + scheme + ":" + prefix + ".*")
		if err != nil {
			return pattern{}
		}
		return pattern{key, scheme == "cpi" || scheme == "itip"} // the others go on with a serial number
	}
	return pattern{}
}

// has says whether a canonical key is of the pattern.
func (p pattern) has(key string) bool {
	if p.head == "" || len(key) < len(p.head) {
		return false
	}
	for i := 0; i < len(p.head); i++ {
		if p.head[i] != key[i] && p.head[i] != '?' {
			return false
		}
	}
	return !p.whole || len(key) == len(p.head) || key[len(p.head)] == '/'
}

// Pattern says whether the value of a MATCH criterion names more than one identifier.
func (v *Value) Pattern() bool { return v.head != "" }

// Head is how the keys of the pattern begin; "?" stands for any character.
func (v *Value) Head() string { return v.head }

// Names says whether a value of a MATCH criterion names an item by its canonical key.
func (v *Value) Names(key string) bool { return v.Key == key || v.has(key) }
