// Package accept chooses among the forms of an answer what a client asked for.
package accept

import (
	"strconv"
	"strings"
)

// Choose returns the offer that an Accept header wants most (RFC 9110, section 12.5.1), the first of equals, or "" if it
// wants none. Without a header it is the first.
func Choose(accept string, offers ...string) string {
	if strings.TrimSpace(accept) == "" {
		return offers[0]
	}
	best, bestQ := "", 0.0
	for _, offer := range offers {
		if q := weight(accept, offer); q > bestQ {
			best, bestQ = offer, q
		}
	}
	return best
}

// weight is the weight that the most specific range of an Accept header gives a media type; 0 where none matches.
func weight(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	found, q := -1, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		specific := -1
		switch strings.ToLower(strings.TrimSpace(name)) {
		case media:
			specific = 2
		case kind + "/*":
			specific = 1
		case "*/*":
			specific = 0
		}
		if specific > found {
			found, q = specific, qValue(params)
		}
	}
	return q
}

// qValue reads the weight among the parameters of a range. One that cannot be read refuses.
func qValue(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
