package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// home is the demo tenant that the stories of environments happen in: the demo person developer orders, owner decides.
const home = "payments"

// homeReady waits until the demo tenant is there with its address pools, and gives its nonprod account's number.
func homeReady(t *testing.T, a *app) string {
	t.Helper()
	s := signInByScript(t, a.url, "admin")
	eventually(t, "the demo tenant", walkTime, func() (bool, string) {
		tenant, pools := s.get("/tenants/"+home), s.get("/admin/pools")
		return strings.Contains(tenant.body, "2 of 2 ready") && strings.Contains(pools.body, ">10.68.0.0/14<"), fmt.Sprint(tenant.status, pools.status)
	})
	for _, acc := range (&world{t: t, sim: a.sim}).look().Accounts {
		if isOf(acc.Name, home) && strings.HasSuffix(acc.Name, "-nonprod") {
			return acc.ID
		}
	}
	t.Fatalf("AWS has no nonprod account of %s", home)
	return ""
}

// furnished waits until the demo's own network and service are ready.
func furnished(t *testing.T, a *app) string {
	t.Helper()
	account := homeReady(t, a)
	s := signInByScript(t, a.url, "admin")
	for _, what := range []string{"/networks/nonprod-us-east-1", "/services/checkout"} {
		eventually(t, what, walkTime, func() (bool, string) {
			page := s.get("/tenants/" + home + what)
			return strings.Contains(page.body, "> Ready<") || strings.Contains(page.body, ">Ready<"), fmt.Sprint(page.status)
		})
	}
	return account
}

var requestURL = regexp.MustCompile(`/requests/[0-9a-f-]{36}$`)

// asks presses the button of a form that becomes a request, and gives the request's path.
func (v *visitor) asks(button string) string {
	v.t.Helper()
	v.click("button", button)
	v.ok(v.page.WaitForURL(requestURL))
	return strings.TrimPrefix(v.page.URL(), v.app.url)
}

// orderOf opens the order form as a link would prefill it.
func (v *visitor) orderOf(blueprint, region, name string) {
	v.t.Helper()
	q := url.Values{"tenant": {home}, "blueprint": {blueprint}, "stage": {"dev"}, "region": {region}}
	v.open("/environments/new?" + q.Encode())
	v.fill("name", name)
}

// env is the path of an environment's page.
func env(name string) string { return "/tenants/" + home + "/environments/" + name }

// planHash is the plan that the page shows.
func (v *visitor) planHash() string {
	v.t.Helper()
	hash, err := v.page.Locator("#request-head code.s-code[title]").First().GetAttribute("title")
	v.ok(err)
	return hash
}

// approves decides about a request once its plan is there, and gives the plan that was approved.
func (v *visitor) approves(path string) string {
	v.t.Helper()
	v.open(path)
	v.state("Awaiting approval")
	hash := v.planHash()
	if read := v.page.Locator("[name=seen]"); v.count(read) > 0 { // something is deleted or replaced
		v.ok(read.First().Check())
	}
	v.click("button", "Approve this plan")
	v.ok(v.must.Locator(v.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Open the run"}).First()).ToBeVisible())
	return hash
}

func (v *visitor) count(l playwright.Locator) int {
	v.t.Helper()
	n, err := l.Count()
	v.ok(err)
	return n
}

// watches opens the run of a request.
func (v *visitor) watches(path string) {
	v.t.Helper()
	v.open(path)
	v.ok(v.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Open the run"}).First().Click())
	v.ok(v.page.WaitForURL("**/runs/*"))
}

// ends waits until a request has ended well, on its page.
func (v *visitor) ends(path string) {
	v.t.Helper()
	v.watches(path)
	v.state("Succeeded")
}

// inTree waits for a resource in the run's tree, as it comes by the stream.
func (v *visitor) inTree(logical, state string) {
	v.t.Helper()
	row := v.page.Locator("section[aria-labelledby=tree] li").Filter(playwright.LocatorFilterOptions{HasText: logical})
	v.ok(v.must.Locator(row.First()).ToContainText(state))
}

// within is the part of the page under a heading.
func (v *visitor) within(heading string) playwright.Locator {
	return v.page.Locator("section[aria-labelledby=" + heading + "]")
}

// simulate sends one call of the simulator's own interface and reads its answer into out, unless that is nil.
func simulate(t *testing.T, a *app, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.sim+"/_slipway"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil || res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s %s %v", method, path, res.Status, clip(string(said), 500), err)
	}
	if out != nil {
		if err := json.Unmarshal(said, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, clip(string(said), 500))
		}
	}
}

// stackOf is the state of every stack of that name that is not deleted; one is what there should be.
func stackOf(t *testing.T, a *app, name string) []string {
	t.Helper()
	var states []string
	for _, s := range (&world{t: t, sim: a.sim}).look().Stacks {
		if s.Name == name && s.Status != "DELETE_COMPLETE" {
			states = append(states, s.Status)
		}
	}
	return states
}

// choose picks an option of a select by its value.
func choose(v *visitor, name, value string) {
	v.t.Helper()
	_, err := v.page.Locator("select[name=" + name + "]").SelectOption(playwright.SelectOptionValues{Values: &[]string{value}})
	v.ok(err)
}
