package contract

import "strconv"

// The keys of the world state, all of them. Each grows with what its line says; none with the number of events alone,
// but for the identities that a sender insists on (keyEventID).
//
//	policy                          one
//	epoch                           one; written by each hold, release, restart and end of a spread
//	member/{MSP ID}                 members
//	site/{canonical URI}            registered sites
//	product/{canonical URI}         registered products
//	act/{record ID}                 inspections: 1 byte each
//	hold/{record ID}                holds, for ever
//	queue/{hold ID}                 downstream holds: how far their marks have spread
//	item/{canonical URI}            items: a node of the graph
//	process/{hash or URI}           transformations: a node of the graph
//	list/{node or queue}␟{list}{n}  full chunks of a node's or a queue's lists: one for every chunkLen entries
//	list/{node}␟s                   summaries of containers: one for each with more than chunkLen statements (where the policy says so)
//	seen/{anchor item}␟{hour}       items × hours in which they had events: 48 bytes for each event
//	id/{SHA-256 of an event ID}     events whose sender gave them an ID that is not their hash
const (
	keyPolicy     = "policy"
	keyEpoch      = "epoch"
	prefixMember  = "member/"
	prefixSite    = "site/"
	prefixProduct = "product/"
	prefixAct     = "act/"
	prefixHold    = "hold/"
	prefixQueue   = "queue/"
	prefixItem    = "item/"
	prefixProcess = "process/"
	prefixList    = "list/"
	prefixSeen    = "seen/"
	prefixEventID = "id/"
)

// sep ends the part of a key that a sender chose: checkKey lets no control character into one.
const sep = "\x1f"

func keySeen(anchor string, hour int64) string {
	return prefixSeen + anchor + sep + strconv.FormatInt(hour, 10)
}

func keySummary(node string) string { return prefixList + owner(node, listSummary) }

func keyChunk(owner string, n int) string { return prefixList + owner + strconv.Itoa(n) }
