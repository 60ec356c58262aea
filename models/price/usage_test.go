package price

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestParseUsage(t *testing.T) {
	for name, tc := range map[string]struct {
		key, amount, want string // problem, or "= amount"
	}{
		"whole":          {"nat_data_gb", "100", "= 100"},
		"fraction":       {"load_balancer_lcu", "0.25", "= 0.25"},
		"nothing":        {"nat_data_gb", "0", "= 0"},
		"left empty":     {"nat_data_gb", "", "="},
		"most":           {"load_balancer_lcu", "5000", "= 5000"},
		"too much":       {"load_balancer_lcu", "5000.1", "At most 5000 LCU on average"},
		"below zero":     {"nat_data_gb", "-1", "Use digits"},
		"exponent":       {"nat_data_gb", "1e999999999", "Use digits"},
		"a comma":        {"nat_data_gb", "1,5", "Use digits"},
		"words":          {"nat_data_gb", "plenty", "Use digits"},
		"too long":       {"nat_data_gb", strings.Repeat("9", 1000), "Use digits"},
		"space":          {"nat_data_gb", " 1", "Use digits"},
		"nobody's key":   {"nat_data_tb", "1", "Nothing in an estimate"},
		"other digits":   {"nat_data_gb", "١٢", "Use digits"},
		"too many after": {"nat_data_gb", "1.1234567", "Use digits"},
	} {
		u, problems := ParseUsage(map[string]string{tc.key: tc.amount})
		got := problems[tc.key]
		if got == "" {
			got = "="
			if n, ok := u[tc.key]; ok {
				got = "= " + n.String()
			}
		}
		if tc.want == "=" && got != "=" || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestUsageKeys holds the closed list against the things that rest on it, both ways.
func TestUsageKeys(t *testing.T) {
	used := map[string]bool{}
	for _, th := range things {
		if th.usage == "" {
			continue
		}
		used[th.usage] = true
		if _, known := usageKey(th.usage); !known {
			t.Errorf("%s rests on %s, which nobody can assume", th.many, th.usage)
		}
	}
	seen := map[string]bool{}
	for _, k := range UsageKeys() {
		if seen[k.Key] || !used[k.Key] || k.Title == "" || k.Unit == "" || k.Help == "" || !k.Max.IsPositive() {
			t.Errorf("key %+v is there twice, unused or incomplete", k)
		}
		seen[k.Key] = true
	}
	if names := UsageNames(); len(names) != 21 || len(seen) != 21 || names[0] != usageKeys[0].Key {
		t.Errorf("%d keys, named %q", len(seen), names)
	}
}

// TestThings finds prices that nothing uses in the right unit, and things that are told twice.
func TestThings(t *testing.T) {
	l := shippedList(t)
	seen := map[string]bool{}
	for _, th := range things {
		if seen[th.id()] {
			t.Errorf("%s is there twice", th.id())
		}
		seen[th.id()] = true
		if r, ok := l.row(th.key, l.Origin); ok && r.Unit != th.unit {
			t.Errorf("%s: the price file has it for one %s, the estimate counts %s", th.key, r.Unit, th.unit)
		}
	}
}

// TestDocument holds the table of keys in docs/prices.md against what estimates count. -update writes it anew.
func TestDocument(t *testing.T) {
	const file, head = "../../docs/prices.md", "|---|---|---|---|\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prose, table, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table", file)
	}
	var want strings.Builder
	for _, th := range things {
		assumption := ""
		if th.usage != "" {
			assumption = "`" + th.usage + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", th.key, th.unit, th.many, assumption)
	}
	if *update {
		if err := os.WriteFile(file, []byte(prose+head+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want.String() {
		t.Errorf("the table in %s is not what estimates count:\n%s", file, want.String())
	}
}
