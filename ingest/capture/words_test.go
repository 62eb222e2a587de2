package capture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each code that a reader or the contract declares has a sentence in Chinese, and no other has one. In English a finding's own message is the
// sentence, so none is made without one.
func TestEveryCodeHasSentences(t *testing.T) {
	declared := map[string]string{}
	for _, root := range []string{"..", filepath.Join("..", "..", "chaincode", "contract")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				codesOf(file, path, declared)
				wordless(t, file, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(declared) < 80 {
		t.Fatalf("%d codes were found", len(declared))
	}
	for code, path := range declared {
		if chinese.reasons[code] == "" {
			t.Errorf("%s of %s has no Chinese sentence", code, path)
		}
	}
	for code := range chinese.reasons {
		if _, ok := declared[code]; !ok {
			t.Errorf("%s has a sentence, and nothing declares it", code)
		}
	}
}

// codesOf collects the constants of a type Code, with where they are declared.
func codesOf(file *ast.File, path string, into map[string]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || typeName(spec.Type) != "Code" {
			return true
		}
		for _, v := range spec.Values {
			if text, ok := v.(*ast.BasicLit); ok {
				code, _ := strconv.Unquote(text.Value)
				into[code] = path
			}
		}
		return true
	})
}

// wordless fails for problems that are made without a message.
func wordless(t *testing.T, file *ast.File, path string) {
	ast.Inspect(file, func(n ast.Node) bool {
		made, ok := n.(*ast.CompositeLit)
		if !ok || typeName(made.Type) != "Problem" && typeName(made.Type) != "Finding" {
			return true
		}
		has := func(name string) bool {
			return slices.ContainsFunc(made.Elts, func(e ast.Expr) bool {
				pair, ok := e.(*ast.KeyValueExpr)
				return ok && typeName(pair.Key) == name
			})
		}
		if has("Code") && !has("Message") {
			t.Errorf("%s makes a %s without a message", path, typeName(made.Type))
		}
		return true
	})
}

// typeName is the name of a type or member, without its package.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
