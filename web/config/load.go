package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Environ turns os.Environ's lines into the map Load reads.
func Environ(lines []string) map[string]string {
	vars := make(map[string]string, len(lines))
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, "="); ok {
			vars[name] = value
		}
	}
	return vars
}

// Load reads and checks the configuration. needs names what the caller is about to run (web, worker, migrate, audit);
// with none, only what is set is checked. The error lists every mistake, one a line.
func Load(vars map[string]string, needs ...string) (Config, error) {
	var c Config
	problems := parse(&c, vars, needs)
	if addr, set := vars[Prefix+"OPS_ADDR"]; set && addr == "" { // the parser takes empty for absent
		c.Server.OpsAddr = ""
	}
	if issuer, set := vars[Prefix+"GITHUB_ISSUER"]; set && issuer == "" {
		c.CI.GitHubIssuer = ""
	}
	return c, joined(append(problems, c.check()...))
}

// LoadDev reads what only dev builds use; needs may name awssim.
func LoadDev(vars map[string]string, needs ...string) (Dev, error) {
	var d Dev
	problems := parse(&d, vars, needs)
	return d, joined(append(problems, d.check()...))
}

// Unknown names the SLIPWAY_ variables that nothing reads, most often a typing error. It is no mistake by itself:
// Kubernetes injects such names for a service called slipway.
func Unknown(vars map[string]string) []string {
	known := map[string]bool{}
	for _, f := range append(fieldsOf(reflect.TypeFor[Config]()), fieldsOf(reflect.TypeFor[Dev]())...) {
		known[f.Name] = true
		known[f.Name+"_FILE"] = f.Secret != ""
	}
	var unknown []string
	for name := range vars {
		if strings.HasPrefix(name, Prefix) && !known[name] && !strings.HasPrefix(name, Prefix+"TEST_") {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// parse fills target and returns what was wrong, in the order of the struct.
func parse(target any, vars map[string]string, needs []string) []error {
	vars, problems := withFiles(target, vars)
	err := env.ParseWithOptions(target, env.Options{Prefix: Prefix, Environment: vars})
	var all env.AggregateError
	if errors.As(err, &all) {
		for _, one := range all.Errors {
			problems = append(problems, wording(one, reflect.TypeOf(target).Elem()))
		}
	} else if err != nil {
		problems = append(problems, err)
	}
	for _, f := range fieldsOf(reflect.TypeOf(target).Elem()) {
		needed := slices.ContainsFunc(f.Need, func(n string) bool { return slices.Contains(needs, n) })
		if needed && strings.TrimSpace(vars[f.Name]) == "" && !mentioned(problems, f.Name) {
			problems = append(problems, fmt.Errorf("%s is not set: %s", f.Name, lowerFirst(f.Doc)))
		}
	}
	return problems
}

// withFiles replaces NAME_FILE of every secret by the content of that file, so that a value needs no environment.
func withFiles(target any, vars map[string]string) (map[string]string, []error) {
	merged := make(map[string]string, len(vars))
	for name, value := range vars {
		merged[name] = value
	}
	var problems []error
	for _, f := range fieldsOf(reflect.TypeOf(target).Elem()) {
		path := vars[f.Name+"_FILE"]
		if f.Secret == "" || path == "" {
			continue
		}
		if vars[f.Name] != "" {
			problems = append(problems, fmt.Errorf("%s and %s_FILE are both set: keep one", f.Name, f.Name))
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s_FILE: %w", f.Name, err))
			continue
		}
		merged[f.Name] = strings.TrimRight(string(content), "\r\n")
		if merged[f.Name] == "" {
			problems = append(problems, fmt.Errorf("%s_FILE: %s is empty", f.Name, path))
		}
	}
	return merged, problems
}

// wording names the variable instead of the Go field and leaves the value out: it may be a secret in the wrong place.
func wording(err error, in reflect.Type) error {
	var bad env.ParseError
	if !errors.As(err, &bad) {
		return err
	}
	for _, f := range fieldsOf(in) {
		if f.Field == bad.Name {
			return fmt.Errorf("%s is not %s", f.Name, kindWords(bad.Type))
		}
	}
	return err
}

func kindWords(t reflect.Type) string {
	switch {
	case t.String() == "time.Duration":
		return "a duration such as 30s or 5m"
	case t.String() == "decimal.Decimal":
		return "an amount such as 2.00"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	default:
		return "a whole number"
	}
}

func mentioned(problems []error, name string) bool {
	return slices.ContainsFunc(problems, func(err error) bool { return strings.HasPrefix(err.Error(), name) })
}

func joined(problems []error) error {
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("the configuration has %d mistake(s):\n%w", len(problems), errors.Join(problems...))
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
