package epcis

// Limits bound what one document may cost. A zero field means the default.
type Limits struct {
	DocumentBytes int64 // DefaultDocumentBytes
	EventBytes    int   // DefaultEventBytes
	Events        int   // DefaultEvents
	MasterBytes   int   // DefaultMasterBytes
}

// Defaults of [Limits].
const (
	// DefaultDocumentBytes is room for a million events of 4 KB.
	DefaultDocumentBytes = 4 << 30
	// DefaultEventBytes: an event of maxIdentifiers identifiers of 80 bytes and its sensor data. One event is in memory at a time.
	DefaultEventBytes = 8 << 20
	// DefaultEvents is what a large shipper's system exports of a day.
	DefaultEvents = 2_000_000
	// DefaultMasterBytes of master data are in memory until a document's end: a hundred thousand sites of 600 bytes.
	DefaultMasterBytes = 64 << 20
)

const (
	// maxIdentifiers of one event: a sea container holds some 20,000 of the smallest cases that bear a number.
	maxIdentifiers = 50_000
	// maxURI is the length of an identifier in bytes. Browsers and servers agree on about 2,000, and the
	// ledger's keys are made of them.
	maxURI = 2000
	// maxText is the length of another text of the standard in bytes; more is a document, to be attached as evidence.
	maxText = 64 << 10
	// maxToken is the length of a tag, text or comment of XML in bytes: a text that is longer is a document, to be attached as evidence.
	maxToken = 1 << 20
	// maxNodes are the elements and attributes of one event: maxIdentifiers quantities with their three parts.
	maxNodes = 4 * maxIdentifiers
	// maxDepth of elements: those of the standard around event.MaxDepth of extensions are 20 at most; more costs a problem its path.
	maxDepth = 100
	// maxAttributes of one element: a sensor report has 24 of the standard.
	maxAttributes = 256
	// maxNamespaces declared at one place, and prefixes in one context: each name is looked up among them. So many prefixes without a declaration are remarked.
	maxNamespaces = 256
	// maxName is the length of the name of an element or attribute in bytes. A problem's path has up to maxDepth of them.
	maxName = 1000
	// maxIgnored are the names in the ignoreFields of a document: every member of every event is looked up among them.
	maxIgnored = 256
	// maxMembers of the root of a document in JSON and of the objects on the way to its events: the standard has ten.
	maxMembers = 1000
	// maxCounted are the names of elements that are numbered in a list; the standard has six.
	maxCounted = 64
	// maxProblems of one event, or of a document's own members, that are listed; the rest would repeat them.
	maxProblems = 100
)

func (l Limits) withDefaults() Limits {
	if l.DocumentBytes == 0 {
		l.DocumentBytes = DefaultDocumentBytes
	}
	if l.EventBytes == 0 {
		l.EventBytes = DefaultEventBytes
	}
	if l.Events == 0 {
		l.Events = DefaultEvents
	}
	if l.MasterBytes == 0 {
		l.MasterBytes = DefaultMasterBytes
	}
	return l
}
