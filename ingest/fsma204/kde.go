package fsma204

import (
	"slices"
	"strings"
)

// kde is a key data element that the rule requires: each of the groups must have one of its fields.
type kde struct {
	paragraph string // of 21 CFR
	what      string // for a sentence
	groups    [][]field
}

func one(list ...field) [][]field { return [][]field{list} }

var (
	amount   = [][]field{{quantity, quantityUOM}, {uom, quantityUOM}}
	document = [][]field{{refDocType, refDoc}, {refDocNumber, refDoc}}
	source   = one(tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN, tlcSource, tlcSourceID)
)

// required are the key data elements of each event, but those without which the row is refused: the date, and the lot.
var required = map[CTE][]kde{
	Harvest: {
		{"1.1325(a)(1)(i)", "The immediate subsequent recipient", one(recipient, recipientID)},
		{"1.1325(a)(1)(ii)", "The commodity", one(commodity)},
		{"1.1325(a)(1)(iii)", "The quantity and its unit", amount},
		{"1.1325(a)(1)(iv)", "The farm where the food was harvested", one(harvestLocation, harvestLocationID)},
		{"1.1325(a)(1)(v), (vi)", "The field, or for aquaculture the container,", one(fieldName, container)},
		{"1.1325(a)(1)(viii)", "The type and number of the reference document", document},
	},
	Cooling: {
		{"1.1325(b)(1)(i)", "The immediate subsequent recipient", one(recipient, recipientID)},
		{"1.1325(b)(1)(ii)", "The commodity", one(commodity)},
		{"1.1325(b)(1)(iii)", "The quantity and its unit", amount},
		{"1.1325(b)(1)(iv)", "The location where the food was cooled", one(coolingLocation, coolingLocationID)},
		{"1.1325(b)(1)(vi)", "The farm where the food was harvested", one(harvestLocation, harvestLocationID)},
		{"1.1325(b)(1)(vii)", "The type and number of the reference document", document},
	},
	Packing: {
		{"1.1330(a)(1)", "The commodity received", one(commodity)},
		{"1.1330(a)(2)", "The date on which the food was received", one(receivedDate)},
		{"1.1330(a)(3)", "The quantity received and its unit", [][]field{{receivedQuantity}, {receivedUOM}}},
		{"1.1330(a)(4)", "The farm where the food was harvested", one(harvestLocation, harvestLocationID)},
		{"1.1330(a)(5), (6)", "The field, or for aquaculture the container,", one(fieldName, container)},
		{"1.1330(a)(7)", "The name and phone number of the harvester", one(harvester)},
		{"1.1330(a)(8)", "The harvest date", one(harvestDate)},
		{"1.1330(a)(12)", "The product description", one(productDescription)},
		{"1.1330(a)(13)", "The quantity packed and its unit", amount},
		{"1.1330(a)(14)", "The location where the food was packed", one(packLocation, packLocationID)},
		{"1.1330(a)(16)", "The type and number of the reference document", document},
	},
	Landing: {
		{"1.1335(b)", "The species or market name, or the product description,", one(species, productDescription)},
		{"1.1335(c)", "The quantity and its unit", amount},
		{"1.1335(d)", "The harvest date range and the locations of the trip", [][]field{{catchStart, catchEnd}, {catchArea}}},
		{"1.1335(e)", "The location of the first land-based receiver", one(landingLocation, landingLocationID)},
		{"1.1335(g)", "The type and number of the reference document", document},
	},
	Shipping: {
		{"1.1340(a)(2)", "The quantity and its unit", amount},
		{"1.1340(a)(3)", "The product description", one(productDescription)},
		{"1.1340(a)(4)", "The location that the food was shipped to", one(shipTo, shipToID)},
		{"1.1340(a)(5)", "The location that the food was shipped from", one(shipFrom, shipFromID)},
		{"1.1340(a)(7)", "The traceability lot code source, or a reference to it,", source},
		{"1.1340(a)(8)", "The type and number of the reference document", document},
	},
	Receiving: {
		{"1.1345(a)(2)", "The quantity and its unit", amount},
		{"1.1345(a)(3)", "The product description", one(productDescription)},
		{"1.1345(a)(4)", "The location that the food came from", one(previousSource, previousSourceID)},
		{"1.1345(a)(5)", "The location where the food was received", one(receiveLocation, receiveLocationID)},
		{"1.1345(a)(7)", "The traceability lot code source, or a reference to it,", source},
		{"1.1345(a)(8)", "The type and number of the reference document", document},
	},
	Transformation: {
		{"1.1350(a)(2)(ii)", "The location where the food was transformed", one(transformLocation, transformLocationID)},
		{"1.1350(a)(2)(iv)", "The product description of the food produced", one(productDescription)},
		{"1.1350(a)(2)(v)", "The quantity produced and its unit", amount},
		{"1.1350(a)(2)(vi)", "The type and number of the reference document", document},
	},
}

