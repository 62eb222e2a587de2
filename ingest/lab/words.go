package lab

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// verdicts are words of a verdict, folded.
var verdicts = map[contract.Result]string{
	contract.Pass:         "合格 符合 符合要求 通过 是 pass passed ok compliant complies conform conforms conforming conformity satisfactory acceptable accepted y yes p",
	contract.Fail:         "不合格 不符合 不符合要求 不通过 超标 否 fail failed notok noncompliant nonconforming nonconformity notcompliant unsatisfactory unacceptable rejected reject exceeds exceeded n no f",
	contract.Inconclusive: "待定 可疑 复检 待复检 无法判定 不确定 inconclusive pending suspect retest undetermined borderline",
}

var verdictWords = func() map[string]contract.Result {
	all := map[string]contract.Result{}
	for result, words := range verdicts {
		for word := range strings.FieldsSeq(words) {
			all[word] = result
		}
	}
	return all
}()

func verdictOf(text string) (contract.Result, bool) {
	v, ok := verdictWords[sheet.Fold(text)]
	return v, ok
}

// Words for nothing found, and for something found, folded.
const (
	absentWords  = " 未检出 不得检出 nd n.d notdetected negative absent none 阴性 nondetect undetected notfound absentin25g notdetectedin25g 0 "
	presentWords = " 检出 阳性 detected positive present found "
)

func isWord(list, text string) bool { return strings.Contains(list, " "+sheet.Fold(text)+" ") }

// amount is a number with what stands before it, as results and limits are written: <0.01, ≤ 0.05, 1.2×10³ is none.
var amount = regexp.MustCompile(`^(<=|>=|<|>|≤|≥|≦|max\.?|不超过|小于等于|小于)?\s*([1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*([a-zμ%][a-zμ%/·\d]*)?$`)

// power begins what is a power of ten and no unit.
var power = regexp.MustCompile(`^[ex]\d`)

// compare judges a result by its limit: at most the limit passes. ok is false where they cannot be compared. A result below what can be measured
// passes if that is within the limit, and else is inconclusive.
func compare(value, limit string) (r contract.Result, ok bool) {
	none := isWord(absentWords, limit) || strings.HasPrefix(limit, "不得检出")
	if isWord(absentWords, value) || strings.HasPrefix(value, "未检出") {
		return contract.Pass, limit != ""
	}
	if isWord(presentWords, value) {
		return contract.Fail, none
	}
	sign, v, measuredIn, known := quantity(value)
	if !known || strings.HasPrefix(sign, ">") || strings.HasPrefix(sign, "≥") {
		return "", false
	}
	if none {
		if sign != "" { // below what can be measured
			return contract.Pass, true
		}
		if v.Sign() > 0 {
			return contract.Fail, true
		}
		return contract.Pass, true
	}
	limitSign, max, limitIn, known := quantity(limit)
	if !known || measuredIn != "" && limitIn != "" && measuredIn != limitIn || strings.HasPrefix(limitSign, ">") || strings.HasPrefix(limitSign, "≥") {
		return "", false
	}
	c := v.Cmp(max)
	switch {
	case sign != "" && c > 0:
		return contract.Inconclusive, true
	case c > 0, c == 0 && sign == "" && (limitSign == "<" || limitSign == "小于"):
		return contract.Fail, true
	}
	return contract.Pass, true
}

// quantity reads a result or a limit: its sign, number and unit.
func quantity(text string) (sign string, d event.Decimal, unit string, ok bool) {
	m := amount.FindStringSubmatch(strings.ToLower(strings.TrimSpace(norm.NFKC.String(text))))
	if m == nil || power.MatchString(m[3]) {
		return "", d, "", false
	}
	d, err := event.ParseDecimal(strings.ReplaceAll(m[2], ",", ""))
	return m[1], d, m[3], err == nil
}

// kinds of tests, with words that are in the names of their categories and tests. The first that fits counts.
var kinds = []struct{ kind, words string }{
	{"veterinary-drug-residue", "兽药 恩诺沙星 环丙沙星 氟喹诺酮 氯霉素 氟苯尼考 克伦特罗 莱克多巴胺 沙丁胺醇 磺胺 孔雀石绿 硝基呋喃 呋喃唑酮 土霉素 金霉素 四环素 甲硝唑 地西泮 " +
		"veterinary enrofloxacin ciprofloxacin chloramphenicol florfenicol clenbuterol ractopamine salbutamol sulfonamide sulfadiazine malachite nitrofuran tetracycline antibiotic"},
	{"mycotoxin", "真菌毒素 黄曲霉 赭曲霉 呕吐毒素 玉米赤霉烯酮 伏马 展青霉 mycotoxin aflatoxin ochratoxin deoxynivalenol zearalenone fumonisin patulin"},
	{"pathogen", "微生物 致病菌 沙门氏菌 沙门菌 李斯特 大肠 葡萄球菌 弧菌 菌落 志贺 弯曲菌 诺如 霉菌 酵母 蜡样芽孢 microb pathogen salmonella listeria coli staphylococcus vibrio platecount coliform shigella campylobacter norovirus hepatitis yeast mould mold cereus"},
	{"heavy-metal", "重金属 铅 镉 总汞 甲基汞 汞 总砷 无机砷 砷 铬 heavymetal lead cadmium mercury arsenic chromium"},
	{"pesticide-residue", "农药 农残 毒死蜱 克百威 氧乐果 氧化乐果 啶虫脒 吡虫啉 多菌灵 腐霉利 敌敌畏 甲胺磷 乙酰甲胺磷 三唑磷 氟虫腈 甲拌磷 涕灭威 水胺硫磷 噻虫 氯氰菊酯 氯氟氰菊酯 草甘膦 灭蝇胺 阿维菌素 " +
		"pesticide chlorpyrifos carbofuran omethoate acetamiprid imidacloprid carbendazim procymidone dichlorvos methamidophos acephate triazophos fipronil phorate aldicarb thiamethoxam cypermethrin cyhalothrin glyphosate cyromazine abamectin organophosph"},
	{"allergen", "过敏原 致敏 麸质 allergen gluten"},
	{"additive", "添加剂 亚硝酸盐 苯甲酸 山梨酸 脱氢乙酸 二氧化硫 糖精钠 甜蜜素 苏丹红 三聚氰胺 additive nitrite benzoic benzoate sorbic sorbate sulfurdioxide sulphurdioxide saccharin cyclamate sudan melamine"},
	{"temperature", "温度 temperature"},
	{"label", "标签 label"},
	{"quarantine", "检疫 quarantine"},
}

// otherKind is what a test is whose category and name say nothing.
const otherKind = "laboratory-test"

// kindOf is the kind of a test: by the category that the row states, else by the test's name. A category that is not known is kept.
func kindOf(category, name string) string {
	for _, text := range []string{category, name} {
		folded := sheet.Fold(text)
		for _, k := range kinds {
			if folded != "" && folded == sheet.Fold(k.kind) {
				return k.kind
			}
			for word := range strings.FieldsSeq(k.words) {
				if strings.Contains(folded, word) {
					return k.kind
				}
			}
		}
		if category != "" {
			return category
		}
	}
	return otherKind
}
