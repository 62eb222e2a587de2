// Package layering holds the import rules: which package may know which. docs/architecture.md draws them.
package layering

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/foodtrace-ledger/foodtrace/"

// allowed lists, for each package, the packages of this module it may import outside of its tests. "…/" allows a whole
// folder. A package without a line fails: whoever adds one says where it stands.
var allowed = map[string][]string{
	// Values and rules: no I/O.
	"internal/gs1":                      {},
	"internal/charset":                  {},
	"internal/event":                    {"internal/gs1"},
	"chaincode/contract":                {"internal/event", "internal/gs1"},
	"chaincode/protocol":                {"chaincode/contract"},
	"chaincode/fabric":                  {"chaincode/contract", "chaincode/protocol", "internal/event"},
	"chaincode/cmd/foodtrace-chaincode": {"chaincode/fabric"},

	// Interfaces, and what stands on them alone.
	"internal/ledger":    {"chaincode/contract", "internal/event"},
	"internal/translate": {"internal/event", "internal/gs1"},
	"internal/evidence":  {},
	"internal/trace":     {"internal/event", "internal/gs1"},
	"internal/query":     {"internal/event", "internal/gs1"},
	"internal/index":     {"chaincode/contract", "internal/event", "internal/ledger", "internal/query", "internal/trace"},
	"internal/identity":  {"internal/ledger"},
	"internal/spreader":  {"chaincode/contract", "internal/ledger"},

	// Implementations: known to cmd/ only.
	"internal/ledger/store":     {"chaincode/contract", "internal/ledger"},
	"internal/ledger/embedded":  {"chaincode/contract", "internal/event", "internal/identity", "internal/ledger", "internal/ledger/store"},
	"internal/ledger/fabric":    {"chaincode/contract", "chaincode/protocol", "internal/event", "internal/ledger", "internal/ledger/store"},
	"internal/index/sqlindex":   {"chaincode/contract", "internal/event", "internal/gs1", "internal/index", "internal/ledger", "internal/query", "internal/trace"},
	"internal/index/sqlite":     {"internal/index", "internal/index/sqlindex"},
	"internal/index/postgres":   {"internal/index", "internal/index/sqlindex"},
	"internal/evidence/fs":      {"internal/evidence"},
	"internal/evidence/s3":      {"internal/bucket", "internal/evidence"},
	"internal/bucket":           {},
	"internal/evidence/content": {"chaincode/contract", "internal/evidence"},

	// Ingest: bytes to records.
	"ingest":                     {"chaincode/contract"},
	"ingest/epcis":               {"chaincode/contract", "ingest", "internal/charset", "internal/event", "internal/gs1"},
	"ingest/formats":             {"chaincode/contract", "ingest", "ingest/epcis", "ingest/fsma204", "ingest/lab", "ingest/mapping", "ingest/sheet"},
	"ingest/formats/formatstest": {"ingest/sheet"},
	"ingest/sheet":               {"ingest", "internal/charset"},
	"ingest/unit":                {},
	"ingest/fsma204":             {"chaincode/contract", "ingest", "ingest/sheet", "ingest/unit", "internal/event", "internal/gs1"},
	"ingest/mapping":             {"chaincode/contract", "ingest", "ingest/epcis", "ingest/sheet", "ingest/unit", "internal/event", "internal/gs1"},
	"ingest/mapping/library":     {"ingest", "ingest/mapping"},
	"ingest/lab":                 {"chaincode/contract", "ingest", "ingest/sheet", "internal/event", "internal/gs1"},
	"ingest/drop":                {"chaincode/contract", "ingest/capture", "ingest/formats", "internal/bucket", "internal/evidence"},
	"ingest/capture":             {"chaincode/contract", "ingest", "ingest/formats", "ingest/sheet", "internal/event", "internal/evidence", "internal/evidence/content", "internal/ledger"},

	// Gateway: answers to people. It hands uploads to ingest and sees no implementation.
	"gateway":           {"gateway/…", "internal/evidence", "internal/evidence/content", "internal/index", "internal/ledger"},
	"gateway/accept":    {},
	"gateway/problem":   {"internal/evidence", "internal/index", "internal/ledger"},
	"gateway/auth":      {"chaincode/contract", "gateway/problem"},
	"gateway/view":      {"chaincode/contract", "gateway/auth", "internal/event", "internal/gs1", "internal/index", "internal/query", "internal/trace"},
	"gateway/api":       {"chaincode/contract", "gateway/auth", "gateway/problem", "gateway/view", "ingest", "ingest/mapping", "ingest/mapping/library", "internal/event", "internal/evidence", "internal/evidence/content", "internal/gs1", "internal/index", "internal/ledger", "internal/trace"},
	"gateway/epcisrest": {"chaincode/contract", "gateway/accept", "gateway/auth", "gateway/pages", "gateway/problem", "gateway/subscribe", "gateway/view", "ingest", "ingest/capture", "ingest/epcis", "ingest/mapping/library", "internal/event", "internal/gs1", "internal/index", "internal/query", "internal/translate"},
	"gateway/subscribe": {"gateway/auth", "gateway/problem", "internal/index", "internal/translate"},
	"gateway/resolver":  {"gateway/accept", "gateway/pages", "gateway/problem", "gateway/view", "internal/gs1", "internal/index", "internal/qrcode"},
	"gateway/pages":     {"chaincode/contract", "gateway/problem", "gateway/view", "internal/event", "internal/evidence", "internal/evidence/content", "internal/gs1", "internal/index", "internal/ledger", "internal/qrcode", "internal/trace"},
	"internal/qrcode":   {},

	// A real network, and real servers for tests, on this machine.
	"internal/tools":     {},
	"internal/services":  {"internal/tools"},
	"internal/tools/cmd": {"internal/tools"},
	"internal/fabricnet": {"chaincode/contract", "internal/event", "internal/ledger", "internal/ledger/fabric", "internal/tools"},

	// Known answers for tests and demos.
	"internal/simulate":       {"chaincode/contract", "ingest/epcis", "internal/event", "internal/gs1"},
	"internal/simulate/audit": {"chaincode/contract", "internal/event", "internal/gs1", "internal/trace"},
	"internal/testdata":       {},

	// Conformance suites and test doubles may know what they test.
	"chaincode/contract/contracttest": {"chaincode/contract", "internal/event", "internal/gs1"},
	"internal/ledger/ledgertest":      {"chaincode/contract", "internal/event", "internal/gs1", "internal/ledger"},
	"internal/index/indextest":        {"chaincode/contract", "internal/event", "internal/gs1", "internal/index", "internal/ledger", "internal/query", "internal/trace", "internal/trace/tracetest"},
	"internal/evidence/evidencetest":  {"internal/evidence"},
	"internal/trace/tracetest":        {"internal/event", "internal/gs1", "internal/trace"},

	// Measures the whole, for docs/scale.md.
	"test/scale":        {"…/"},
	"test/fabric/bench": {"…/"},
	"test/fabric/plain": {"chaincode/contract", "chaincode/fabric"},

	// The command wires everything.
	"cmd/foodtrace": {"…/"},
}

