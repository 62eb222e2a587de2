package tracetest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// The notation has one event a line:
//
//	DAY make[#ID] INPUT… -> OUTPUT…     Transformation, ID is the transformationID
//	DAY pack CHILD… in PARENT           Aggregation ADD
//	DAY see CHILD… in PARENT            Aggregation OBSERVE
//	DAY unpack CHILD… in PARENT         Aggregation DELETE, of all children if none is named
//	DAY new ITEM…                       Object ADD; "lot=N" is the ILMD's lotNumber
//	DAY obs ITEM…                       Object OBSERVE
//	DAY del ITEM…                       Object DELETE
//	void LINE                           error declaration of the event of that line (from 1)
//
// DAY is days after 2026-01-01, with decimals. Further words: @SITE business location, ^SITE read point, >SITE destination
// location, >>PARTY destination owning party, <SITE source location, !STEP business step. An ITEM may have an
// amount, NAME:5 or NAME:2.5KGM. What a name stands for is said by its first letter (Key). Lines that are empty or begin with # count for
// the line numbers only.

// gtin of all products of the notation.
const gtin = "09506000134352"

// Key is the canonical key of a name: P… a pallet (SSCC), S… a serialised item, K a product class, U… an opaque URI,
// all others a lot.
func Key(name string) string {
	switch name[0] {
	case 'P':
		return "https://id.gs1.org/00/" + sscc(name)
	case 'S':
		return "https://id.gs1.org/01/" + gtin + "/21/" + name
	case 'K':
		return "https://id.gs1.org/01/" + gtin
	case 'U':
		return "urn:uuid:" + name
	}
	return "https://id.gs1.org/01/" + gtin + "/10/" + name
}

// sscc is a valid SSCC for a name like P12.
func sscc(name string) string {
	n, _ := strconv.Atoi(name[1:])
	digits := fmt.Sprintf("095060001%08d", n)
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// Site is the URI of a place's or a party's name.
func Site(name string) string { return "urn:example:site:" + name }

// Name is the name of a key or site of the notation.
func Name(key string) string {
	if rest, ok := strings.CutPrefix(key, "https://id.gs1.org/00/095060001"); ok {
		return "P" + strings.TrimLeft(rest[:8], "0")
	}
	if key == Key("K") {
		return "K"
	}
	return key[strings.LastIndexAny(key, "/:")+1:]
}

// TB is what a test, a benchmark and a property test have in common.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Parse reads events in the notation, in record order.
func Parse(t TB, text string) []*event.Event {
	t.Helper()
	var events []*event.Event
	at := map[int]*event.Event{}
	for i, line := range strings.Split(strings.TrimLeft(text, "\n"), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		var e *event.Event
		if words[0] == "void" {
			n, _ := strconv.Atoi(words[1])
			if at[n] == nil {
				t.Fatalf("line %d: there is no event in line %s", i+1, words[1])
			}
			e = Void(at[n])
		} else {
			p := parser{event: &event.Event{TimeZoneOffset: "+00:00"}}
			if err := p.line(words); err != nil {
				t.Fatalf("line %d: %q: %v", i+1, line, err)
			}
			e = p.event
		}
		at[i+1] = e
		events = append(events, e)
	}
	return events
}

// Void is the error declaration of an event.
func Void(e *event.Event) *event.Event {
	return &event.Event{
		Context: e.Context, Type: e.Type, ID: e.ID, Time: e.Time, TimeZoneOffset: e.TimeZoneOffset, Action: e.Action,
		ErrorDeclaration: &event.ErrorDeclaration{DeclarationTime: event.Time{Time: e.Time.Add(time.Hour)}},
		ParentID:         e.ParentID, EPCs: e.EPCs, Quantities: e.Quantities, ChildEPCs: e.ChildEPCs, ChildQuantities: e.ChildQuantities,
		InputEPCs: e.InputEPCs, InputQuantities: e.InputQuantities, OutputEPCs: e.OutputEPCs, OutputQuantities: e.OutputQuantities,
		TransformationID: e.TransformationID, BizStep: e.BizStep, ReadPoint: e.ReadPoint, BizLocation: e.BizLocation,
		Sources: e.Sources, Destinations: e.Destinations, ILMD: e.ILMD,
	}
}

type parser struct {
	event  *event.Event
	epcs   *[]string // where items go
	lots   *[]event.Quantity
	parent bool // the next item is the parent
}

// Day is a time in the notation.
func Day(day float64) event.Time {
	return event.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(math.Round(day*24*3600)) * time.Second)}
}

func (p *parser) line(words []string) error {
	e := p.event
	day, err := strconv.ParseFloat(words[0], 64)
	if err != nil || len(words) < 2 {
		return fmt.Errorf("a line is DAY VERB …")
	}
	e.Time = Day(day)
	verb, id, _ := strings.Cut(words[1], "#")
	p.epcs, p.lots = &e.ChildEPCs, &e.ChildQuantities
	e.Type = event.Aggregation
	switch verb {
	case "make":
		e.Type, e.TransformationID = event.Transformation, id
		p.epcs, p.lots = &e.InputEPCs, &e.InputQuantities
	case "pack", "new":
		e.Action = event.Add
	case "see", "obs":
		e.Action = event.Observe
	case "unpack", "del":
		e.Action = event.Delete
	default:
		return fmt.Errorf("unknown verb %s", verb)
	}
	if verb == "new" || verb == "obs" || verb == "del" {
		e.Type = event.Object
		p.epcs, p.lots = &e.EPCs, &e.Quantities
	}
	for _, word := range words[2:] {
		if err := p.word(word); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) word(word string) error {
	e := p.event
	switch {
	case word == "->":
		p.epcs, p.lots = &e.OutputEPCs, &e.OutputQuantities
	case word == "in":
		p.parent = true
	case strings.HasPrefix(word, "lot="):
		e.ILMD = jsontext.Value(`{"cbvmda:lotNumber":` + strconv.Quote(word[4:]) + `}`)
		e.Context = jsontext.Value(`[{"cbvmda":"urn:epcglobal:cbv:mda:"}]`)
	case word[0] == '@':
		e.BizLocation = &event.Place{ID: Site(word[1:])}
	case word[0] == '^':
		e.ReadPoint = &event.Place{ID: Site(word[1:])}
	case strings.HasPrefix(word, ">>"):
		e.Destinations = append(e.Destinations, event.Destination{Type: "owning_party", Destination: Site(word[2:])})
	case word[0] == '>':
		e.Destinations = append(e.Destinations, event.Destination{Type: "location", Destination: Site(word[1:])})
	case word[0] == '<':
		e.Sources = append(e.Sources, event.Source{Type: "location", Source: Site(word[1:])})
	case word[0] == '!':
		e.BizStep = word[1:]
	case p.parent:
		e.ParentID = Key(word)
	default:
		return p.item(word)
	}
	return nil
}

func (p *parser) item(word string) error {
	name, amount, _ := strings.Cut(word, ":")
	if strings.ContainsRune("PSU", rune(name[0])) {
		*p.epcs = append(*p.epcs, Key(name))
		return nil
	}
	q := event.Quantity{EPCClass: Key(name)}
	if amount != "" {
		number := strings.TrimRight(amount, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		var err error
		if q.Quantity, err = event.ParseDecimal(number); err != nil {
			return err
		}
		q.UOM = amount[len(number):]
	}
	*p.lots = append(*p.lots, q)
	return nil
}
