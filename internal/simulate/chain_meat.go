package simulate

import (
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// porkCampaign: pigs of one or two farms, killed with quarantine papers, cut, and sold in trays.
func (f *flow) porkCampaign() {
	n := f.net
	var herds []goods
	end := f.clock
	for _, farm := range choose(f, n.pigFarms, int(f.between(1, 2))) {
		f.branch(func() {
			herd := f.begin(farm, n.pigs, f.between(40, 90)*piece, fact{"countryOfOrigin", "CN"})
			f.inspect(n.regulator, farm, herd.id, "quarantine", contract.Pass)
			f.deliver(order{from: farm, to: n.slaughterhouse, goods: []goods{herd}}, 2, 5)
			herds = append(herds, herd)
			end = latest(end, f.clock)
		})
	}
	f.clock = end
	f.wait(8, 14)
	var sides []goods
	for _, herd := range herds {
		var outputs []goods
		for range f.between(2, 4) {
			outputs = append(outputs, goods{f.newLot(n.carcass), f.between(700, 1500) * kilo, n.carcass.unit})
		}
		f.run(n.slaughterhouse, process{step: "creating_class_instance", inputs: []goods{herd}, outputs: outputs,
			facts: []fact{{"bestBeforeDate", f.day(n.slaughterhouse, 6)}}})
		for _, side := range outputs {
			f.inspect(n.regulator, n.slaughterhouse, side.id, "quarantine", contract.Pass)
		}
		sides = append(sides, outputs...)
	}
	f.keep(n.slaughterhouse, n.slaughterhouse, sides, nil, f.between(5, 30))
	f.deliver(order{from: n.slaughterhouse, to: n.cuttingPlant, goods: sides}, 1, 2)
	f.wait(6, 12)
	for len(sides) > 0 { // one or two lots of carcasses a run
		run := sides[:min(len(sides), int(f.between(1, 2)))]
		sides = sides[len(run):]
		f.cut(run)
	}
}

func (f *flow) cut(sides []goods) {
	n := f.net
	loin := goods{f.newLot(n.loin), f.between(400, 900) * piece, ""}
	belly := goods{f.newLot(n.belly), f.between(400, 900) * piece, ""}
	f.run(n.cuttingPlant, process{inputs: sides, outputs: []goods{loin, belly}, parts: int(f.between(1, 2)),
		facts: []fact{{"bestBeforeDate", f.day(n.cuttingPlant, 4)}}})
	f.distribute(n.cuttingPlant, loin)
	f.distribute(n.cuttingPlant, belly)
}

// shrimpCampaign: hatchery, pond, freezing plant, a reefer container by sea, customs quarantine, cold store, shops.
func (f *flow) shrimpCampaign() {
	n := f.net
	larvae := f.begin(n.hatchery, n.larvae, f.between(300, 600)*piece)
	f.deliver(order{from: n.hatchery, to: n.pond, goods: []goods{larvae}}, 4, 8)
	f.clock = f.clock.Add(80 * 24 * time.Hour) // to grow
	raw := goods{f.newLot(n.rawShrimp), f.between(4000, 9000) * kilo, n.rawShrimp.unit}
	f.run(n.pond, process{inputs: []goods{larvae}, outputs: []goods{raw},
		facts: []fact{{"harvestStartDate", f.day(n.pond, 0)}, {"countryOfOrigin", "EC"}}})
	f.deliver(order{from: n.pond, to: n.shrimpPlant, goods: []goods{raw}}, 3, 6)
	f.wait(2, 4)
	frozen := []goods{
		{f.newLot(n.frozenShrimp), raw.milli / 3, n.frozenShrimp.unit},
		{f.newLot(n.frozenShrimp), raw.milli / 3, n.frozenShrimp.unit},
	}
	f.run(n.shrimpPlant, process{inputs: []goods{raw}, outputs: frozen, facts: []fact{{"bestBeforeDate", f.day(n.shrimpPlant, 540)}}})
	f.sail(frozen)
	f.wait(4, 8)
	for _, g := range frozen {
		boxes := goods{f.newLot(n.consumerShrimp), g.milli * 2 / piece * piece, ""}
		f.run(n.importer, process{step: "repackaging", inputs: []goods{g}, outputs: []goods{boxes}})
		f.distribute(n.importer, boxes)
	}
}

// sail brings goods on pallets in a container from the plant over both ports to the importer.
func (f *flow) sail(frozen []goods) {
	n := f.net
	container := grai(n.portIn.firm.prefix, 1, f.seq+1)
	var pallets []string
	for _, g := range frozen {
		pallet := f.unit(n.shrimpPlant)
		f.pack(n.shrimpPlant, pallet, []goods{g})
		pallets = append(pallets, pallet)
	}
	f.pack(n.shrimpPlant, container, nil, pallets...)
	box := []string{container}
	f.deliver(order{from: n.shrimpPlant, to: n.portOut, units: box}, 5, 9)
	sea := f.ship(order{from: n.portOut, to: n.portIn, units: box, step: "departing"})
	for range 3 {
		f.clock = f.clock.Add(8 * 24 * time.Hour)
		f.keep(n.vessel, nil, nil, box, f.between(-230, -190))
	}
	f.clock = f.clock.Add(4 * 24 * time.Hour)
	f.receive(sea, "arriving")
	for _, g := range frozen {
		f.inspect(n.customs, n.portIn, g.id, "quarantine", contract.Pass)
	}
	f.deliver(order{from: n.portIn, to: n.importer, units: box}, 3, 6)
	f.unpack(n.importer, container, nil, pallets...)
	for i, pallet := range pallets {
		f.keep(n.importer, n.importer, nil, []string{pallet}, f.between(-220, -180))
		f.unpack(n.importer, pallet, []goods{frozen[i]})
	}
}
