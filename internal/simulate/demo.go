package simulate

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// Story is the data of the demo: some weeks of a small network, told up to the moment given.
type Story struct {
	Registration contract.Registration
	Records      []Submission // in the order in which they are sent
	// Lots worth looking at, as canonical keys. Safe came from three farms and passed every inspection; Held waits for a
	// second test; Recalled was made from leaves that failed one; Released is the packed spinach in Safe, held for some hours.
	Safe, Held, Recalled, Released string
	Shrimp                         string // came by sea
	Inspector, Producer            string // MSP IDs to show the demo with
}

// demoSeed fixes the details of the demo.
const demoSeed = 20260423

// Demo is a story that ends shortly before now, told by the members that the cast names.
func Demo(now time.Time, cast Cast) *Story {
	n := newNetwork(cast)
	s := &Story{Registration: n.registration(), Inspector: n.regulator.msp, Producer: n.farms[0].firm.msp}
	for seq, tell := range []func(*flow, *Story, time.Time){(*flow).safeSalad, (*flow).recalledSalad, (*flow).heldPork, (*flow).shrimpBySea} {
		f := &flow{net: n, opt: Options{EventIDs: HashIDs, URNs: true}, seq: seq + 1, rng: rand.New(rand.NewPCG(demoSeed, uint64(seq)))}
		tell(f, s, now)
		s.Records = append(s.Records, f.out...)
	}
	slices.SortFunc(s.Records, before)
	return s
}

// FourMembers has four members play all firms: those of a network on this machine.
func FourMembers() Cast {
	cast := Cast{}
	for member, firms := range map[string][]string{
		"regulator":  {"shandong-amr", "qingdao-customs", "qilu-lab"},
		"producer-a": {"hongtu-farm", "wenhe-farm", "luzhong-packing", "qingyuan-salad", "jinluo-meat"},
		"producer-b": {"daizhong-farm", "weihai-sauce", "yimeng-pigs", "guayas-shrimp", "pacifico-pack"},
		"retailer":   {"jiaozhou-line", "luhai-import", "qilu-wholesale", "haojia-market"},
	} {
		for _, f := range firms {
			cast[f] = member
		}
	}
	return cast
}

// morning is six o'clock in Shandong, some days ago.
func morning(now time.Time, daysAgo int) time.Time {
	d := now.In(time.FixedZone("", 8*3600)).AddDate(0, 0, -daysAgo)
	return time.Date(d.Year(), d.Month(), d.Day(), 6, 0, 0, 0, d.Location()).UTC()
}

// spinachFrom is a harvest that has been tested, in the cold of the packing house.
func (f *flow) spinachFrom(farm *place, kilos int64, crate string) (picked goods) {
	n := f.net
	f.branch(func() {
		picked = f.begin(farm, n.spinach, kilos*kilo, fact{"harvestStartDate", f.day(farm, 0)}, fact{"harvestEndDate", f.day(farm, 0)}, fact{"countryOfOrigin", "CN"})
		f.inspect(n.lab, farm, picked.id, "pesticide-residue", contract.Pass)
		load := order{from: farm, to: n.packhouse, goods: []goods{picked}}
		if crate != "" {
			f.pack(farm, crate, []goods{picked})
			load.goods, load.units = nil, []string{crate}
		}
		f.deliver(load, 2, 3)
		if crate != "" {
			f.unpack(n.packhouse, crate, []goods{picked})
		}
		f.keep(n.packhouse, n.packhouse, []goods{picked}, nil, f.between(22, 38))
	})
	return picked
}

func (f *flow) wash(in []goods, kilos int64) goods {
	p := f.net.packhouse
	f.clock = f.clock.Add(5 * time.Hour)
	out := goods{f.newLot(f.net.babySpinach), kilos * kilo, f.net.babySpinach.unit}
	f.run(p, process{inputs: in, outputs: []goods{out}, facts: []fact{{"bestBeforeDate", f.day(p, 9)}}})
	return out
}

func (f *flow) saladOf(in []goods, packs int64) goods {
	p := f.net.saladPlant
	f.wait(1, 2)
	out := goods{f.newLot(f.net.salad), packs * piece, ""}
	f.run(p, process{inputs: in, outputs: []goods{out}, parts: 2, facts: []fact{{"bestBeforeDate", f.day(p, 10)}, {"countryOfOrigin", "CN"}}})
	f.keep(p, p, []goods{out}, nil, f.between(20, 40))
	return out
}

