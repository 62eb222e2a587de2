package contract

// Limits of what one transaction may carry. Each bounds what a single sender can make every peer do or keep.
const (
	// MaxRecords in a batch: at some 10 µs each, the decision stays far below an endorsement timeout of seconds.
	MaxRecords = 10_000
	// MaxItems in an event: a container of cases counted one by one.
	MaxItems = 10_000
	// MaxKey is the longest identifier, in bytes of its canonical form: a GS1 key with all qualifiers percent-encoded takes
	// less than 200.
	MaxKey = 512
	// MaxEvidence is how many files one record may name.
	MaxEvidence = 100
	// MaxText is the longest text a person reads, in bytes: two pages.
	MaxText = 8_000
	// MaxRegistered is how many members, sites and products one registration may carry.
	MaxRegistered = 10_000
	// MaxAttrs is how many master data attributes, prefixes or parties one entry may carry.
	MaxAttrs = 200
	// MaxLots is how many memberships one instance may have; more than one is a contradiction already.
	MaxLots = 100
	// MaxSpread is how many links one spread may follow: each costs a read and a write.
	MaxSpread = 10_000
	// maxLook is how many items one movement looks through to find a hold, among its contents and carriers or, while a
	// hold spreads, its ancestors. Beyond, the movement is refused as undecided: never accepted unseen. It is also how many
	// items may be inside the inputs of a transformation.
	maxLook = 50_000
	// maxWork is how many things inside or around others all records of a batch may look through together, some seconds of
	// work; only the record that reaches it may go beyond.
	maxWork = 2_000_000
	// maxBatchBytes is the largest decoded batch: what a decompression bomb cannot exceed.
	maxBatchBytes = 64 << 20
)

// slack is by how much two event times may differ and still count as the same, in microseconds: many records know only the
// day (docs/rules.md, section 3). Findings allow for it; containment under a hold does not (section 5).
const slack = int64(24 * 60 * 60 * 1_000_000)
