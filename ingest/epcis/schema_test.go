package epcis_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// Why a document that is written is not valid by GS1's schema: others can say what there is no place for.
const (
	noPrefix   = "a member has no prefix, and the XML of EPCIS 2.0 wants a namespace for extensions"
	oneOnly    = "two certificates: the schema takes one, the text of the standard several"
	noAction   = "an action in a TransformationEvent, which is accepted with a finding"
	inQuantity = "an extension in a quantity, which is accepted with a finding"
	fastntTest = "epcis2-fastnt/tests/FasTnT.Host.Tests/Features/v2_0/Communication/Resources/Events/"
)

// notValid are the documents that are not valid in XML; those with inQuantity are not in JSON either.
var notValid = map[string]string{
	fastntTest + "ObjectEvent_StringCertificationInfoArrayInvalid.json":                             oneOnly,
	"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data/EPCISQUERYDOCUMENT_advanced_5.jsonld": noPrefix,
	"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data/querydoc_example02.xml":               inQuantity,
	"gs1-epcis/JSON-simple-context/PersistentDisposition-example.jsonld":                            noPrefix,
	"gs1-epcis/XSL/1.2/XML/ObjectEvent.xml":                                                         noPrefix,
	"openepcis-converter/core/src/main/resources/xalan-conversion/1.2/XML/ObjectEvent.xml":          noPrefix,
	"openepcis-dpp-ready/eu/battery/epcis/amperia-staxwall-lifecycle.jsonld":                        noAction,
}

// What was read of the public documents is valid by GS1's schemas when it is written in XML, but for what is listed.
func TestWrittenXMLIsValid(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not here (package libxml2-utils)")
	}
	all := sharedDocuments(t)
	for typ, schema := range map[string]string{"EPCISDocument": "EPCglobal-epcis-2_0.xsd", "EPCISQueryDocument": "EPCglobal-epcis-query-2_0.xsd"} {
		dir, names := t.TempDir(), slices.Sorted(maps.Keys(all))
		args := []string{"--nonet", "--noout", "--schema", testdata.Shared(t, "gs1-epcis", "XSD", schema)}
		for i, name := range names {
			args = append(args, filepath.Join(dir, strconv.Itoa(i)+".xml"))
			if err := os.WriteFile(args[len(args)-1], written(t, "XML", typ, all[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, _ := exec.Command(xmllint, args...).CombinedOutput() // fails for those that are listed
		for i, name := range names {
			valid := bytes.Contains(out, []byte("/"+strconv.Itoa(i)+".xml validates\n"))
			if why, listed := notValid[name]; valid == listed {
				t.Errorf("%s as %s: valid is %v (%s)\n%s", name, typ, valid, why, about(out, "/"+strconv.Itoa(i)+".xml"))
			}
		}
	}
}

func about(out []byte, file string) (lines string) {
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, file) {
			lines += line
		}
	}
	return lines
}

// What was read of the public documents is valid by GS1's schema when it is written in JSON, but for what is listed.
func TestWrittenJSONIsValid(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(compilePattern)
	compiler.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: func(any) error { return nil }}) // a finding where it is none: docs/divergences.md
	schema, err := compiler.Compile(testdata.Shared(t, "gs1-epcis", "EPCIS-JSON-Schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range sharedDocuments(t) {
		for _, typ := range []string{"EPCISDocument", "EPCISQueryDocument"} {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, "JSON", typ, doc)))
			if err != nil {
				t.Fatal(name, err)
			}
			if err := schema.Validate(value); (err == nil) == (notValid[name] == inQuantity) {
				t.Errorf("%s as %s: %v", name, typ, err)
			}
		}
	}
}

// pattern is a regular expression of the schema, which has some that begin with a negation that package regexp does not know.
type pattern struct {
	*regexp.Regexp
	negated bool
}

func compilePattern(s string) (jsonschema.Regexp, error) {
	inner, negated := strings.CutPrefix(s, "^(?!")
	if negated {
		s = "^(" + inner
	}
	re, err := regexp.Compile(s)
	return pattern{re, negated}, err
}

func (p pattern) MatchString(s string) bool { return p.Regexp.MatchString(s) != p.negated }

// written is a document with what it was read to have; an event that XML cannot have is left out.
func written(t *testing.T, format, typ string, doc *epcis.Document) []byte {
	t.Helper()
	h := doc.Header
	h.Type, h.QueryName = typ, "all"
	if h.CreationDate.IsZero() {
		h.CreationDate = event.Time{Time: time.Date(2026, 4, 20, 8, 30, 0, 0, time.UTC)}
	}
	var out bytes.Buffer
	w := writers[format](&out, h)
	for _, e := range doc.Events {
		if err := w.Write(e); err != nil && format == "JSON" {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
