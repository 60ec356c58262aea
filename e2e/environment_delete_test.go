package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// contentOf is the bucket that a static site's files are put into; empty when there is none.
func contentOf(t *testing.T, a *app, site string) string {
	t.Helper()
	var seen struct{ Buckets []struct{ Name string } }
	simulate(t, a, http.MethodGet, "/world", nil, &seen)
	for _, b := range seen.Buckets {
		if strings.HasPrefix(b.Name, "slw-"+home+"-env-"+site+"-content") {
			return b.Name
		}
	}
	return ""
}

// puts a file into the site, as its team would.
func puts(t *testing.T, a *app, account, site string) {
	t.Helper()
	simulate(t, a, http.MethodPost, "/objects", map[string]string{"account": account, "region": "us-east-1", "name": contentOf(t, a, site), "key": "index.html", "value": "Hello."}, nil)
}

// TestDeleteWithANonEmptyBucket asks for a deletion that says no word of what is in the bucket, then for one that does.
func TestDeleteWithANonEmptyBucket(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	account := homeReady(t, a)
	const site = "full-site"
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	asks.orderOf("static-site", "us-east-1", site)
	order := asks.asks("Make the plan")
	owner.approves(order)
	asks.ends(order)
	puts(t, a, account, site)

	asks.open(env(site) + "/delete")
	asks.fill("confirm", "full")
	asks.click("button", "Ask for its deletion")
	asks.sees("1 answer needs a change") // that is not its name
	asks.fill("confirm", site)
	asks.asks("Ask for its deletion")
	asks.state("Plan failed")
	asks.sees("Its buckets are not empty: Content (" + contentOf(t, a, site) + ")")
	asks.shot("refused")
	asks.click("button", "Cancel request")
	asks.state("Cancelled")

	asks.open(env(site) + "/delete")
	asks.ok(asks.page.Locator("[name=empty]").Check())
	asks.fill("confirm", site)
	asks.shot("form")
	end := asks.asks("Ask for its deletion")
	asks.state("Awaiting approval")
	asks.ok(asks.must.Locator(asks.within("plan")).ToContainText("It is not empty."))
	asks.shot("plan")
	owner.approves(end)
	asks.ends(end)
	asks.open(env(site))
	asks.state("Deleted")
	receipt := asks.within("receipt")
	asks.ok(asks.must.Locator(receipt).ToContainText("Left"))
	asks.ok(asks.must.Locator(receipt).ToContainText("Emptied first"))
	asks.ok(receipt.GetByText("Gone", playwright.LocatorGetByTextOptions{Exact: playwright.Bool(true)}).Click())
	asks.ok(asks.must.Locator(receipt.Locator("#receipt-gone")).ToContainText("CloudFront::Distribution"))
	asks.shot("receipt")
	asks.axe("deleted environment")
	if left := contentOf(t, a, site); left != "" || len(stackOf(t, a, "slw-"+home+"-env-"+site)) != 0 {
		t.Errorf("bucket %q or its stack is left", left)
	}
}
