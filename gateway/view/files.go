package view

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Files lists the files of an event: those of its record, and those that the event names and its record does not describe.
func Files(e index.Event) []contract.Evidence {
	list := slices.Clone(e.Evidence)
	if e.Event == nil {
		return list
	}
	for _, sum := range e.Event.Files() {
		if !slices.ContainsFunc(list, func(f contract.Evidence) bool { return f.SHA256 == sum }) {
			list = append(list, contract.Evidence{SHA256: sum})
		}
	}
	return list
}
