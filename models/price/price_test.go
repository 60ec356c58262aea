package price

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

const small = `{"origin":"us-east-1","rows":[
	{"key":"k","region":"us-east-1","unit":"month","price":"1","source":"s","date":"2024-07-01"},
	{"key":"k","region":"eu-west-1","unit":"month","price":"1.10","source":"s","date":"2025-07-01"},
	{"key":"h","region":"us-east-1","unit":"hour","price":"0.1","source":"s","date":"2024-07-01"},
	{"key":"u","region":"us-east-1","unit":"GB","price":"0.5","source":"s","date":"2024-07-01"}]}`

func TestLine(t *testing.T) {
	l, err := Load([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		key, region, quantity, want string
		ok                          bool
	}{
		"per month":            {"k", "eu-west-1", "3", "3.30", true},
		"per hour":             {"h", "us-east-1", "1", "73", true},
		"no tenth is lost":     {"h", "us-east-1", "0.1", "7.3", true},
		"paid by use":          {"u", "us-east-1", "1", "0", false},
		"no price there":       {"h", "eu-west-1", "1", "0", false},
		"nobody knows the key": {"x", "us-east-1", "1", "0", false},
	} {
		got, ok := l.Line(tc.key, tc.region, decimal.RequireFromString(tc.quantity))
		if ok != tc.ok || ok && !got.Equal(decimal.RequireFromString(tc.want)) {
			t.Errorf("%s: got %s, %v", name, got, ok)
		}
	}
	if l.Date != "2025-07-01" || len(l.Digest) != 64 {
		t.Errorf("date %s, digest %s", l.Date, l.Digest)
	}
}

func TestEstimate(t *testing.T) {
	l, err := Load([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	two := decimal.NewFromInt(2)
	e := l.Estimate("Account x-prod", "eu-west-1", []Item{{"k", two, "Keys"}, {"h", two, "Clusters"}, {"u", two, "Logs"}, {"x", two, "Things"}})
	want := []string{"Keys 2.2", "Clusters (us-east-1 list price) 146"}
	if len(e.Lines) != len(want) {
		t.Fatalf("got %+v", e.Lines)
	}
	for i, line := range e.Lines {
		if got := line.Item + " " + line.Planned.String(); got != want[i] || line.Part != "Account x-prod" || !line.Now.IsZero() {
			t.Errorf("got %q (%+v), want %q", got, line, want[i])
		}
		if !line.Planned.Equal(line.Quantity.Mul(line.UnitPrice)) {
			t.Errorf("%s is not %s times %s", line.Planned, line.Quantity, line.UnitPrice)
		}
	}
	if e.Region != "us-east-1" || e.Date != "2024-07-01" {
		t.Errorf("prices of %s, %s", e.Region, e.Date)
	}
	if own := l.Estimate("p", "eu-west-1", []Item{{"k", two, "Keys"}}); own.Region != "eu-west-1" || own.Date != "2025-07-01" || len(own.NotEstimated) != 0 {
		t.Errorf("a price of the region's own: %+v", own)
	}
	left := strings.Join(e.NotEstimated, "\n")
	for _, w := range []string{"Logs: the price file has no fixed price u", "Things: the price file has no fixed price x", "How prices in eu-west-1 differ from those in us-east-1"} {
		if !strings.Contains(left, w) {
			t.Errorf("%q is not in:\n%s", w, left)
		}
	}
	if home := l.Estimate("p", "us-east-1", []Item{{"h", two, "Clusters"}}); len(home.NotEstimated) != 0 || home.Lines[0].Item != "Clusters" {
		t.Errorf("at the origin: %+v", home)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown field":      {`"unit":"GB"`, `"unti":"GB"`, "unti"},
		"no source":          {`"price":"0.5","source":"s"`, `"price":"0.5","source":""`, "row 4"},
		"below zero":         {`"price":"0.5"`, `"price":"-0.5"`, "below zero"},
		"no number":          {`"price":"0.5"`, `"price":"cheap"`, "not as expected"},
		"bad day":            {"2025-07-01", "July 2025", "not a day"},
		"twice":              {`"key":"h"`, `"key":"k"`, "there twice"},
		"no origin":          {`"origin":"us-east-1"`, `"origin":""`, "needs an origin"},
		"more after the end": {`}]}`, `}]}{}`, "goes on"},
	} {
		src := strings.Replace(small, tc.old, tc.new, 1)
		if src == small {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestShippedPrices(t *testing.T) {
	l, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	if amount, ok := l.Line("kms.key", "us-east-1", decimal.NewFromInt(1)); !ok || amount.String() != "1" {
		t.Errorf("a key costs %s, %v", amount, ok)
	}
	for _, r := range l.Rows {
		if r.Region != l.Origin && r.Region != Global {
			t.Errorf("row %s of %s: nobody has checked a price of that region", r.Key, r.Region)
		}
	}
}
