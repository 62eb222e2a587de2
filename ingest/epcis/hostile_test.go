package epcis_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

// endless is a document that is made while it is read: head, then parts until it has size bytes, then tail. It measures what the reader holds.
type endless struct {
	part        func(i int) string
	tail        string
	size        int
	i, read     int
	buffer      string
	next        int // when it measures again
	base, most  uint64
	closedParts bool
}

const measured = 200 << 10 // bytes between two measurements

func newEndless(head string, part func(int) string, tail string, size int) *endless {
	return &endless{buffer: head, part: part, tail: tail, size: size, base: liveBytes(), next: measured}
}

func liveBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.buffer) == 0 {
		switch {
		case e.read < e.size:
			e.buffer = e.part(e.i)
			e.i++
		case e.closedParts:
			return 0, io.EOF
		default:
			e.buffer, e.closedParts = e.tail, true
			if e.tail == "" {
				return 0, io.EOF
			}
		}
	}
	n := copy(p, e.buffer)
	e.buffer = e.buffer[n:]
	if e.read += n; e.read >= e.next {
		e.next += measured
		if now := liveBytes(); now > e.base {
			e.most = max(e.most, now-e.base)
		}
	}
	return n, nil
}

func always(s string) func(int) string { return func(int) string { return s } }

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

// A document of whatever size and kind ends, says why and where, and is never in memory as a whole.
func TestHostileDocuments(t *testing.T) {
	const (
		mb       = 1 << 20
		open     = head + `"epcisBody":{"eventList":[`
		xmlOpen  = xmlHead + "<EPCISBody><EventList>"
		xmlFirst = xmlOpen + "<ObjectEvent>" + when
	)
	kilobyte := strings.Repeat("x", 1000)
	xmlVocabulary := xmlHead + `<EPCISHeader><extension><EPCISMasterData><VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:Location"><VocabularyElementList>`
	vocabularies := head + `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":[`
	for _, test := range []struct {
		name, head string
		part       func(int) string
		tail, want string
		size       int
		most       uint64 // bytes that may be held
	}{
		{"a text without end", open + `{"type":"`, always(kilobyte), ``, "error LIMIT /epcisBody/eventList/0", 4 * mb, 4 * mb},
		{"a text without end in the second event", open + object("") + `,{"type":"`, always(kilobyte), ``, "error LIMIT /epcisBody/eventList/1", 4 * mb, 4 * mb},
		{"members without end", open + `{"a":1`, numbered(`,"m%d":1`), ``, "error LIMIT /epcisBody/eventList/0", 4 * mb, 10 * mb},
		{"a number without end", open + `{"quantityList":[{"quantity":1`, always(strings.Repeat("7", 1000)), ``, "error LIMIT /epcisBody/eventList/0", 4 * mb, 4 * mb},
		{"arrays without end", open + `{"ex:a":`, always(strings.Repeat("[", 1000)), ``, "error JSON_SYNTAX /epcisBody/eventList/0", 4 * mb, 4 * mb},
		{"blanks without end", open, always(strings.Repeat(" ", 1000)), ``, "error LIMIT /epcisBody/eventList/0", 4 * mb, 10 * mb},
		{"a name without end", head + `"`, always(kilobyte), ``, "error LIMIT ", 4 * mb, 6 * mb},
		{"root members without end", `{"a":1`, numbered(`,"m%d":1`), ``, "error LIMIT /m999", mb, 4 * mb},
		{"a root member without end", head + `"ex:a":"`, always(kilobyte), ``, "error LIMIT /ex:a", 4 * mb, 4 * mb},
		{"a header without end", head + `"epcisHeader":"`, always(kilobyte), ``, "error LIMIT /epcisHeader", 4 * mb, 6 * mb},
		{"master data without end", vocabularies + `{"id":"urn:x:0"}`, numbered(`,{"id":"urn:x:%d"}`), ``, "error LIMIT /epcisHeader", 4 * mb, 12 * mb},
		{"an array of texts without end", `["`, always(kilobyte), ``, "error LIMIT /0", 4 * mb, 4 * mb},
		{"an event of its own without end", `{"type":"ObjectEvent","epcList":["a"`, always(`,"` + kilobyte + `"`), ``, "error LIMIT /epcList", 4 * mb, 4 * mb},
		{"problems without end", open + `{"a":1}`, always(`,{"a":1}`), `]}}`, "error MISSING /epcisBody/eventList/7/type", mb / 4, 4 * mb},
		{"prefixes without end", open + object(""), numbered(`,` + object(`,"p%d:a":1`)), `]}}`, "finding PREFIX_UNKNOWN /epcisBody/eventList/1/p0:a", mb / 2, 4 * mb},
		{"an XML text without end", xmlFirst + "<ex:a>", always(kilobyte), ``, "error LIMIT " + events + "/ObjectEvent[1]/ex:a", 4 * mb, 12 * mb},
		{"an XML event without end", xmlFirst, numbered("<ex:a%d/>"), "</ObjectEvent></EventList></EPCISBody>" + xmlTail, "error LIMIT " + events + "/ObjectEvent[1]", 3 * mb / 2, 12 * mb},
		{"an XML name without end", xmlOpen + "<", always(kilobyte), ``, "error LIMIT " + events, 4 * mb, 12 * mb},
		{"a long XML name", xmlOpen + "<" + kilobyte, always("y/>"), ``, "error LIMIT " + events, mb / 4, 12 * mb},
		{"an XML attribute without end", xmlOpen + `<a b="`, always(kilobyte), ``, "error LIMIT " + events, 4 * mb, 12 * mb},
		{"CDATA without end", xmlFirst + `<ex:a><![CDATA[`, always(kilobyte), ``, "error LIMIT " + events + "/ObjectEvent[1]/ex:a", 4 * mb, 12 * mb},
		{"an instruction without end", `<?a `, always(kilobyte), ``, "error LIMIT ", 4 * mb, 12 * mb},
		{"XML elements without end", xmlHead, numbered("<a%d/>"), xmlTail, "error UNEXPECTED /epcis:EPCISDocument/a0", mb / 2, 12 * mb},
		{"XML problems without end", xmlOpen, always("<ObjectEvent/>"), "</EventList></EPCISBody>" + xmlTail, "error MISSING " + events + "/ObjectEvent[7]/action", mb / 4, 12 * mb},
		{"XML master data without end", xmlVocabulary, numbered(`<VocabularyElement id="urn:x:` + strings.Repeat("x", 900) + `%d"/>`),
			"</VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader><EPCISBody/>" + xmlTail, "error LIMIT /epcis:EPCISDocument/EPCISHeader", 3 * mb / 2, 12 * mb},
	} {
		source := newEndless(test.head, test.part, test.tail, test.size)
		r := epcis.NewReader(source, epcis.Limits{EventBytes: mb / 2, MasterBytes: mb})
		var all []epcis.Problem
		for {
			_, problems, err := r.Next()
			if len(all) < 1000 {
				all = append(all, problems...)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				all = append(all, *err.(*epcis.Problem))
				break
			}
		}
		if all = append(all, r.Problems()...); !slices.ContainsFunc(found(all), func(s string) bool { return strings.HasPrefix(s, test.want) }) {
			t.Errorf("%s: %.700q, want %q", test.name, found(all), test.want)
		}
		if source.most > test.most {
			t.Errorf("%s: %d MB of %d are held at once", test.name, source.most/mb, source.read/mb)
		}
		checkPlacesBefore(t, test.name, int64(source.read), all)
		t.Logf("%s: %d KB of %d read held", test.name, source.most>>10, source.read>>10)
	}
}

