package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// TestEveryPageInEveryLook opens each page as the person it is for, in both themes, at 1280 and 360 px, on what the demo data made:
// no axe violation, no sideways scroll, no script or policy error.
func TestEveryPageInEveryLook(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	guide := newVisitor(t, a, desk).signIn("admin")
	eventually(t, "the demo tenants", walkTime, func() (bool, string) {
		guide.open("/tenants") // storefront may be on its way out again: its own test closes it
		body, err := guide.page.Locator("main").InnerText()
		if err != nil || !strings.Contains(body, "storefront") {
			return false, fmt.Sprint(err)
		}
		guide.open("/tenants?state=ready")
		body, err = guide.page.Locator("main").InnerText()
		return strings.Contains(body, "payments"), fmt.Sprint(err)
	})
	request := guide.found("/requests?q=", "Create tenant logistics-returns")
	rejected := guide.found("/requests?q=", "Create tenant coin-lab")
	back := guide.found("/requests?q=", "Create tenant search")
	run := guide.found("/runs?q=", "Create tenant payments")
	furnished(t, a)
	guide.open("/requests?kind=environment.create")
	order := guide.href("Create environment docs")
	execution, promotion := delivered(t, guide)
	const shop = "/tenants/payments/pipelines/checkout"
	pages := map[string][]string{
		"admin": {"/", "/tenants", "/tenants?q=nothing-like-this", "/tenants/new", "/tenants/payments", "/approvals", "/requests", "/requests?state=expired", request, rejected, back,
			"/runs", run, "/runs?state=undone", "/audit", "/audit?q=nothing-like-this", "/admin/roles", "/admin/rules", "/admin/pools", "/admin/platform", "/admin/freezes", "/admin/notifications",
			"/notifications", "/tenants/payments/accounts/nonprod", "/tenants/not-there",
			"/costs", "/costs?by=service", "/costs?by=environment&basis=billed", "/costs?only=unallocated&by=account", "/tenants/payments/costs", "/tenants/payments/costs?by=environment",
			"/environments", "/environments?q=nothing-like-this", env("docs"), "/services", "/blueprints", "/blueprints/ecs-web-service", "/blueprints/network", order,
			"/pipelines", "/pipelines?q=nothing-like-this", shop, "/tenants/payments/where", "/tenants/storefront/where"},
		"developer": {"/", request, "/tenants/payments", "/costs", "/tenants/payments/costs", "/environments/new", "/environments/new?tenant=payments&blueprint=ecs-web-service&stage=dev&region=us-east-1", env("docs"), env("docs") + "/update",
			env("docs") + "/delete", env("docs") + "/extend", "/tenants/payments/services/checkout", "/tenants/payments/services/new", "/tenants/payments/networks/nonprod-us-east-1",
			"/tenants/payments/networks/new", "/tenants/payments/networks/register", "/tenants/payments/networks/nonprod-us-east-1/delete",
			"/pipelines/new", "/pipelines/new?tenant=payments&kind=codepipeline&service=checkout", "/pipelines/new?tenant=payments&kind=github-actions&service=checkout", shop, shop + "/executions", execution,
			execution + "/log?stage=Build&action=Build", promotion, shop + "/update", shop + "/promote", shop + "/delete", "/tenants/payments/connections/new", "/tenants/payments/connections/github",
			"/tenants/payments/connections/github/delete", "/tenants/payments/environments/checkout-dev/rollback"},
		"owner":   {"/tenants/payments", "/tenants/payments/edit", "/tenants/payments/change", "/tenants/payments/accounts/new", "/tenants/payments/close", "/notifications", shop, shop + "/waive", shop + "/freeze", promotion},
		"auditor": {"/", request, "/audit", "/admin/roles", "/admin/platform", "/admin/freezes", "/admin/notifications"},
		"nobody":  {"/"},
	}
	for person, paths := range pages {
		for round := range slices.Chunk(paths, 10) {
			t.Run(person, func(t *testing.T) {
				t.Parallel()
				v := newVisitor(t, a, desk).signIn(person)
				for _, p := range round {
					v.open(p)
					v.everyLook(person+" "+p, strings.Trim(strings.NewReplacer("/", "_", "?", "_", "=", "_").Replace(p), "_"))
				}
			})
		}
	}
}

// delivered waits until the demo's first push runs in its stage, and gives the paths of an execution and of a promotion.
func delivered(t *testing.T, v *visitor) (execution, promotion string) {
	t.Helper()
	eventually(t, "the demo's first push to run in checkout-dev", walkTime, func() (bool, string) {
		v.open("/tenants/payments/pipelines/checkout")
		if body, err := v.page.Locator("main").InnerText(); err != nil || !strings.Contains(body, "#2") {
			return false, clip(body, 300)
		}
		rows := v.page.Locator("section[aria-labelledby=promotions] li").Filter(playwright.LocatorFilterOptions{HasText: "Runs there"})
		n, err := rows.Count()
		return n >= 2, fmt.Sprint(n, err)
	})
	link, err := v.page.Locator("section[aria-labelledby=promotions] li a").First().GetAttribute("href")
	v.ok(err)
	return "/tenants/payments/pipelines/checkout/executions/2", link
}

