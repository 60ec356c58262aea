package views

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func countOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return ui.Count(n)
}

func tookUsual(r RunRow) string {
	switch {
	case r.Took != "" && r.Usual != "":
		return r.Took + ", " + r.Usual
	case r.Took != "":
		return r.Took
	}
	return r.Usual
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func roleWord(r models.TenantRole) string {
	switch r {
	case models.Owner:
		return "Owners"
	case models.Developer:
		return "Developers"
	case models.Viewer:
		return "Viewers"
	}
	return string(r)
}

func runWord(canRetry bool) string {
	if canRetry {
		return "Open the run and retry"
	}
	return "Open the run"
}

// brokenCallout falls back to plain words when the run recorded no failure of its own.
func (t Tenant) brokenCallout() ui.Callout {
	if t.Failure != nil {
		return t.Failure.callout("now")
	}
	return ui.Callout{ID: "now", Tone: ui.Fail, Title: "This tenant is not complete", Text: "Its run stopped before the end. What was made stays as it is until somebody retries or abandons the run."}
}

func requestFact(id string) []ui.Pair {
	if id == "" {
		return nil
	}
	return []ui.Pair{{Label: "Request id", Value: id}}
}

// commas joins what is not empty.
func commas(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, ", ")
}

// after continues a line with a comma, when there is something to say.
func after(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

func (d Demand) noted() string {
	switch {
	case strings.HasSuffix(d.Note, "."):
		return d.Note + " "
	case d.Note != "" && !d.When.At.IsZero():
		return d.Note + ", "
	}
	return d.Note
}

func (a AccountCard) numbered() string {
	if a.AWSState == "" {
		return ui.AccountNumber(a.AWSID)
	}
	return ui.AccountNumber(a.AWSID) + ", AWS says " + a.AWSState
}

// sentence starts with a capital and ends with a full stop.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	s = string(unicode.ToUpper(first)) + s[size:]
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

func (t Tenant) facts() []ui.Fact {
	made := "Made"
	if t.State == models.Creating {
		made = "Begun"
	}
	all := []ui.Fact{{Value: t.Slug, Code: true}, {Label: "Cost centre", Value: t.CostCentre}, {Label: made, When: t.Made}}
	if t.RequestNumber != "" {
		all = append(all, ui.Fact{Label: "Asked for in", Value: t.RequestNumber, URL: urls.Request(t.RequestID)})
	}
	return all
}
