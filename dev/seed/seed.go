// Package seed fills a development installation with demo data, made by the product itself: demo people sign in, send the
// forms and decide, and the engine runs what they approved on the simulator while the pages are already up.
package seed

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say where Slipway answers and where it is remembered that the data was made.
type Options struct {
	URL    string // Slipway's public address
	Dir    string // folder of the development data; holds the marker file
	Logger *slog.Logger
}

// marker is written once everything was sent; a crash before it repeats the seeding, which finds what is there by its keys.
const marker = "seeded"

// order is one demo request and what becomes of it.
type order struct {
	by     string // demo person who asks
	slug   string
	name   string
	words  string
	centre string
	budget string
	class  []string
	judge  string // demo person who decides; empty: it stays in the queue
	verb   string // approve, reject or changes
	reason string
}

func orders() []order {
	both, lab := []string{"nonprod", "prod"}, []string{"nonprod"}
	return []order{
		{"owner", "payments", "Payments", "Card and bank payments, refunds and settlement.", "CC-4100", "2500", both, "approver", "approve", ""},
		{"outsider", "storefront", "Storefront", "The shop that customers see.", "CC-4200", "4000", both, "admin", "approve", ""},
		{"developer", "logistics-returns", "Logistics, returns", "Labels, pick-up and refunds for returned parcels.", "CC-4400", "900", both, "", "", ""},
		{"outsider", "search", "Search", "Product search and suggestions.", "CC-4300", "1200", lab, "approver", "changes", "Search goes to production in March: ask for the prod account now, or say why not."},
		{"developer", "coin-lab", "Coin lab", "An experiment with crypto payments.", "CC-4199", "6000", lab, "admin", "reject", "Legal has not agreed to hold crypto. Ask again once they have."},
	}
}

// Run makes the demo data, once. It returns early when the context ends; the next start goes on.
func Run(ctx context.Context, o Options) error {
	done := filepath.Join(o.Dir, marker)
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	people := map[string]*visitor{}
	for _, name := range []string{"admin", "approver", "owner", "developer", "outsider"} {
		v, err := signIn(ctx, o.URL, name)
		if err != nil {
			return fmt.Errorf("sign in %s: %w", name, err)
		}
		people[name] = v
		if name == "admin" {
			if err := mapRoles(ctx, v); err != nil {
				return err
			}
		}
	}
	for _, x := range orders() {
		if err := place(ctx, people, x); err != nil {
			return fmt.Errorf("demo tenant %s: %w", x.slug, err)
		}
		o.Logger.Info("demo request made", "tenant", x.slug, "by", x.by)
	}
	if err := furnish(ctx, people); err != nil {
		return err
	}
	if err := open(ctx, people["developer"]); err != nil {
		return fmt.Errorf("open the demo shop: %w", err)
	}
	if err := deliver(ctx, people); err != nil {
		return fmt.Errorf("deliver the demo shop: %w", err)
	}
	return os.WriteFile(done, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o600)
}

// mapRoles lets engineers ask for tenants and auditors read.
func mapRoles(ctx context.Context, admin *visitor) error {
	for group, role := range map[string]string{"engineers": "requester", "auditors": "auditor"} {
		page, err := admin.get(ctx, "/admin/roles")
		if err != nil {
			return err
		}
		if page.has(">" + group + "<") {
			continue
		}
		if _, err := admin.send(ctx, page, "/admin/roles/add", url.Values{"group": {group}, "role": {role}}); err != nil {
			return fmt.Errorf("map %s to %s: %w", group, role, err)
		}
	}
	return nil
}

// place sends one order and, when somebody is to judge it, waits for its plan and decides. The keys are fixed, so doing it again
// lands on what is there.
func place(ctx context.Context, people map[string]*visitor, x order) error {
	form, err := people[x.by].get(ctx, "/tenants/new")
	if err != nil {
		return err
	}
	request, err := people[x.by].send(ctx, form, "/tenants/new", url.Values{
		"slug": {x.slug}, "display_name": {x.name}, "description": {x.words}, "owner_group": {x.slug + "-owners"}, "developer_group": {x.slug + "-developers"},
		"viewer_group": {x.slug + "-viewers"}, "cost_centre": {x.centre}, "budget": {x.budget}, "classes": x.class, "_key": {"demo-" + x.slug},
	})
	if err != nil || x.judge == "" {
		return err
	}
	judge, path := people[x.judge], request.url.Path
	if !strings.HasPrefix(path, "/requests/") {
		return fmt.Errorf("the form led to %s", path)
	}
	page, open, err := judge.planned(ctx, path)
	if err != nil || !open {
		return err
	}
	values := url.Values{}
	if x.reason != "" {
		values.Set("reason", x.reason)
	}
	_, err = judge.send(ctx, page, path+"/"+x.verb, values)
	return err
}

// planned waits until the request can be decided; open is false when that is behind it.
func (v *visitor) planned(ctx context.Context, path string) (page page, open bool, err error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if page, err = v.get(ctx, path); err != nil {
			return page, false, err
		}
		if page.has(`name="plan_hash"`) {
			return page, true, nil
		}
		if !page.has("Planning") { // decided already, before a restart
			return page, false, nil
		}
		select {
		case <-ctx.Done():
			return page, false, ctx.Err()
		case <-tick.C:
		}
	}
}

// statusError is an answer that is no success.
type statusError struct {
	path   string
	status int
}

func (e statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.path, e.status, http.StatusText(e.status))
}