// everyLook turns the page as it stands to each theme and width: colours follow the system by style alone, so nothing is loaded again.
// Contrast and width are judged in all four. The other rules read the markup and what of it is shown, which the width decides and the
// theme does not: they are asked once a width.
func (v *visitor) everyLook(where, picture string) {
	v.t.Helper()
	v.judged(playwright.ColorSchemeLight, desk.width, everyRule, where, picture)
	v.judged(playwright.ColorSchemeDark, desk.width, contrast, where, picture)
	v.judged(playwright.ColorSchemeDark, 360, everyRule, where, picture)
	v.judged(playwright.ColorSchemeLight, 360, contrast, where, picture)
	v.ok(v.page.SetViewportSize(desk.width, desk.height))
}

// judged shows the page in a theme and a width, holds it against some rules, and keeps a picture.
func (v *visitor) judged(scheme *playwright.ColorScheme, width int, only, where, picture string) {
	v.t.Helper()
	v.ok(v.page.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: scheme}))
	v.ok(v.page.SetViewportSize(width, desk.height))
	at := fmt.Sprintf("%s, %s, %d px", where, *scheme, width)
	v.rules(at, only)
	v.noSideways(at)
	v.shot(fmt.Sprintf("%s-%s-%d", picture, *scheme, width))
}

// found is where a list that is searched for a name leads by it.
func (v *visitor) found(list, name string) string {
	v.t.Helper()
	v.open(list + url.QueryEscape(name))
	return v.href(name)
}

// href is where the first link of that name leads.
func (v *visitor) href(name string) string {
	v.t.Helper()
	link, err := v.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: name}).First().GetAttribute("href")
	v.ok(err)
	return link
}

// TestSignInPageAndSignOut looks at what somebody sees who is not signed in.
func TestSignInPageAndSignOut(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	for _, l := range []look{{1280, 900, "light", false}, {360, 740, "dark", false}} {
		v := newVisitor(t, a, l)
		v.open("/tenants/payments")
		v.axe("provider's sign-in page")
		v.noSideways("provider's sign-in page")
		v.shot(fmt.Sprintf("sign-in-%d", l.width))
		v.fill("username", "owner")
		v.fill("password", "wrong")
		v.ok(v.page.Locator("form:has([name=password]) [type=submit]").Click())
		v.axe("refused sign-in")
		v.fill("username", "owner")
		v.fill("password", "owner")
		v.ok(v.page.Locator("form:has([name=password]) [type=submit]").Click())
		v.ok(v.page.WaitForURL(a.url + "/tenants/payments")) // back to where they wanted to go
		v.ok(v.page.Locator("form[action='/auth/logout'] button").First().DispatchEvent("click", nil))
		v.ok(v.must.Locator(v.page.Locator("[name=password]")).ToBeVisible()) // through the provider's own end of session
		v.open("/tenants")
		v.ok(v.must.Locator(v.page.Locator("[name=password]")).ToBeVisible())
	}
}

// TestKeyboardReachesEverything tabs from the top: the skip link first, then every control of the page gets a visible focus.
func TestKeyboardReachesEverything(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	v := newVisitor(t, a, desk).signIn("developer")
	v.open("/tenants/new")
	v.ok(v.page.Keyboard().Press("Tab"))
	first, err := v.page.Evaluate(`() => document.activeElement.className`)
	v.ok(err)
	if first != "s-skip" {
		t.Errorf("the first stop is %q, want the skip link", first)
	}
	missed, err := v.page.Evaluate(`async () => {
		const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter(e => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && !e.disabled);
		return all.filter(e => e.tabIndex < 0 && !e.closest('[popover]')).map(e => e.outerHTML.slice(0, 80));
	}`)
	v.ok(err)
	if list, _ := missed.([]any); len(list) > 0 {
		t.Errorf("not reachable by keyboard: %v", list)
	}
}

// TestThemeIsKept switches to dark by the form in the frame; the server renders it from the first byte.
func TestThemeIsKept(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	v := newVisitor(t, a, desk).signIn("viewer")
	v.open("/tenants")
	v.ok(v.page.Locator("button[name=theme][value=dark]").First().Click())
	v.ok(v.must.Locator(v.page.Locator("html[data-theme=slipway-dark]")).ToHaveCount(1))
	v.open("/requests")
	v.ok(v.must.Locator(v.page.Locator("html[data-theme=slipway-dark]")).ToHaveCount(1))
}
