package views

import (
	"time"

	"slipway/views/ui"
	"slipway/views/urls"
)

func freezeStories() []story {
	d := Freezes{MayAdd: true, CSRF: "token", Form: FreezeForm{CSRF: "token", Key: id1, Until: "2026-03-02T18:00"},
		Now: []FreezeRow{{ID: id1, Whose: "All tenants", Reason: "Quarter end: nothing may change.", By: "Mara Lindqvist", From: ago(2 * time.Hour), Until: at(-20 * time.Hour), Key: id2},
			{ID: id2, Whose: "payments", URL: urls.Tenant("payments"), Reason: long, By: hostile, From: ago(time.Hour), Until: at(-time.Hour), Key: id1}},
		Past: []FreezeRow{{ID: id1 + "a", Whose: "payments", URL: urls.Tenant("payments"), Reason: "Load test.", By: "Mara Lindqvist", From: ago(50 * time.Hour), Until: at(30 * time.Hour), Ended: "ended"},
			{ID: id1 + "b", Whose: "All tenants", Reason: "The identity provider is being moved.", By: "Mara Lindqvist", From: ago(90 * time.Hour), Until: ago(80 * time.Hour), Ended: "lifted by Tomás Ferreira"}}}
	bad, reads := d, d
	bad.Form = FreezeForm{CSRF: "token", Key: id1, Tenant: "nowhere", Reason: "because", Until: "tomorrow", Errors: map[string]string{"tenant": "There is no such tenant.",
		"reason": "Say in a sentence why: everybody who waits reads it.", "until": "Say when the freeze ends, as in 2026-01-31T18:00 (UTC)."}}
	reads.MayAdd = false
	banner := admin()
	banner.Flash = []ui.Flash{{Tone: ui.Wait, Text: "Mara Lindqvist has stopped all new runs until 2 March 2026, 18:00 UTC: Quarter end.", Link: urls.Freezes, Word: "All freezes"}}
	return []story{{"freezes", FreezesPage(admin(), d)}, {"freezes-error", FreezesPage(admin(), bad)}, {"freezes-auditor", FreezesPage(admin(), reads)},
		{"freezes-empty", FreezesPage(banner, Freezes{MayAdd: true})}}
}
