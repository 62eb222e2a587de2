package fsma204

// layout is a tab: what it is called, its columns as it is written, and what its header must have to be taken for it.
type layout struct {
	cte     CTE
	en, zh  string
	columns []field   // in the order of the workbook of the Produce Traceability Initiative
	extra   []field   // columns of ours behind them, written where one of their cells has something
	needs   [][]field // one of each
}

// headers of columns that are not the first of their field's.
type headerKey struct {
	cte CTE
	of  field
}

var headers = map[headerKey][2]string{
	{Packing, quantity}:                  {"Quantity Packed", "包装数量"},
	{Packing, uom}:                       {"UOM Packed", "包装单位"},
	{Landing, quantity}:                  {"Quantity", "数量"},
	{Receiving, previousSource}:          {"Immediate Previous Source (IPS) Location - (Shipped from Location)", "直接前序来源地点"},
	{Transformation, refDocNumber}:       {"Reference Document Number for Transformation Event", "参考单据编号"},
	{Transformation, gtin}:               {"FTL Food Produced TLC - GTIN", "产出追溯码-GTIN"},
	{Transformation, lot}:                {"FTL Food Produced TLC - Batch", "产出批次"},
	{Transformation, tlc}:                {"FTL Food Produced TLC", "产出追溯码"},
	{Transformation, tlcID}:              {"Produced TLC URI", "产出追溯码URI"},
	{Transformation, sscc}:               {"FTL Food Produced TLC - SSCC", "产出追溯码-SSCC"},
	{Transformation, lotDate}:            {"FTL Food Produced TLC - Date", "产出追溯码-日期"},
	{Transformation, lotDateType}:        {"FTL Food Produced TLC - Date Type", "产出追溯码-日期类型"},
	{Transformation, productDescription}: {"FTL Food Produced Product Description", "产出产品描述"},
	{Transformation, quantity}:           {"FTL Food Produced Qty", "产出数量"},
	{Transformation, uom}:                {"FTL Food Produced UOM", "产出单位"},
	{Transformation, tlcSourceGLN}:       {"TLCS Reference GLN", "追溯码来源GLN"},
	{Transformation, tlcSourceFFRN}:      {"TLCS Reference FFRN", "追溯码来源FFRN"},
	{Transformation, tlcSourceURL}:       {"TLCS Reference URL", "追溯码来源网址"},
	{Transformation, tlcSourceGGN}:       {"TLCS Reference GGN", "追溯码来源GGN"},
	{Shipping, lotDate}:                  {"Date Code", "日期代码"},
	{Shipping, lotDateType}:              {"Date Type", "日期类型"},
	{Shipping, sscc}:                     {"Pallet ID", "托盘号"},
	{Receiving, refDoc}:                  {"Ref Doc", "参考单据"},
}

var tlcSourceColumns = []field{tlcSource, tlcSourceID, tlcSourceStreet, tlcSourceCity, tlcSourceState, tlcSourceCountry, tlcSourceZip, tlcSourcePhone}

