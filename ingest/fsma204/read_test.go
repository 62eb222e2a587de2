package fsma204_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// tab is a sheet of a test: rows of texts.
type tab struct {
	name string
	rows [][]string
}

func workbook(t testing.TB, tabs []tab) []byte {
	t.Helper()
	var out bytes.Buffer
	w := sheet.NewWriter(&out, sheet.XLSX)
	for _, tab := range tabs {
		if err := w.Sheet(tab.name); err != nil {
			t.Fatal(err)
		}
		for _, row := range tab.rows {
			if err := w.Row(sheet.Texts(row...)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// chain is one food from the field to the salad, by what each tab says of it.
var chain = []tab{
	{"Places", [][]string{
		{"Location Name", "Phone", "Address", "City", "State", "Zip", "Country", "Geo-Coordinates", "GLN"},
		{"Blue Farm", "555 0100", "1 Lake Rd", "Yuma", "AZ", "85364", "USA", "32.69, -114.62", "9506000134376"},
		{"Packers", "555 0101", "2 Lake Rd", "Yuma", "AZ", "85364", "USA", "", ""},
		{"Salad Works", "555 0102", "3 Hill St", "Reno", "NV", "89501", "USA", "", "9506000134369"}}},
	{"H", [][]string{
		{"Harvest records of the season"},
		{"Commodity", "Variety", "Qty", "UOM", "Farm", "Field", "Harvest Date", "ISR", "Document Number", "Document Type", "Harvester"},
		{"Lettuce", "Romaine", "1,200.5", "lbs", "Blue Farm", "F-7", "2026-04-20", "Packers", "T-1", "Field ticket", "J. Doe 555 0199"}}},
	{"C", [][]string{
		{"Cooling Date", "Cooler", "Commodity", "Variety", "Quantity", "Unit", "Harvest Location", "ISR Location", "Ref Doc No", "Ref Doc Type"},
		{"2026-04-20 15:00", "Packers", "Lettuce", "Romaine", "1200.5", "LBR", "Blue Farm", "Packers", "C-1", "Cooling order"}}},
	{"P", [][]string{
		{"Pack Date", "Packhouse", "GTIN", "Lot", "Quantity Packed", "UOM Packed", "Product Description", "Commodity", "Variety", "Date Received", "Quantity Received",
			"UOM Received", "Harvest Location", "Field Name", "Harvest Date", "Harvester", "Cooling Location", "Cooling Date", "Ref Doc Type", "Ref Doc No", "Moon phase"},
		{"2026-04-21", "Packers", "09506000134352", "L1", "50", "Cases", "Romaine, 24 heads", "Lettuce", "Romaine", "2026-04-20", "1200.5", "lb", "Blue Farm", "F-7",
			"2026-04-20", "J. Doe 555 0199", "Packers", "2026-04-20", "Work order", "W-1", "full"}}},
	{"S", [][]string{
		{"Ship Date", "TLC - GTIN", "TLC - Batch", "Qty & UOM", "Product Description", "Ship From", "Ship To", "TLC Source", "Ref Doc", "Pallet ID", "Time Zone"},
		{"2026-04-22 06:30", "9506000134352", "L1", "50 CS", "Romaine, 24 heads", "Packers", "Salad Works", "Packers", "BOL 9", "395060001343500010", "-07:00"}}},
	{"R", [][]string{
		{"Receive Date", "Time", "GTIN", "Lot", "Quantity", "UOM", "Product Description", "Ship From", "Receive Location", "TLC Source", "Ref Doc Type", "Ref Doc No"},
		{"4/23/2026", "8:15 PM", "9506000134352", "L1", "50", "cs", "Romaine, 24 heads", "Packers", "Salad Works", "Packers", "BOL", "9"}}},
	{"T", [][]string{
		{"Date Transformed", "Transform Location", "Used GTIN", "Used Lot", "Used Qty", "Used UOM", "Used Product Description", "Produced TLC", "Produced Qty",
			"Produced UOM", "Produced Product Description", "Ref Doc Type", "Ref Doc No"},
		{"Apr 24, 2026", "Salad Works", "09506000134352", "L1", "10", "CS", "Romaine, 24 heads", "SALAD 8/24", "200", "bags", "Salad", "Batch log", "B-3"},
		{"", "", "09506000134369", "X", "5", "KG", "Dressing", "", "", "", "", "", ""}}},
	{"Boats", [][]string{
		{"Landing Date", "Landing Location", "TLC - GTIN", "TLC - Batch", "Species", "Quantity", "UOM", "Harvest Date Start", "Harvest Date End", "FAO Area", "Vessel",
			"Ref Doc Type", "Ref Doc No"},
		{"2026-04-25", "Salad Works", "09506000134352", "TUNA-1", "Albacore", "800", "kg", "2026-04-20", "2026-04-24", "77", "Aurora", "Catch Certificate", "CC-1"}}},
}

// chainZH is the same in Chinese.
var chainZH = []tab{
	{"地点表", [][]string{
		{"企业名称", "电话", "地址", "城市", "省份", "邮编", "国家", "经纬度", "全球位置码"},
		{"Blue Farm", "555 0100", "1 Lake Rd", "Yuma", "AZ", "85364", "USA", "32.69, -114.62", "9506000134376"},
		{"Packers", "555 0101", "2 Lake Rd", "Yuma", "AZ", "85364", "USA", "", ""},
		{"Salad Works", "555 0102", "3 Hill St", "Reno", "NV", "89501", "USA", "", "9506000134369"}}},
	{"收获", [][]string{
		{"商品", "品种", "数量", "单位", "收获地点", "地块", "收获日期", "直接后续接收方", "单据编号", "单据类型", "收获方"},
		{"Lettuce", "Romaine", "1200.5", "磅", "Blue Farm", "F-7", "2026年4月20日", "Packers", "T-1", "Field ticket", "J. Doe 555 0199"}}},
	{"冷却", [][]string{
		{"冷却日期", "冷却地点", "商品", "品种", "数量", "计量单位", "产地", "后续接收方", "单据号", "单据类型"},
		{"2026/4/20 下午3:00", "Packers", "Lettuce", "Romaine", "1200.5", "磅", "Blue Farm", "Packers", "C-1", "Cooling order"}}},
	{"包装", [][]string{
		{"包装日期", "包装地点", "商品条码", "批次", "包装数量", "包装单位", "产品描述", "商品", "品种", "接收日期", "接收数量", "接收单位", "收获地点", "地块名称", "收获日期", "收获方", "冷却地点", "冷却日期",
			"单据类型", "单据编号", "Moon phase"},
		{"2026年4月21日", "Packers", "09506000134352", "L1", "50", "箱", "Romaine, 24 heads", "Lettuce", "Romaine", "2026-04-20", "1200.5", "lb", "Blue Farm", "F-7",
			"2026-04-20", "J. Doe 555 0199", "Packers", "2026-04-20", "Work order", "W-1", "full"}}},
	{"发货", [][]string{
		{"发货日期", "全球贸易项目代码", "批号", "数量及单位", "产品名称", "发货地点", "收货地点", "追溯码来源", "参考单据", "托盘号", "时区"},
		{"2026-04-22 06:30", "9506000134352", "L1", "50箱", "Romaine, 24 heads", "Packers", "Salad Works", "Packers", "BOL 9", "395060001343500010", "UTC-7"}}},
	{"收货", [][]string{
		{"接收日期", "时间", "GTIN", "批次号", "数量", "单位", "产品名称", "发货地点", "收货地点", "追溯码来源", "单据类型", "单据编号"},
		{"2026年4月23日", "下午8:15", "9506000134352", "L1", "50", "箱", "Romaine, 24 heads", "Packers", "Salad Works", "Packers", "BOL", "9"}}},
	{"加工", [][]string{
		{"加工日期", "加工地点", "原料GTIN", "原料批次", "使用数量", "使用单位", "原料名称", "产出追溯码", "产出数量", "产出单位", "产出产品名称", "单据类型", "单据编号"},
		{"2026-04-24", "Salad Works", "09506000134352", "L1", "10", "CS", "Romaine, 24 heads", "SALAD 8/24", "200", "袋", "Salad", "Batch log", "B-3"},
		{"", "", "09506000134369", "X", "5", "KG", "Dressing", "", "", "", "", "", ""}}},
	{"上岸", [][]string{
		{"上岸日期", "上岸地点", "GTIN", "批次", "物种", "数量", "单位", "捕捞开始日期", "捕捞结束日期", "捕捞区域", "渔船", "单据类型", "单据编号"},
		{"2026-04-25", "Salad Works", "09506000134352", "TUNA-1", "Albacore", "800", "公斤", "2026-04-20", "2026-04-24", "77", "Aurora", "Catch Certificate", "CC-1"}}},
}

func TestChain(t *testing.T) {
	r := readBook(t, openBook(t, workbook(t, chain)), options)
	if diff := cmp.Diff([]string{"finding COLUMN_UNKNOWN P!U1"}, r.said()); diff != "" {
		t.Error(diff)
	}
	checkStandard(t, r.events)
	again(t, r, fsma204.English)
	again(t, r, fsma204.Chinese)

	const (
		harvested = "urn:foodtrace:harvest:gln:9506000134376:lettuce:romaine:f-7:2026-04-20"
		cooled    = "urn:foodtrace:cooling:gln:9506000134376:GREENFARM:packers:lettuce:romaine:2026-04-20"
		packed    = "https://id.gs1.org/01/09506000134352/10/L1"
		pallet    = "https://id.gs1.org/00/395060001343500010"
		dressing  = "https://id.gs1.org/01/09506000134369/10/X"
		salad     = "urn:foodtrace:lot:gln:9506000134369:SALAD%208%2F24"
		tuna      = "https://id.gs1.org/01/09506000134352/10/TUNA-1"
		farm      = "https://id.gs1.org/414/9506000134376"
		packers   = "urn:foodtrace:place:GREENFARM:packers"
		works     = "https://id.gs1.org/414/9506000134369"
	)
	want := []string{
		"2026-04-20T00:00:00Z ObjectEvent ADD creating_class_instance at " + farm + ": object " + harvested + " 1200.5 LBR to " + packers,
		"2026-04-20T15:00:00Z ObjectEvent OBSERVE other at " + packers + ": object " + cooled + " 1200.5 LBR to " + packers,
		"2026-04-20T00:00:00Z ObjectEvent OBSERVE receiving at " + packers + ": object " + harvested + " 1200.5 LBR from " + farm + " to " + packers,
		"2026-04-20T00:00:00Z ObjectEvent OBSERVE receiving at " + packers + ": object " + cooled + " 1200.5 LBR from " + packers + " to " + packers,
		"2026-04-21T00:00:00Z TransformationEvent  creating_class_instance at " + packers + ": input " + harvested + " 1200.5 LBR input " + cooled + " 1200.5 LBR output " +
			packed + " 50 CS",
		"2026-04-22T06:30:00-07:00 AggregationEvent OBSERVE shipping at " + packers + ": parent " + pallet + "   child " + packed + " 50 CS from " + packers + " to " + works,
		"2026-04-23T20:15:00Z ObjectEvent OBSERVE receiving at " + works + ": object " + packed + " 50 CS from " + packers + " to " + works,
		"2026-04-24T00:00:00Z TransformationEvent  creating_class_instance at " + works + ": input " + packed + " 10 CS input " + dressing + " 5 KGM output " + salad + " 200 BG",
		"2026-04-25T00:00:00Z ObjectEvent ADD creating_class_instance at " + works + ": object " + tuna + " 800 KGM",
	}
	var got []string
	for _, e := range r.events {
		got = append(got, line(e))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"T!A2", "T!A3"}, r.places[7]); diff != "" {
		t.Errorf("places of an event of two rows: %s", diff)
	}
	if len(r.described) != 3 || r.described[0].Sites[0].ID != farm || r.described[0].Sites[0].Country != "US" || r.described[0].Sites[0].Lat.String() != "32.69" {
		t.Errorf("%+v", r.described)
	}
}

// line says of an event what a trace needs.
func line(e *event.Event) string {
	s := e.Time.String() + " " + string(e.Type) + " " + string(e.Action) + " " + e.Step() + " at " + e.Site() + ":"
	for _, i := range e.Items() {
		s += " " + i.Role.String() + " " + i.Key + " " + i.Quantity.String() + " " + i.UOM
	}
	if from := e.SourceOf("location"); from != "" {
		s += " from " + from
	}
	if to := e.DestinationOf("location"); to != "" {
		s += " to " + to
	}
	return s
}

// The same in Chinese, as one workbook and as a text for each tab, is the same.
func TestChainInChinese(t *testing.T) {
	english := readBook(t, openBook(t, workbook(t, chain)), options)
	chinese := readBook(t, openBook(t, workbook(t, chainZH)), options)
	if diff := cmp.Diff(hashes(english.events), hashes(chinese.events)); diff != "" {
		t.Error(diff)
		for i := range english.events {
			t.Log(cmp.Diff(english.events[i].PreHash(), chinese.events[i].PreHash()))
		}
	}
	if diff := cmp.Diff(english.described, chinese.described); diff != "" {
		t.Error(diff)
	}
}

// The order of the columns says nothing.
func TestColumnsInAnyOrder(t *testing.T) {
	want := readBook(t, openBook(t, workbook(t, chain)), options)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		var shuffled []tab
		for _, tab := range chain {
			width := 0
			for _, row := range tab.rows {
				width = max(width, len(row))
			}
			order := random.Perm(width)
			next := tab
			next.rows = nil
			for _, row := range tab.rows {
				cells := make([]string, width)
				for i, c := range row {
					cells[order[i]] = c
				}
				next.rows = append(next.rows, cells)
			}
			shuffled = append(shuffled, next)
		}
		got := readBook(t, openBook(t, workbook(t, shuffled)), options)
		if diff := cmp.Diff(hashes(want.events), hashes(got.events)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestTheSenderScopesNames(t *testing.T) {
	const text = "Harvest Date,Farm,Commodity,Field\n2026-04-20,Blue Farm,Lettuce,F-7\n"
	mine := readCSV(t, text)
	again := readCSV(t, text)
	theirs := readBook(t, openBook(t, []byte(text)), fsma204.Options{Sender: "REDFARM"})
	if mine.events[0].Hash() != again.events[0].Hash() {
		t.Error("the same row is two events")
	}
	if mine.events[0].Site() == theirs.events[0].Site() || mine.events[0].Items()[0].Key == theirs.events[0].Items()[0].Key {
		t.Error("a name without an identifier is one thing for two senders")
	}
}

// A name that Locations does not have may be mistyped, and is said once. What looks a little like a URI is a name.
func TestPlaces(t *testing.T) {
	const header = "Ship Date,Time,GTIN,Lot,Qty & UOM,Product Description,Ship From,Ship To,TLC Source,Ref Doc"
	row := func(cells string) []string { return strings.Split(cells, ",") }
	r := readBook(t, openBook(t, workbook(t, []tab{
		{"Shipping", [][]string{row(header),
			row("2026-04-20 08:00,09:00,9506000134352,L1,5 CS,Romaine,Packers,Store:7,packers,INV 1"),
			row("2026-04-20 08:00,,9506000134352,L2,5 CS,Romaine,PACKERS,Store:7,Packers,INV 1"),
			row("2026-04-20,,9506000134352,L3,5 CS,Romaine,9506000134376,urn:epc:id:sgln:9506000.13436.0,Packers,INV 1")}},
		{"Locations", [][]string{{"Business Name", "City", "GLN"}, {"Packers", "Yuma", "9506000134376"}}},
	})), options)
	if diff := cmp.Diff([]string{"finding DATE Shipping!B2", "finding LOCATION_UNKNOWN Shipping!H2"}, r.said()); diff != "" {
		t.Error(diff)
	}
	var to []string
	for _, e := range r.events {
		if e.Site() != "https://id.gs1.org/414/9506000134376" {
			t.Error(e.Site())
		}
		to = append(to, e.DestinationOf("location"))
	}
	store := "urn:foodtrace:place:GREENFARM:store%3A7"
	if diff := cmp.Diff([]string{store, store, "https://id.gs1.org/414/9506000134369"}, to); diff != "" {
		t.Error(diff)
	}
	checkStandard(t, r.events)
	again(t, r, fsma204.English)
}

func TestZones(t *testing.T) {
	const text = "Harvest Date,Farm,Commodity,Field\n2026-04-20,Blue Farm,Lettuce,F-7\n"
	r := readBook(t, openBook(t, []byte(text)), fsma204.Options{Zone: time.FixedZone("", 8*3600)})
	if e := r.events[0]; e.Time.String() != "2026-04-20T00:00:00+08:00" || e.TimeZoneOffset != "+08:00" {
		t.Error(e.Time, e.TimeZoneOffset)
	}
	again := readCSV(t, "Harvest Date,Farm,Commodity,Field,Time Zone\n2026-04-20,Blue Farm,Lettuce,F-7,UTC+8\n")
	if e := again.events[0]; e.Time.String() != "2026-04-20T00:00:00+08:00" {
		t.Error(e.Time)
	}
}

// Each row is a sheet of its own: what is said of it, all at once.
func TestProblems(t *testing.T) {
	const harvest = "Harvest Date,Farm,Commodity,Variety,Field,Qty,UOM,ISR,Ref Doc Type,Ref Doc No,Harvester,Time,Time Zone\n"
	const shipping = "Ship Date,GTIN,Lot,TLC,Qty,UOM,Product Description,Ship From,Ship To,TLC Source,Ref Doc,Pallet ID\n"
	tests := []struct{ name, header, row, want string }{
		{"all is there", harvest, "2026-04-20,Blue Farm,Lettuce,-,F-7,1,CS,Packers,Ticket,1,Doe,,", ""},
		{"a serial number of Excel", harvest, "45078,Blue Farm,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,,", "finding DATE_SERIAL A2"},
		{"two readings", harvest, "04/05/2026,Blue Farm,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,,", "error DATE_AMBIGUOUS A2"},
		{"several at once", harvest, "yesterday,Blue Farm,Lettuce,,,about 5,CS,,Ticket,,Doe,,mars",
			"error DATE A2; finding KDE_MISSING E2; finding KDE_MISSING H2; finding KDE_MISSING J2; finding QUANTITY F2"},
		{"no date, no farm", harvest, ",,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,,", "error KDE_MISSING A2; finding KDE_MISSING B2"},
		{"no farm", harvest, "2026-04-20,,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,,", "error KDE_MISSING B2; finding KDE_MISSING B2"},
		{"a unit of the trade", harvest, "2026-04-20,Blue Farm,Lettuce,,F-7,1,斤,Packers,Ticket,1,Doe,,", "finding UNIT_UNKNOWN F2"},
		{"no time", harvest, "2026-04-20,Blue Farm,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,late,", "error DATE L2"},
		{"no zone", harvest, "2026-04-20,Blue Farm,Lettuce,,F-7,1,CS,Packers,Ticket,1,Doe,,mars", "error TIME_ZONE M2"},
		{"no lot", shipping, "2026-04-20,09506000134352,,,1,CS,Lettuce,A,B,C,INV 1,", "error KDE_MISSING C2"},
		{"a pallet only", shipping, "2026-04-20,09506000134352,,,1,CS,Lettuce,A,B,C,INV 1,395060001343500010", "finding KDE_MISSING C2"},
		{"digits lost", shipping, "2026-04-20,9.50600E+12,L1,,1,CS,Lettuce,A,B,C,INV 1,", "error DIGITS_LOST B2"},
		{"zeros lost", shipping, "2026-04-20,12345678905,L1,,1,CS,Lettuce,A,B,C,INV 1,", "finding ZEROS_RESTORED B2"},
		{"no GTIN", shipping, "2026-04-20,SKU-5,L1,,1,CS,Lettuce,A,B,C,INV 1,", "finding GS1_IDENTIFIER B2"},
		{"check digit", shipping, "2026-04-20,09506000134353,L1,,1,CS,Lettuce,A,B,C,INV 1,395060001343500011", "finding CHECK_DIGIT B2; finding CHECK_DIGIT L2"},
		{"nothing but a code", shipping, "2026-04-20,,,ABC-1,,,,,,,,",
			strings.TrimSuffix(strings.Repeat("finding KDE_MISSING; ", 6), "; ")},
		{"a note", shipping, "* as agreed,,,,,,,,,,,", ""},
		{"another note", shipping, ",,,,,see below,,,,,,", "finding ROW_IS_NOTE F2"},
		{"sums", shipping, "合计,,,,\"1,200\",,,,,,,", "finding ROW_IS_TOTAL A2"},
		{"a column without heading", shipping, "2026-04-20,09506000134352,L1,,1,CS,Lettuce,A,B,C,INV 1,,urgent", "finding COLUMN_UNNAMED M2"},
		{"headings again", shipping, strings.TrimSpace(shipping), "finding HEADER_AGAIN A2"},
		{"another table", shipping, "Harvest Date,Farm,Commodity\n2026-04-20,Blue Farm,Lettuce", "error TABLE_SECOND A2; error TABLE_SECOND A3"},
	}
	var all result
	for _, test := range tests {
		r := readCSV(t, test.header+test.row+"\n")
		said := r.said()
		slices.Sort(said)
		got := strings.Join(said, "; ")
		if !strings.Contains(test.want, "2") { // without places
			got = strings.NewReplacer(" E2", "", " F2", "", " G2", "", " H2", "", " I2", "", " J2", "", " K2", "").Replace(got)
		}
		if got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
		for _, p := range r.problems {
			if !strings.HasSuffix(p.Message, ".") || len(p.Message) < 20 {
				t.Errorf("%s: not a sentence: %q", test.name, p.Message)
			}
		}
		all.events = append(all.events, r.events...)
	}
	checkStandard(t, all.events)
	again(t, all, fsma204.English)
}

// Of the same food in two rows of packing becomes one lot.
func TestRowsOfOneLot(t *testing.T) {
	const header = "Pack Date,Packhouse,GTIN,Lot,Quantity Packed,UOM Packed,Commodity,Harvest Location,Field,Harvest Date,Quantity Received,UOM Received\n"
	r := readCSV(t, header+
		"2026-04-21,P,09506000134352,L1,50,CS,Lettuce,Blue Farm,F-1,2026-04-20,100,KG\n"+
		"2026-04-21,P,09506000134352,L1,50,CS,Lettuce,Blue Farm,F-2,2026-04-20,70,KG\n"+
		",,,,,,Lettuce,Blue Farm,F-2,2026-04-20,5,KG\n"+
		"2026-04-21,P,09506000134352,L2,50,CS,Lettuce,Blue Farm,F-2,2026-04-20,70,KG\n")
	if len(r.events) != 2 || len(r.places[0]) != 3 {
		t.Fatalf("%d events, %v", len(r.events), r.places)
	}
	e := r.events[0]
	if len(e.InputQuantities) != 2 || e.InputQuantities[0].Quantity.String() != "100" || e.InputQuantities[1].Quantity.String() != "75" || len(e.OutputQuantities) != 1 {
		t.Error(line(e))
	}
	again(t, r, fsma204.English)
}

// A sheet that came back with what became of its rows is corrected and sent again: the rows that were accepted are the same events.
func TestSentAgainWithOutcomes(t *testing.T) {
	const header, row = "Harvest Date,Farm,Commodity,Field", "2026-04-20,Blue Farm,Lettuce,F-7"
	first := readCSV(t, header+"\n"+row+"\n")
	for _, title := range []string{sheet.AnswerEN, sheet.AnswerZH, "\"" + sheet.AnswerEN + "\nthe document was late\""} {
		again := readCSV(t, header+","+title+"\n"+row+",accepted\n")
		if diff := cmp.Diff(hashes(first.events), hashes(again.events)); diff != "" {
			t.Error(title, diff)
		}
		if slices.ContainsFunc(again.said(), func(s string) bool { return strings.Contains(s, "COLUMN_UNKNOWN") }) {
			t.Error(again.said())
		}
	}
}

func TestNotASheetOfEvents(t *testing.T) {
	book := openBook(t, []byte("name,colour,taste\napple,red,sweet\n"))
	if fsma204.Recognise(book) {
		t.Error("recognised")
	}
	_, _, err := fsma204.NewReader(book, options).Next()
	if err == nil || !strings.HasPrefix(err.Error(), string(fsma204.CodeSheet)) {
		t.Error(err)
	}
}

func FuzzRows(f *testing.F) {
	for _, tabs := range [][]tab{chain, chainZH} {
		for _, tab := range tabs {
			f.Add(strings.Join(tab.rows[len(tab.rows)-2], "\t")+"\n"+strings.Join(tab.rows[len(tab.rows)-1], "\t"), uint8(1))
		}
	}
	f.Add("Ship Date\tGTIN\tLot\tPallet ID\n2026-04-20\tx\ty\turn:a:b", uint8(2))
	f.Fuzz(func(t *testing.T, text string, order uint8) {
		book, err := sheet.Open(strings.NewReader(text), int64(len(text)), sheet.Limits{})
		if err != nil || !fsma204.Recognise(book) {
			return
		}
		r := fsma204.NewReader(book, fsma204.Options{Sender: "S", Dates: sheet.Order(order % 3)})
		w := fsma204.NewWriter(fsma204.Language(order % 2))
		for {
			record, problems, err := r.Next()
			if err != nil {
				break
			}
			if record == nil {
				if len(problems) == 0 {
					t.Fatal("a row is refused without a reason")
				}
				continue
			}
			if _, err := event.Marshal(record.Event); err != nil {
				t.Fatal(err)
			}
			if record.Event.Time.IsZero() || len(record.Event.Items()) == 0 {
				t.Fatalf("an event of no time or no item: %s", record.Event.PreHash())
			}
			w.Add(record.Event)
		}
		if err := w.WriteXLSX(new(bytes.Buffer)); err != nil {
			t.Fatal(err)
		}
	})
}
