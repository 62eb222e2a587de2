package fsma204

// field is a key data element, or a part of one, that a column may hold.
type field uint8

const (
	none field = iota

	refDocType
	refDocNumber
	refDoc // type and number in one cell
	commodity
	variety
	quantity
	uom
	quantityUOM // both in one cell
	productDescription
	timeOfDay
	timeZone
	note

	// The lot that the row is about: what is packed, landed, shipped, received or produced.
	gtin
	lot
	tlc
	tlcID
	sscc
	lotDate
	lotDateType
	assignedBy

	harvestLocation
	harvestLocationID
	fieldName
	container
	harvester
	harvestDate
	harvestLot
	harvestLotID
	coolingLocation
	coolingLocationID
	coolingDate
	coolingLotID
	recipient
	recipientID

	receivedDate
	receivedQuantity
	receivedUOM
	receivedFrom
	receivedFromID
	packLocation
	packLocationID
	packDate

	seedGrower
	seedHarvestDate
	seedConditioner
	seedLot
	seedConditioningDate
	seedPackinghouse
	seedPackDate
	packedSeedLot
	seedSupplier
	seedSupplierLot
	sprouterSeedLot
	seedDescription
	seedType
	taxonomicName
	growingSpecifications
	seedPackaging
	antimicrobialTreatment
	seedReceivedDate

	species
	catchStart
	catchEnd
	catchArea
	vessel
	landingLocation
	landingLocationID
	landingDate

	shipFrom
	shipFromID
	shipTo
	shipToID
	shipDate
	voiceCode
	collectionMethod
	confidence
	ambiguityNote

	previousSource
	previousSourceID
	receiveLocation
	receiveLocationID
	receiveDate

	usedGTIN
	usedLot
	usedTLC
	usedTLCID
	usedTLCSource
	usedSSCC
	usedLotDate
	usedLotDateType
	usedQuantity
	usedUOM
	usedProductDescription
	transformLocation
	transformLocationID
	transformDate

	tlcSourceGLN
	tlcSourceFFRN
	tlcSourceURL
	tlcSourceGGN
	tlcSourceAssignedBy
	tlcSource
	tlcSourceID
	tlcSourceStreet
	tlcSourceCity
	tlcSourceState
	tlcSourceCountry
	tlcSourceZip
	tlcSourcePhone

	// Of Locations and Products.
	businessName
	phone
	street
	city
	state
	zip
	country
	coordinates
	gln
	ffrn
	lookupSite
	ftlCategory
	productName

	fieldCount
)

// kind says how a cell of the field is kept when EPCIS has no place for it.
type kind uint8

const (
	plain kind = iota // as it is
	date              // in ISO 8601; what is no date is remarked
	loose             // in ISO 8601 where it is a date; it may be another code
)

// about says what a key data element describes, and so where in the event it is kept.
type about uint8

const (
	theEvent about = iota // extension members of the event
	theLot                // its ILMD, where it has one
	theInput              // of what went in: an object of the ILMD's list "input", one for each row
	theSheet              // never kept in an event
)

// fieldInfo describes a field. Headers are those of all tabs, as a person writes them, separated by "|": what they
// are compared as is [normalise]'s.
type fieldInfo struct {
	name   string // of the member that keeps it
	kind   kind
	about  about
	en, zh string
}