// safeSalad: spinach of Shouguang and Lanling, romaine of Anqiu, dressing of Weihai. The packed spinach is held for some
// hours because a cooling record is missing, and released.
func (f *flow) safeSalad(s *Story, now time.Time) {
	n := f.net
	f.clock = morning(now, 9)
	var left carryOver
	f.stockDressing(&left)
	crate := grai(n.packhouse.firm.prefix, 1, 7)
	packed := f.wash([]goods{f.spinachFrom(n.farms[0], 620, crate), f.spinachFrom(n.farms[2], 540, "")}, 1040)
	s.Released = packed.id
	h := contract.Hold{Item: packed.id, Scope: contract.ScopeDownstream, Time: beijing(f.clock.Add(30 * time.Minute)), Reference: "SD-2026-0417",
		Reason: contract.Text{ZH: "兰陵批次预冷记录缺失，待核查", EN: "The cooling record of the Lanling harvest is missing"}}
	f.hold(h, f.clock.Add(30*time.Minute))
	f.clock = f.clock.Add(4 * time.Hour)
	f.inspect(n.regulator, n.packhouse, packed.id, "temperature", contract.Pass)
	f.clock = f.clock.Add(10 * time.Minute)
	f.release(h, contract.Text{ZH: "记录已补交，温度合格", EN: "The record was handed in; temperatures were kept"}, f.clock)
	f.clock = f.clock.Add(20 * time.Minute)
	f.palletsToPlant([]goods{packed})
	made := f.saladOf([]goods{packed, f.romaineToPlant(), f.takeDressing(&left)}, 3600)
	s.Safe = made.id
	f.inspect(n.lab, n.saladPlant, made.id, "pathogen", contract.Pass)
	f.inspect(n.regulator, n.saladPlant, made.id, "label", contract.Pass)
	f.distribute(n.saladPlant, made)
}

// recalledSalad: spinach of Shouguang only; days later the laboratory finds Listeria in what is left of it.
func (f *flow) recalledSalad(s *Story, now time.Time) {
	n := f.net
	f.clock = morning(now, 6)
	var left carryOver
	f.stockDressing(&left)
	packed := f.wash([]goods{f.spinachFrom(n.farms[0], 480, "")}, 430)
	f.palletsToPlant([]goods{packed})
	made := f.saladOf([]goods{packed.part(400 * kilo), f.romaineToPlant(), f.takeDressing(&left)}, 1500)
	s.Recalled = made.id
	f.distribute(n.saladPlant, made)

	f.clock = morning(now, 1).Add(3 * time.Hour)
	f.inspect(n.lab, n.saladPlant, packed.id, "pathogen", contract.Fail)
	f.clock = f.clock.Add(40 * time.Minute)
	f.hold(contract.Hold{Item: packed.id, Scope: contract.ScopeDownstream, Recall: true, Time: beijing(f.clock), Reference: "SD-2026-0423",
		Reason: contract.Text{ZH: "检出单核细胞增生李斯特菌，请勿食用，可退回任一门店", EN: "Listeria monocytogenes was found. Do not eat it; bring it back to any shop"}}, f.clock)
	f.clock = f.clock.Add(2 * time.Hour)
	f.sell(n.shops[0], []goods{made.part(12 * piece)}) // somebody had not heard: refused, and kept as a violation
	f.clock = f.clock.Add(time.Hour)
	f.destroy(n.saladPlant, []goods{made.part(100 * piece)})
}

// heldPork: one herd, two lots of carcasses; the belly waits for a second residue test.
func (f *flow) heldPork(s *Story, now time.Time) {
	n := f.net
	f.clock = morning(now, 6)
	herd := f.begin(n.pigFarms[0], n.pigs, 64*piece, fact{"countryOfOrigin", "CN"})
	f.inspect(n.regulator, n.pigFarms[0], herd.id, "quarantine", contract.Pass)
	f.deliver(order{from: n.pigFarms[0], to: n.slaughterhouse, goods: []goods{herd}}, 2, 3)
	f.wait(8, 10)
	sides := []goods{{f.newLot(n.carcass), 2300 * kilo, n.carcass.unit}, {f.newLot(n.carcass), 2450 * kilo, n.carcass.unit}}
	f.run(n.slaughterhouse, process{step: "creating_class_instance", inputs: []goods{herd}, outputs: sides, facts: []fact{{"bestBeforeDate", f.day(n.slaughterhouse, 7)}}})
	for _, side := range sides {
		f.inspect(n.regulator, n.slaughterhouse, side.id, "quarantine", contract.Pass)
	}
	f.keep(n.slaughterhouse, n.slaughterhouse, sides, nil, 21)
	f.deliver(order{from: n.slaughterhouse, to: n.cuttingPlant, goods: sides}, 1, 2)
	f.wait(6, 8)
	f.cut(sides)
	s.Held = f.lots[len(f.lots)-1]
	f.clock = morning(now, 1).Add(5 * time.Hour)
	f.inspect(n.lab, n.saladDC, s.Held, "veterinary-drug-residue", contract.Inconclusive)
	f.clock = f.clock.Add(time.Hour)
	f.hold(contract.Hold{Item: s.Held, Scope: contract.ScopeLot, Time: beijing(f.clock), Reference: "SD-2026-0424",
		Reason: contract.Text{ZH: "兽药残留初检结果不确定，待复检", EN: "The first residue test was inconclusive; a second one is under way"}}, f.clock)
}

func (f *flow) shrimpBySea(s *Story, now time.Time) {
	f.clock = morning(now, 122)
	f.shrimpCampaign()
	s.Shrimp = f.lots[len(f.lots)-1]
}
