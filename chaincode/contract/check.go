package contract

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// checkKey says whether an identifier may be part of a state key.
func checkKey(key, place string, o *Outcome) {
	if len(key) > MaxKey {
		o.refuse(CodeKeyInvalid, place, strings.ToValidUTF8(key[:64], ""), fmt.Sprintf("the identifier has %d bytes, at most %d are allowed", len(key), MaxKey))
		return
	}
	for i := 0; i < len(key); i++ {
		if key[i] < 0x20 || key[i] == 0x7f {
			o.refuse(CodeKeyInvalid, place, strconv.Quote(key), "the identifier contains a control character")
			return
		}
	}
	if !utf8.ValidString(key) {
		o.refuse(CodeKeyInvalid, place, strconv.Quote(key), "the identifier is not valid UTF-8")
	}
}

// isPlain says that a text is printable ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// checkEventItem checks the identifier of an event's item.
func checkEventItem(item *event.Item, o *Outcome) {
	if item.Fault == nil && len(item.Key) <= MaxKey && isPlain(item.Key) {
		return // nearly all
	}
	place := "/event" + item.Place
	checkKey(item.Key, place, o)
	noteFault(item.Fault, item.Key, place, o)
}

// checkIdentifier remarks what is wrong with an identifier in its canonical form.
func checkIdentifier(key, place string, o *Outcome) {
	_, err := gs1.Canonical(key)
	noteFault(err, key, place, o)
}

// noteFault remarks what is wrong with a GS1 identifier; nil is nothing.
func noteFault(err error, key, place string, o *Outcome) {
	switch {
	case err == nil:
	case gs1.IsCheckDigit(err):
		o.note(CodeCheckDigit, place, key, "the check digit of "+key+" does not match")
	default:
		o.note(CodeIdentifier, place, key, "the identifier cannot be read: "+err.Error())
	}
}

// checkItem returns the canonical key of an item that an act names.
func checkItem(uri, place string, o *Outcome) string {
	if uri == "" {
		o.refuse(CodeFieldMissing, place, "", "the record does not say which item it is about")
		return ""
	}
	id, err := gs1.Parse(uri)
	checkKey(id.Canonical, place, o)
	noteFault(err, id.Canonical, place, o)
	if id.Kind == gs1.Class {
		o.refuse(CodeItemIsClass, place, id.Canonical, "a product class is no lot: name the lot, instance or logistic unit")
	}
	return id.Canonical
}

func (d *decision) checkEvidence(all []Evidence, o *Outcome) {
	if len(all) > MaxEvidence {
		o.refuse(CodeTooLarge, "/evidence", "", fmt.Sprintf("a record names at most %d files", MaxEvidence))
		return
	}
	for i := range all {
		e, place := &all[i], "/evidence/"+strconv.Itoa(i)
		if !isDigest(e.SHA256) {
			o.refuse(CodeFieldInvalid, place+"/sha256", "", "a SHA-256 digest has 64 lower-case hexadecimal digits")
		}
		if e.Size < 0 {
			o.refuse(CodeFieldInvalid, place+"/size", "", "a size is not negative")
		}
		checkText(e.Name, place+"/name", o)
		checkText(e.MediaType, place+"/mediaType", o)
	}
}

func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func checkText(s, place string, o *Outcome) {
	if len(s) > MaxText {
		o.refuse(CodeTooLarge, place, "", fmt.Sprintf("a text has at most %d bytes", MaxText))
	}
}

func (t Text) check(place string, o *Outcome) {
	checkText(t.ZH, place+"/zh", o)
	checkText(t.EN, place+"/en", o)
}

func (t Text) require(place string, o *Outcome) {
	if t == (Text{}) {
		o.refuse(CodeFieldMissing, place, "", "the record needs this text in at least one language")
	}
	t.check(place, o)
}

func require(s, place string, o *Outcome) {
	if s == "" {
		o.refuse(CodeFieldMissing, place, "", "the record needs this field")
	}
	checkText(s, place, o)
}

func (d *decision) requireTime(t event.Time, place string, o *Outcome) {
	if t.IsZero() {
		o.refuse(CodeFieldMissing, place, "", "the record needs this time")
		return
	}
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		o.refuse(CodeFieldInvalid, place, "", "the time is outside of the years 1 to 9999")
		return
	}
	if micros(t) > d.now+slack {
		o.note(CodeTimeFuture, place, "", "the time is more than a day in the future")
	}
}
