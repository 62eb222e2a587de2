// Package gs1 reads and writes GS1 identifiers: EPC URNs (TDS 2.0), GS1 Digital Link URIs (URI Syntax 1.x),
// check digits (General Specifications section 7.9) and the canonical Digital Link form that CBV 2.0
// asks for in event hashes.
//
// It is pure: no input or output, no clock, no floating point, no shared state. The contract links it and relies on
// equal input giving equal output on every peer.
//
// One rule holds throughout. A wrong check digit is common in real data and does not make an identifier unreadable:
// functions then return their full result together with an [Error] whose Code is [CheckDigitWrong], and the caller
// decides. Parse and Canonical do the same where only the lot, serial number or extension is at fault; with any other error
// they hand back the URI as given, which still serves as a key. The other functions hand back nothing then.
package gs1