// Whatever the bytes are, the answer has a code and a place. What an encoding says of itself is believed unless a byte shows that it is not so.
func TestEncodings(t *testing.T) {
	const spinach = "\xb2\xa4\xb2\xcb" // 菠菜 in GBK
	utf16 := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteByte(c)
			b.WriteByte(0)
		}
		return b.String()
	}
	declared := func(name, text string) string {
		return `<?xml version="1.0" encoding="` + name + `"?>` + xmlDocument(xmlObject("<ex:a>"+text+"</ex:a>"))
	}
	first := "/epcisBody/eventList/0"
	for _, test := range []struct{ name, doc, want string }{
		{"JSON with a byte order mark", "\ufeff" + document(object("")), ""},
		{"JSON in GBK", document(object(`,"ex:a":"` + spinach + `"`)), "error JSON_ENCODING " + first},
		{"JSON in GBK with the byte order mark of UTF-8", "\ufeff" + document(object(`,"ex:a":"`+spinach+`"`)), "error JSON_ENCODING " + first},
		{"JSON in UTF-16", utf16(document(object(""))), "error JSON_ENCODING "},
		{"JSON in UTF-16 with a byte order mark", "\xff\xfe" + utf16(document(object(""))), "error JSON_ENCODING "},
		{"half a surrogate pair", document(object(`,"ex:a":"\ud83d"`)), "error JSON_SYNTAX " + first + "/ex:a"},
		{"surrogates the wrong way round", document(object(`,"ex:a":"\udc00\ud83d"`)), "error JSON_SYNTAX " + first + "/ex:a"},
		{"a surrogate in UTF-8", document(object(",\"ex:a\":\"\xed\xa0\xbd\"")), "error JSON_ENCODING " + first},
		{"an overlong form", document(object(",\"ex:a\":\"\xc0\xaf\"")), "error JSON_ENCODING " + first},
		{"a zero byte", document(object(",\"ex:a\":\"\x00\"")), "error JSON_SYNTAX " + first},
		{"U+0000", document(object(`,"ex:a":["\u0000"],"bizStep":"a\u0000"`)), "error VALUE " + first + "/ex:a/0"},
		{"U+0000 in a name", document(object(`,"ex:a\u0000":1`)), "error VALUE " + first + "/ex:a\x00"},
		{"U+0000 in master data", vocabulary("urn:x:y", `{"id":"\u0000"}`), "error VALUE /epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0/id"},
		{"an escaped backslash before u0000", document(object(`,"ex:a":"\\u0000"`)), ""},
		{"a name twice", document(object(`,"ex:a":1,"ex:a":2`)), "error JSON_DUPLICATE " + first},
		{"a name twice, once escaped", document(object(`,"ex:a":1,"\u0065x:a":2`)), "error JSON_DUPLICATE " + first},
		{"a name twice inside", document(object(`,"ex:a":{"b":1,"b":2}`)), "error JSON_DUPLICATE " + first},
		{"XML in UTF-7", declared("UTF-7", "+g+A-"), "error XML_ENCODING "},
		{"XML in UTF-7 that is not declared", "+ADw-a+AD4-", "error JSON_SYNTAX "},
		{"XML in UTF-32", "\x00\x00\xfe\xff\x00\x00\x00<", "error"},
		{"XML that declares UTF-8 and is GBK", declared("UTF-8", spinach), "error XML_ENCODING " + events + "/ObjectEvent[1]/ex:a"},
		{"XML that declares GBK and is not", declared("GBK", "\xff\xff"), "error XML_ENCODING " + events + "/ObjectEvent[1]/ex:a"},
		{"XML that declares GBK", declared("GBK", spinach), ""},
		{"XML with a byte order mark that declares GBK and is UTF-8", "\ufeff" + declared("GBK", "菠菜"), ""},
		{"XML with a byte order mark that declares GBK and is", "\ufeff" + declared("GBK", spinach), "error XML_ENCODING " + events + "/ObjectEvent[1]/ex:a"},
		{"XML that declares UTF-16 and is UTF-8", declared("UTF-16", "菠菜"), ""},
		{"XML that changes its encoding", xmlDocument(xmlObject("<ex:a>菠菜</ex:a>"), xmlObject("<ex:a>"+spinach+"</ex:a>")), "error XML_ENCODING " + events + "/ObjectEvent[2]/ex:a"},
		{"half a UTF-16 character", "\xff\xfe" + utf16(declared("UTF-16", "x")) + "\x00", "error XML_ENCODING "},
		{"a zero character in XML", xmlDocument(xmlObject("<ex:a>&#0;</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
		{"a zero byte in XML", xmlDocument(xmlObject("<ex:a>\x00</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
		{"a surrogate in XML", xmlDocument(xmlObject("<ex:a>&#xd83d;</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
		{"a surrogate pair in XML", xmlDocument(xmlObject("<ex:a>&#55357;&#56832;</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
		{"characters by number in XML", xmlDocument(xmlObject("<ex:a>&#x1F600;&#xd7ff;&#xe000;&#x83dc;&amp;#xd83d;</ex:a>")), ""},
		{"an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + xmlDocument(xmlObject("<ex:a>&x;</ex:a>")), "error XML_DTD "},
		{"a parameter entity", `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>` + xmlDocument(), "error XML_DTD "},
		{"a stylesheet and an include", `<?xml-stylesheet href="http://127.0.0.1/x"?>` + xmlDocument(xmlObject(`<ex:a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></ex:a>`)), ""},
	} {
		doc, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
		got := strings.Join(found(problems), "; ")
		if test.want == "" && (got != "" || len(doc.Events) != 1) || test.want != "" && !strings.Contains("; "+got, "; "+test.want) {
			t.Errorf("%s: %d events, %q, want %q", test.name, len(doc.Events), got, test.want)
		}
		checkPlacesBefore(t, test.name, 2*int64(len(test.doc)), problems)
	}
}

// What looks small and costs much is refused before it does: each of these took minutes when every name was looked up among all others.
func TestHostileContexts(t *testing.T) {
	list := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()[1:]
	}
	const many = 20_000
	context := `"@context":{` + list(many, `,"p%d":"urn:x:%[1]d"`) + `}`
	event := strings.Replace(object(`,`+list(many, `,"p%d:a":1`)), "{", "{"+context+",", 1)
	for _, test := range []struct{ name, doc, want string }{
		{"context of a document", `{` + context + `,` + document(event)[len(head)-1:], "error LIMIT /@context"},
		{"context of an event", document(event), "error LIMIT /epcisBody/eventList/0/@context"},
		{"ignored fields", head + `"ex:ignoreFields":[` + list(many, `,"ex:%d"`) + `],` + document(object(`,` + list(many, `,"ex:%d":1`)))[len(head):], "error LIMIT /ex:ignoreFields"},
		{"many problems in a large event", document(object(`,"ex:a":"` + strings.Repeat("x", 1<<20) + `","childEPCs":[` + list(many, ",%d") + `]`)), "error LIMIT /epcisBody/eventList/0/childEPCs/100"},
	} {
		if _, problems := epcis.Parse([]byte(test.doc), epcis.Limits{}); !slices.Contains(found(problems), test.want) {
			t.Errorf("%s: %.300q, want %q", test.name, found(problems), test.want)
		}
	}
}
