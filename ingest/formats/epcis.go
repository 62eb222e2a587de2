package formats

import (
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

// epcisReader has the events of an EPCIS document as records, and the master data of its header as descriptions.
type epcisReader struct{ *epcis.Reader }

// Next implements [ingest.Reader].
func (r epcisReader) Next() (*contract.Record, []ingest.Problem, error) {
	e, problems, err := r.Reader.Next()
	if e == nil {
		return nil, problems, err
	}
	return &contract.Record{Event: e}, problems, err
}

// Places implements [ingest.Reader].
func (r epcisReader) Places() []string { return []string{r.Pointer()} }

// Descriptions implements [ingest.Reader].
func (r epcisReader) Descriptions() (records []contract.Record) {
	data := r.Header.MasterData
	if data == nil {
		return nil
	}
	add := func(r contract.Registration) { records = append(records, contract.Record{Registration: &r}) }
	for _, site := range data.Sites {
		add(contract.Registration{Sites: []contract.Site{site}})
	}
	for _, product := range data.Products {
		add(contract.Registration{Products: []contract.Product{product}})
	}
	return records
}
