package views

import (
	"time"

	"slipway/models"
)

func peopleLetIn() PeoplesAccess {
	const open = "https://d-93670decaf.awsapps.com/start/#/console?account_id=600000000001&role_name="
	return PeoplesAccess{Configured: true, Accounts: []AccountPeople{{Name: "payments-nonprod", Class: models.NonProd, Rows: []AccessRow{
		{Role: models.Owner, Group: "payments-owners", Set: "SlipwayOwner", State: models.AccessAssigned, Seen: ago(4 * time.Minute), URL: open + "SlipwayOwner"},
		{Role: models.Developer, Group: "payments-developers", Set: "SlipwayDeveloper", State: models.AccessAssigned, Seen: ago(4 * time.Minute), URL: open + "SlipwayDeveloper"},
		{Role: models.Viewer, Group: "payments-viewers", Set: "SlipwayViewer", State: models.AccessWorking, Seen: ago(time.Minute)},
	}}, {Name: "payments-prod", Class: models.Prod, Rows: []AccessRow{
		{Role: models.Owner, Group: "payments-owners", Set: "SlipwayOwner", State: models.AccessRemoved, Seen: ago(4 * time.Hour)},
		{Role: models.Developer, Group: "payments-developers-with-a-very-long-name-that-somebody-thought-of", Set: "SlipwayViewer", State: models.AccessFailed, Seen: ago(4 * time.Minute),
			Detail: "The group is not in the identity store. Let the identity provider push it to IAM Identity Center (SCIM), or create a group of that display name there."},
		{Role: models.Viewer, Group: "payments-viewers"},
	}}}}
}

func accessStories() []story {
	return []story{
		{"access", TenantAccess(peopleLetIn())},
		{"access-empty", TenantAccess(PeoplesAccess{Configured: true})},
		{"access-not-configured", TenantAccess(PeoplesAccess{Accounts: []AccountPeople{{Name: "payments-nonprod", Class: models.NonProd}}})},
	}
}
