package models

import "testing"

func TestPortalLink(t *testing.T) {
	const portal = "https://d-1234567890.awsapps.com/start"
	for name, tc := range map[string]struct{ portal, account, set, want string }{
		"whole":          {portal, "600000000001", "SlipwayOwner", portal + "/#/console?account_id=600000000001&role_name=SlipwayOwner"},
		"odd name":       {portal, "600000000001", "Read+Only=Prod", portal + "/#/console?account_id=600000000001&role_name=Read%2BOnly%3DProd"},
		"no portal":      {"", "600000000001", "SlipwayOwner", ""},
		"no account yet": {portal, "", "SlipwayOwner", ""},
		"no name":        {portal, "600000000001", "", ""},
	} {
		if got := PortalLink(tc.portal, tc.account, tc.set); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
