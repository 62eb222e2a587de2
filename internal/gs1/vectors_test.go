package gs1

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// vector is one row of any of the conformance files; each file uses some of the fields.
type vector struct {
	Test, Fn, Op, URI, Note, Scenario, Table string
	In                                       string
	OK                                       bool
	Expect                                   *string
	Stem                                     *string
	ElementString                            *string `json:"element_string"`
	GCPLength                                *int    `json:"gcpLength"`
	Flags                                    map[string]bool
	Seq                                      []string
	Linter                                   string
	Data                                     json.RawMessage
	Path, Query                              json.RawMessage
	Row                                      map[string]string
}

// outcome of one vector: "" is a pass, outOfScope does not count, and anything else says what came out instead.
type outcome string

const outOfScope outcome = "out of scope"

func equal(got, want string) outcome {
	if got == want {
		return ""
	}
	return outcome(fmt.Sprintf("got %q, want %q", got, want))
}

// runVectors applies check to each row of a file. Rows that fail must be the rows that divergences lists, no more, no fewer.
func runVectors(t *testing.T, file string, check func(vector) outcome) {
	t.Helper()
	data, err := os.ReadFile(testdata.Shared(t, "vectors-split", "dev", file+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[int]string{}
	for _, d := range divergences {
		for _, line := range d.lines[file] {
			reasons[line] = d.reason
		}
	}
	passed, diverged, skipped := 0, 0, 0
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 1<<20)
	for line := 1; scan.Scan(); line++ {
		var v vector
		if err := json.Unmarshal(scan.Bytes(), &v); err != nil {
			t.Fatalf("%s:%d: %v", file, line, err)
		}
		got := check(v)
		_, listed := reasons[line]
		delete(reasons, line)
		switch {
		case got == outOfScope:
			skipped++
		case got == "" && listed:
			t.Errorf("%s:%d passes now: take it off the list of divergences", file, line)
		case got == "":
			passed++
		case listed:
			diverged++
		default:
			t.Errorf("%s:%d: %s\n%s", file, line, got, scan.Bytes())
		}
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	for line := range reasons {
		t.Errorf("%s:%d is listed as diverged, but there is no such row", file, line)
	}
	t.Logf("%s: %d passed, %d diverged, %d out of scope", file, passed, diverged, skipped)
}

func TestCanonicalVectors(t *testing.T) {
	for _, file := range []string{"event-hash-ralphtro__dl_normaliser", "event-hash-epcis2js__dl_normaliser"} {
		runVectors(t, file, func(v vector) outcome {
			got, _ := Canonical(v.In)
			want := v.In // null: not a GS1 identifier, so hashed as given
			if v.Expect != nil {
				want = *v.Expect
			}
			return equal(got, want)
		})
	}
}

// prefixLength is that of the URN a vector expects, for rows that leave it to a table of company prefixes.
var urnPrefix = regexp.MustCompile(`^urn:epc:[a-z]+:[a-z]+:(\d+)\.`)

func prefixLength(v vector) int {
	if v.GCPLength != nil {
		return *v.GCPLength
	}
	if v.Expect != nil {
		if m := urnPrefix.FindStringSubmatch(*v.Expect); m != nil {
			return len(m[1])
		}
	}
	return 7 // rows that expect an error whatever the length
}

func convert(v vector) (string, error) {
	if strings.HasPrefix(v.Fn, "toURN") {
		return ToURN(v.In, prefixLength(v))
	}
	return FromURN(v.In)
}

func TestConversionVectors(t *testing.T) {
	runVectors(t, "openepcis-dl-translator__urn_digitallink_pairs", func(v vector) outcome {
		if v.Fn == "toUrnVocabulary" {
			return outOfScope
		}
		got, err := convert(v)
		if err != nil && !IsCheckDigit(err) {
			return outcome(err.Error())
		}
		return equal(got, *v.Expect)
	})
	runVectors(t, "openepcis-dl-translator__conversion_errors", func(v vector) outcome {
		if got, err := convert(v); err == nil {
			return outcome("no error, got " + got)
		}
		return ""
	})
}

func TestValidityVectors(t *testing.T) {
	runVectors(t, "openepcis-dl-translator__identifier_valid_invalid", func(v vector) outcome {
		_, err := FromURN(v.In)
		if !strings.HasPrefix(v.In, "urn:") {
			_, err = ParseDigitalLink(v.In)
		}
		if (err == nil) != v.OK {
			return outcome(fmt.Sprintf("error %v, want valid %v", err, v.OK))
		}
		return ""
	})
}

func TestNormaliseVectors(t *testing.T) {
	runVectors(t, "openepcis-dl-translator__normalise", func(v vector) outcome {
		l, err := ParseDigitalLink(v.In)
		if err != nil {
			return outcome(err.Error())
		}
		return equal(l.URI(""), *v.Expect)
	})
	runVectors(t, "openepcis-dl-translator__short_name", func(v vector) outcome {
		if v.Fn == "toWebURIVocabulary" {
			return outOfScope
		}
		got, _ := Canonical(v.In)
		return equal(got, *v.Expect)
	})
}

// withFNC1 is an element string in the notation of the GS1 syntax engine.
func withFNC1(s string) string { return "^" + strings.ReplaceAll(s, string(separator), "^") }

func TestParseDigitalLinkVectors(t *testing.T) {
	runVectors(t, "gs1-syntax-engine__dl_parse", func(v vector) outcome {
		l, err := ParseDigitalLink(v.URI)
		if (err == nil) != v.OK {
			return outcome(fmt.Sprintf("error %v, want ok %v", err, v.OK))
		}
		if !v.OK {
			return ""
		}
		return equal(withFNC1(l.ElementString()), *v.ElementString)
	})
	runVectors(t, "gs1-syntax-engine__dl_valid_path_ai_sequences", func(v vector) outcome {
		var path strings.Builder
		for _, number := range v.Seq {
			path.WriteString("/" + number + "/" + sampleValue(t, number))
		}
		if _, err := ParseDigitalLink("https://example.com" + path.String()); err != nil {
			return outcome(path.String() + ": " + err.Error())
		}
		return ""
	})
}

// sampleValue is the shortest right value of an application identifier.
func sampleValue(t *testing.T, number string) string {
	t.Helper()
	var out string
	for _, text := range strings.Fields(aiNamed(number).format) {
		c := readComponent(text)
		if c.optional {
			break
		}
		part := strings.Repeat("1", c.min)
		switch c.check {
		case "csum":
			part = part[:c.min-1] + string(checkDigit(part[:c.min-1]))
		case "zero":
			part = strings.Repeat("0", c.min)
		case "prefix":
			part = "123456"
		case "csumalpha":
			part = "1987654Ad4X4bL5ttr2310c2K"
		}
		out += part
	}
	if err := CheckValue(number, out); err != nil {
		t.Fatalf("sample %q of %s: %v", out, number, err)
	}
	return out
}

var bracketed = regexp.MustCompile(`\((\d+)\)([^(]*)`)

func elementsOf(s string) (list []Element) {
	for _, m := range bracketed.FindAllStringSubmatch(s, -1) {
		list = append(list, Element{m[1], m[2]})
	}
	return list
}

func TestNewLinkVectors(t *testing.T) {
	runVectors(t, "gs1-syntax-engine__dl_generate", func(v vector) outcome {
		l, err := NewLink(elementsOf(*v.ElementString))
		if (err == nil) != v.OK {
			return outcome(fmt.Sprintf("error %v, want ok %v", err, v.OK))
		}
		if !v.OK {
			return ""
		}
		stem := ""
		if v.Stem != nil {
			stem = *v.Stem
		}
		return equal(l.URI(stem), v.URI)
	})
}

// text is a JSON string, or bytes in hexadecimal.
func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b struct{ Hex string }
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	out, err := hex.DecodeString(b.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEscapeVectors(t *testing.T) {
	both := func(path, query func(string) string) func(vector) outcome {
		return func(v vector) outcome {
			return equal(path(v.In), text(t, v.Path)) + equal(query(v.In), text(t, v.Query))
		}
	}
	runVectors(t, "gs1-syntax-engine__uri_escape", both(escapePath, escapeQuery))
	runVectors(t, "gs1-syntax-engine__uri_unescape", both(unescapePath, unescapeQuery))
}

// compressed says whether a scenario is about Digital Link compression.
func compressed(v vector) bool {
	return strings.Contains(strings.ToLower(v.Scenario), "compress") && !strings.HasPrefix(v.Scenario, "Compress uncompressed")
}

// someOrder says whether want is the element string of the elements in some order: the vectors order them by rules of their
// own, and the order has no meaning.
func someOrder(done, rest []Element, want string) bool {
	if len(rest) == 0 {
		got := Link{Key: done[0], Attributes: done[1:]}.ElementString()
		return strings.ReplaceAll(got, string(separator), "<GS>") == want
	}
	for i := range rest {
		others := slices.Delete(slices.Clone(rest), i, i+1)
		if someOrder(append(slices.Clone(done), rest[i]), others, want) {
			return true
		}
	}
	return false
}

func TestElementStringVectors(t *testing.T) {
	runVectors(t, "dl-solidsoft__Gs1DigitalLinkToGs1ElementStrings", func(v vector) outcome {
		if compressed(v) {
			return outOfScope
		}
		l, err := ParseDigitalLink(v.Row["digitalLink"])
		if err != nil {
			return outcome(err.Error())
		}
		want := v.Row["elementStrings"]
		if strings.HasPrefix(want, "(") {
			return equal(l.Bracketed(), want)
		}
		if !someOrder(nil, l.Elements(), want) {
			return outcome(fmt.Sprintf("got %v, want %q", l.Elements(), want))
		}
		return ""
	})
}

func TestExtractVectors(t *testing.T) {
	runVectors(t, "dl-solidsoft__ExtractFromGs1DigitalLink", func(v vector) outcome {
		if compressed(v) || v.Table != "examples" {
			return outOfScope
		}
		l, err := ParseDigitalLink(v.Row["digitalLink"])
		if err != nil {
			return outcome(err.Error())
		}
		var want []Element
		for i := 1; v.Row[fmt.Sprint("AI", i)] != ""; i++ {
			want = append(want, Element{v.Row[fmt.Sprint("AI", i)], v.Row[fmt.Sprint("Value", i)]})
		}
		if got := l.Elements(); !slices.Equal(got, want) {
			return outcome(fmt.Sprintf("got %v, want %v", got, want))
		}
		return ""
	})
}

func TestAdditionalContentVectors(t *testing.T) {
	runVectors(t, "dl-solidsoft__AdditionalUriContent", func(v vector) outcome {
		uri := v.Row["digitalLinkUri"]
		if compressed(v) || uri == "" {
			return outOfScope
		}
		l, err := ParseDigitalLink(uri)
		if err != nil {
			return outcome(err.Error())
		}
		again := l.URI(l.Stem)
		for _, part := range l.Other { // the parts come back in the order of the row unless attributes and others are mixed
			again += string("?&"[min(1, strings.Count(again, "?"))]) + part
		}
		if l.Fragment != "" {
			again += "#" + l.Fragment
		}
		return equal(again, uri)
	})
}

// lengths are those that the formats of the application identifiers give to the values of each check; 0 for any.
var lengths = map[string]int{"csum": 0, "csumalpha": 0, "zero": 0, "nonzero": 0, "nozeroprefix": 0, "yesno": 1, "hh": 2, "mi": 2,
	"ss": 2, "hhmi": 4, "pieceoftotal": 4, "yymmdd": 6, "yymmd0": 6, "yyyymmdd": 8}

func TestLintVectors(t *testing.T) {
	runVectors(t, "gs1-syntax-engine__lint", func(v vector) outcome {
		data := text(t, v.Data)
		length, ours := lengths[v.Linter]
		right := numeric.hasAll(data) && data != ""
		if v.Linter == "csumalpha" { // of a GMN, so with a company prefix and at most 25 characters
			right = cset82.hasAll(data) && len(data) <= 25 && checkPrefix("", data) == nil
		}
		// A check is made only of values with the right length and characters.
		if !ours || !right || length > 0 && len(data) != length {
			return outOfScope
		}
		if err := runCheck(v.Linter, "", data); (err == nil) != v.OK {
			return outcome(fmt.Sprintf("error %v, want ok %v", err, v.OK))
		}
		return ""
	})
}
