package gs1

// divergence is a reason why rows of the conformance vectors come out otherwise here. docs/divergences.md says the
// same for people.
type divergence struct {
	reason string
	lines  map[string][]int // by vector file, counted from 1
}

var divergences = []divergence{
	{
		"the expected link has reserved characters as they are in its path; the canonical form has one encoding (RFC 3986 section 2.2), which the event hash vectors confirm",
		map[string][]int{
			"openepcis-dl-translator__urn_digitallink_pairs": {11, 23, 33, 37, 42, 62, 72, 77, 84, 91, 105},
		},
	},
	{
		"the given link has unencoded reserved characters (\" < > / ? # and the like) in a value: a URI parser reads '/' as the next segment, '?' as the query and '#' as the fragment",
		map[string][]int{
			"openepcis-dl-translator__identifier_valid_invalid": {24, 75, 93, 146, 168, 214, 226, 254},
			"openepcis-dl-translator__urn_digitallink_pairs":    {6, 10, 35, 39, 44, 76, 79, 94, 107},
		},
	},
	{
		"the expected URN has characters that TDS 2.0 section 5 wants percent-encoded",
		map[string][]int{
			"openepcis-dl-translator__urn_digitallink_pairs": {27},
		},
	},
	{
		"refused there for an argument that the row does not carry (company prefix length, or the check of another template): the same link is a valid one",
		map[string][]int{
			"openepcis-dl-translator__identifier_valid_invalid": {7, 9, 10, 21, 81, 82, 176, 177, 212, 252, 262, 263, 264, 284, 293, 294},
		},
	},
	{
		"accepted there with a wrong check digit",
		map[string][]int{
			"openepcis-dl-translator__identifier_valid_invalid": {32, 55, 56, 64, 65, 92, 111, 112, 113, 124, 125, 133, 145, 150, 165, 166, 167, 180, 196, 197, 198, 215, 241, 243, 257, 270},
		},
	},
	{
		"qualifiers out of order, or dates in the path (URI Syntax fixes the order and puts dates in the query)",
		map[string][]int{
			"openepcis-dl-translator__identifier_valid_invalid": {273, 277, 278},
		},
	},
	{
		"a key or a qualifier in the query, or short names of attributes: not a Digital Link URI of the current syntax",
		map[string][]int{
			"openepcis-dl-translator__normalise": {2, 3, 4},
		},
	},
	{
		"short names and short GTINs are options there; here they are always read, because consumers scan what is printed",
		map[string][]int{
			"gs1-syntax-engine__dl_parse": {19, 24, 26, 28},
		},
	},
	{
		"unassigned application identifiers are an option there; here always refused",
		map[string][]int{
			"gs1-syntax-engine__dl_generate": {12},
		},
	},
	{
		"an ITIP whose piece number is higher than its total",
		map[string][]int{
			"dl-solidsoft__ExtractFromGs1DigitalLink":         {16, 17, 18, 19, 38, 39, 40, 41},
			"dl-solidsoft__Gs1DigitalLinkToGs1ElementStrings": {2, 15, 25, 27, 30, 34, 41, 44, 57, 70, 73, 74, 78},
		},
	},
}
