package gs1

// Kind says what an identifier identifies.
type Kind uint8

// The kinds, with the application identifiers of their Digital Link form and their EPC URN scheme.
const (
	Other        Kind = iota // not a GS1 identifier, or one that cannot be read
	Class                    // 01: trade item class (idpat:sgtin)
	Lot                      // 01+10: batch or lot (class:lgtin)
	Instance                 // 01+21: one trade item (sgtin)
	UPUI                     // 01+235: one tobacco pack (upui)
	LogisticUnit             // 00: SSCC (sscc)
	Location                 // 414, 414+254 (sgln)
	Party                    // 417 (pgln)
	TradeParty               // 410-413, 416: a GLN in a trade role, a key in earlier editions of the URI syntax (no URN)
	PaySlip                  // 415, 415+8020 (no URN)
	GRAI                     // 8003: returnable asset (grai)
	GIAI                     // 8004: individual asset (giai)
	ITIP                     // 8006, +10, +21: piece of a trade item (itip)
	CPI                      // 8010, +8011: component or part (cpi)
	GMN                      // 8013: model number (no URN)
	GSRNP                    // 8017: service provider (gsrnp)
	GSRN                     // 8018: service recipient (gsrn)
	GDTI                     // 253: document (gdti)
	GCN                      // 255: coupon (sgcn)
	GINC                     // 401: consignment (ginc)
	GSIN                     // 402: shipment (gsin)
)

var kindNames = [...]string{"other", "class", "lot", "instance", "upui", "logistic unit", "location", "party", "trade party", "payment slip",
	"grai", "giai", "itip", "cpi", "gmn", "gsrnp", "gsrn", "gdti", "gcn", "ginc", "gsin"}

// String is the kind's name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// key describes the value of a Digital Link primary key: a fixed number of digits, then an optional tail.
type key struct {
	ai, name string // name is the short name that earlier editions of the URI syntax gave it
	kind     Kind
	digits   int     // leading digits; for keys without a check digit the shortest company prefix we accept
	check    int     // how many leading digits the check digit ends; 0 for none
	tail     int     // longest text after digits
	set      charset // of the tail
}

// minPrefix is how many digits a key without fixed digits must start with to be taken for one: the shortest company prefix.
const minPrefix = 4

var keys = [...]key{
	{"00", "sscc", LogisticUnit, 18, 18, 0, numeric},
	{"01", "gtin", Class, 14, 14, 0, numeric},
	{"253", "gdti", GDTI, 13, 13, 17, cset82},
	{"255", "gcn", GCN, 13, 13, 12, numeric},
	{"401", "ginc", GINC, minPrefix, 0, 30 - minPrefix, cset82},
	{"402", "gsin", GSIN, 17, 17, 0, numeric},
	{"410", "shipTo", TradeParty, 13, 13, 0, numeric},
	{"411", "billTo", TradeParty, 13, 13, 0, numeric},
	{"412", "purchasedFrom", TradeParty, 13, 13, 0, numeric},
	{"413", "shipFor", TradeParty, 13, 13, 0, numeric},
	{"414", "gln", Location, 13, 13, 0, numeric},
	{"415", "payTo", PaySlip, 13, 13, 0, numeric},
	{"416", "glnProd", TradeParty, 13, 13, 0, numeric},
	{"417", "party", Party, 13, 13, 0, numeric},
	{"8003", "grai", GRAI, 14, 14, 16, cset82},
	{"8004", "giai", GIAI, minPrefix, 0, 30 - minPrefix, cset82},
	{"8006", "itip", ITIP, 18, 14, 0, numeric},
	{"8010", "cpid", CPI, minPrefix, 0, 30 - minPrefix, cset39},
	{"8013", "gmn", GMN, minPrefix, 0, 25 - minPrefix, cset82},
	{"8017", "gsrnp", GSRNP, 18, 18, 0, numeric},
	{"8018", "gsrn", GSRN, 18, 18, 0, numeric},
}

// qualifier describes what may follow a key in a Digital Link path.
type qualifier struct {
	ai, name string
	max      int
	set      charset
	rank     uint8 // qualifiers of one key come in rising rank; equal ranks exclude each other
	alone    bool  // excludes lower ranks too
	of       []Kind
}

var qualifiers = [...]qualifier{
	{"22", "cpv", 20, cset82, 1, false, []Kind{Class, ITIP}},
	{"10", "lot", 20, cset82, 2, false, []Kind{Class, ITIP}},
	{"21", "ser", 20, cset82, 3, false, []Kind{Class, ITIP}},
	{"235", "tpx", 28, cset82, 3, true, []Kind{Class}},
	{"254", "glnx", 20, cset82, 3, false, []Kind{Location}},
	{"7040", "uic-ext", 4, cset82, 3, false, []Kind{Location, Party, GIAI}},
	{"8011", "cpsn", 12, numeric, 3, false, []Kind{CPI}},
	{"8019", "srin", 10, numeric, 3, false, []Kind{GSRN, GSRNP}},
	{"8020", "refno", 25, cset82, 3, false, []Kind{PaySlip}},
}

// keyNamed finds a key by application identifier or short name; nil when there is none.
func keyNamed(name string) *key { return keyNames[name] }

// qualifierNamed does the same for a qualifier.
func qualifierNamed(name string) *qualifier { return qualifierNames[name] }

var keyNames, qualifierNames = namesOfKeys(), namesOfQualifiers()

func namesOfKeys() map[string]*key {
	names := map[string]*key{}
	for i := range keys {
		k := &keys[i]
		names[k.ai], names[k.name] = k, k
	}
	names["cpi"] = names["cpid"] // a common other spelling
	return names
}

func namesOfQualifiers() map[string]*qualifier {
	names := map[string]*qualifier{}
	for i := range qualifiers {
		q := &qualifiers[i]
		names[q.ai], names[q.name] = q, q
	}
	return names
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

func (q *qualifier) fits(k *key) bool {
	for _, kind := range q.of {
		if kind == k.kind {
			return true
		}
	}
	return false
}
