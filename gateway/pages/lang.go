package pages

import (
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// Lang is a language of the pages.
type Lang string

// The languages.
const (
	Chinese Lang = "zh"
	English Lang = "en"
)

// Tag is the language as a BCP 47 tag for the lang attribute.
func (l Lang) Tag() string {
	if l == Chinese {
		return "zh-CN"
	}
	return "en"
}

func (l Lang) other() Lang {
	if l == Chinese {
		return English
	}
	return Chinese
}

// Of picks the language of a request: the parameter lang, else the best of Accept-Language (RFC 9110, section 12.5.4),
// else English.
func Of(r *http.Request) Lang {
	switch l := Lang(r.URL.Query().Get("lang")); l {
	case Chinese, English:
		return l
	}
	best, bestQ := English, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, q := quality(part)
		l := Lang(strings.ToLower(strings.SplitN(tag, "-", 2)[0]))
		if (l == Chinese || l == English) && q > bestQ {
			best, bestQ = l, q
		}
	}
	return best
}

// quality splits an element of an Accept header into its value and weight (RFC 9110, section 12.4.2).
func quality(part string) (value string, q float64) {
	value, params, _ := strings.Cut(part, ";")
	q = 1
	for param := range strings.SplitSeq(params, ";") {
		name, weight, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			w, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			if err != nil || w < 0 || w > 1 {
				w = 0
			}
			q = w
		}
	}
	return strings.TrimSpace(value), q
}

//go:embed text/*.json
var textFiles embed.FS

// catalogue holds every text of one language by its key.
type catalogue map[string]string

func readCatalogue(l Lang) (catalogue, error) {
	body, err := textFiles.ReadFile("text/" + string(l) + ".json")
	if err != nil {
		return nil, err
	}
	var c catalogue
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("pages: text/%s.json: %w", l, err)
	}
	return c, nil
}

// say returns the text of a key with its arguments filled in. A key that is not there shows itself; a test sees to it that none is.
func (c catalogue) say(key string, args ...any) string {
	text, ok := c[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// first returns the text of the first key that there is, or fallback.
func (c catalogue) first(fallback string, keys ...string) string {
	for _, k := range keys {
		if text, ok := c[k]; ok {
			return text
		}
	}
	return fallback
}

// pick is a text in a language, or in the other where it is not there.
func pick(t contract.Text, l Lang) string {
	a, b := t.EN, t.ZH
	if l == Chinese {
		a, b = b, a
	}
	if a != "" {
		return a
	}
	return b
}

// date and clock write a time for people, with the offset that it was written with.
func (l Lang) date(t time.Time) string {
	if l == Chinese {
		return t.Format("2006年1月2日")
	}
	return t.Format("2 Jan 2006")
}

func (l Lang) dateTime(t time.Time) string { return l.date(t) + " " + t.Format("15:04") }
