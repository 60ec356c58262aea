package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// moveClock lets product time pass.
func moveClock(t *testing.T, a *app, by time.Duration) {
	t.Helper()
	res, err := http.PostForm(a.url+"/dev/clock", url.Values{"by": {by.String()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("move the clock: %s %v", res.Status, err)
	}
}

// TestExpiry lets two sites reach their end: both are warned of and put to sleep by the shipped rule. A week later the one whose
// order said that its bucket may be emptied is gone with a receipt, and the other's deletion waits for a person.
func TestExpiry(t *testing.T) {
	t.Parallel()
	a := ownApp(t)
	account := homeReady(t, a)
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	const kept, given = "kept-site", "given-site"
	orders := map[string]string{}
	for _, site := range []string{kept, given} {
		asks.orderOf("static-site", "us-east-1", site)
		asks.fill("days", "8")
		if site == given {
			asks.ok(asks.page.Locator("[name=empty_buckets]").Check())
		}
		orders[site] = asks.asks("Make the plan")
	}
	for _, site := range []string{kept, given} {
		owner.approves(orders[site])
		asks.ends(orders[site])
		puts(t, a, account, site)
	}

	moveClock(t, a, 36*time.Hour)
	later := newVisitor(t, a, desk).signIn("developer") // nobody's session lasts that long
	later.open(env(kept))
	later.sees("Data in buckets is not touched without a person saying so.")
	later.shot("warned")
	later.axe("environment near its end")
	later.open(env(given))
	later.sees("Its buckets may be emptied then")

	moveClock(t, a, 7*24*time.Hour)
	later = newVisitor(t, a, desk).signIn("developer")
	for _, site := range []string{kept, given} {
		later.reaches(site, "Hibernates")
		later.sees("Hibernate environment " + site)
	}
	later.shot("asleep")

	moveClock(t, a, 7*24*time.Hour)
	later = newVisitor(t, a, desk).signIn("developer")
	later.reaches(given, "Deleted")
	later.ok(later.must.Locator(later.within("receipt")).ToContainText("Emptied first"))
	later.shot("receipt")
	later.reaches(kept, "Hibernates")
	eventually(t, "the deletion that cannot be planned", patience, func() (bool, string) {
		later.open(env(kept))
		body, err := later.page.Locator("section[aria-labelledby=requests]").InnerText()
		return err == nil && strings.Contains(body, "Delete environment "+kept) && strings.Contains(body, "Plan failed"), body
	})
	later.open(later.href("Delete environment " + kept))
	later.sees("Its buckets are not empty: Content (" + contentOf(t, a, kept) + ")")
	later.shot("no consent")
}

// reaches opens the environment's page until it stands there.
func (v *visitor) reaches(name, state string) {
	v.t.Helper()
	eventually(v.t, name+" to be "+state, 2*patience, func() (bool, string) {
		v.open(env(name))
		pill, err := v.page.Locator(".s-head .s-pill").First().InnerText()
		return err == nil && strings.TrimSpace(pill) == state, pill
	})
}
