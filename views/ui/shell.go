package ui

import "strconv"

func boolText(b bool) string { return strconv.FormatBool(b) }

// navCurrent tells a list's own page from a page below it.
func navCurrent(p Page) string {
	if len(p.Crumbs) <= 1 {
		return "page"
	}
	return "true"
}

// flashRole interrupts a screen reader only for what went wrong.
func flashRole(t Tone) string {
	if t == Fail {
		return "alert"
	}
	return "status"
}
