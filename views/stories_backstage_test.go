package views

import "time"

func backstageStories() []story {
	all := AdminBackstage{CSRF: "token", MayEdit: true, PublicURL: "https://slipway.example.com", Origins: []string{"https://backstage.example.com", "https://" + long + ".example.com"}, Form: CatalogTokenForm{CSRF: "token", Key: id1},
		Good: []CatalogTokenRow{{ID: id1, Name: "production", By: "Mara Lindqvist", At: ago(48 * time.Hour), Used: ago(time.Minute)}, {ID: id2, Name: hostile + " " + long, By: "Mara Lindqvist", At: ago(time.Hour)}},
		Past: []CatalogTokenRow{{ID: id2, Name: "laptop", By: "Mara Lindqvist", At: ago(480 * time.Hour), Used: ago(48 * time.Hour), RevokedBy: "Tomasz Reiter", Revoked: ago(24 * time.Hour)}}}
	reads := all
	reads.MayEdit = false
	made := all
	made.Token, made.TokenOf = "slwcat_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo", "staging"
	bad := AdminBackstage{CSRF: "token", MayEdit: true, Form: CatalogTokenForm{CSRF: "token", Key: id1, Name: "production", Errors: map[string]string{"name": "Another token has this name. Revoke it first, or choose another name."}}}
	return []story{
		{"admin-backstage", AdminBackstagePage(admin(), all)}, {"admin-backstage-auditor", AdminBackstagePage(admin(), reads)}, {"admin-backstage-token", AdminBackstagePage(admin(), made)},
		{"admin-backstage-empty", AdminBackstagePage(admin(), bad)},
	}
}
