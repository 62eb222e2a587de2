package lab

import (
	"errors"
	"io"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// field is what a column means.
type field uint8

const (
	item field = iota
	gtin
	lot
	product
	name // of the test
	kind
	result
	limit
	unit
	verdict
	date
	laboratory
	number // of the report
	site
	method
	fields // how many
)

// headings of the fields, folded.
var headings = [fields]string{
	item:       "追溯码 追溯编码 产品追溯码 样品标识 item itemuri lotid loturi traceabilityid epc digitallink",
	gtin:       "gtin 商品条码 产品条码 条码 barcode productcode tlcgtin",
	lot:        "批号 批次 批次号 样品批号 样品批次 生产批号 产品批号 lot lotnumber lotno lotcode batch batchnumber batchno batchlot traceabilitylotcode tlc",
	product:    "样品名称 产品名称 品名 食品名称 样品 product productname sample samplename sampledescription",
	name:       "检测项目 检验项目 项目 项目名称 检测指标 检验指标 test testname analyte parameter analysis determination testitem",
	kind:       "检验类别 检测类别 项目类别 检测类型 检验类型 类别 category testcategory testtype kind testgroup",
	result:     "结果 检测结果 检验结果 检测值 实测值 测定值 测定结果 检出值 result results testresult value measuredvalue finding",
	limit:      "限量 限量值 标准限值 限值 标准值 标准要求 技术要求 最大残留限量 标准指标 limit limitvalue mrl maximumresiduelimit specification spec criterion requirement maximumlimit",
	unit:       "单位 计量单位 unit units uom",
	verdict:    "判定 单项判定 单项结论 结论 判定结果 检验结论 检测结论 结果判定 是否合格 verdict conclusion assessment passfail judgement judgment conformity compliance status",
	date:       "检测日期 检验日期 报告日期 签发日期 完成日期 日期 date testdate analysisdate dateoftest dateofanalysis reportdate datereported datecompleted resultdate",
	laboratory: "检测机构 检验机构 检测单位 检验单位 实验室 实验室名称 承检机构 laboratory lab labname laboratoryname testinglaboratory inspectedby testedby",
	number:     "报告编号 报告号 检验报告编号 检测报告编号 证书编号 report reportno reportnumber reportid certificate certificateno certificatenumber coano coanumber",
	site:       "采样地点 抽样地点 抽样场所 采样点 抽样单位 采样单位 site samplingsite samplesite samplingpoint samplinglocation sampledat gln",
	method:     "检测方法 检验方法 检测依据 检验依据 方法 方法标准 method testmethod analysismethod standard",
}

var fieldOf = func() map[string]field {
	all := map[string]field{}
	for f, words := range headings {
		for word := range strings.FieldsSeq(words) {
			all[word] = field(f)
		}
	}
	return all
}()

// header is where the fields are in a sheet.
type header struct {
	sheet   *sheet.Sheet
	scan    *sheet.Scanner // behind the headings
	row     sheet.Row      // of the headings
	table   *sheet.Table
	columns [fields]int // -1: none
	twice   *ingest.Problem
	unread  []int // columns whose headings are not known, or mean what that of another one means
}

// findHeader looks for a row of headings; nil without error: there is none.
func findHeader(s *sheet.Sheet) (*header, error) {
	scan := s.Scan()
	for {
		row, err := scan.Next()
		if errors.Is(err, io.EOF) || err == nil && row.Number > headerRows {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		h := &header{sheet: s, scan: scan, row: row, table: s.Below([]sheet.Row{row}, isHeader)}
		h.match(&row)
		if h.suffices() {
			return h, nil
		}
	}
}

func (h *header) match(row *sheet.Row) {
	for f := range h.columns {
		h.columns[f] = -1
	}
	for i, c := range row.Cells {
		f, ok := headingOf(c.Text)
		switch {
		case c.Kind == sheet.Empty:
		case !ok:
			h.unread = append(h.unread, i)
		case h.columns[f] < 0:
			h.columns[f] = i
		case f == result && h.columns[verdict] < 0, f == date, f == product: // of several dates the first: columns say more than headings
			h.unread = append(h.unread, i)
		default:
			h.twice = &ingest.Problem{Code: CodeColumn, Pointer: h.sheet.Place(row.Number, i),
				Message: "This heading means the same as that of column " + sheet.Column(h.columns[f]) + ". Rename the one that is not meant."}
		}
	}
}

// headingOf knows a heading, also with a unit or the other language behind it: 限量(mg/kg), 结果 Result.
func headingOf(text string) (field, bool) {
	if f, ok := fieldOf[sheet.Fold(text)]; ok {
		return f, true
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("()（）/[]【】\n 　", r) }) {
		if f, ok := fieldOf[sheet.Fold(part)]; ok {
			return f, true
		}
	}
	return 0, false
}

// isHeader says whether a row is one of headings.
func isHeader(row *sheet.Row) bool {
	return sheet.IsHeader(row, func(text string) bool { _, ok := fieldOf[sheet.Fold(text)]; return ok })
}

// suffices says whether a row is one of laboratory results: what was tested, for what, and what came out.
func (h *header) suffices() bool {
	has := func(f field) bool { return h.columns[f] >= 0 }
	return (has(lot) || has(item)) && has(name) && (has(verdict) || has(result))
}
