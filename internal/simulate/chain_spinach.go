package simulate

import "time"

// Thousandths of a kilogram or of a piece.
const kilo, piece = 1000, 1000

// bin is a returnable crate of the packing house.
type bin struct {
	id string
	at *place // nil: new
}

// spinachCampaign is two rounds, four days apart, of harvest at two or three farms, cooling, packing and making salad;
// what is left of the first round goes into the second, and so on.
func (f *flow) spinachCampaign(left *carryOver) {
	bins := []*bin{{id: grai(f.net.packhouse.firm.prefix, 1, f.seq%1000*2+1)}, {id: grai(f.net.packhouse.firm.prefix, 1, f.seq%1000*2+2)}}
	f.stockDressing(left)
	leaves, unsold := goods{}, goods{}
	if !left.free.IsZero() && f.chance(f.opt.Rework) {
		leaves = left.leaves
		f.clock = latest(f.clock, left.free)
	}
	left.free = time.Time{}
	for round := range 2 {
		if round == 1 {
			f.clock = f.clock.Add(4 * 24 * time.Hour)
		}
		packed := f.harvestAndPack(bins)
		inputs := append(packed, f.romaineToPlant(), f.takeDressing(left))
		leaves, unsold = f.makeSalad(inputs, leaves, unsold, round)
	}
	if leaves.milli > 0 {
		left.leaves, left.free = leaves, f.clock.Add(Slack+6*time.Hour)
	}
}

// stockDressing makes a lot of dressing and brings it to the salad plant, when the last one is used up.
func (f *flow) stockDressing(left *carryOver) {
	if left.dressing.milli >= 200*kilo {
		return
	}
	f.branch(func() {
		made := f.begin(f.net.dressingPlant, f.net.dressing, 900*kilo, fact{"bestBeforeDate", f.day(f.net.dressingPlant, 90)})
		f.deliver(order{from: f.net.dressingPlant, to: f.net.saladPlant, goods: []goods{made}}, 3, 4)
		left.dressing = made
	})
}

func (f *flow) takeDressing(left *carryOver) goods {
	used := left.dressing.part(f.between(30, 60) * kilo)
	left.dressing.milli -= used.milli
	return used
}

// harvestAndPack brings spinach from farms in bins or loose to the packing house, cools and packs it, and sends the
// bags on pallets to the salad plant.
func (f *flow) harvestAndPack(bins []*bin) []goods {
	n := f.net
	var cooled []goods
	var inBins []*bin
	end := f.clock
	for i, farm := range choose(f, n.farms, int(f.between(2, 3))) {
		f.branch(func() {
			picked := f.begin(farm, n.spinach, f.between(400, 900)*kilo,
				fact{"harvestStartDate", f.day(farm, 0)}, fact{"harvestEndDate", f.day(farm, 0)}, fact{"countryOfOrigin", "CN"})
			load := order{from: farm, to: n.packhouse, goods: []goods{picked}}
			inBin := i < len(bins) && f.chance(0.5)
			if inBin {
				f.fillBin(farm, bins[i], picked)
				load.goods, load.units = nil, []string{bins[i].id}
			}
			f.deliver(load, 2, 6)
			f.keep(n.packhouse, n.packhouse, load.goods, load.units, f.between(18, 48))
			switch {
			case inBin && f.chance(0.5): // tipped into the line as it is
				inBins = append(inBins, bins[i])
			case inBin:
				f.unpack(n.packhouse, bins[i].id, []goods{picked})
				cooled = append(cooled, picked)
			default:
				cooled = append(cooled, picked)
			}
			end = latest(end, f.clock)
		})
	}
	f.clock = end
	f.wait(1, 3)
	return f.palletsToPlant(f.washAndPack(cooled, inBins))
}

// fillBin fills a bin, which first comes back from where it was emptied.
func (f *flow) fillBin(farm *place, b *bin, picked goods) {
	if b.at != nil {
		f.deliver(order{from: b.at, to: farm, units: []string{b.id}}, 1, 2)
	}
	f.pack(farm, b.id, []goods{picked})
	b.at = f.net.packhouse
}

// washAndPack makes one lot of each farm's spinach, or one of all.
func (f *flow) washAndPack(cooled []goods, bins []*bin) (packed []goods) {
	p := f.net.packhouse
	wash := func(in []goods, units []string) {
		var total int64
		for _, g := range in {
			total += g.milli
		}
		out := goods{f.newLot(f.net.babySpinach), total*9/10 + int64(len(units))*300*kilo, f.net.babySpinach.unit}
		f.run(p, process{inputs: in, units: units, outputs: []goods{out}, parts: int(f.between(1, 2)),
			facts: []fact{{"bestBeforeDate", f.day(p, 7)}}})
		packed = append(packed, out)
	}
	if len(bins) > 0 || f.chance(0.4) {
		var units []string
		for _, b := range bins {
			units = append(units, b.id)
		}
		wash(cooled, units)
		for _, b := range bins {
			f.unpack(p, b.id, nil)
		}
		return packed
	}
	for _, g := range cooled {
		wash([]goods{g}, nil)
	}
	return packed
}

