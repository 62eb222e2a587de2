package epcis_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// The hash vectors have XML documents too. What follows reads just what they contain, as the JSON binding would have it: a
// check that the hash does not depend on the format, not a reader of XML.

type node struct {
	name     string // {namespace}local, or local without a namespace
	text     string
	children []*node
}

func parseXML(t *testing.T, b []byte) *node {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(b))
	root := new(node)
	stack := []*node{root}
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: fullName(tok.Name)}
			for _, a := range tok.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.children = append(n.children, &node{name: fullName(a.Name), text: a.Value})
				}
			}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += strings.TrimSpace(string(tok))
		}
	}
}

func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

func (n *node) find(local string) (all []*node) {
	for _, c := range n.children {
		if c.name == local || strings.HasSuffix(c.name, "}"+local) {
			all = append(all, c)
		}
		all = append(all, c.find(local)...)
	}
	return all
}

// converter turns nodes into JSON; namespaces get prefixes that no value uses.
type converter struct{ namespaces []string }

func (c *converter) key(name string) string {
	ns, local, ok := strings.Cut(strings.TrimPrefix(name, "{"), "}")
	if !ok {
		return name
	}
	i := slices.Index(c.namespaces, ns)
	if i < 0 {
		i = len(c.namespaces)
		c.namespaces = append(c.namespaces, ns)
	}
	return "xmlns" + string(rune('a'+i)) + ":" + local
}

// lists are the elements that are arrays in JSON: of texts, or of objects.
var lists = map[string]bool{"epcList": true, "childEPCs": true, "inputEPCList": true, "outputEPCList": true, "quantityList": true,
	"childQuantityList": true, "inputQuantityList": true, "outputQuantityList": true, "bizTransactionList": true,
	"sourceList": true, "destinationList": true, "sensorElementList": true}

var numbers = map[string]bool{"quantity": true, "value": true, "minValue": true, "maxValue": true, "meanValue": true, "sDev": true,
	"percRank": true, "percValue": true}

func (c *converter) object(nodes []*node) map[string]any {
	out := map[string]any{}
	for _, n := range nodes {
		switch {
		case n.name == "extension" || n.name == "baseExtension":
			for k, v := range c.object(n.children) {
				out[k] = v
			}
		case lists[n.name]:
			list := []any{}
			for _, e := range n.children {
				list = append(list, c.element(e))
			}
			out[n.name] = list
		case n.name == "sensorReport":
			reports, _ := out[n.name].([]any)
			out[n.name] = append(reports, c.object(n.children))
		case n.name == "ilmd" || n.name == "errorDeclaration" || len(n.children) > 0:
			c.put(out, n.name, c.object(n.children))
		case numbers[n.name]:
			out[n.name] = json.Number(n.text)
		case n.name == "booleanValue":
			out[n.name] = n.text == "true"
		default:
			c.put(out, n.name, expand(n.text))
		}
	}
	return out
}

// put adds a member; a second one of the same name makes it an array.
func (c *converter) put(out map[string]any, name string, value any) {
	key := c.key(name)
	switch old := out[key].(type) {
	case nil:
		out[key] = value
	case []any:
		out[key] = append(old, value)
	default:
		out[key] = []any{old, value}
	}
}

// expand writes names with the prefixes of GS1's vocabularies in full.
func expand(s string) string {
	if local, ok := strings.CutPrefix(s, "gs1:"); ok {
		return "https://gs1.org/voc/" + local
	}
	if local, ok := strings.CutPrefix(s, "cbv:"); ok {
		return "https://ref.gs1.org/cbv/" + local
	}
	return s
}

// element is an element of a list: a text, a business transaction, source or destination with its type, or an object.
func (c *converter) element(n *node) any {
	switch {
	case n.name == "epc":
		return n.text
	case n.text != "":
		out := c.object(n.children)
		out[n.name] = n.text
		return out
	}
	return c.object(n.children)
}

var eventNames = []string{"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}

func eventsOfXML(t *testing.T, b []byte) (events []*event.Event) {
	t.Helper()
	root := parseXML(t, b)
	for _, list := range root.find("EventList") {
		nodes := list.children
		for i := 0; i < len(nodes); i++ {
			n := nodes[i]
			if n.name == "extension" { // wraps the newer event types
				nodes = append(nodes, n.children...)
				continue
			}
			if slices.Contains(eventNames, n.name) {
				events = append(events, eventOfXML(t, root, n))
			}
		}
	}
	return events
}

func eventOfXML(t *testing.T, root, n *node) *event.Event {
	t.Helper()
	var c converter
	out := c.object(n.children)
	out["type"] = n.name
	for _, ignore := range root.find("ignoreFields") {
		var names []string
		for _, f := range ignore.children {
			names = append(names, c.key(f.name))
		}
		out["x:ignoreFields"] = names
	}
	context := map[string]string{}
	for _, ns := range c.namespaces {
		context[strings.TrimSuffix(c.key("{"+ns+"}"), ":")] = ns
	}
	out["@context"] = context
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Unmarshal(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return e
}
