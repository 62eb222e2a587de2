package trace_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// A case lists events, the item asked about, and who holds what: ITEM SITE AMOUNT ("->SITE" in transit), then what left the chain.
var scopes = []struct{ name, events, item, want string }{
	{"made and kept", `
		1 new A:100KGM @farm`, "A", "A farm 100KGM"},
	{"shipped and received", `
		1 new A:100KGM @farm
		2 obs A:60KGM ^farm >plant !shipping
		3 obs A:60KGM @plant !receiving`, "A", "A farm 40KGM; A plant 60KGM"},
	{"on its way", `
		1 new A:100KGM @farm
		2 obs A:60KGM ^farm >plant !shipping`, "A", "A ->plant 60KGM; A farm 40KGM"},
	{"on its way to a party", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >>acme !shipping`, "A", "A ->acme 100KGM acme"},
	{"received by the party it was sent to", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >>acme !shipping
		3 obs A:100KGM @plant >>acme !receiving`, "A", "A plant 100KGM acme"},
	{"the shipment was not recorded", `
		1 new A:100KGM @farm
		3 obs A:60KGM @plant <farm !receiving`, "A", "A farm 40KGM; A plant 60KGM"},
	{"nothing before was recorded", `
		3 obs A:60KGM @plant !receiving`, "A", "A plant 60KGM"},
	{"the receipt was not recorded", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		4 obs A:100KGM @plant !storing`, "A", "A plant 100KGM"},
	{"recorded the wrong way round", `
		3 obs A:60KGM @plant !receiving
		2 obs A:60KGM ^farm >plant !shipping
		1 new A:60KGM @farm`, "A", "A plant 60KGM"},
	{"seen where it is changes nothing", `
		1 new A:100KGM @farm
		2 obs A:10KGM @farm !inspecting`, "A", "A farm 100KGM"},
	{"made into something else", `
		1 new A:100KGM @plant
		2 make A:80KGM -> B:70KGM @plant`, "A", "A plant 20KGM; B plant 70KGM; A consumed 80KGM"},
	{"rework: in and out of one event", `
		1 new A:100KGM @plant
		2 make A:30KGM -> A:20KGM B:9KGM @plant`, "A", "A plant 90KGM; B plant 9KGM; A consumed 30KGM"},
	{"sold and destroyed", `
		1 new A:10 @shop
		2 obs A:3 @shop !retail_selling
		3 del A:2 @shop !destroying`, "A", "A shop 5; A destroyed 2; A sold 3"},
	{"gone", `
		1 new A:10 @shop
		2 del A:10 @shop`, "A", "A destroyed 10"},
	{"more sold than there was", `
		1 new A:10 @shop
		2 obs A:12 @shop !retail_selling`, "A", "A sold 12"},
	{"units are balances of their own", `
		1 new A:100KGM @farm
		2 obs A:5 @farm !packing
		3 obs A:40KGM ^farm >plant !shipping
		4 obs A:8XBX @plant !receiving`, "A", "A ->plant 40KGM; A farm 60KGM; A plant 8XBX"},
	{"decimals are exact", `
		1 new A:0.3KGM @farm
		2 obs A:0.1KGM ^farm >plant !shipping
		3 obs A:0.2KGM ^farm >plant !shipping
		4 obs A:0.3KGM @plant !receiving`, "A", "A plant 0.3KGM"},
	{"no amount: all of it", `
		1 new A:100KGM @farm
		2 obs A ^farm >plant !shipping
		3 obs A @plant !receiving`, "A", "A plant 100KGM"},
	{"an amount and the rest, in one event", `
		1 new A:100KGM @farm
		2 pack A in P1 @farm
		3 pack A:30KGM in P2 @farm
		4 obs P1 P2 ^farm >dc !shipping`, "A", "A ->dc 100KGM"},
	{"no amount anywhere", `
		1 new A @farm
		2 obs A ^farm >plant !shipping
		3 obs A @plant !receiving
		4 make A -> B:5 @plant`, "A", "B plant 5; A consumed ?1"},
	{"a part of an unknown amount", `
		1 new A @farm
		2 obs A:10KGM ^farm >plant !shipping`, "A", "A ->plant 10KGM; A farm ?"},
	{"a pallet moves what is on it", `
		1 new A:100KGM @farm
		2 pack A:60KGM in P1 @farm
		3 obs P1 ^farm >dc !shipping
		4 obs P1 @dc !receiving
		5 unpack in P1 @dc
		6 obs P1 ^dc >farm !shipping`, "A", "A dc 60KGM; A farm 40KGM"},
	{"still on the pallet", `
		1 new A:100KGM @farm
		2 pack A:60KGM B:5 in P1 @farm
		3 obs P1 ^farm >dc !shipping`, "A", "A ->dc 60KGM; A farm 40KGM"},
	{"a pallet on a container", `
		1 new A:100KGM @farm
		2 pack A:100KGM in P1 @farm
		3 pack P1 in P2 @farm
		4 obs P2 ^farm >port !shipping
		5 obs P2 @port !receiving
		6 unpack P1 in P2 @port
		7 obs P2 ^port >farm !shipping`, "A", "A port 100KGM"},
	{"an event that names both counts once", `
		1 new A:100KGM @farm
		2 pack A:100KGM in P1 @farm
		3 obs P1 A:100KGM ^farm >dc !shipping`, "A", "A ->dc 100KGM"},
	{"a pallet is used whole", `
		1 new A:100KGM @farm
		2 pack A:100KGM in P1 @farm
		3 make P1 -> B:9 @farm`, "A", "A consumed 100KGM; B farm 9"},
	{"on two pallets that travel together", `
		1 new A:100KGM @farm
		2 pack A:60KGM in P1 @farm
		3 pack A:40KGM in P2 @farm
		4 obs P1 P2 ^farm >dc !shipping`, "A", "A ->dc 100KGM"},
	{"on two pallets in one container", `
		1 new A:100KGM @farm
		2 pack A:60KGM in P1 @farm
		3 pack A:30KGM in P2 @farm
		4 pack P1 P2 in P3 @farm
		5 obs P3 ^farm >dc !shipping`, "A", "A ->dc 90KGM; A farm 10KGM"},
	{"on two pallets that are seen elsewhere", `
		1 new A:100KGM @farm
		2 pack A:60KGM in P1 @farm
		3 pack A:40KGM in P2 @farm
		4 obs P1 P2 @dc !storing`, "A", "A dc 100KGM; A farm 100KGM"},
	{"contents leave with their pallet", `
		1 new A:100KGM @shop
		2 pack A:60KGM in P1 @shop
		3 obs P1 @shop !destroying
		4 unpack in P1 @other`, "A", "A destroyed 60KGM; A shop 40KGM"},
	{"the pallet asked about is an item", `
		1 pack A:60KGM in P1 @farm
		2 obs P1 ^farm >dc !shipping`, "P1", "A ->dc 60KGM; P1 ->dc 1"},
	{"an event without a place puts nothing anywhere", `
		1 new A:60KGM
		2 obs A:5KGM !storing`, "A", ""},
	{"a thing is one piece, however often it is received", `
		1 new S1 @farm
		2 obs S1 ^farm >shop !shipping
		3 obs S1 @shop !arriving
		4 obs S1 @shop !receiving`, "S1", "S1 shop 1"},
	{"shipped and departed: one departure", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		2.1 obs A:100KGM ^farm >plant !departing`, "A", "A ->plant 100KGM"},
	{"more cannot depart than is told, though more is there", `
		1 new A:300KGM @farm
		2 obs A:100KGM ^farm >plant !loading
		2.1 obs A:100KGM ^farm >plant !shipping
		2.2 obs A:100KGM ^farm >plant !transporting`, "A", "A ->plant 100KGM; A farm 200KGM"},
	{"arrived, unloaded and received: one arrival", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		3 obs A:100KGM @plant !arriving
		3.1 obs A:100KGM @plant !unloading
		3.2 obs A:100KGM @plant !receiving`, "A", "A plant 100KGM"},
	{"an arrival out of nowhere is one too", `
		3 obs A:100KGM @plant !arriving
		3.1 obs A:100KGM @plant !receiving`, "A", "A plant 100KGM"},
	{"a step tells more than the one before", `
		1 new A:100KGM @farm
		2 obs A:60KGM ^farm >plant !loading
		2.1 obs A:80KGM ^farm >plant !shipping`, "A", "A ->plant 80KGM; A farm 20KGM"},
	{"less was received than arrived: the most told counts", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		3 obs A:70KGM @plant !arriving
		3.1 obs A:60KGM @plant !receiving`, "A", "A ->plant 30KGM; A plant 70KGM"},
	{"a second trip, told by one of the steps", `
		1 new A:150KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		2.1 obs A:100KGM ^farm >plant !departing
		3 obs A:100KGM @plant !arriving
		3.1 obs A:100KGM @plant !receiving
		4 obs A:50KGM ^farm >plant !departing
		5 obs A:50KGM @plant !receiving`, "A", "A plant 150KGM"},
	{"trips that overlap", `
		1 new A:150KGM @farm
		2 obs A:100KGM ^farm >plant !loading
		2.1 obs A:50KGM ^farm >plant !loading
		2.2 obs A:100KGM ^farm >plant !departing
		2.3 obs A:50KGM ^farm >plant !departing
		3 obs A:100KGM @plant !arriving
		3.1 obs A:50KGM @plant !arriving
		3.2 obs A:50KGM @plant !receiving
		3.3 obs A:100KGM @plant !receiving`, "A", "A plant 150KGM"},
	{"another step tells of a second trip: nothing is lost", `
		1 new A:150KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		4 obs A:50KGM ^farm >plant !departing`, "A", "A ->plant 100KGM; A farm 50KGM"},
	{"other destinations are other departures", `
		1 new A:100KGM @farm
		2 obs A:40KGM ^farm >plant !shipping
		2.1 obs A:60KGM ^farm >shop !departing`, "A", "A ->plant 40KGM; A ->shop 60KGM"},
	{"one departure for each leg", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >dc !shipping
		3 obs A:100KGM @dc !arriving
		4 obs A:100KGM ^dc >shop !departing
		5 obs A:100KGM @shop !receiving`, "A", "A shop 100KGM"},
	{"there, back and there again", `
		1 new A:9KGM @farm
		2 obs A:9KGM ^farm >shop !loading
		2.1 obs A:9KGM ^farm >shop !departing
		3 obs A:9KGM @shop !receiving
		4 obs A:9KGM ^shop >farm !shipping
		5 obs A:9KGM @farm !receiving
		6 obs A:9KGM ^farm >shop !loading
		6.1 obs A:9KGM ^farm >shop !departing`, "A", "A ->shop 9KGM"},
	{"units are summed up each of its own", `
		1 new A:100KGM @farm
		2 obs A:100KGM ^farm >plant !shipping
		2.1 obs A:8XBX ^farm >plant !departing`, "A", "A ->plant 100KGM; A ->plant 8XBX"},
	{"no amount tells of the same", `
		1 new A:100KGM @farm
		2 obs A:60KGM ^farm >plant !shipping
		2.1 obs A ^farm >plant !departing
		3 obs A @plant !arriving
		3.1 obs A:60KGM @plant !receiving`, "A", "A farm 40KGM; A plant 60KGM"},
	{"no amount twice, and all the rest later", `
		1 new A:100KGM @farm
		2 obs A ^farm >plant !shipping
		2.1 obs A ^farm >plant !departing
		3 new A:20KGM @farm
		4 obs A ^farm >plant !departing
		4.1 obs A ^farm >plant !shipping`, "A", "A ->plant 120KGM"},
	{"no amount, none known, twice", `
		2 obs A ^farm >plant !shipping
		2.1 obs A ^farm >plant !departing
		3 obs A @plant !arriving
		3.1 obs A @plant !receiving`, "A", "A plant ?"},
	{"a pallet shipped and departed moves what is on it once", `
		1 new A:100KGM @farm
		1.1 pack A:60KGM in P1 @farm
		2 obs P1 ^farm >dc !shipping
		2.1 obs P1 ^farm >dc !departing
		3 obs P1 @dc !arriving
		3.1 obs P1 @dc !receiving`, "P1", "A dc 60KGM; A farm 40KGM; P1 dc 1"},
	{"loaded into a container that departs", `
		1 new A:100KGM @farm
		2 pack A:60KGM in P1 @farm >port !loading
		2.1 obs P1 ^farm >port !departing`, "A", "A ->port 60KGM; A farm 40KGM"},
	{"arrived on a pallet, received by itself", `
		1 new A:100KGM @farm
		1.1 pack A:60KGM in P1 @farm
		2 obs P1 ^farm >dc !shipping
		3 obs P1 @dc !arriving
		3.1 unpack in P1 @dc
		3.2 obs A:60KGM @dc !receiving`, "A", "A dc 60KGM; A farm 40KGM"},
	{"two pallets of one lot, each told twice", `
		1 new A:100KGM @farm
		1.1 pack A:60KGM in P1 @farm
		1.2 pack A:40KGM in P2 @farm
		2 obs P1 ^farm >dc !loading
		2.1 obs P2 ^farm >dc !loading
		2.2 obs P1 P2 ^farm >dc !departing
		3 obs P2 @dc !arriving
		3.1 obs P1 P2 @dc !receiving`, "A", "A dc 100KGM"},
	{"a thing goes wherever it is told to go, by whatever step", `
		1 new S1 @farm
		2 obs S1 ^farm >shop !loading
		2.1 obs S1 ^farm >shop !departing
		3 obs S1 @shop !receiving
		4 obs S1 ^shop >farm !shipping
		5 obs S1 @farm !arriving
		6 obs S1 ^farm >shop !shipping`, "S1", "S1 ->shop 1"},
	{"a void record is not in the sums", `
		1 new A:100KGM @farm
		2 obs A:80KGM ^farm >plant !shipping
		void 2
		2.1 obs A:60KGM ^farm >plant !departing`, "A", "A ->plant 60KGM; A farm 40KGM"},
	{"a void record moves nothing", `
		1 new A:100KGM @farm
		2 obs A:60KGM ^farm >plant !shipping
		void 2`, "A", "A farm 100KGM"},
	{"what came of it, not what went into it", `
		1 new A:5 @farm
		1 new Z:9 @farm
		2 make A:5 Z:9 -> B:7 @plant
		3 obs B:7 ^plant >shop !shipping
		4 obs B:7 @shop !receiving`, "A", "A farm 5; B shop 7; A consumed 5"},
}

func TestScope(t *testing.T) {
	for _, c := range scopes {
		t.Run(c.name, func(t *testing.T) {
			g := tracetest.New(tracetest.Parse(t, c.events)...)
			g.Owners[tracetest.Site("plant")] = "PlantMSP"
			s, err := trace.Scope(t.Context(), g, g, tracetest.Key(c.item), trace.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sorted(c.want), sorted(scope(s))); diff != "" {
				t.Error(diff)
			}
			for _, h := range s.Holdings {
				if (h.Member == "PlantMSP") != (h.Site == tracetest.Site("plant")) {
					t.Errorf("%s at %s belongs to %q", h.Item, h.Site, h.Member)
				}
			}
		})
	}
}

func sorted(s string) []string {
	list := strings.Split(s, "; ")
	slices.Sort(list)
	return list
}

func scope(s *trace.ScopeResult) string {
	var out []string
	for _, h := range s.Holdings {
		at, amount, party := tracetest.Name(h.Site), h.Quantity+h.UOM, ""
		if h.State == trace.StateInTransit {
			at = "->" + at
		}
		if amount == "" {
			amount = "?"
		}
		if h.Party != "" {
			party = " " + tracetest.Name(h.Party)
		}
		out = append(out, fmt.Sprintf("%s %s %s%s", tracetest.Name(h.Item), at, amount, party))
	}
	for _, o := range s.Outflows {
		amount := o.Quantity + o.UOM
		if o.Unstated > 0 {
			amount += fmt.Sprintf("?%d", o.Unstated)
		}
		out = append(out, fmt.Sprintf("%s %s %s", tracetest.Name(o.Item), o.Fate, amount))
	}
	return strings.Join(out, "; ")
}
