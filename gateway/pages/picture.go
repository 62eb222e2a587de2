package pages

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Measures of the picture, in its own units; a telephone shows one as about one pixel.
const (
	pictureWidth = 360
	boxHeight    = 74
	rowGap       = 30
	boxGap       = 10
	maxRow       = 3 // boxes side by side that can still be read
	maxRows      = 7
	lineUnits    = 64 // width of a line in a third of the picture, in units of unitsOf
)

// picture is the chain as boxes in rows, the origins on top.
type picture struct {
	Width, Height int
	Boxes         []box
	Lines         []line
}

type box struct {
	X, Y, W, H, Middle int
	Name               []string // lines of text, with their Y
	Place              []string
	Count              int // items that the box stands for
	This               bool
	Rest               int // a box that only counts what was left out
}

// OuterWidth and OuterHeight leave room for the strokes at the edges.
func (p *picture) OuterWidth() int { return p.Width + 4 }

// OuterHeight is to the height what OuterWidth is to the width.
func (p *picture) OuterHeight() int { return p.Height + 4 }

// LastName is the index of the last line of the name.
func (b box) LastName() int { return len(b.Name) - 1 }

type line struct{ Path string }

// top is where the first line of a box stands, so that its lines are in the middle.
func (b box) top() int {
	return b.Y + (b.H-nameLine*len(b.Name)-placeLine*len(b.Place))/2 + 11
}

// Heights of lines of text.
const (
	nameLine  = 14
	placeLine = 13
)

// NameY is where the i-th line of the name stands.
func (b box) NameY(i int) int { return b.top() + nameLine*i }

// PlaceY is where the i-th line of the place stands.
func (b box) PlaceY(i int) int { return b.top() + nameLine*len(b.Name) + placeLine*i }

// Center is where a single line stands.
func (b box) Center() int { return b.Y + b.H/2 + 4 }

// group is items of one product, made at one place, equally far from the item asked about.
type group struct {
	name, place string
	depth       int
	items       int
	this        bool
	box         int // index in picture.Boxes; -1: left out
}

// picture draws the story, or nil where there is nothing to draw.
func (l *language) picture(s *story, key string) *picture {
	groups, of := l.groups(s, key)
	if len(groups) < 2 {
		return nil
	}
	rows := rowsOf(groups)
	p := &picture{Width: pictureWidth}
	into := linksInto(s.trace.Links, groups, of)
	for i := len(rows) - 1; i >= 0; i-- { // the item itself first, then each row above what came of it
		p.addRow(rows[i], i*(boxHeight+rowGap), into)
	}
	p.Height = len(rows)*(boxHeight+rowGap) - rowGap
	p.addLines(s.trace.Links, groups, of)
	return p
}

// groups gathers the items of the trace, carriers left out, and says which group each item is in.
func (l *language) groups(s *story, key string) (groups []group, of map[trace.ItemID]int) {
	made := madeAt(s)
	type same struct {
		name, place string
		depth       int
	}
	of = map[trace.ItemID]int{}
	at := map[same]int{}
	for _, n := range s.trace.Nodes {
		if n.Carrier {
			continue
		}
		k := same{cmp.Or(l.nameOf(s, n.Key), l.text.say("product.unknown")), l.place(s, made[n.Key]), -n.Depth}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, group{name: k.name, place: k.place, depth: k.depth, box: -1})
		}
		groups[i].items++
		groups[i].this = groups[i].this || n.Key == key
		of[n.ID] = i
	}
	return groups, of
}

// madeAt says at which site each item was made: that of its first event, or of the one that it came out of.
func madeAt(s *story) map[string]string {
	made := map[string]string{}
	output := map[string]bool{}
	for _, e := range s.events {
		site := e.Event.Site()
		for _, item := range e.Event.Items() {
			isOutput := item.Role == event.RoleOutput
			if site != "" && (made[item.Key] == "" || isOutput && !output[item.Key]) {
				made[item.Key] = site
				output[item.Key] = isOutput
			}
		}
	}
	return made
}

// rowsOf sorts groups into rows, the farthest first. Of too many rows those in the middle are left out.
func rowsOf(groups []group) [][]*group {
	byDepth := map[int][]*group{}
	var depths []int
	for i := range groups {
		d := groups[i].depth
		if byDepth[d] == nil {
			depths = append(depths, d)
		}
		byDepth[d] = append(byDepth[d], &groups[i])
	}
	slices.SortFunc(depths, func(a, b int) int { return b - a })
	if len(depths) > maxRows {
		depths = slices.Concat(depths[:maxRows/2], depths[len(depths)-(maxRows-maxRows/2):])
	}
	rows := make([][]*group, len(depths))
	for i, d := range depths {
		rows[i] = byDepth[d]
		slices.SortStableFunc(rows[i], func(a, b *group) int { return cmp.Or(b.items-a.items, cmp.Compare(a.name, b.name)) })
	}
	return rows
}

