package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// importRule says what the packages below a folder may import of this module, and what of others' they alone may.
type importRule struct {
	folder string   // "" is main; the longest match counts
	may    []string // folders, each with everything below it unless another rule names that
}

// importRules are the import rule: main -> web -> handlers -> views -> models, models/store -> models,
// provisioners/* -> provisioners -> models. Nothing points back, only main sees all.
var importRules = []importRule{
	{"", []string{"web", "web/config", "handlers", "views", "models", "models/store", "provisioners", "provisioners/aws", "provisioners/blueprints", "provisioners/notify", "provisioners/rollup", "deploy", "static", "dev"}},
	{"web", []string{"web", "web/config", "handlers", "views", "models", "static"}},
	{"web/config", nil},
	{"handlers", []string{"handlers", "views", "models"}},
	{"views", []string{"views", "models", "static"}},
	{"models", []string{"models"}},
	{"models/store", []string{"models", "models/store"}},
	{"provisioners", []string{"models", "provisioners"}},
	{"provisioners/aws", []string{"provisioners", "provisioners/aws", "provisioners/rollup", "models"}},
	{"provisioners/rollup", []string{"provisioners", "provisioners/rollup", "models"}},
	{"provisioners/notify", []string{"provisioners", "provisioners/notify", "models"}},
	{"provisioners/blueprints", []string{"provisioners", "provisioners/blueprints", "models"}},
	{"dev", []string{"dev", "models", "deploy"}},
	{"deploy", nil},
	{"static", nil},
	{"e2e", []string{"e2e", "dev", "models", "models/store", "web/config", "views"}},
}

// keepers name the only folders that may import a foreign module; its tests follow the same rule.
var keepers = map[string][]string{
	"github.com/aws/aws-sdk-go-v2":    {"provisioners/aws", "dev/awssim"},
	"github.com/gofiber":              {"", "web", "handlers", "e2e"},
	"gorm.io":                         {"models/store"},
	"github.com/riverqueue/river":     {"models/store", "provisioners"},
	"github.com/coreos/go-oidc":       {"web/auth", "dev/idp", "dev/awssim"},
	"github.com/zitadel/oidc":         {"dev/idp"},
	"github.com/caarlos0/env":         {"web/config"},
	"github.com/urfave/cli":           {""},
	"github.com/playwright-community": {"e2e"},
	"github.com/pressly/goose":        {"models/store", "dev/awssim"},
	"github.com/jackc/pgx":            {"", "models/store", "provisioners", "dev", "web/config", "e2e"},
	"cel.dev/cel-go":                  {"models/rules"},
	"github.com/santhosh-tekuri":      {"models/blueprint"},
	"github.com/wneessen/go-mail":     {"provisioners/notify", "dev/mail"},
	"github.com/emersion/go-smtp":     {"provisioners/notify", "dev/mail"}, // the catcher, and servers of tests
	"github.com/standard-webhooks":    {"provisioners/notify"},
	"code.dny.dev/ssrf":               {"provisioners/notify"},
}

// pure is what models and views leave to others: they do no I/O.
var pure = []string{"os", "os/exec", "net", "net/http", "database/sql", "syscall"}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,TestImports,XTestImports"}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// within is a package's folder in this module, and whether it is in this module at all.
func within(path string) (string, bool) {
	if path == "slipway" {
		return "", true
	}
	return strings.CutPrefix(path, "slipway/")
}

func below(folder, parent string) bool {
	return parent == "" && folder == "" || parent != "" && (folder == parent || strings.HasPrefix(folder, parent+"/"))
}

// roomOf is the folder of the most exact rule for a package.
func roomOf(folder string) string {
	room, found := "unknown", false
	for _, r := range importRules {
		if below(folder, r.folder) && (!found || len(r.folder) > len(room)) {
			room, found = r.folder, true
		}
	}
	return room
}

func TestImports(t *testing.T) {
	for _, p := range list(t, "-tags", "dev", "./...") {
		folder, _ := within(p.ImportPath)
		room := roomOf(folder)
		i := slices.IndexFunc(importRules, func(r importRule) bool { return r.folder == room })
		if i < 0 {
			t.Errorf("%s has no rule: add its folder to the table", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if target, ours := within(imported); ours && !slices.Contains(importRules[i].may, roomOf(target)) {
				t.Errorf("%s imports %s, which %q may not", p.ImportPath, imported, room)
			}
			if slices.Contains(pure, imported) && (below(folder, "models") && !below(folder, "models/store") || below(folder, "views")) {
				t.Errorf("%s imports %s: models and views do no I/O", p.ImportPath, imported)
			}
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for module, folders := range keepers {
				if (imported == module || strings.HasPrefix(imported, module+"/")) && !slices.ContainsFunc(folders, func(f string) bool { return below(folder, f) }) {
					t.Errorf("%s imports %s, which belongs to %q alone", p.ImportPath, imported, folders)
				}
			}
		}
	}
}

// TestImportsOfProduction proves that a build without the tag dev holds nothing that stands in for the outside world.
func TestImportsOfProduction(t *testing.T) {
	for _, p := range list(t, "-deps", ".") {
		if folder, ours := within(p.ImportPath); ours && below(folder, "dev") {
			t.Errorf("the production binary holds %s", p.ImportPath)
		}
		if strings.HasPrefix(p.ImportPath, "github.com/zitadel/") {
			t.Errorf("the production binary holds %s", p.ImportPath)
		}
	}
}
