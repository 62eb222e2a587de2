package contract

// Code names a finding for machines. A code is never reused for another meaning.
type Code string

// The codes. Those of the first group refuse a record; those of the second are remarks on an accepted one, and refuse
// only where their line says so.
const (
	CodeRecordShape     Code = "RECORD_SHAPE"      // a record that is not exactly one thing, or an event of no known type
	CodeTooLarge        Code = "TOO_LARGE"         // more records, items, evidence or text than the limits allow
	CodeFieldMissing    Code = "FIELD_MISSING"     // a field that the record needs is absent
	CodeFieldInvalid    Code = "FIELD_INVALID"     // a field has a value that it cannot have
	CodeKeyInvalid      Code = "KEY_INVALID"       // an identifier too long, or with characters that none may have
	CodeNotRegistered   Code = "NOT_REGISTERED"    // the submitting organisation is not a member
	CodeRoleRequired    Code = "ROLE_REQUIRED"     // the member's roles do not allow this kind of record
	CodeLastRegulator   Code = "LAST_REGULATOR"    // a regulator would take the role away from itself
	CodeMemberUnknown   Code = "MEMBER_UNKNOWN"    // the owner named is not a member
	CodeNotYourSite     Code = "NOT_YOUR_SITE"     // an event at another member's site by one who is no party to it
	CodeNotYours        Code = "NOT_YOURS"         // a site or product that another member registered
	CodeNotYourEvent    Code = "NOT_YOUR_EVENT"    // an error declaration of another member's event
	CodeEventIDConflict Code = "EVENT_ID_CONFLICT" // the event ID is on the ledger with other content
	CodeItemIsClass     Code = "ITEM_IS_CLASS"     // a product class where a lot, an instance or a logistic unit is needed
	CodeHoldUnknown     Code = "HOLD_UNKNOWN"      // no hold has this ID
	CodeHoldReleased    Code = "HOLD_RELEASED"     // the hold was released before
	CodeLotHeld         Code = "LOT_HELD"          // a movement of a held item: refused, kept as a violation
	CodeHoldUndecided   Code = "HOLD_UNDECIDED"    // too much to look through to know whether the item is held: send again later
	CodeRolledBack      Code = "ROLLED_BACK"       // another record of the atomic batch was refused

	CodeItemUnknown      Code = "ITEM_UNKNOWN"              // no event names the item of a hold or an inspection (yet): perhaps mistyped
	CodeSiteUnknown      Code = "SITE_UNKNOWN"              // nobody registered the site; refused unless the policy is lenient
	CodeSiteMissing      Code = "SITE_MISSING"              // the event names neither place nor party; refused unless the policy is lenient
	CodeNotYourPrefix    Code = "NOT_YOUR_PREFIX"           // master data outside of the member's prefixes; refused unless the policy is lenient
	CodeBalanceExceeded  Code = "BALANCE_EXCEEDED"          // more of an item was used than made; refused where the policy says so
	CodeErrorUnknown     Code = "ERROR_DECLARATION_UNKNOWN" // no event with this content was there: it is void from the start
	CodeTimeContradicted Code = "TIME_CONTRADICTION"        // used more than a day before it was made
	CodeTimeFuture       Code = "TIME_FUTURE"               // the event time is more than a day after the ledger's time
	CodeCheckDigit       Code = "CHECK_DIGIT"               // a GS1 identifier whose check digit does not match
	CodeIdentifier       Code = "IDENTIFIER"                // an identifier that claims to be GS1's and cannot be read as one
)