// requiredOfExempt are those of initial packing of what came from somebody whom the rule does not bind.
var requiredOfExempt = []kde{
	{"1.1330(c)(1)", "The commodity received", one(commodity)},
	{"1.1330(c)(2)", "The date on which the food was received", one(receivedDate)},
	{"1.1330(c)(3)", "The quantity received and its unit", [][]field{{receivedQuantity}, {receivedUOM}}},
	{"1.1330(c)(4)", "The location that the food was received from", one(receivedFrom, receivedFromID)},
	{"1.1330(c)(6)", "The product description", one(productDescription)},
	{"1.1330(c)(7)", "The quantity packed and its unit", amount},
	{"1.1330(c)(8)", "The location where the food was packed", one(packLocation, packLocationID)},
	{"1.1330(c)(10)", "The type and number of the reference document", document},
}

// requiredOfSprouts are what initial packing of sprouts has to say of their seed.
var requiredOfSprouts = []kde{
	{"1.1330(b)(1)", "The grower of the seed", one(seedGrower)},
	{"1.1330(b)(2)", "The conditioner of the seed, its lot code and the date of conditioning", [][]field{{seedConditioner}, {seedLot}, {seedConditioningDate}}},
	{"1.1330(b)(3)", "The packinghouse of the seed, the date of packing and the lot code", [][]field{{seedPackinghouse}, {seedPackDate}, {packedSeedLot}}},
	{"1.1330(b)(4)", "The supplier of the seed and its lot code", [][]field{{seedSupplier}, {seedSupplierLot, sprouterSeedLot}}},
	{"1.1330(b)(5)", "The description of the seed", one(seedDescription, seedType, taxonomicName)},
	{"1.1330(b)(6)", "The date on which the sprouter received the seed", one(seedReceivedDate)},
}

// requiredOfUsed are those of each lot that a transformation uses.
var requiredOfUsed = []kde{
	{"1.1350(a)(1)(ii)", "The product description of the food used", one(usedProductDescription)},
	{"1.1350(a)(1)(iii)", "The quantity used of this lot and its unit", [][]field{{usedQuantity}, {usedUOM}}},
}

// required are the key data elements that the rule wants of the row. Initial packing of what came from somebody whom the rule does not bind
// needs other ones, and that of sprouts needs more.
func (b *builder) required() []kde {
	list := required[b.cte()]
	if b.cte() != Packing {
		return list
	}
	if b.has(receivedFrom, receivedFromID) || b.tab.header.column(harvestDate) < 0 {
		list = requiredOfExempt
	}
	for f := seedGrower; f <= seedReceivedDate; f++ {
		if b.has(f) {
			return slices.Concat(list, requiredOfSprouts)
		}
	}
	return list
}

// check remarks what is missing.
func (l *line) check(list []kde) {
	for _, k := range list {
		for _, group := range k.groups {
			if !l.has(group...) {
				l.remark(CodeKDE, l.columnOf(group), sentence(k.what)+" (21 CFR "+k.paragraph+").")
				break
			}
		}
	}
}

// sentence says that it is missing.
func sentence(what string) string {
	if what, ok := strings.CutSuffix(what, ","); ok {
		return what + ", is missing"
	}
	if strings.Contains(what, " and ") && !strings.Contains(what, "name and phone") {
		return what + " are not all there"
	}
	return what + " is missing"
}

// columnOf is the first of some fields that the tab has a column for.
func (l *line) columnOf(list []field) field {
	for _, f := range list {
		if l.tab.header.column(f) >= 0 {
			return f
		}
	}
	return none
}
