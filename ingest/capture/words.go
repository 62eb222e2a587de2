package capture

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Language of a table of outcomes.
type Language string

// The languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// words are what a table of outcomes says in one language.
type words struct {
	status  map[contract.Status]string // "": not decided yet
	outcome string                     // heading of a table of records
	answer  string                     // heading of the column of a sender's sheet
	columns []string                   // of a table of records
	reasons map[string]string          // by code; where there is none, the sentence says it
}

func (l Language) words() *words {
	if l == Chinese {
		return &chinese
	}
	return &english
}

// reason is a finding in one line: its code, what that means, its place, and the sentence.
func (w *words) reason(f contract.Finding) string {
	text := string(f.Code)
	if f.Place != "" {
		text += " " + f.Place
	}
	if said := w.reasons[string(f.Code)]; said != "" {
		return text + "：" + said + "（" + f.Message + "）"
	}
	return text + ": " + f.Message
}

// sentences are findings as one cell holds them.
func (w *words) sentences(findings []contract.Finding) string {
	var list []string
	for _, f := range findings[:min(len(findings), maxReasons)] {
		list = append(list, w.reason(f))
	}
	if len(findings) > maxReasons {
		list = append(list, "…")
	}
	text := strings.Join(list, "\n")
	if len(text) > maxCell {
		text = strings.ToValidUTF8(text[:maxCell], "") + "…"
	}
	return text
}

var english = words{
	status:  map[contract.Status]string{"": "waiting", contract.Accepted: "accepted", contract.Duplicate: "duplicate", contract.Refused: "refused"},
	outcome: "Outcome",
	answer:  sheet.AnswerEN,
	columns: []string{"Record", "ID", "Outcome", "Codes", "Why", "Place"},
}

