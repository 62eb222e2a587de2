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
