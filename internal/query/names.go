package query

import "strings"

// kind is how the values of a field are written and compared.
type kind uint8

const (
	aTime       kind = iota + 1
	aNumber          // one number; several for EQ
	aBool            // true or false
	texts            // compared as they are
	uris             // identifiers: in any form, compared by their canonical one
	types            // event types
	actions          // ADD, OBSERVE, DELETE
	steps            // words of the CBV, in any form
	disposition      //
	reasons          //
	measured         // words of the web vocabulary
	patterns         // identifiers and patterns of such
	presence         // EXISTS
	extValues        // a text, number or time, whichever the values are
)

// field is a field of the standard and how it can be asked for.
type field struct {
	kind kind
	ops  string
}

const (
	compared = " GT GE LT LE "
	between  = " GE LT "
)

// fields are the parameters with a fixed name, without their operator.
var fields = map[string]field{
	"eventTime":                   {aTime, between},
	"recordTime":                  {aTime, between},
	"time":                        {aTime, between},
	"startTime":                   {aTime, between},
	"endTime":                     {aTime, between},
	"errorDeclarationTime":        {aTime, between},
	"action":                      {actions, " EQ "},
	"bizStep":                     {steps, " EQ "},
	"disposition":                 {disposition, " EQ "},
	"persistentDisposition_set":   {disposition, " EQ "},
	"persistentDisposition_unset": {disposition, " EQ "},
	"readPoint":                   {uris, " EQ WD "},
	"bizLocation":                 {uris, " EQ WD "},
	"transformationID":            {uris, " EQ "},
	"epc":                         {patterns, " MATCH "},
	"parentID":                    {patterns, " MATCH "},
	"inputEPC":                    {patterns, " MATCH "},
	"outputEPC":                   {patterns, " MATCH "},
	"anyEPC":                      {patterns, " MATCH "},
	"epcClass":                    {patterns, " MATCH "},
	"inputEPCClass":               {patterns, " MATCH "},
	"outputEPCClass":              {patterns, " MATCH "},
	"anyEPCClass":                 {patterns, " MATCH "},
	"quantity":                    {aNumber, " EQ" + compared},
	"eventID":                     {texts, " EQ "},
	"errorDeclaration":            {presence, " EXISTS "},
	"errorReason":                 {reasons, " EQ "},
	"correctiveEventID":           {texts, " EQ "},
	"sensorElementList":           {presence, " EXISTS "},
	"type":                        {measured, " EQ "},
	"deviceID":                    {uris, " EQ "},
	"dataProcessingMethod":        {uris, " EQ "},
	"microorganism":               {uris, " EQ "},
	"chemicalSubstance":           {uris, " EQ "},
	"bizRules":                    {uris, " EQ "},
	"stringValue":                 {texts, " EQ "},
	"hexBinaryValue":              {texts, " EQ "},
	"uriValue":                    {uris, " EQ "},
	"booleanValue":                {aBool, " EQ "},
	"percRank":                    {aNumber, " EQ" + compared},
}

// typed are the fields whose parameters have a type behind them, measures those with a unit.
var (
	typed    = [...]string{"bizTransaction", "source", "destination"}
	measures = [...]string{"quantity", "value", "minValue", "maxValue", "meanValue", "sDev", "percValue"}
	parts    = [...]Part{InILMD, InErrorDeclaration, InSensorElement, InSensorMetadata, InSensorReport, InReadPoint, InBizLocation}
	ops      = [...]Op{EQ, GT, GE, LT, LE, WD, MATCH, EXISTS, HASATTR, EQATTR}
)

// attributed are the fields of the standard whose values have master data here: sites and products.
var attributed = [...]string{"readPoint", "bizLocation", "source", "destination", "epcClass"}

// maxType is the longest type behind a name; word says what one looks like.
const maxType = 64

func word(s string) bool {
	if s == "" || len(s) > maxType || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// unit says whether a text can be a code of UN/CEFACT Rec. 20.
func unit(s string) bool {
	return len(s) >= 2 && len(s) <= 4 && strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) < 0
}

