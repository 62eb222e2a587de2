package pages

import (
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Limits of the timeline. All steps are shown up to maxOpen; of more, the first and the last, and those between on demand.
const (
	maxOpen   = 12
	openFirst = 4
	openLast  = 6
	maxSteps  = 45
	maxNames  = 3 // products that a step names
	maxPlaces = 3 // places that a step names; more are counted
)

// way is the timeline.
type way struct {
	First, Middle, Last []step
	More                int // steps left out
	Truncated           bool
}

// step is what happened on one day, of one kind, to the same products.
type step struct {
	Word, Date, ISO string
	Places          []place
	MorePlaces      int
	What            string
	Note            string // disposition worth a word
	Times           int
	Void            bool
	places          []string
}

type place struct{ Name, Region string }

// notable are the dispositions that a consumer should read.
var notable = []string{"recalled", "expired", "damaged", "destroyed", "disposed", "non_conformant", "conformant", "non_sellable_other", "returned", "stolen", "no_pedigree_match"}

func (l *language) way(s *story) way {
	steps := l.steps(s)
	w := way{Truncated: s.trace.Result.Truncated || s.unread > 0}
	if len(steps) > maxSteps {
		w.More = len(steps) - maxSteps
		steps = slices.Concat(steps[:maxSteps/2], steps[len(steps)-(maxSteps-maxSteps/2):])
	}
	w.First = steps
	if len(steps) > maxOpen {
		w.First, w.Middle, w.Last = steps[:openFirst], steps[openFirst:len(steps)-openLast], steps[len(steps)-openLast:]
	}
	for _, part := range [][]step{w.First, w.Middle, w.Last} {
		for i := len(part) - 1; i > 0; i-- { // a day is named once
			if part[i].Date == part[i-1].Date {
				part[i].Date = ""
			}
		}
	}
	return w
}

// steps merges events that tell a reader the same.
func (l *language) steps(s *story) []step {
	type same struct {
		word, date, what, note string
		void                   bool
	}
	at := map[same]int{}
	var steps []step
	for _, e := range s.events {
		t := e.Event.Time.Time
		n := step{Word: l.stepWord(s, e), Date: l.lang.date(t), ISO: t.Format("2006-01-02"), What: l.what(s, e), Note: l.note(e), Void: e.Voided != ""}
		k := same{n.Word, n.Date, n.What, n.Note, n.Void}
		i, ok := at[k]
		if !ok {
			i = len(steps)
			at[k] = i
			steps = append(steps, n)
		}
		steps[i].Times++
		if site := e.Event.Site(); !slices.Contains(steps[i].places, site) {
			steps[i].places = append(steps[i].places, site)
		}
	}
	for i := range steps {
		l.namePlaces(s, &steps[i])
	}
	return steps
}

func (l *language) namePlaces(s *story, n *step) {
	sites := n.places
	if len(sites) > maxPlaces {
		sites, n.MorePlaces = sites[:maxPlaces-1], len(sites)-maxPlaces+1
	}
	for _, id := range sites {
		if id != "" {
			n.Places = append(n.Places, place{l.place(s, id), l.region(s, id)})
		}
	}
	if n.Times <= len(n.places) { // once at each place goes without saying
		n.Times = 0
	}
}

// what names the products of an event.
func (l *language) what(s *story, e index.Event) string {
	var names []string
	for _, key := range subjects(e.Event) {
		name := l.nameOf(s, key)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > maxNames {
		names = append(names[:maxNames], "…")
	}
	if l.lang == Chinese {
		return strings.Join(names, "、")
	}
	return strings.Join(names, ", ")
}

func (l *language) note(e index.Event) string {
	word := e.Event.DispositionWord()
	if !slices.Contains(notable, word) || word == "destroyed" && e.Event.Step() == "destroying" {
		return ""
	}
	return l.text.say("disposition." + word)
}
