package main

import (
	"fmt"
	"time"

	"slipway/deploy"
	"slipway/handlers"
	"slipway/provisioners"
	"slipway/provisioners/aws"
	"slipway/web"
)

// healthEvery is how late a check of Slipway's roles that is due may begin.
const healthEvery = time.Minute

// setUp is what Slipway's own roles are held against: the templates this build ships, and what its blueprints need.
func (r *running) setUp() (aws.SetUp, error) {
	var s aws.SetUp
	for name, to := range map[string]*[]byte{"org": &s.Org, "spoke": &s.Spoke, "dns": &s.DNS} {
		text, err := deploy.AWS.ReadFile("aws/" + name + ".yaml")
		if err != nil {
			return s, fmt.Errorf("read the template of the set-up: %w", err)
		}
		*to = text
	}
	shipped, err := r.catalogue.Shipped()
	if err != nil {
		return s, err
	}
	s.Makes, err = shipped.Needs()
	s.OrgParameters = r.orgParameters()
	return s, err
}

// healthSweep starts the checks that are due.
func (r *running) healthSweep() provisioners.Sweep {
	return provisioners.Sweep{Name: "role health", Every: healthEvery, Do: provisioners.SweepHealth(r.store.HealthBook())}
}

// healthRoutes are the pages that say whether Slipway can still do its work.
func (r *running) healthRoutes(desk *handlers.Desk) []web.Route {
	accounts := &handlers.Accounts{Desk: desk, Store: r.store}
	platform := &handlers.Platform{Desk: desk, Store: r.store, Work: r.store}
	const account = "/tenants/:tenant/accounts/:class"
	return []web.Route{
		page(account, accounts.Show),
		form(account+"/check", accounts.Check, limited(web.LimitPlan)),
		page("/admin/platform", platform.Show),
		form("/admin/platform/check", platform.Check, limited(web.LimitPlan)),
	}
}
