package contract_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pure are the packages that have to give the same result on every peer.
var pure = []string{".", "../../internal/event", "../../internal/gs1"}

// bannedImports are packages whose use is a result that depends on more than the arguments.
var bannedImports = []string{"math/rand", "math/rand/v2", "crypto/rand", "os", "os/exec", "net", "net/http", "io/ioutil", "io/fs", "runtime", "unsafe",
	"log", "log/slog", "syscall", "plugin", "context", "math/cmplx", "expvar", "embed"}

// bannedFuncs are functions of otherwise harmless packages.
var bannedFuncs = []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick", "time.NewTimer", "time.NewTicker",
	"time.LoadLocation", "time.Local", "maps.Keys", "maps.Values", "maps.All", "maps.Collect", "fmt.Print", "fmt.Println", "fmt.Printf", "hash/maphash.MakeSeed"}

// impurities lists what a package contains that a decision must not, with places.
func impurities(fset *token.FileSet, imports types.Importer, files []*ast.File) (faults []string, err error) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imports}
	if _, err := conf.Check("checked", fset, files, info); err != nil {
		return nil, err
	}
	say := func(at token.Pos, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: %s", fset.Position(at), fmt.Sprintf(format, args...)))
	}
	for _, file := range files {
		for _, spec := range file.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); slices.Contains(bannedImports, path) {
				say(spec.Pos(), "imports %s", path)
			}
		}
		for _, decl := range file.Decls {
			inspectDecl(decl, info, say)
		}
	}
	return faults, nil
}

func inspectDecl(decl ast.Decl, info *types.Info, say func(token.Pos, string, ...any)) {
	sorts := sortedIn(decl, info)
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n.Pos(), "starts a goroutine")
		case *ast.SelectStmt:
			say(n.Pos(), "selects")
		case *ast.SendStmt, *ast.ChanType:
			say(n.Pos(), "uses a channel")
		case *ast.RangeStmt:
			if _, isMap := under(info, n.X).(*types.Map); isMap && !onlyCollects(n, info, sorts) {
				say(n.Pos(), "ranges over a map without sorting")
			}
		case *ast.Ident:
			obj := info.Uses[n]
			if obj != nil && obj.Pkg() != nil && slices.Contains(bannedFuncs, obj.Pkg().Path()+"."+obj.Name()) && obj.Parent() == obj.Pkg().Scope() {
				say(n.Pos(), "uses %s.%s", obj.Pkg().Path(), obj.Name())
			}
		}
		if e, ok := n.(ast.Expr); ok {
			if b, ok := under(info, e).(*types.Basic); ok && b.Info()&(types.IsFloat|types.IsComplex) != 0 && b.Kind() != types.UntypedFloat {
				say(n.Pos(), "computes with %s", b)
			}
		}
		return true
	})
}

func under(info *types.Info, e ast.Expr) types.Type {
	t := info.TypeOf(e)
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// sortedIn collects the variables that a function hands to slices.Sort or a relative.
func sortedIn(decl ast.Decl, info *types.Info) map[types.Object]bool {
	sorted := map[types.Object]bool{}
	ast.Inspect(decl, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		f := info.Uses[sel.Sel]
		arg, ok := call.Args[0].(*ast.Ident)
		if ok && f != nil && f.Pkg() != nil && f.Pkg().Path() == "slices" && strings.HasPrefix(f.Name(), "Sort") {
			sorted[info.Uses[arg]] = true
		}
		return true
	})
	return sorted
}

// onlyCollects says whether a loop over a map does nothing but append to variables that are sorted afterwards.
func onlyCollects(loop *ast.RangeStmt, info *types.Info, sorted map[types.Object]bool) bool {
	ok := true
	var check func(ast.Stmt)
	check = func(s ast.Stmt) {
		switch s := s.(type) {
		case *ast.IfStmt:
			ok = ok && s.Init == nil && s.Else == nil
			for _, s := range s.Body.List {
				check(s)
			}
		case *ast.AssignStmt:
			target, isIdent := s.Lhs[0].(*ast.Ident)
			call, isCall := s.Rhs[0].(*ast.CallExpr)
			ok = ok && isIdent && isCall && len(s.Lhs) == 1 && fmt.Sprint(call.Fun) == "append" && sorted[info.Uses[target]]
		default:
			ok = false
		}
	}
	for _, s := range loop.Body.List {
		check(s)
	}
	return ok
}

// fromSource imports packages by type-checking their source, each once for all tests: that takes seconds.
var fromSource = sync.OnceValues(func() (*token.FileSet, types.Importer) {
	fset := token.NewFileSet()
	return fset, importer.ForCompiler(fset, "source", nil)
})

// TestPure: nothing in the contract and the values it works on can make two peers disagree.
func TestPure(t *testing.T) {
	if testing.Short() {
		t.Skip("type-checking from source takes some seconds")
	}
	fset, imports := fromSource()
	for _, dir := range pure {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatal(dir, err)
		}
		var files []*ast.File
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		faults, err := impurities(fset, imports, files)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Error(f)
		}
	}
}

// TestPureFinds: the test above finds what it looks for, and lets sorted collecting pass.
func TestPureFinds(t *testing.T) {
	fset, imports := fromSource()
	for want, body := range map[string]string{
		"ranges over a map":     `func f(m map[string]int) (n int) { for _, v := range m { n = n*2 + v }; return n }`,
		"without sorting":       `func f(m map[string]int) (all []string) { for k := range m { all = append(all, k) }; return all }`,
		"uses time.Now":         `import "time"; func f() int64 { return time.Now().Unix() }`,
		"uses maps.Keys":        `import "maps"; func f(m map[string]int) (n int) { for k := range maps.Keys(m) { n += len(k) }; return n }`,
		"starts a goroutine":    `func f() { go func() {}() }`,
		"uses a channel":        `func f(c chan int) { c <- 1 }`,
		"selects":               `func f() { select {} }`,
		"computes with float64": `func f(a int) int { return int(float64(a) * 1.5) }`,
		"imports math/rand":     `import "math/rand"; func f() int { return rand.Int() }`,
		"imports crypto/rand":   `import "crypto/rand"; func f(b []byte) { rand.Read(b) }`,
		"imports os":            `import "os"; func f() string { return os.Getenv("X") }`,
		"imports unsafe":        `import "unsafe"; func f(x int) uintptr { return unsafe.Sizeof(x) }`,
		"": `import "slices"; func f(m map[string]int) (all []string) {
			for k, v := range m { if v > 0 { all = append(all, k) } }; slices.Sort(all); return all }`,
	} {
		file, err := parser.ParseFile(fset, "snippet.go", "package snippet\n"+body, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		faults, err := impurities(fset, imports, []*ast.File{file})
		if err != nil {
			t.Fatal(err)
		}
		if found := strings.Join(faults, "\n"); want == "" && found != "" || !strings.Contains(found, want) {
			t.Errorf("found %q, want %q in %s", found, want, body)
		}
	}
}