// linksInto says which groups each group went into.
func linksInto(links []trace.Link, groups []group, of map[trace.ItemID]int) map[*group][]*group {
	into := map[*group][]*group{}
	for _, l := range links {
		from, ok := of[l.From]
		to, ok2 := of[l.To]
		if ok && ok2 && from != to {
			into[&groups[from]] = append(into[&groups[from]], &groups[to])
		}
	}
	return into
}

// pull is where a group would stand best: above the middle of what came of it.
func (p *picture) pull(g *group, into map[*group][]*group) int {
	sum, n := 0, 0
	for _, to := range into[g] {
		if to.box >= 0 {
			sum, n = sum+p.Boxes[to.box].Middle, n+1
		}
	}
	if n == 0 {
		return pictureWidth / 2
	}
	return sum / n
}

func (p *picture) addRow(row []*group, y int, into map[*group][]*group) {
	shown := row
	if len(row) > maxRow {
		shown = row[:maxRow-1]
	}
	slices.SortStableFunc(shown, func(a, b *group) int { return p.pull(a, into) - p.pull(b, into) })
	n := min(len(row), maxRow)
	width := min((pictureWidth-boxGap*(n-1))/n, 240)
	x := (pictureWidth - n*width - boxGap*(n-1)) / 2
	units := lineUnits * width / (pictureWidth / maxRow)
	for _, g := range shown {
		g.box = len(p.Boxes)
		p.Boxes = append(p.Boxes, box{X: x, Y: y, W: width, H: boxHeight, Middle: x + width/2, Count: g.items, This: g.this,
			Name: wrap(g.name, units, 2), Place: wrap(g.place, units+lineUnits/8, 2)})
		x += width + boxGap
	}
	if rest := len(row) - len(shown); rest > 0 {
		for _, g := range row[len(shown):] {
			g.box = len(p.Boxes)
		}
		p.Boxes = append(p.Boxes, box{X: x, Y: y, W: width, H: boxHeight, Middle: x + width/2, Rest: rest})
	}
}

// addLines draws each link between two boxes once.
func (p *picture) addLines(links []trace.Link, groups []group, of map[trace.ItemID]int) {
	type pair struct{ from, to int }
	drawn := map[pair]bool{}
	for _, link := range links {
		from, ok := of[link.From]
		to, ok2 := of[link.To]
		if !ok || !ok2 {
			continue
		}
		k := pair{groups[from].box, groups[to].box}
		if k.from < 0 || k.to < 0 || k.from == k.to || drawn[k] {
			continue
		}
		drawn[k] = true
		p.Lines = append(p.Lines, connect(p.Boxes[k.from], p.Boxes[k.to]))
	}
}

// connect draws a curve from the bottom of one box to the top of another.
func connect(a, b box) line {
	x1, y1, x2, y2 := a.Middle, a.Y+a.H, b.Middle, b.Y
	if b.Y < a.Y { // a loop: rework that goes back
		y1, y2 = a.Y, b.Y+b.H
	}
	half := strconv.Itoa((y1 + y2) / 2)
	return line{Path: "M" + strconv.Itoa(x1) + " " + strconv.Itoa(y1) + "C" + strconv.Itoa(x1) + " " + half + " " + strconv.Itoa(x2) + " " + half + " " +
		strconv.Itoa(x2) + " " + strconv.Itoa(y2)}
}

// wrap breaks a text into at most rows lines of a width in units; what does not fit ends in "…".
func wrap(text string, units, rows int) []string {
	var lines []string
	for rest := strings.TrimSpace(text); rest != ""; {
		if len(lines) == rows-1 {
			return append(lines, shorten(rest, units))
		}
		n := fitting(rest, units)
		if n < len(rest) {
			if space := strings.LastIndexByte(rest[:n], ' '); space > 0 {
				n = space
			}
		}
		lines = append(lines, rest[:n])
		rest = strings.TrimSpace(rest[n:])
	}
	return lines
}

// fitting is how many bytes of text fit.
func fitting(text string, units int) int {
	used := 0
	for i, r := range text {
		used += unitsOf(r)
		if used > units && i > 0 {
			return i
		}
	}
	return len(text)
}

func shorten(text string, units int) string {
	if n := fitting(text, units); n < len(text) {
		return strings.TrimSpace(text[:fitting(text, units-unitsOf('…'))]) + "…"
	}
	return text
}

// unitsOf is the width of a letter: a Chinese one is nearly twice as wide as a Latin one in bold.
func unitsOf(r rune) int {
	if r >= 0x2E80 {
		return 7
	}
	return 4
}
