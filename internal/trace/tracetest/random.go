package tracetest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// Lines draws events in the notation, each at another time, in any record order. There are splits, merges, cycles, processes of
// several events, pallets on pallets, instances, classes, void events, shipments with and without amounts.
func Lines(t *rapid.T) []string {
	hours := rapid.SliceOfNDistinct(rapid.IntRange(0, 30*24), 1, 24, rapid.ID).Draw(t, "hours")
	var lines []string
	for _, hour := range hours {
		lines = append(lines, fmt.Sprintf("%.5f %s", float64(hour)/24, line(t)))
	}
	for range rapid.IntRange(0, 2).Draw(t, "voids") {
		lines = append(lines, fmt.Sprintf("void %d", rapid.IntRange(1, len(hours)).Draw(t, "void")))
	}
	return lines
}

func line(t *rapid.T) string {
	things := []string{"A", "B", "C", "D", "E", "P1", "P2", "P3", "S1", "S2", "U1", "K"}
	amounts := []string{"", ":5", ":2.5KGM", ":1KGM"}
	some := func(min, max int) string {
		var list []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(things), min, max, rapid.ID).Draw(t, "items") {
			if !strings.ContainsRune("PSU", rune(name[0])) {
				name += rapid.SampledFrom(amounts).Draw(t, "amount")
			}
			list = append(list, name)
		}
		return strings.Join(list, " ")
	}
	site := func() string { return rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "site") }
	parent := "in " + rapid.SampledFrom([]string{"P1", "P2", "P3", "S1"}).Draw(t, "parent")
	switch rapid.IntRange(0, 9).Draw(t, "verb") {
	case 0, 1:
		return "make " + some(1, 3) + " -> " + some(1, 3) + " @" + site()
	case 2:
		return "make#" + rapid.SampledFrom([]string{"T1", "T2"}).Draw(t, "process") + " " + some(0, 2) + " -> " + some(0, 2) + " ^" + site()
	case 3, 4:
		return "pack " + some(1, 3) + " " + parent + " @" + site()
	case 5:
		return "unpack " + some(0, 2) + " " + parent + " ^" + site()
	case 6:
		return "see " + some(1, 2) + " " + parent
	case 7:
		return "new " + some(1, 2) + rapid.SampledFrom([]string{"", " lot=A", " lot=B"}).Draw(t, "lot") + " @" + site()
	case 8:
		return "obs " + some(1, 2) + " ^" + site() + " >" + site() + " !" + rapid.SampledFrom([]string{"shipping", "departing", "receiving", "storing"}).Draw(t, "step")
	}
	return rapid.SampledFrom([]string{"obs ", "del "}).Draw(t, "action") + some(1, 2) + " @" + site() + " !" +
		rapid.SampledFrom([]string{"arriving", "receiving", "retail_selling", "destroying", "inspecting"}).Draw(t, "step")
}