var chinese = words{
	status:  map[contract.Status]string{"": "等待中", contract.Accepted: "已接受", contract.Duplicate: "重复", contract.Refused: "已拒绝"},
	outcome: "结果",
	answer:  sheet.AnswerZH,
	columns: []string{"记录", "编号", "结果", "代码", "原因", "位置"},
	reasons: map[string]string{
		"RECORD_SHAPE": "记录类型不明", "TOO_LARGE": "超出账本的数量或长度限制", "FIELD_MISSING": "缺少必填项", "FIELD_INVALID": "该项的值不允许",
		"KEY_INVALID": "标识过长或含不允许的字符", "NOT_REGISTERED": "提交者不是成员", "ROLE_REQUIRED": "该成员无权提交此类记录",
		"MEMBER_UNKNOWN": "所指的所有者不是成员", "NOT_YOUR_SITE": "事件发生在其他成员的场所，而提交者不是当事方", "NOT_YOURS": "该场所或产品由其他成员登记",
		"NOT_YOUR_EVENT": "不能更正其他成员的事件", "EVENT_ID_CONFLICT": "账本上已有同一事件编号而内容不同的事件", "ITEM_IS_CLASS": "需要批次、单品或物流单元，而不是产品类别",
		"HOLD_UNKNOWN": "没有该编号的扣留", "HOLD_RELEASED": "该扣留已解除", "LOT_HELD": "该物品已被扣留，不得移动", "HOLD_UNDECIDED": "暂时无法判断物品是否被扣留，请稍后再发",
		"EVIDENCE_MISSING": "事件所指的文件不在此处保存", "EVIDENCE_NOT_NAMED": "随文件发来的附件没有任何事件引用",
		"EVIDENCE_TOO_LARGE": "附件过大", "EVIDENCE_EMPTY": "附件为空", "EVIDENCE_NAME": "附件名称过长", "EVIDENCE_TOO_MANY": "附件过多",
		"ROLLED_BACK": "同一文件中另有内容被拒绝，因此全部未写入", "ITEM_UNKNOWN": "尚无事件提到该物品，可能输入有误", "SITE_UNKNOWN": "场所未登记",
		"SITE_MISSING": "事件没有写明地点或当事方", "NOT_YOUR_PREFIX": "标识不在该成员的厂商代码之内", "BALANCE_EXCEEDED": "使用数量超过生产数量",
		"ERROR_DECLARATION_UNKNOWN": "所更正的事件尚不在账本上", "TIME_CONTRADICTION": "使用时间早于生产时间一天以上", "TIME_FUTURE": "事件时间晚于账本时间一天以上",
		"CHECK_DIGIT": "GS1 标识的校验位不符", "IDENTIFIER": "无法按 GS1 标识读取", "GS1_IDENTIFIER": "不是正确的 GS1 标识",
		"JSON_SYNTAX": "不是有效的 JSON", "JSON_DUPLICATE": "同一对象中成员名重复", "JSON_ENCODING": "不是 UTF-8 编码", "XML_SYNTAX": "不是有效的 XML",
		"XML_ENCODING": "字符与声明的编码不符", "XML_DTD": "不接受文档类型定义", "READ": "内容无法读取", "LIMIT": "超出限制", "DOCUMENT_TYPE": "既不是 EPCIS 文件也不是事件",
		"EVENT_TYPE": "未知的事件类型", "MISSING": "缺少必填项", "TYPE_MISMATCH": "值的类型不对", "UNEXPECTED": "此处不应有该项", "VALUE": "该项不接受这个值", "URI": "不是 URI",
		"WORD": "不是标准词汇，也不是自有 URI", "REPEATED": "列表中有重复元素", "NO_OBJECT": "没有写明物品", "CONTEXT_LATE": "@context 出现得太晚", "PREFIX_UNKNOWN": "前缀未声明",
		"TERM_REDEFINED": "标准词汇被重新定义", "EMPTY": "元素为空，按没有处理", "QUANTITY_EVENT": "旧版数量事件，按物品事件读取", "MASTER_DATA_OTHER": "该类主数据不登记",
		"SHEET_FORMAT": "既不是 XLSX 也不是带分隔符的文本", "SHEET_SYNTAX": "表格文件已损坏", "SHEET_ENCODING": "无法识别文本编码", "SHEET_LAYOUT": "无法识别表头，请附上映射文件",
		"SHEET_UNKNOWN": "该工作表没有可识别的表头", "COLUMN_UNKNOWN": "未知或重复的列", "KDE_MISSING": "缺少关键数据要素", "DATE": "不是日期", "DATE_AMBIGUOUS": "日期可有两种读法",
		"DATE_SERIAL": "日期写成了序列数", "TIME_ZONE": "不是时区", "QUANTITY": "不是数量，按文本保留", "UNIT_UNKNOWN": "未知的计量单位", "DIGITS_LOST": "标识被电子表格当作数字截断",
		"ZEROS_RESTORED": "已补回被电子表格去掉的前导零", "CELL_FAILED": "公式没有值，按空处理", "ROW_IS_NOTE": "该行是说明文字，不是记录", "LOCATION_TWICE": "同一地点有两种描述，以第一种为准",
		"COLUMN_UNNAMED": "该列没有表头，其中的内容未读取", "HEADER_AGAIN": "表头重复出现，该行已略过", "TABLE_SECOND": "此处另有一张表，表头不同，请放到单独的工作表中再发", "ROW_IS_TOTAL": "该行是合计，不是记录",
		"LOCATION_UNKNOWN": "地点表中没有该地点，可能输入有误", "SHEET_HIDDEN": "隐藏的工作表未读取", "OPTION": "选项的值不允许",
		"MAPPING": "映射文件有误", "MAPPING_SAMPLE": "映射文件的样例与结果不符", "MAPPING_COLUMN": "找不到映射文件所指的列，或该列出现两次", "MAPPING_SHEET": "没有映射文件所指的工作表",
		"ROW_UNUSED": "映射文件中没有适用于该行的规则，未生成记录", "ROW_CONFLICT": "同一记录的各行内容不一致", "CELL_VALUE": "单元格的值不符合该项的要求", "CELL_LOSSY": "标识被电子表格当作数字截断",
		"RECORD": "各项内容不能组成一条记录", "COLUMN_TWICE": "两列表头含义相同，请改名以说明以哪一列为准", "LAB_MISSING": "缺少必填的单元格", "LAB_ITEM": "所写的样品不能唯一确定一个批次",
		"LAB_SITE": "采样地点不是 GLN 或 URI，已略去", "LAB_VERDICT": "没有判定，结果与限量也无法比较", "LAB_CONTRADICTION": "判定与结果和限量不一致，以判定为准", "LAB_NOTE": "检测项目过多，说明中未能全部列出",
		"LAST_REGULATOR": "监管成员不能取消自己的监管角色",
		"CAPTURE_LIMIT":  "记录过多，不能整体写入，请改用逐条写入", "SIGNER_UNKNOWN": "本机没有该成员的身份", "DOCUMENT_LOST": "文件内容已丢失", "LEDGER_REFUSED": "账本拒绝",
	},
}
