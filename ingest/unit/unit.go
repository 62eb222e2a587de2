// Package unit knows the words that people write for units of measure.
package unit

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// words are the codes of UN/CEFACT Recommendations 20 and 21 with the words that stand for them. A word that means different amounts in
// different trades (ton, bucket, 斤) is not here.
var words = map[string]string{
	"CS":  "cs case cases 箱",
	"CT":  "ct ctn ctns carton cartons 纸箱",
	"BX":  "bx box boxes 盒",
	"BG":  "bg bag bags 袋",
	"BI":  "bi bin bins",
	"BK":  "bk basket baskets 筐 篮",
	"CR":  "cr crate crates 板条箱",
	"SA":  "sa sack sacks 麻袋",
	"PX":  "px pallet pallets plt plts 托盘 托 板",
	"PK":  "pk pack packs package packages pkg pkgs 包",
	"PU":  "pu tray trays",
	"BO":  "bo bottle bottles btl 瓶",
	"JR":  "jr jar jars 罐",
	"EA":  "ea each 个 只",
	"H87": "h87 pc pcs piece pieces 件",
	"DZN": "dzn dozen dozens dz 打",
	"HEA": "hea head heads 头",
	"KGM": "kgm kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes 千克 公斤",
	"GRM": "grm g gram grams gramme grammes 克",
	"MGM": "mgm mg milligram milligrams 毫克",
	"TNE": "tne t mt tonne tonnes metricton metrictons metrictonne metrictonnes 吨 公吨",
	"LBR": "lbr lb lbs pound pounds 磅",
	"ONZ": "onz oz ounce ounces 盎司",
	"STN": "stn shortton shorttons",
	"LTR": "ltr l liter liters litre litres 升",
	"MLT": "mlt ml milliliter milliliters millilitre millilitres 毫升",
	"GLL": "gll gal gals gallon gallons 加仑",
	"OZA": "oza floz fluidounce fluidounces",
	"BUA": "bua bu bushel bushels 蒲式耳",
}

var codes = func() map[string]string {
	all := map[string]string{}
	for code, list := range words {
		for word := range strings.FieldsSeq(list) {
			all[word] = code
		}
	}
	return all
}()

// Code is the code (UN/CEFACT Recommendations 20 and 21) of a unit in words, without regard to case, width, blanks, points and parentheses.
func Code(text string) (code string, ok bool) {
	word := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .()", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(text)))
	code, ok = codes[word]
	return code, ok
}
