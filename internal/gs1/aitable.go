package gs1

// ai describes a run of application identifiers (General Specifications section 3.2): those from first to last whose
// final digit is at most digit.
type ai struct {
	first, last string
	digit       byte
	use         aiUse
	// format is the value's components in order, in the notation of the GS1 Barcode Syntax Dictionary: type and length
	// ("N6", "X..20"), brackets for what may be absent, and after a comma the name of a check (see checks.go).
	format string
}

type aiUse uint8

const (
	predefined aiUse = 1 << iota // length is known beforehand: no separator after it in an element string
	attribute                    // may stand in the query of a Digital Link URI
)

var aiTable = [...]ai{
	{"00", "00", '9', predefined | attribute, "N18,csum"},
	{"01", "02", '9', predefined | attribute, "N14,csum"},
	{"03", "03", '9', predefined, "N14,csum"},
	{"10", "10", '9', attribute, "X..20"},
	{"11", "13", '9', predefined | attribute, "N6,yymmd0"},
	{"15", "17", '9', predefined | attribute, "N6,yymmd0"},
	{"20", "20", '9', predefined | attribute, "N2"},
	{"21", "22", '9', 0, "X..20"},
	{"235", "235", '9', 0, "X..28"},
	{"240", "241", '9', attribute, "X..30"},
	{"242", "242", '9', attribute, "N..6"},
	{"243", "243", '9', attribute, "X..20"},
	{"250", "251", '9', attribute, "X..30"},
	{"253", "253", '9', attribute, "N13,csum [X..17]"},
	{"254", "254", '9', 0, "X..20"},
	{"255", "255", '9', attribute, "N13,csum [N..12]"},
	{"30", "30", '9', attribute, "N..8"},
	{"3100", "3165", '5', predefined | attribute, "N6"},
	{"3200", "3295", '5', predefined | attribute, "N6"},
	{"3300", "3375", '5', predefined | attribute, "N6"},
	{"3400", "3495", '5', predefined | attribute, "N6"},
	{"3500", "3575", '5', predefined | attribute, "N6"},
	{"3600", "3695", '5', predefined | attribute, "N6"},
	{"37", "37", '9', attribute, "N..8"},
	{"3900", "3909", '9', attribute, "N..15"},
	{"3910", "3919", '9', attribute, "N3 N..15"},
	{"3920", "3929", '9', attribute, "N..15"},
	{"3930", "3939", '9', attribute, "N3 N..15"},
	{"3940", "3943", '9', attribute, "N4"},
	{"3950", "3955", '9', attribute, "N6"},
	{"400", "400", '9', attribute, "X..30"},
	{"401", "401", '9', attribute, "X..30,prefix"},
	{"402", "402", '9', attribute, "N17,csum"},
	{"403", "403", '9', attribute, "X..30"},
	{"410", "417", '9', predefined | attribute, "N13,csum"},
	{"420", "420", '9', attribute, "X..20"},
	{"421", "421", '9', attribute, "N3 X..9"},
	{"422", "422", '9', attribute, "N3"},
	{"423", "423", '9', attribute, "N3 [N3] [N3] [N3] [N3]"},
	{"424", "424", '9', attribute, "N3"},
	{"425", "425", '9', attribute, "N3 [N3] [N3] [N3] [N3]"},
	{"426", "426", '9', attribute, "N3"},
	{"427", "427", '9', attribute, "X..3"},
	{"4300", "4301", '9', attribute, "X..35"},
	{"4302", "4306", '9', attribute, "X..70"},
	{"4307", "4307", '9', attribute, "X2"},
	{"4308", "4308", '9', attribute, "X..30"},
	{"4309", "4309", '9', attribute, "N10 N10"},
	{"4310", "4311", '9', attribute, "X..35"},
	{"4312", "4316", '9', attribute, "X..70"},
	{"4317", "4317", '9', attribute, "X2"},
	{"4318", "4318", '9', attribute, "X..20"},
	{"4319", "4319", '9', attribute, "X..30"},
	{"4320", "4320", '9', attribute, "X..35"},
	{"4321", "4323", '9', attribute, "N1,yesno"},
	{"4324", "4325", '9', attribute, "N6,yymmd0 N4,hhmi"},
	{"4326", "4326", '9', attribute, "N6,yymmdd"},
	{"4330", "4333", '9', attribute, "N6 [X1]"},
	{"7001", "7001", '9', attribute, "N13"},
	{"7002", "7002", '9', attribute, "X..30"},
	{"7003", "7003", '9', attribute, "N6,yymmdd N4,hhmi"},
	{"7004", "7004", '9', attribute, "N..4"},
	{"7005", "7005", '9', attribute, "X..12"},
	{"7006", "7006", '9', attribute, "N6,yymmdd"},
	{"7007", "7007", '9', attribute, "N6,yymmdd [N6],yymmdd"},
	{"7008", "7008", '9', attribute, "X..3"},
	{"7009", "7009", '9', attribute, "X..10"},
	{"7010", "7010", '9', attribute, "X..2"},
	{"7011", "7011", '9', attribute, "N6,yymmdd [N4],hhmi"},
	{"7020", "7022", '9', attribute, "X..20"},
	{"7023", "7023", '9', attribute, "X..30,prefix"},
	{"7030", "7039", '9', attribute, "N3 X..27"},
	{"7040", "7040", '9', 0, "N1 X1 X1 X1"},
	{"7041", "7041", '9', 0, "X..4"},
	{"710", "717", '9', attribute, "X..20"},
	{"7230", "7239", '9', attribute, "X2 X..28"},
	{"7240", "7240", '9', attribute, "X..20"},
	{"7241", "7241", '9', attribute, "N2"},
	{"7242", "7242", '9', attribute, "X..25"},
	{"7250", "7250", '9', attribute, "N8,yyyymmdd"},
	{"7251", "7251", '9', attribute, "N8,yyyymmdd N4,hhmi"},
	{"7252", "7252", '9', attribute, "N1"},
	{"7253", "7254", '9', attribute, "X..40"},
	{"7255", "7255", '9', attribute, "X..10"},
	{"7256", "7256", '9', attribute, "X..90"},
	{"7257", "7257", '9', attribute, "X..70"},
	{"7258", "7258", '9', attribute, "X3"},
	{"7259", "7259", '9', attribute, "X..40"},
	{"8001", "8001", '9', attribute, "N4,nonzero N5,nonzero N3,nonzero N1 N1"},
	{"8002", "8002", '9', attribute, "X..20"},
	{"8003", "8003", '9', attribute, "N1,zero N13,csum [X..16]"},
	{"8004", "8004", '9', attribute, "X..30,prefix"},
	{"8005", "8005", '9', attribute, "N6"},
	{"8006", "8006", '9', attribute, "N14,csum N4,pieceoftotal"},
	{"8007", "8007", '9', attribute, "X..34"},
	{"8008", "8008", '9', attribute, "N6,yymmdd N2,hh [N2],mi [N2],ss"},
	{"8009", "8009", '9', attribute, "X..50"},
	{"8010", "8010", '9', attribute, "Y..30,prefix"},
	{"8011", "8011", '9', 0, "N..12,nozeroprefix"},
	{"8012", "8012", '9', attribute, "X..20"},
	{"8013", "8013", '9', attribute, "X..25,csumalpha"},
	{"8014", "8014", '9', 0, "X..25,csumalpha"},
	{"8017", "8018", '9', attribute, "N18,csum"},
	{"8019", "8019", '9', 0, "N..10"},
	{"8020", "8020", '9', 0, "X..25"},
	{"8026", "8026", '9', attribute, "N14,csum N4,pieceoftotal"},
	{"8030", "8030", '9', attribute, "Z..90"},
	{"8040", "8041", '9', 0, "N15"},
	{"8042", "8042", '9', 0, "N32"},
	{"8043", "8043", '9', 0, "N18 [N..2]"},
	{"8110", "8110", '9', attribute, "X..70"},
	{"8111", "8111", '9', attribute, "N4"},
	{"8112", "8112", '9', attribute, "X..70"},
	{"8200", "8200", '9', 0, "X..70"},
	{"90", "90", '9', attribute, "X..30"},
	{"91", "99", '9', attribute, "X..90"},
}

// aiNamed finds an application identifier; nil when GS1 has not assigned it.
func aiNamed(number string) *ai {
	if number == "" || !allDigits(number) {
		return nil
	}
	for i := range aiTable {
		a := &aiTable[i]
		if len(a.first) == len(number) && a.first <= number && number <= a.last && number[len(number)-1] <= a.digit {
			return a
		}
	}
	return nil
}
