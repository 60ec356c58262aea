// Package urls makes every address that a page links or posts to. Views never write an address themselves,
// so a test can ask the router for each of them.
package urls

import (
	"net/url"
	"slices"
	"strings"
)

// Fixed addresses.
const (
	Home        = "/"
	Approvals   = "/approvals"
	Requests    = "/requests"
	Runs        = "/runs"
	Tenants     = "/tenants"
	NewTenant   = "/tenants/new"
	CheckTenant = "/tenants/new/check" // one field of the form, checked on blur
	Audit       = "/audit"
	Admin       = "/admin/roles"
	AdminRoles  = "/admin/roles"
	AddRole     = "/admin/roles/add"
	RemoveRole  = "/admin/roles/remove"
	AdminRules  = "/admin/rules"
	SignIn      = "/auth/login"
	SignOut     = "/auth/logout"
	Theme       = "/theme"
)

// SignInThen starts a sign-in that comes back to a path of this server.
func SignInThen(next string) string {
	if next = Local(next); next == Home {
		return SignIn
	}
	return With(SignIn, "return", next)
}

// Local keeps a path of this server as it is and turns everything else into Home: another origin, a scheme, a path
// that a browser would read as one.
func Local(path string) string {
	if len(path) > 2000 || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\n\r") {
		return Home
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return Home
	}
	return path
}

// Tenant is a tenant's page.
func Tenant(slug string) string { return Tenants + "/" + url.PathEscape(slug) }

// Request is a request's page: plan, decision, discussion, run.
func Request(id string) string { return Requests + "/" + url.PathEscape(id) }

// RequestLive is the part of a request's page that changes while it is planned.
func RequestLive(id string) string { return Request(id) + "/live" }

// RequestPlan is the request's current plan as JSON.
func RequestPlan(id string) string { return Request(id) + "/plan.json" }

// EditRequest is the form with the request's inputs; posting to it plans again with what was changed.
func EditRequest(id string) string { return Request(id) + "/edit" }

// Approve takes a decision on exactly one plan hash.
func Approve(id string) string { return Request(id) + "/approve" }

// Reject ends the request with a reason.
func Reject(id string) string { return Request(id) + "/reject" }

// AskForChanges gives the request back to its requester.
func AskForChanges(id string) string { return Request(id) + "/changes" }

// PlanAgain computes the plan anew.
func PlanAgain(id string) string { return Request(id) + "/replan" }

// BreakGlass has one admin approve a request alone.
func BreakGlass(id string) string { return Request(id) + "/break-glass" }

// FreshSignIn has the provider ask for the password and comes back.
func FreshSignIn(next string) string { return With(SignIn, "return", Local(next), "fresh", "yes") }

// Cancel withdraws the request.
func Cancel(id string) string { return Request(id) + "/cancel" }

// Comment adds to the request's discussion.
func Comment(id string) string { return Request(id) + "/comments" }

// DeleteDraft throws a saved form away.
func DeleteDraft(id string) string { return "/drafts/" + url.PathEscape(id) + "/delete" }

// ResumeDraft opens the new tenant form with what was typed before.
func ResumeDraft(id string) string { return With(NewTenant, "draft", id) }

// Run is a run's page.
func Run(id string) string { return Runs + "/" + url.PathEscape(id) }

// RunEvents is the run's event stream.
func RunEvents(id string) string { return Run(id) + "/events" }

// Stop ends the run at the next safe point.
func Stop(id string) string { return Run(id) + "/stop" }

// Retry goes on from the failed step.
func Retry(id string) string { return Run(id) + "/retry" }

// Abandon gives the run up and leaves what was made as it is.
func Abandon(id string) string { return Run(id) + "/abandon" }

// PageOf is the page that an action was sent from: /requests/x for /requests/x/approve. Home when there is none.
func PageOf(path string) string {
	path, _, _ = strings.Cut(Local(path), "?")
	parts := strings.Split(path, "/")
	if len(parts) == 4 && parts[2] != "" && ("/"+parts[1] == Requests || "/"+parts[1] == Runs) {
		return strings.Join(parts[:3], "/")
	}
	return Home
}

// With adds query parameters, given as name and value in turn. An empty value leaves its parameter out.
func With(address string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return address
	}
	return address + "?" + q.Encode()
}

// Link is one address with the method a page uses on it.
type Link struct{ Method, Path string }

// All lists every address with sample ids, for the test that asks the router for each.
func All() []Link {
	const id = "0190b9a0-0000-7000-8000-000000000001"
	links := []Link{
		{"GET", Home}, {"GET", Approvals}, {"GET", Requests}, {"GET", Runs}, {"GET", Tenants}, {"GET", NewTenant}, {"POST", NewTenant},
		{"POST", CheckTenant}, {"GET", Tenant("payments")}, {"GET", Audit}, {"GET", AdminRoles}, {"POST", AddRole}, {"POST", RemoveRole},
		{"GET", AdminRules}, {"GET", SignIn}, {"POST", SignOut}, {"POST", Theme},
		{"GET", Request(id)}, {"GET", RequestLive(id)}, {"GET", RequestPlan(id)}, {"GET", EditRequest(id)}, {"POST", EditRequest(id)},
		{"POST", Approve(id)}, {"POST", Reject(id)}, {"POST", AskForChanges(id)}, {"POST", PlanAgain(id)}, {"POST", Cancel(id)},
		{"POST", Comment(id)}, {"POST", DeleteDraft(id)}, {"GET", Run(id)}, {"GET", RunEvents(id)}, {"POST", Stop(id)}, {"POST", Retry(id)}, {"POST", Abandon(id)},
	}
	return slices.Concat(links,
		objectLinks(),
		freezeLinks(),
		backstageLinks(),
		healthLinks(),
		collectorLinks(),
		costLinks(),
		signalLinks(),
		notificationLinks(),
		ciLinks(),
		pipelineLinks(),
		tenantLinks(id))
}