var fields = [fieldCount]fieldInfo{
	refDocType:         {"refDocType", plain, theEvent, "Reference Document Type|Ref Doc Type|Document Type", "参考单据类型|单据类型|凭证类型"},
	refDocNumber:       {"refDocNumber", plain, theEvent, "Reference Document Number|Reference Document Number for Transformation Event|Ref Doc Number|Ref Doc No|Document Number", "参考单据编号|参考单据号|单据编号|单据号|凭证编号"},
	refDoc:             {"refDoc", plain, theEvent, "Ref Doc Type and Number|Ref Doc|Reference Document|Reference Document Type and Number", "参考单据类型和编号|参考单据|单据"},
	commodity:          {"commodity", plain, theInput, "Commodity|Commodity Received", "商品|农产品|农产品名称|品类"},
	variety:            {"variety", plain, theInput, "Variety|Variety Received", "品种"},
	quantity:           {"quantity", plain, theEvent, "Quantity|Qty|Quantity Packed|Qty Packed|FTL Food Produced Qty|Produced Quantity|Produced Qty|Quantity Produced|Quantity Shipped|Quantity Received", "数量|包装数量|产出数量|产品数量|发货数量|收货数量"},
	uom:                {"uom", plain, theEvent, "Unit of Measure (UOM)|Unit of Measure|UOM|Unit|UOM Packed|FTL Food Produced UOM|Produced UOM|UOM Produced|UOM Shipped|UOM Received", "单位|计量单位|包装单位|产出单位|产品单位"},
	quantityUOM:        {"quantityAndUnit", plain, theEvent, "Qty & UOM|Qty and UOM|Quantity & UOM|Quantity and Unit of Measure|Quantity and UOM", "数量和单位|数量及单位"},
	productDescription: {"productDescription", plain, theLot, "Product Description|FTL Food Produced Product Description|Produced Product Description|Product", "产品描述|产品名称|品名|产出产品描述|产出产品名称"},
	timeOfDay:          {"time", plain, theSheet, "Time|Event Time|Time of Day", "时间|时刻"},
	timeZone:           {"timeZone", plain, theSheet, "Time Zone|Timezone|UTC Offset|Time Zone Offset", "时区"},
	note:               {"note", plain, theEvent, "Note|Notes|Remarks|Comment|Comments", "备注|说明"},

	gtin:        {"gtin", plain, theEvent, "TLC - GTIN|GTIN|FTL Food Produced TLC - GTIN|Produced TLC - GTIN|Produced GTIN|New TLC - GTIN", "追溯码-GTIN|全球贸易项目代码|商品条码|GTIN|产出追溯码-GTIN|产出GTIN|产出商品条码"},
	lot:         {"lot", plain, theEvent, "TLC - Batch|TLC - Lot|TLC - Batch/Lot|Batch|Lot|Lot Number|Batch Number|Batch/Lot|Lot Code|FTL Food Produced TLC - Batch|FTL Food Produced TLC - Lot|Produced TLC - Batch|Produced Batch|Produced Lot|New TLC - Batch", "批次|批号|批次号|追溯码-批次|追溯码-批号|产出批次|产出批号|产出批次号|产品批次|产出追溯码-批次"},
	tlc:         {"tlc", plain, theEvent, "TLC|Traceability Lot Code|Traceability Lot Code (TLC)|TLC Value|FTL Food Produced TLC|Produced TLC|New TLC", "追溯码|追溯批次码|可追溯批次代码|产出追溯码"},
	tlcID:       {"tlcID", plain, theSheet, "TLC URI|TLC ID|Lot URI|Produced TLC URI", "追溯码URI|批次URI|产出追溯码URI"},
	sscc:        {"sscc", plain, theEvent, "TLC - SSCC|SSCC|Pallet ID|Pallet|Pallet SSCC|FTL Food Produced TLC - SSCC|Produced TLC - SSCC|Produced SSCC", "追溯码-SSCC|系列货运包装箱代码|物流单元代码|托盘号|托盘编号|SSCC|产出追溯码-SSCC|产出托盘号"},
	lotDate:     {"lotDate", loose, theLot, "TLC - Date|Date Code|FTL Food Produced TLC - Date|Produced TLC - Date|Lot Date", "追溯码-日期|批次日期|日期代码|产出追溯码-日期|产出批次日期"},
	lotDateType: {"lotDateType", plain, theLot, "TLC - Date Type|Date Type|FTL Food Produced TLC - Date Type|Produced TLC - Date Type|Lot Date Type", "追溯码-日期类型|日期类型|批次日期类型|产出追溯码-日期类型|产出批次日期类型"},
	assignedBy:  {"tlcAssignedBy", plain, theEvent, "TLC - Assigned By|TLC Assigned By", "追溯码-赋码方|追溯码赋码方|赋码方"},

	harvestLocation:   {"harvestLocation", plain, theInput, "Harvest Location|Farm|Farm Location|Location of Farm|Harvest Farm", "收获地点|采收地点|收获地|采收地|产地|农场"},
	harvestLocationID: {"harvestLocationID", plain, theInput, "Harvest Location ID|Harvest Location GLN|Farm GLN", "收获地点编码|收获地点位置码|收获地点GLN|采收地点编码|农场GLN"},
	fieldName:         {"fieldName", plain, theInput, "Field Name|Field|Growing Area|Field or Growing Area|Growing Area Name", "地块|地块名称|田块|田块名称|种植区"},
	container:         {"containerName", plain, theInput, "Container Name|Aquaculture Container|Pond|Pond Name|Pond, Pool, Tank or Cage", "养殖容器|养殖单元|池塘|塘号|网箱"},
	harvester:         {"harvester", plain, theInput, "Harvester Business Name & Number|Harvester Business Name and Number|Harvester Business Name|Harvester", "收获方名称和电话|收获方|采收方名称和电话|采收方"},
	harvestDate:       {"harvestDate", date, theInput, "Harvest Date|Date of Harvest|Harvesting Date", "收获日期|采收日期"},
	harvestLot:        {"harvestLot", plain, theInput, "Harvest Lot|Harvest Lot Code|Harvest Lot Number|Raw Lot|Field Lot", "收获批次|采收批次|收获批号|采收批号|原料批次"},
	harvestLotID:      {"harvestLotID", plain, theInput, "Harvest Lot URI|Harvest Lot ID", "收获批次URI|采收批次URI"},
	coolingLocation:   {"coolingLocation", plain, theInput, "Cooling Location|Cooler|Cooler Location", "冷却地点|预冷地点|预冷库"},
	coolingLocationID: {"coolingLocationID", plain, theInput, "Cooling Location ID|Cooling Location GLN|Cooler GLN", "冷却地点编码|冷却地点位置码|冷却地点GLN|预冷地点编码"},
	coolingDate:       {"coolingDate", date, theInput, "Cooling Date|Date of Cooling", "冷却日期|预冷日期"},
	coolingLotID:      {"coolingLotID", plain, theInput, "Cooling Lot URI|Cooling Lot ID", "冷却批次URI|预冷批次URI"},
	recipient:         {"recipient", plain, theEvent, "Immediate Subsequent Recipient (ISR) Location|Immediate Subsequent Recipient Location|Immediate Subsequent Recipient|ISR Location|ISR", "直接后续接收方地点|直接后续接收方|后续接收方|下一接收方"},
	recipientID:       {"recipientID", plain, theEvent, "Immediate Subsequent Recipient Location ID|Immediate Subsequent Recipient (ISR) Location ID|ISR Location ID|ISR GLN", "直接后续接收方编码|直接后续接收方GLN|后续接收方编码"},

	receivedDate:     {"receivedDate", date, theInput, "Date Received|Received Date", "接收日期|收货日期"},
	receivedQuantity: {"receivedQuantity", plain, theInput, "Quantity Received|Qty Received", "接收数量|收货数量"},
	receivedUOM:      {"receivedUOM", plain, theInput, "UOM Received|Unit Received", "接收单位|收货单位"},
	receivedFrom:     {"receivedFrom", plain, theInput, "Received From Location|Received From", "接收来源地点|接收来源|来货地点"},
	receivedFromID:   {"receivedFromID", plain, theInput, "Received From Location ID|Received From GLN", "接收来源地点编码|接收来源GLN"},
	packLocation:     {"packLocation", plain, theEvent, "Initial Packing Location - TLCS|Initial Packing Location|Packing Location|Pack Location|Packhouse", "初始包装地点|首次包装地点|包装地点"},
	packLocationID:   {"packLocationID", plain, theSheet, "Initial Packing Location ID|Initial Packing Location GLN|Packing Location ID|Packing Location GLN", "初始包装地点编码|初始包装地点GLN|包装地点编码"},
	packDate:         {"packDate", date, theEvent, "Pack Date|Packing Date|Date Packed|Date of Initial Packing", "包装日期|初始包装日期|首次包装日期"},

	seedGrower:             {"seedGrower", plain, theInput, "Seed Grower Location|Seed Grower", "种子种植方地点|种子种植方"},
	seedHarvestDate:        {"seedHarvestDate", date, theInput, "Date of Seed Harvest|Seed Harvest Date", "种子收获日期"},
	seedConditioner:        {"seedConditioner", plain, theInput, "Seed Conditioner Location|Seed Conditioner", "种子加工方地点|种子加工方"},
	seedLot:                {"seedLot", plain, theInput, "Seed Lot Code|Seed Lot", "种子批次|种子批号"},
	seedConditioningDate:   {"seedConditioningDate", date, theInput, "Date of Conditioning / Processing|Date of Conditioning|Seed Conditioning Date", "种子加工日期"},
	seedPackinghouse:       {"seedPackinghouse", plain, theInput, "Seed Packinghouse Location|Seed Packinghouse", "种子包装厂地点|种子包装厂"},
	seedPackDate:           {"seedPackDate", date, theInput, "Seed Pack Date|Seed Packing Date", "种子包装日期"},
	packedSeedLot:          {"packedSeedLot", plain, theInput, "Packed Seed Lot Code|Packed Seed Lot", "包装种子批次|包装种子批号"},
	seedSupplier:           {"seedSupplier", plain, theInput, "Location Description for seed supplier|Seed Supplier Location|Seed Supplier", "种子供应商地点|种子供应商"},
	seedSupplierLot:        {"seedSupplierLot", plain, theInput, "Seed Supplier Lot Code|Seed Supplier Lot", "种子供应商批次|种子供应商批号"},
	sprouterSeedLot:        {"sprouterSeedLot", plain, theInput, "Any seed lot code assigned by sprouter|Seed Lot Code Assigned by Sprouter", "芽菜厂赋予的种子批次|芽菜厂种子批号"},
	seedDescription:        {"seedDescription", plain, theInput, "Description of the Seed|Seed Description", "种子描述"},
	seedType:               {"seedType", plain, theInput, "Seed Type", "种子类型"},
	taxonomicName:          {"taxonomicName", plain, theInput, "Taxonomic Name|Seed Taxonomic Name", "学名|种子学名"},
	growingSpecifications:  {"growingSpecifications", plain, theInput, "Growing Specifications", "种植规格"},
	seedPackaging:          {"seedPackaging", plain, theInput, "Type of Packaging|Seed Packaging", "种子包装类型|种子包装方式"},
	antimicrobialTreatment: {"antimicrobialTreatment", plain, theInput, "Antimicrobial Treatment", "抗微生物处理|杀菌处理"},
	seedReceivedDate:       {"seedReceivedDate", date, theInput, "Date of receipt of seed by sprouter|Seed Receipt Date", "芽菜厂收种日期|种子接收日期"},

	species:           {"gs1:fishType", plain, theLot, "Species|Species and/or Acceptable Market Name|Species or Market Name|Acceptable Market Name|Market Name", "物种|物种名称|市场名称|水产品名称"},
	catchStart:        {"gs1:harvestDateStart", date, theLot, "Harvest Date Start|Harvest Start Date|Start of Harvest Date Range|Trip Start Date|Harvest Date From", "捕捞开始日期|捕捞起始日期"},
	catchEnd:          {"gs1:harvestDateEnd", date, theLot, "Harvest Date End|Harvest End Date|End of Harvest Date Range|Trip End Date|Harvest Date To", "捕捞结束日期|捕捞截止日期"},
	catchArea:         {"gs1:catchZone", plain, theLot, "Harvest Locations for the Trip|Harvest Area|Harvest Areas|Catch Area|Catch Areas|Catch Zone|FAO Area|Fishing Area|FAO Major Fishing Area", "捕捞区域|捕捞海域|渔区|作业海区"},
	vessel:            {"vesselName", plain, theLot, "Vessel|Vessel Name|Fishing Vessel", "渔船|船名"},
	landingLocation:   {"landingLocation", plain, theEvent, "First Land-Based Receiver Location - TLCS|First Land-Based Receiver Location|First Land-Based Receiver|First Land Based Receiving Location|Landing Location", "首个陆上接收方地点|首个陆上接收方|卸货地点|上岸地点"},
	landingLocationID: {"landingLocationID", plain, theSheet, "First Land-Based Receiver Location ID|First Land-Based Receiver GLN|Landing Location ID", "首个陆上接收方编码|首个陆上接收方GLN|上岸地点编码"},
	landingDate:       {"landingDate", date, theEvent, "Landing Date|Date Landed|Date the Food was Landed|Date of Landing", "卸货日期|上岸日期|到港日期"},

	shipFrom:         {"shipFrom", plain, theEvent, "Ship-From Location|Ship From|Shipped From Location|Shipped From", "发货地点|发货地|发货方"},
	shipFromID:       {"shipFromID", plain, theEvent, "Ship-From Location ID|Ship-From Location GLN|Ship From GLN", "发货地点编码|发货地点位置码|发货地点GLN"},
	shipTo:           {"shipTo", plain, theEvent, "Ship-To Location|Ship To|Shipped To Location|Immediate Subsequent Recipient Location|Immediate Subsequent Recipient (ISR) Location|Immediate Subsequent Recipient", "收货地点|收货方|送达地点|目的地|直接后续接收方"},
	shipToID:         {"shipToID", plain, theEvent, "Ship-To Location ID|Ship-To Location GLN|Ship To GLN", "收货地点编码|收货地点位置码|收货地点GLN"},
	shipDate:         {"shipDate", date, theEvent, "Ship Date|Shipping Date|Date Shipped|Date of Shipment", "发货日期|发运日期|装运日期"},
	voiceCode:        {"voiceCode", plain, theEvent, "VoiceCode|Voice Code|Voice Pick Code", "语音拣选码|语音码"},
	collectionMethod: {"tlcCollectionMethod", plain, theEvent, "TLC Collection Method", "追溯码采集方式"},
	confidence:       {"tlcConfidence", plain, theEvent, "Confidence Level|TLC Confidence Level", "置信度|追溯码置信度"},
	ambiguityNote:    {"tlcAmbiguityNote", plain, theEvent, "Notes on TLC Ambiguity|TLC Ambiguity", "追溯码歧义说明"},

	previousSource:    {"previousSource", plain, theEvent, "Immediate Previous Source (IPS) Location - (Shipped from Location)|Immediate Previous Source (IPS) Location|Immediate Previous Source Location|Immediate Previous Source|IPS Location|Shipped From Location|Ship-From Location|Ship From", "直接前序来源地点|直接前序来源|前序来源|上一来源地点|供货方|发货地点"},
	previousSourceID:  {"previousSourceID", plain, theEvent, "Immediate Previous Source (IPS) Location ID|Immediate Previous Source Location ID|IPS Location ID|IPS GLN|Ship-From Location ID|Ship-From Location GLN", "直接前序来源编码|直接前序来源GLN|前序来源编码|发货地点编码|发货地点GLN"},
	receiveLocation:   {"receiveLocation", plain, theEvent, "Receive Location|Receiving Location|Received Location|Location Received|Ship-To Location", "接收地点|收货地点|收货地"},
	receiveLocationID: {"receiveLocationID", plain, theSheet, "Receive Location ID|Receive Location GLN|Receiving Location ID|Receiving Location GLN|Ship-To Location ID", "接收地点编码|接收地点GLN|收货地点编码|收货地点GLN"},
	receiveDate:       {"receiveDate", date, theEvent, "Receive Date|Receiving Date|Date Received|Received Date|Receipt Date", "接收日期|收货日期"},

	usedGTIN:               {"usedGTIN", plain, theInput, "FTL Food Used TLC - GTIN|Used TLC - GTIN|Used GTIN|Input TLC - GTIN|Input GTIN|Ingredient GTIN", "投入追溯码-GTIN|使用追溯码-GTIN|投入GTIN|使用GTIN|原料GTIN|原料商品条码"},
	usedLot:                {"usedLot", plain, theInput, "FTL Food Used TLC - Batch|FTL Food Used TLC - Lot|Used TLC - Batch|Used Batch|Used Lot|Input TLC - Batch|Input Lot|Ingredient Lot", "投入批次|使用批次|投入批号|使用批号|原料批次|原料批号|投入追溯码-批次|使用追溯码-批次"},
	usedTLC:                {"usedTLC", plain, theInput, "FTL Food Used TLC|Used TLC|Input TLC|Ingredient TLC", "投入追溯码|使用追溯码|原料追溯码"},
	usedTLCID:              {"usedTLCID", plain, theInput, "FTL Food Used TLC URI|Used TLC URI|Input TLC URI", "投入追溯码URI|使用追溯码URI|原料追溯码URI"},
	usedTLCSource:          {"usedTLCSource", plain, theInput, "FTL Food Used TLC Source|Used TLC Source|Used TLC Source GLN|Input TLC Source", "投入追溯码来源|使用追溯码来源|原料追溯码来源"},
	usedSSCC:               {"usedSSCC", plain, theInput, "FTL Food Used TLC - SSCC|Used TLC - SSCC|Used SSCC|Input SSCC", "投入追溯码-SSCC|使用追溯码-SSCC|投入SSCC|使用托盘号|原料托盘号"},
	usedLotDate:            {"usedLotDate", loose, theInput, "FTL Food Used TLC - Date|Used TLC - Date|Input TLC - Date", "投入追溯码-日期|使用追溯码-日期|原料批次日期"},
	usedLotDateType:        {"usedLotDateType", plain, theInput, "FTL Food Used TLC - Date Type|Used TLC - Date Type|Input TLC - Date Type", "投入追溯码-日期类型|使用追溯码-日期类型|原料批次日期类型"},
	usedQuantity:           {"usedQuantity", plain, theInput, "FTL Food Used Qty|FTL Food Used Quantity|Used Qty|Used Quantity|Quantity Used|Input Quantity", "投入数量|使用数量|原料数量"},
	usedUOM:                {"usedUOM", plain, theInput, "FTL Food Used UOM|Used UOM|UOM Used|Input UOM", "投入单位|使用单位|原料单位"},
	usedProductDescription: {"usedProductDescription", plain, theInput, "FTL Food Used Product Description|Used Product Description|Input Product Description|Ingredient Product Description", "投入产品描述|使用产品描述|原料描述|原料名称"},
	transformLocation:      {"transformLocation", plain, theEvent, "Transform Location - TLCS|Transform Location|Transformation Location|Transformation Location - TLCS", "转化地点|加工地点|生产地点"},
	transformLocationID:    {"transformLocationID", plain, theSheet, "Transform Location ID|Transform Location GLN|Transformation Location ID|Transformation Location GLN", "转化地点编码|转化地点GLN|加工地点编码|加工地点GLN|生产地点编码"},
	transformDate:          {"transformDate", date, theEvent, "Date Transformed|Transformation Date|Transform Date|Date Transformation Completed", "转化日期|加工日期|生产日期|加工完成日期"},

	tlcSourceGLN:        {"tlcSourceGLN", plain, theEvent, "TLC Source Reference GLN|TLCS Reference GLN|TLC Source GLN", "追溯码来源GLN|赋码地点GLN|追溯码来源位置码"},
	tlcSourceFFRN:       {"tlcSourceFFRN", plain, theEvent, "TLC Source Reference FFRN|TLCS Reference FFRN|TLC Source FFRN", "追溯码来源FFRN|赋码地点FFRN|追溯码来源食品企业注册号"},
	tlcSourceURL:        {"tlcSourceURL", plain, theEvent, "TLC Source Reference URL|TLCS Reference URL|TLC Source URL", "追溯码来源网址|赋码地点网址"},
	tlcSourceGGN:        {"tlcSourceGGN", plain, theEvent, "TLC Source Reference GGN|TLCS Reference GGN|TLC Source GGN", "追溯码来源GGN|赋码地点GGN"},
	tlcSourceAssignedBy: {"tlcSourceAssignedBy", plain, theEvent, "TLC Source Reference - Assigned By|TLCS Reference Assigned By", "追溯码来源赋码方"},
	tlcSource:           {"tlcSource", plain, theEvent, "TLC Source Name|TLC Source|TLC Source Location|TLCS", "追溯码来源名称|追溯码来源|赋码地点"},
	tlcSourceID:         {"tlcSourceID", plain, theEvent, "TLC Source ID|TLC Source Location ID", "追溯码来源编码|赋码地点编码"},
	tlcSourceStreet:     {"tlcSourceStreet", plain, theEvent, "TLC Source Street|TLC Source Address", "追溯码来源街道|追溯码来源地址"},
	tlcSourceCity:       {"tlcSourceCity", plain, theEvent, "TLC Source City", "追溯码来源城市"},
	tlcSourceState:      {"tlcSourceState", plain, theEvent, "TLC Source State", "追溯码来源省份|追溯码来源省"},
	tlcSourceCountry:    {"tlcSourceCountry", plain, theEvent, "TLC Source Country", "追溯码来源国家"},
	tlcSourceZip:        {"tlcSourceZip", plain, theEvent, "TLC Source Zip Code|TLC Source Zip|TLC Source Postal Code", "追溯码来源邮编|追溯码来源邮政编码"},
	tlcSourcePhone:      {"tlcSourcePhone", plain, theEvent, "TLC Source Phone Number|TLC Source Phone", "追溯码来源电话"},

	businessName: {"", plain, theSheet, "Business or Farm Name|Business Name|Farm Name|Location Name|Company Name", "企业或农场名称|企业名称|单位名称|农场名称|地点名称|场所名称"},
	phone:        {"", plain, theSheet, "Phone Number|Phone|Telephone", "电话|联系电话|电话号码"},
	street:       {"", plain, theSheet, "Physical Location Address (or geo-coordinates)|Physical Location Address|Address|Street Address|Street", "实际地址|地址|详细地址|街道地址"},
	city:         {"", plain, theSheet, "City", "城市|市"},
	state:        {"", plain, theSheet, "State or Region|State|Region|Province", "省份|省|省/自治区/直辖市|州"},
	zip:          {"", plain, theSheet, "Zip or Postal Code|Zip Code|Zip|Postal Code", "邮政编码|邮编"},
	country:      {"", plain, theSheet, "Country", "国家|国家/地区"},
	coordinates:  {"", plain, theSheet, "Geo-Coordinates|Geo Coordinates|Coordinates|Latitude, Longitude", "地理坐标|经纬度|坐标"},
	gln:          {"", plain, theSheet, "GLN|Location ID|Global Location Number", "全球位置码|参与方位置编码|位置码|GLN|地点编码"},
	ffrn:         {"", plain, theSheet, "FFRN|FDA Food Facility Registration Number|Food Facility Registration Number", "食品企业注册号|FFRN|FDA注册号"},
	lookupSite:   {"", plain, theSheet, "TLC Source Lookup Site|Lookup Site|TLC Source Lookup URL", "追溯码来源查询网址|查询网址"},
	ftlCategory:  {"", plain, theSheet, "FTL List Category|FTL Category|Food Traceability List Category", "食品追溯清单类别|追溯清单类别|产品类别"},
	productName:  {"", plain, theSheet, "Product Name|Product Description|Product", "产品名称|产品描述|品名"},
}
