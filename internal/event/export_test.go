package event

import "github.com/go-json-experiment/json"

// MarshalByLibrary writes an event whose raw parts are canonical as package json does: what Marshal is held to.
func MarshalByLibrary(e *Event) ([]byte, error) { return json.Marshal((*plain)(e), rawAsWritten) }
