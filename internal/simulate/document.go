package simulate

import (
	"io"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// WriteEPCIS writes the world as one EPCIS 2.0 JSON document: sites and products as master data in its header, and the events
// in the order in which they are sent. Acts of the authorities have no place in EPCIS and are left out. It fails when w does.
func (w *World) WriteEPCIS(out io.Writer) error {
	r := w.Registration()
	doc := epcis.NewWriter(out, epcis.Header{
		CreationDate: event.Time{Time: w.opt.Start},
		MasterData:   &contract.Registration{Sites: r.Sites, Products: r.Products},
	})
	for s := range w.Records() {
		if s.Record.Event == nil {
			continue
		}
		if err := doc.Write(s.Record.Event); err != nil {
			return err
		}
	}
	return doc.Close()
}
