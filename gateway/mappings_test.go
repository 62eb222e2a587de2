package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
)

const mappingFile = `foodtrace: mapping/1
name: Harvest book
zone: Asia/Shanghai
columns: {day: 日期, lot: 批次, kg: 公斤}
records:
  - event:
      type: ObjectEvent
      action: ADD
      bizStep: commissioning
      eventTime: "{day|time:08:00}"
      readPoint: {id: "SITE"}
      bizLocation: {id: "SITE"}
      quantityList: [{epcClass: "https://example.com/lot/{lot}", quantity: "{kg}", uom: KGM}]
`

// A mapping file is kept once and named by its ID after that; a sheet that it reads becomes events.
func TestMappings(t *testing.T) {
	w := newWorld(t)
	farm, yaml := w.as(w.story.Producer), []string{"Content-Type", "application/yaml"}
	site := w.story.Registration.Sites[slices.IndexFunc(w.story.Registration.Sites, func(s contract.Site) bool { return s.Owner == w.story.Producer })].ID
	file := strings.ReplaceAll(mappingFile, "SITE", site)

	wrong := w.ask(http.MethodPost, "/api/v1/mappings", strings.ReplaceAll(file, "{kg}", "{pounds}"), append(farm, yaml...)...)
	p := decode[problem.Problem](t, wrong, http.StatusUnprocessableEntity)
	if len(p.Errors) != 1 || p.Errors[0].Code != "MAPPING" || p.Errors[0].Field != "line 13, column 76" {
		t.Errorf("a wrong file: %+v", p)
	}
	if res := w.ask(http.MethodPost, "/api/v1/mappings", file, yaml...); res.Code != http.StatusUnauthorized {
		t.Errorf("the public keeps a file: %d", res.Code)
	}
	res := w.ask(http.MethodPost, "/api/v1/mappings", file, append(farm, yaml...)...)
	kept := decode[library.Entry](t, res, http.StatusCreated)
	if kept.Name != "Harvest book" || kept.Size != int64(len(file)) || res.Header().Get("Location") != "/api/v1/mappings/"+kept.ID {
		t.Errorf("kept as %+v at %s", kept, res.Header().Get("Location"))
	}
	list := decode[struct{ Items []library.Entry }](t, w.ask(http.MethodGet, "/api/v1/mappings", "", farm...), http.StatusOK)
	if len(list.Items) != 1 || list.Items[0] != kept {
		t.Errorf("the list is %+v", list)
	}
	if got := w.ask(http.MethodGet, "/api/v1/mappings/"+kept.ID, "", farm...); got.Body.String() != file || !strings.HasPrefix(got.Header().Get("Content-Type"), "application/yaml") {
		t.Errorf("%d %v %q", got.Code, got.Header(), got.Body)
	}
	if got := w.ask(http.MethodGet, "/api/v1/mappings/"+kept.ID, "", w.as("haojia-market")...); got.Code != http.StatusNotFound {
		t.Errorf("another member reads it: %d", got.Code)
	}

	const sheet = "日期,批次,公斤\n2026-04-20,A1,120.5\n2026-04-20,A2,x\n"
	_, job := w.send(sheet, "Content-Type", "text/csv", "Foodtrace-Mapping", kept.ID, "GS1-Capture-Error-Behaviour", "proceed")
	if job.Foodtrace.Accepted != 1 || job.Foodtrace.Refused != 1 {
		t.Errorf("the job is %+v", job)
	}
	if res := w.ask(http.MethodPost, "/epcis/capture", sheet, append(farm, "Content-Type", "text/csv", "Foodtrace-Mapping", "none")...); res.Code != http.StatusBadRequest || !strings.Contains(res.Body.String(), "Foodtrace-Mapping") {
		t.Errorf("an unknown mapping: %d %s", res.Code, res.Body)
	}
	if res := w.ask(http.MethodDelete, "/api/v1/mappings/"+kept.ID, "", farm...); res.Code != http.StatusNoContent {
		t.Errorf("removing it: %d %s", res.Code, res.Body)
	}
	if res := w.ask(http.MethodDelete, "/api/v1/mappings/"+kept.ID, "", farm...); res.Code != http.StatusNotFound {
		t.Errorf("removing it twice: %d", res.Code)
	}
}
