package simulate

import (
	"bufio"
	"io"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// epcisContext is the JSON-LD context of EPCIS 2.0; our extensions are in it (cbvmda).
const epcisContext = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"

// WriteEPCIS writes the events of the world as one EPCIS 2.0 JSON document, one event a line, in the order in which they
// are sent. Acts of the authorities have no place in EPCIS and are left out. It fails when w does.
func (w *World) WriteEPCIS(out io.Writer) error {
	b := bufio.NewWriterSize(out, 1<<16)
	b.WriteString(`{"@context":["` + epcisContext + `"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"` +
		event.Time{Time: w.opt.Start}.String() + `","epcisBody":{"eventList":[`)
	sep := "\n"
	for s := range w.Records() {
		if s.Record.Event == nil {
			continue
		}
		text, err := event.Marshal(s.Record.Event)
		if err != nil {
			return err
		}
		b.WriteString(sep)
		if _, err := b.Write(text); err != nil {
			return err
		}
		sep = ",\n"
	}
	b.WriteString("\n]}}\n")
	return b.Flush()
}
