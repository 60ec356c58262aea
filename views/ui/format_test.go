package ui

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func TestSpan(t *testing.T) {
	for in, want := range map[time.Duration]string{
		-time.Second:                    "0.0 s",
		800 * time.Millisecond:          "0.8 s",
		48 * time.Second:                "48 s",
		134 * time.Second:               "2 m 14 s",
		54 * time.Minute:                "54 m",
		126 * time.Minute:               "2 h 06 m",
		27 * time.Hour:                  "1 d 3 h",
		48 * time.Hour:                  "2 d",
		12*24*time.Hour + 5*time.Hour:   "12 d",
		59*time.Second + time.Second/2:  "59 s",
		20*time.Minute - time.Second/10: "19 m 59 s",
	} {
		if got := Span(in); got != want {
			t.Errorf("Span(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestMoney(t *testing.T) {
	for in, want := range map[string][3]string{
		"0":          {"$0.00", "$0", "$0.00"},
		"4.1":        {"$4.10", "$4.10", "+$4.10"},
		"-412.75":    {"−$412.75", "−$412.75", "−$412.75"},
		"2500":       {"$2,500.00", "$2,500", "+$2,500.00"},
		"1234567.89": {"$1,234,567.89", "$1,234,567.89", "+$1,234,567.89"},
		"0.001":      {"$0.00", "$0.00", "$0.00"},
	} {
		d := decimal.RequireFromString(in)
		if got := [3]string{USD(d), Dollars(d), Delta(d)}; got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	if got := Plural(1, "tenant", "tenants") + ", " + Plural(10000, "entry", "entries"); got != "1 tenant, 10,000 entries" {
		t.Error(got)
	}
	for in, want := range map[string]string{"Mara Lindqvist": "ML", "owner": "O", "": "?", "…": "?", "Émile van Dam": "ÉD"} {
		if got := Initials(in); got != want {
			t.Errorf("Initials(%q) = %q, want %q", in, got, want)
		}
	}
	if got := AccountNumber("111122223333") + " " + AccountNumber("12"); got != "1111-2222-3333 12" {
		t.Error(got)
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 14, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{"2 h 06 m ago": now.Add(-126 * time.Minute), "3 h ago": now.Add(-3 * time.Hour), "14 m ago": now.Add(-14*time.Minute - 5*time.Second), "4 s ago": now.Add(-4 * time.Second), "just now": now.Add(time.Second), "": {}} {
		if got := Ago(now, at).Ago; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
