package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestTransactionsUseTheirOwnContext reads the package's source: inside of a function that gets a transaction, the context from
// outside must not be used, because only the transaction's carries the mark that refuses a second one.
func TestTransactionsUseTheirOwnContext(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	closures := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncLit)
			if !ok || !takesTx(f.Type) {
				return true
			}
			closures++
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if field, ok := n.(*ast.SelectorExpr); ok && field.Sel.Name == "ctx" {
					return false // t.ctx
				}
				if id, ok := n.(*ast.Ident); ok && id.Name == "ctx" {
					t.Errorf("%s: use t.ctx inside of the transaction", files.Position(id.Pos()))
				}
				return true
			})
			return true
		})
	}
	if closures < 20 {
		t.Errorf("only %d transactions found", closures)
	}
}

func takesTx(f *ast.FuncType) bool {
	for _, p := range f.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok {
			if id, ok := star.X.(*ast.Ident); ok && id.Name == "tx" {
				return true
			}
		}
	}
	return false
}