var layouts = []layout{
	{cte: Harvest, en: "Harvest", zh: "收获",
		columns: []field{refDocType, refDocNumber, commodity, variety, quantity, uom, harvestLocation, fieldName, harvester, harvestDate, recipient},
		extra:   []field{container, harvestLot, harvestLotID, harvestLocationID, recipientID},
		needs:   [][]field{{harvestDate}, {harvestLocation, harvestLocationID, harvestLot, harvestLotID}}},
	{cte: Cooling, en: "Cooling", zh: "冷却",
		columns: []field{refDocType, refDocNumber, commodity, variety, quantity, uom, coolingLocation, coolingDate, harvestLocation, recipient},
		extra:   []field{harvestLot, harvestLotID, coolingLotID, coolingLocationID, harvestLocationID, recipientID},
		needs:   [][]field{{coolingDate}, {coolingLocation, coolingLocationID}}},
	{cte: Packing, en: "Initial Packing", zh: "初始包装",
		columns: []field{refDocType, refDocNumber, commodity, variety, receivedDate, receivedQuantity, receivedUOM, harvestLocation, fieldName, harvester,
			harvestDate, coolingLocation, coolingDate, gtin, lot, sscc, lotDate, lotDateType, productDescription, quantity, uom, packLocation, packDate},
		extra: concat([]field{tlc, tlcID, receivedFrom, container, harvestLot, harvestLotID, coolingLotID, harvestLocationID, coolingLocationID, receivedFromID,
			packLocationID, tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN,
			seedGrower, seedHarvestDate, seedConditioner, seedLot, seedConditioningDate, seedPackinghouse, seedPackDate, packedSeedLot, seedSupplier,
			seedSupplierLot, sprouterSeedLot, seedDescription, seedType, taxonomicName, growingSpecifications, seedPackaging, antimicrobialTreatment,
			seedReceivedDate}, tlcSourceColumns),
		needs: [][]field{{packDate, packLocation, packLocationID}, {gtin, lot, tlc, tlcID}}},
	{cte: Landing, en: "First Land-Based Receiving", zh: "首次陆上接收",
		columns: []field{refDocType, refDocNumber, gtin, lot, sscc, lotDate, lotDateType, species, productDescription, quantity, uom, catchStart, catchEnd,
			catchArea, vessel, landingLocation, landingDate},
		extra: concat([]field{tlc, tlcID, landingLocationID, tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN}, tlcSourceColumns),
		needs: [][]field{{landingDate}, {gtin, lot, tlc, tlcID}}},
	{cte: Shipping, en: "Shipping", zh: "发货",
		columns: []field{gtin, lot, lotDate, lotDateType, voiceCode, sscc, assignedBy, quantityUOM, productDescription, shipTo, shipToID, shipFrom, shipFromID,
			shipDate, tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN, tlcSourceAssignedBy, refDoc, collectionMethod, confidence, ambiguityNote},
		extra: concat([]field{tlc, tlcID, quantity, uom, refDocType, refDocNumber}, tlcSourceColumns),
		needs: [][]field{{shipDate}, {gtin, lot, tlc, tlcID, sscc}}},
	{cte: Receiving, en: "Receiving", zh: "接收",
		columns: []field{gtin, lot, lotDate, lotDateType, sscc, assignedBy, quantityUOM, productDescription, previousSource, receiveLocation, receiveDate,
			tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN, tlcSourceAssignedBy, refDoc, tlcSource, tlcSourceStreet, tlcSourceCity, tlcSourceState,
			tlcSourceCountry, tlcSourceZip, tlcSourcePhone},
		extra: []field{tlcSourceID, tlc, tlcID, quantity, uom, refDocType, refDocNumber, previousSourceID, receiveLocationID},
		needs: [][]field{{receiveDate}, {gtin, lot, tlc, tlcID, sscc}}},
	{cte: Transformation, en: "Transformation", zh: "转化",
		columns: []field{refDocType, refDocNumber, usedGTIN, usedLot, usedSSCC, usedLotDate, usedLotDateType, usedQuantity, usedUOM, usedProductDescription,
			gtin, lot, sscc, lotDate, lotDateType, transformLocation, tlcSourceGLN, tlcSourceFFRN, tlcSourceURL, tlcSourceGGN, transformDate,
			productDescription, quantity, uom},
		extra: concat([]field{usedTLC, usedTLCID, usedTLCSource, tlc, tlcID, transformLocationID}, tlcSourceColumns),
		needs: [][]field{{transformDate, transformLocation}, {usedGTIN, usedLot, usedTLC, usedTLCID, usedSSCC}}},
	{cte: locations, en: "Locations", zh: "地点",
		columns: []field{businessName, phone, street, city, state, zip, country, fieldName, coordinates, gln, ffrn, lookupSite},
		needs:   [][]field{{businessName}, {phone, street, city, coordinates, gln, ffrn}}},
	{cte: products, en: "Products", zh: "产品",
		columns: []field{ftlCategory, gtin, productName},
		needs:   [][]field{{gtin}, {productName}}},
}

// everywhere are the columns that any tab of events may have.
var everywhere = []field{timeOfDay, timeZone, note}

func concat(lists ...[]field) (all []field) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// all are the columns that a header of this layout may have.
func (l *layout) all() []field {
	if l.isEvent() {
		return concat(l.columns, l.extra, everywhere)
	}
	return l.columns
}

func (l *layout) isEvent() bool { return l.cte != locations && l.cte != products }
