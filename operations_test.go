package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

var updateDocs = flag.Bool("update-docs", false, "write generated tables into docs")

// TestRetentionTable keeps what people read about ages equal to what is swept.
func TestRetentionTable(t *testing.T) {
	const file, start, end = "docs/operations.md", "<!-- retention: go test . -run TestRetentionTable -args -update-docs -->\n", "<!-- end of retention -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), start)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the table", file)
	}
	want := before + start + retentionTable() + end + after
	if want == string(text) {
		return
	}
	if !*updateDocs {
		t.Fatalf("%s is not current: go test . -run TestRetentionTable -args -update-docs", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func retentionTable() string {
	var b strings.Builder
	b.WriteString("| what | removed this long after | age | |\n|---|---|---|---|\n")
	for _, r := range models.Retentions() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.What, r.Since, age(r.Age), r.Note)
	}
	fmt.Fprintf(&b, "\nNever removed: %s.\n", strings.Join(models.KeptForEver(), "; "))
	return b.String()
}

// age is a duration in whole days or hours.
func age(d time.Duration) string {
	if d%(24*time.Hour) == 0 && d > 24*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return fmt.Sprintf("%d h", d/time.Hour)
}