// named makes a criterion of a parameter's name and says how its values are read; 0 when there is no such parameter.
func (p *parser) named(name string) (c Criterion, k kind) {
	if name == "eventType" {
		return Criterion{Name: name, Op: EQ, Field: name}, types
	}
	c = Criterion{Name: name}
	rest := name
	if after, ok := strings.CutPrefix(rest, "EQ_ATTR_"); ok { // query-schema.json
		rest = "EQATTR_" + after
	}
	for _, op := range ops {
		if after, ok := strings.CutPrefix(rest, string(op)+"_"); ok {
			c.Op, rest = op, after
			break
		}
	}
	switch c.Op {
	case "":
		return c, 0
	case HASATTR, EQATTR:
		return p.attribute(c, rest)
	}
	if rest == "errorDeclaration_Time" { // query-schema.json
		rest = "errorDeclarationTime"
	}
	if f, ok := fields[rest]; ok {
		c.Field = rest
		if strings.Contains(f.ops, " "+string(c.Op)+" ") {
			return c, f.kind
		}
		return c, 0
	}
	if k := c.typed(rest); k != 0 {
		return c, k
	}
	return p.extension(c, rest)
}

// typed reads EQ_bizTransaction_T and EQ_value_UOM.
func (c *Criterion) typed(rest string) kind {
	for _, f := range typed {
		if typ, ok := strings.CutPrefix(rest, f+"_"); ok && c.Op == EQ && word(typ) {
			c.Field, c.Type = f, typ
			return uris
		}
	}
	for _, f := range measures {
		if uom, ok := strings.CutPrefix(rest, f+"_"); ok && unit(uom) && strings.Contains(" EQ"+compared, " "+string(c.Op)+" ") {
			c.Field, c.UOM = f, uom
			return aNumber
		}
	}
	return 0
}

// extension reads [INNER_][part_]prefix:field.
func (p *parser) extension(c Criterion, rest string) (Criterion, kind) {
	x := new(Extension)
	rest, x.Inner = strings.CutPrefix(rest, "INNER_")
	for _, part := range parts {
		if after, ok := strings.CutPrefix(rest, string(part)+"_"); ok {
			x.Part, rest = part, after
			break
		}
	}
	if !p.resolve(x, rest) {
		return c, 0
	}
	c.Ext = x
	switch c.Op {
	case EXISTS:
		return c, presence
	case EQ, GT, GE, LT, LE:
		return c, extValues
	}
	return c, 0
}

// resolve reads prefix:field, or namespace#field as EPCIS 1 wrote it; false for anything else.
func (p *parser) resolve(x *Extension, name string) bool {
	x.Name = name
	if ns, local, ok := strings.Cut(name, "#"); ok && strings.Contains(ns, ":") && local != "" {
		x.Namespace, x.Local = ns, local
		return true
	}
	prefix, local, ok := strings.Cut(name, ":")
	if !ok || prefix == "" || local == "" || strings.ContainsAny(name, " \t\r\n") || strings.HasPrefix(local, "//") {
		return false
	}
	x.Local = local
	x.Namespace = p.namespace(prefix)
	return true
}

// attribute reads field and field_attribute of HASATTR and EQATTR.
func (p *parser) attribute(c Criterion, rest string) (Criterion, kind) {
	for _, f := range attributed {
		if rest == f && c.Op == HASATTR {
			c.Field = f
			return c, texts
		}
		if attr, ok := strings.CutPrefix(rest, f+"_"); ok && attr != "" && c.Op == EQATTR {
			c.Field, c.Attr = f, attr
			return c, texts
		}
	}
	name := rest
	if c.Op == EQATTR {
		var ok bool
		if name, c.Attr, ok = strings.Cut(rest, "_"); !ok || c.Attr == "" {
			return c, 0
		}
	}
	x := new(Extension)
	if !p.resolve(x, name) {
		return c, 0
	}
	c.Ext = x
	return c, texts
}