// outside lists the outside modules that the deterministic core may use.
var outside = map[string][]string{
	"internal/gs1":       {},
	"internal/event":     {"github.com/go-json-experiment/json"},
	"chaincode/contract": {"github.com/go-json-experiment/json", "github.com/klauspost/compress/zstd"},
	"internal/trace":     {},
}

func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "node_modules" || name == "testdata" && !isGoPackage(path) || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(dir)
		seen[pkg] = true
		rules, ok := allowed[pkg]
		if !ok {
			t.Errorf("%s: no import rule for package %s; add one to internal/layering", path, pkg)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if inner, ours := strings.CutPrefix(imp, module); ours {
				if !matches(rules, inner) {
					t.Errorf("%s: %s may not import %s", path, pkg, inner)
				}
			} else if list, limited := outside[pkg]; limited && strings.Contains(strings.Split(imp, "/")[0], ".") && !hasPrefix(list, imp) {
				t.Errorf("%s: %s may not import %s", path, pkg, imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range allowed {
		if !seen[pkg] {
			t.Errorf("rule for package %s, which does not exist", pkg)
		}
	}
}

func isGoPackage(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return len(files) > 0
}

func matches(rules []string, imp string) bool {
	return slices.ContainsFunc(rules, func(r string) bool {
		folder, isFolder := strings.CutSuffix(r, "…")
		return r == imp || r == "…/" || isFolder && strings.HasPrefix(imp, folder)
	})
}

func hasPrefix(list []string, imp string) bool {
	return slices.ContainsFunc(list, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}
