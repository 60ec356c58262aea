package handlers

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

func serveOne(t *testing.T, h fiber.Handler) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.All("/", h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l)
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(3 * time.Second); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/"
}

func get(t *testing.T, address string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func TestFragmentOrPage(t *testing.T) {
	at := serveOne(t, func(c *fiber.Ctx) error { return pageOr(c, templ.Raw("page"), templ.Raw("fragment")) })
	for want, all := range map[string][][]string{
		"page":     {nil, {"HX-Request", "true", "HX-Boosted", "true"}, {"HX-Request", "true", "HX-History-Restore-Request", "true"}, {"HX-Request", "yes"}},
		"fragment": {{"HX-Request", "true"}},
	} {
		for _, headers := range all {
			if _, text, _ := get(t, at, headers...); text != want {
				t.Errorf("%v: %s, want %s", headers, text, want)
			}
		}
	}
}

func TestRedirect(t *testing.T) {
	at := serveOne(t, func(c *fiber.Ctx) error { return redirect(c, "/requests/1") })
	if r, _, _ := get(t, at); r.StatusCode != 303 || r.Header.Get("Location") != "/requests/1" {
		t.Errorf("%s to %q", r.Status, r.Header.Get("Location"))
	}
	if r, _, _ := get(t, at, "HX-Request", "true"); r.StatusCode != 200 || r.Header.Get("HX-Redirect") != "/requests/1" {
		t.Errorf("htmx: %s to %q", r.Status, r.Header.Get("HX-Redirect"))
	}
}

func TestHalfAPageIsNoPage(t *testing.T) {
	at := serveOne(t, func(c *fiber.Ctx) error {
		return render(c, 200, templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
			io.WriteString(w, "<p>half")
			return errors.New("broken view")
		}))
	})
	if r, text, _ := get(t, at); r.StatusCode != 500 || strings.Contains(text, "half") {
		t.Errorf("%s %q", r.Status, text)
	}
}

func TestExport(t *testing.T) {
	const n = 20000
	at := serveOne(t, func(c *fiber.Ctx) error {
		return export(c, "tenants über.csv", []string{"name", "note"}, func(_ context.Context, row func(...string) error) error {
			for i := range n {
				if err := row(fmt.Sprint("row ", i), "=1+1"); err != nil {
					return err
				}
			}
			return nil
		})
	})
	r, text, err := get(t, at)
	rows, bad := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || bad != nil || len(rows) != n+1 || rows[0][0] != "name" || rows[n][0] != fmt.Sprint("row ", n-1) || rows[1][1] != "'=1+1" {
		t.Errorf("%d rows, %v %v", len(rows), err, bad)
	}
	if got := r.Header.Get("Content-Disposition"); got != "attachment; filename*=UTF-8''tenants%20%C3%BCber.csv" {
		t.Errorf("named %q", got)
	}
}

func TestExportFails(t *testing.T) {
	for name, tc := range map[string]struct {
		rows func(context.Context, func(...string) error) error
		want int
		cut  bool
	}{
		"empty":            {func(context.Context, func(...string) error) error { return nil }, 200, false},
		"before the first": {func(context.Context, func(...string) error) error { return errors.New("gone") }, 500, false},
		"panic at once":    {func(context.Context, func(...string) error) error { panic("gone") }, 500, false},
		"after a few":      {func(_ context.Context, row func(...string) error) error { row("a"); return errors.New("gone") }, 500, false},
		"after many": {func(_ context.Context, row func(...string) error) error {
			row(strings.Repeat("a", 1<<20))
			return errors.New("gone")
		}, 200, true},
		"panic after many": {func(_ context.Context, row func(...string) error) error {
			row(strings.Repeat("a", 1<<20))
			panic("gone")
		}, 200, true},
		"has its own time": {func(ctx context.Context, row func(...string) error) error {
			_, ok := ctx.Deadline()
			return row(fmt.Sprint(ok))
		}, 200, false},
	} {
		at := serveOne(t, func(c *fiber.Ctx) error { return export(c, "x.csv", []string{"h"}, tc.rows) })
		r, text, err := get(t, at)
		if r.StatusCode != tc.want || (err != nil) != tc.cut {
			t.Errorf("%s: %s %q, %v", name, r.Status, text, err)
		}
	}
}

func TestPlainCells(t *testing.T) {
	for in, want := range map[string]string{"=A1": "'=A1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "": "", "a=b": "a=b", "é": "é"} {
		if got := plainCells([]string{in})[0]; got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// What fiber offers for reading forms takes JSON on form routes, the last of repeated fields, or query for body.
func TestFormsAreReadInOnePlace(t *testing.T) {
	banned := map[string]bool{"BodyParser": true, "QueryParser": true, "ParamsParser": true, "ReqHeaderParser": true, "CookieParser": true, "FormValue": true, "FormFile": true, "MultipartForm": true}
	files := 0
	for _, root := range []string{".", "../web"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && banned[s.Sel.Name] {
					t.Errorf("%s calls %s: read forms with handlers/form", path, s.Sel.Name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Errorf("only %d files were looked at", files)
	}
}
