package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
)

// What one member captures the others trace; what the regulator holds nobody ships.
func TestTwoGateways(t *testing.T) {
	n := network.Get(t)
	producer, regulator := serveGateway(t, n, "producer-a", ""), serveGateway(t, n, "regulator", "")

	// A gateway signs for its own member only.
	code, _, errOut := run(t, "token", "create", "--config", producer.file, "--member", "regulator", "--role", "regulator")
	if code != exitError || !strings.Contains(errOut, "signs for member producer-a only") {
		t.Errorf("exit %d: %s", code, errOut)
	}

	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "60", "--seed", "3"))
	if out := must(t, slices.Concat([]string{"capture", file}, producer.as())...); !strings.Contains(out, " accepted ni:///sha-256;") {
		t.Errorf("no record was accepted:\n%s", out)
	}
	made := madeLot(t)
	eventually(t, "the regulator sees the lot", func() bool {
		code, out, _ := run(t, slices.Concat([]string{"trace", "back", made.output}, regulator.as())...)
		return code == 0 && strings.Contains(out, made.input)
	})

	out := must(t, slices.Concat([]string{"hold", made.input, "--scope", "downstream", "--reason", "Salmonella found", "--reason-zh", "检出沙门氏菌"}, regulator.as())...)
	hold := strings.Fields(out)[0]
	sale := writeFile(t, "sale.json", made.sale)
	code, out, _ = run(t, slices.Concat([]string{"capture", sale}, producer.as())...)
	if code != exitNo || !strings.Contains(out, "LOT_HELD") {
		t.Errorf("what was made from a held lot was sold: exit %d\n%s", code, out)
	}
	for _, g := range []*gatewayOf{producer, regulator} {
		eventually(t, "the violation is shown at "+g.msp, func() bool { return strings.Contains(get(t, g.url+api.Base+"/violations", g.token), hold) })
	}
	code, _, errOut = run(t, slices.Concat([]string{"hold", made.output, "--reason", "mine"}, producer.as())...)
	if code == 0 || !strings.Contains(errOut, "FORBIDDEN") {
		t.Errorf("a producer held a lot: exit %d %s", code, errOut)
	}
	must(t, slices.Concat([]string{"release", hold, "--reason", "second sample clean", "--reason-zh", "复检合格"}, regulator.as())...)
	must(t, slices.Concat([]string{"capture", sale}, producer.as())...)
	for _, g := range []*gatewayOf{producer, regulator} {
		if page := get(t, g.url+"/readyz", ""); !strings.Contains(page, "ready") {
			t.Errorf("%s: %s", g.msp, page)
		}
		must(t, "verify", "--config", g.file) // beside the running gateway
		g.stop()
	}
}