func (f *flow) palletsToPlant(packed []goods) []goods {
	n := f.net
	load := order{from: n.packhouse, to: n.saladPlant}
	for _, g := range packed {
		pallet := f.unit(n.packhouse)
		f.pack(n.packhouse, pallet, []goods{g})
		load.units = append(load.units, pallet)
	}
	load = f.ship(load)
	f.wait(1, 2)
	f.keep(n.packhouse, nil, nil, load.units, f.between(20, 60))
	f.wait(1, 3)
	f.receive(load, "receiving")
	for i, pallet := range load.units {
		f.unpack(n.saladPlant, pallet, []goods{packed[i]})
	}
	return packed
}

func (f *flow) romaineToPlant() goods {
	farm := f.net.farms[1]
	var picked goods
	f.branch(func() {
		f.clock = f.clock.Add(-4 * time.Hour) // less than the harvest took
		picked = f.begin(farm, f.net.romaine, f.between(100, 300)*kilo, fact{"harvestStartDate", f.day(farm, 0)}, fact{"countryOfOrigin", "CN"})
		f.deliver(order{from: farm, to: f.net.saladPlant, goods: []goods{picked}}, 2, 3)
	})
	return picked
}

// makeSalad mixes the inputs in one or two runs. What is trimmed off becomes leaves for rework, under one lot number
// for the whole campaign; in the second round the salads that nobody bought go back into them.
func (f *flow) makeSalad(inputs []goods, leaves, unsold goods, round int) (trimmed, rest goods) {
	n := f.net
	f.wait(1, 4)
	if unsold.milli > 0 {
		more := leaves.part(20 * kilo)
		f.run(n.saladPlant, process{step: "repackaging", inputs: []goods{unsold}, outputs: []goods{more}})
		leaves.milli += more.milli
		f.clock = f.clock.Add(Slack + 2*time.Hour)
	}
	runs := int(f.between(1, 2))
	for i := range runs {
		var in []goods
		for _, g := range inputs {
			in = append(in, g.part(g.milli/int64(runs)))
		}
		if leaves.milli > 0 {
			in = append(in, leaves)
		}
		made := goods{f.newLot(n.salad), f.between(2000, 4000) * piece, ""}
		trim := goods{leaves.id, f.between(20, 60) * kilo, n.rework.unit}
		if trim.id == "" {
			trim.id = f.newLot(n.rework)
		}
		f.run(n.saladPlant, process{inputs: in, outputs: []goods{made, trim}, parts: 1 + i,
			facts: []fact{{"bestBeforeDate", f.day(n.saladPlant, 5)}, {"countryOfOrigin", "CN"}}})
		leaves = trim
		f.distribute(n.saladPlant, made)
		if round == 0 && i == runs-1 {
			rest = made.part(50 * piece)
		}
		if i < runs-1 {
			f.clock = f.clock.Add(Slack + 2*time.Hour)
		}
	}
	return leaves, rest
}

// distribute sends four fifths of packed food through the distribution centre to two to four shops.
func (f *flow) distribute(from *place, made goods) {
	n := f.net
	f.branch(func() {
		share := made.milli / 5 / piece * piece
		f.toCentre(from, made.part(share*4))
		f.wait(4, 10)
		for _, shop := range choose(f, n.shops, int(f.between(2, 4))) {
			f.branch(func() { f.toShop(shop, made.part(share)) })
		}
	})
}

// toCentre moves goods on pallets, two to a shipping frame when there are many.
func (f *flow) toCentre(from *place, g goods) {
	dc := f.net.saladDC
	a, b := f.unit(from), f.unit(from)
	half := g.milli / 2 / piece * piece
	f.pack(from, a, []goods{g.part(half)})
	f.pack(from, b, []goods{g.part(g.milli - half)})
	load := order{from: from, to: dc, units: []string{a, b}}
	frame := ""
	if f.chance(0.3) {
		frame = f.unit(from)
		f.pack(from, frame, nil, a, b)
		load.units = []string{frame}
	}
	f.deliver(load, 2, 8)
	if frame != "" {
		f.unpack(dc, frame, nil, a, b)
	}
	f.keep(dc, dc, nil, []string{a, b}, f.between(10, 50))
	f.unpack(dc, a, []goods{g.part(half)})
	f.unpack(dc, b, []goods{g.part(g.milli - half)})
}

// toShop delivers loose goods or a pallet from the distribution centre, and sells most of them.
func (f *flow) toShop(shop *place, g goods) {
	dc := f.net.saladDC
	load := order{from: dc, to: shop, goods: []goods{g}}
	pallet := ""
	if f.chance(0.5) {
		pallet = f.unit(dc)
		f.pack(dc, pallet, []goods{g})
		load.goods, load.units = nil, []string{pallet}
	}
	f.deliver(load, 2, 12)
	if pallet != "" {
		f.unpack(shop, pallet, []goods{g})
	}
	if f.chance(0.2) { // the shop sticks a code of its own on every pack of the evening
		items := f.serialise(shop, g.id, int(f.between(3, 6)))
		f.wait(1, 3)
		f.sell(shop, nil, items[1:]...)
	}
	f.wait(4, 20)
	f.sell(shop, []goods{g.part(g.milli / 2 / piece * piece)})
	if f.chance(0.4) {
		f.wait(4, 20)
		f.destroy(shop, []goods{g.part(g.milli / 8 / piece * piece)})
	}
}
