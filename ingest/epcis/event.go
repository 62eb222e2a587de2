package epcis

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// decodeOptions: the text was checked when it was read.
var decodeOptions = json.JoinOptions(again...)

// readEvent decodes and checks one event whose text is well-formed JSON. Pointers and offsets of the problems are relative to it. The
// event is nil if one of the problems is an error.
func (r *Reader) readEvent(raw jsontext.Value) (*event.Event, []Problem) {
	if raw.Kind() != '{' {
		return nil, []Problem{{Code: CodeType, Message: "An event must be a JSON object."}}
	}
	if zeros := zeroCharacters(raw); len(zeros) > 0 {
		problems := make([]Problem, len(zeros))
		for i, at := range zeros {
			problems[i] = zeroProblem(at)
		}
		return nil, locate(raw, problems)
	}
	e := new(event.Event)
	err := json.Unmarshal(raw, e, decodeOptions)
	if err != nil || suspicious(raw) {
		if problems := diagnose(raw, err); len(problems) > 0 {
			return nil, locate(raw, problems)
		}
	}
	e.Ext = r.withIgnored(e.Ext)
	c, problems := r.eventContext(e.Context)
	rules := rules{e: e, problems: problems}
	rules.event()
	if HasErrors(rules.problems) {
		return nil, locate(raw, rules.problems)
	}
	e.Context, err = r.usedContext(&c, e, raw)
	if err != nil {
		rules.refuse(CodeValue, "", "The event cannot be written again: "+err.Error()+".")
		return nil, locate(raw, rules.problems)
	}
	rules.problems = append(rules.problems, r.unknownPrefixes(e, &c)...)
	return e, locate(raw, rules.problems)
}

// zeroProblem refuses the one character of JSON that XML and many databases cannot have.
func zeroProblem(at string) Problem {
	return Problem{Code: CodeValue, Pointer: at, Message: "The text has the character U+0000, which cannot be kept."}
}

// usedContext is the part of the context whose prefixes the event uses: in its text, or, where that has a context of its own or
// escaped characters, or something of the document was added, in the event written again.
func (r *Reader) usedContext(c *ldContext, e *event.Event, raw jsontext.Value) (jsontext.Value, error) {
	if len(e.Context) == 0 && len(r.ignore) == 0 && !bytes.Contains(raw, []byte(`\u`)) {
		return c.used(raw), nil
	}
	e.Context = nil
	plain, err := event.Marshal(e)
	return c.used(plain), err
}

// diagnose finds what is wrong with the JSON form of an event, and with the rest of it; nothing if all is well.
func diagnose(raw jsontext.Value, decodeError error) []Problem {
	d := new(diagnosis)
	d.object(raw, eventShape, false, "")
	e := new(event.Event)
	err := json.Unmarshal(d.clean, e, decodeOptions)
	if len(d.problems) == 0 {
		var e *event.Error
		switch {
		case errors.As(decodeError, &e):
			d.refuse(Code(e.Code), "", "The event "+e.Msg+".")
		case decodeError != nil: // a fault that the shapes do not show; say it in the decoder's words
			d.refuse(CodeValue, "", "The event cannot be read: "+decodeError.Error()+".")
		}
		return d.problems
	}
	if err == nil {
		rules := rules{e: e}
		rules.event()
		rest := slices.DeleteFunc(rules.problems, func(p Problem) bool { return covers(d.problems, p.Pointer) })
		d.problems = append(d.problems, rest...)
	}
	return d.problems
}

// locate fills in the offsets.
func locate(raw jsontext.Value, problems []Problem) []Problem {
	pointers := make([]string, len(problems))
	for i := range problems {
		pointers[i] = problems[i].Pointer
	}
	for i, offset := range offsetsOf(raw, pointers) {
		problems[i].Offset = offset
	}
	return problems
}

// eventContext is the document's context overridden by the event's own.
func (r *Reader) eventContext(own jsontext.Value) (c ldContext, problems []Problem) {
	if len(own) == 0 {
		if r.bare {
			problems = append(problems, Problem{Code: CodeMissing, Pointer: "/@context",
				Message: "An event outside of a document must have a context."})
		}
		return r.context, problems
	}
	inner := readContext(own, "/@context", func(p Problem) { problems = append(problems, p) })
	return r.context.with(inner), append(problems, redefinitions(inner, "/@context")...)
}

func redefinitions(c ldContext, at string) (problems []Problem) {
	for _, name := range c.redefined {
		problems = append(problems, Problem{Code: CodeRedefined, Severity: Finding, Pointer: at,
			Message: "The context gives " + name + " a meaning; it is read as the standard has it."})
	}
	return problems
}

// withIgnored adds the document's ignoreFields member to an event that has one of the members it names, so that the event's
// hash is the same outside of its document.
func (r *Reader) withIgnored(ext jsontext.Value) jsontext.Value {
	if len(r.ignore) == 0 || len(ext) == 0 {
		return ext
	}
	for name := range memberNames(ext) {
		if slices.Contains(r.ignore, name) {
			with, err := event.Canonical(slices.Concat(ext[:len(ext)-1], []byte{','}, r.ignoreMember, []byte{'}'}))
			if err != nil {
				return ext // the event has that member itself
			}
			return with
		}
	}
	return ext
}

// unknownPrefixes remarks each prefix that no context declares once in a document.
func (r *Reader) unknownPrefixes(e *event.Event, c *ldContext) (problems []Problem) {
	check := func(at string, raw jsontext.Value) {
		for name := range memberNames(raw) {
			prefix, rest, ok := strings.Cut(name, ":")
			if !ok || strings.HasPrefix(rest, "//") || c.knows(prefix) || r.remarked[prefix] || prefix == "urn" || len(r.remarked) >= maxNamespaces {
				continue
			}
			r.remarked[prefix] = true
			problems = append(problems, Problem{Code: CodePrefix, Severity: Finding, Pointer: at + "/" + escape(name),
				Message: "No context declares the prefix " + prefix + "."})
		}
	}
	check("", e.Ext)
	check("/ilmd", e.ILMD)
	return problems
}
