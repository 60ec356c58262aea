package seed

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"
)

// wish is a form that a demo person sends for a tenant that exists, and who decides about it.
type wish struct {
	by     string
	page   string // the form's page
	key    string
	fields url.Values
	judge  string // empty: a rule approves it
}

// pools are the blocks of addresses that demo networks get theirs from.
func pools() []url.Values {
	return []url.Values{
		{"region": {"us-east-1"}, "block": {"10.64.0.0/14"}, "size": {"20"}, "note": {"Demo networks"}},
		{"region": {"eu-west-1"}, "block": {"10.68.0.0/14"}, "size": {"20"}, "note": {"Demo networks"}},
	}
}

// wishes are sent all at once: what stands on something that is not there yet waits for it by itself.
func wishes() []wish {
	return []wish{
		{by: "developer", page: "/tenants/payments/networks/new", key: "demo-network", judge: "approver",
			fields: url.Values{"class": {"nonprod"}, "region": {"us-east-1"}, "Size": {"S"}}},
		{by: "developer", page: "/tenants/payments/services/new", key: "demo-service", fields: url.Values{"name": {"checkout"}}},
		{by: "developer", page: "/environments/new?tenant=payments&blueprint=static-site&stage=dev&region=us-east-1", key: "demo-docs", judge: "owner",
			fields: url.Values{"tenant": {"payments"}, "blueprint": {"static-site"}, "shown": {"static-site"}, "stage": {"dev"}, "region": {"us-east-1"}, "name": {"docs"}, "days": {"30"}, "Size": {"S"}}},
		{by: "developer", page: "/environments/new?tenant=payments&blueprint=ecs-web-service&stage=dev&region=us-east-1", key: "demo-checkout", judge: "owner",
			fields: url.Values{"tenant": {"payments"}, "blueprint": {"ecs-web-service"}, "shown": {"ecs-web-service"}, "stage": {"dev"}, "region": {"us-east-1"}, "name": {"checkout-dev"},
				"service": {"checkout"}, "days": {"14"}, "Size": {"S"}, "Port": {"8080"}, "HealthCheckPath": {"/healthz"}}},
	}
}

// furnish fills the first demo tenant: addresses, a network, a service and environments.
func furnish(ctx context.Context, people map[string]*visitor) error {
	for _, p := range pools() {
		page, err := people["admin"].get(ctx, "/admin/pools")
		if err != nil {
			return err
		}
		if page.has(">" + p.Get("block") + "<") {
			continue
		}
		if _, err := people["admin"].send(ctx, page, "/admin/pools/add", p); err != nil {
			return fmt.Errorf("add address pool %s: %w", p.Get("block"), err)
		}
	}
	if err := people["developer"].ready(ctx, "payments"); err != nil {
		return err
	}
	paths := map[string]string{}
	for _, w := range wishes() {
		path, err := people[w.by].wish(ctx, w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.key, err)
		}
		paths[w.key] = path
	}
	for _, w := range wishes() {
		if w.judge == "" {
			continue
		}
		judge := people[w.judge]
		page, open, err := judge.planned(ctx, paths[w.key])
		if err == nil && open {
			_, err = judge.send(ctx, page, paths[w.key]+"/approve", url.Values{})
		}
		if err != nil {
			return fmt.Errorf("approve %s: %w", w.key, err)
		}
	}
	return people["admin"].costs(ctx, people["developer"])
}

// costs has all costs read again once what was ordered stands: the simulator takes it to have been there for months.
func (v *visitor) costs(ctx context.Context, member *visitor) error {
	for _, w := range wishes() {
		if strings.HasPrefix(w.page, "/environments/new") {
			if err := member.standing(ctx, w.fields.Get("name")); err != nil {
				return err
			}
		}
	}
	page, err := v.get(ctx, "/costs")
	if err != nil || !page.has(`action="/costs/again"`) {
		return err // nothing was read before, so all of it is still to come
	}
	_, err = v.send(ctx, page, "/costs/again", url.Values{})
	return err
}

// standing waits until an environment is ready, or has come to nothing.
func (v *visitor) standing(ctx context.Context, name string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, state := range []string{"ready", "broken"} {
			list, err := v.get(ctx, "/environments?state="+state+"&q="+name)
			if err != nil {
				return err
			}
			if list.has(`/environments/` + name + `"`) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// ready waits until a tenant has its accounts.
func (v *visitor) ready(ctx context.Context, tenant string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		list, err := v.get(ctx, "/tenants?state=ready&q="+tenant)
		if err != nil {
			return err
		}
		if list.has(`"/tenants/` + tenant + `"`) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// wish sends a form and gives the path of the request that came of it.
func (v *visitor) wish(ctx context.Context, w wish) (string, error) {
	fields := url.Values{"_key": {w.key}}
	maps.Copy(fields, w.fields)
	action, _, _ := strings.Cut(w.page, "?")
	form, err := v.get(ctx, w.page)
	if err != nil {
		return "", err
	}
	request, err := v.send(ctx, form, action, fields)
	if err == nil && !strings.HasPrefix(request.url.Path, "/requests/") {
		err = fmt.Errorf("the form led to %s", request.url.Path)
	}
	if err != nil {
		return "", err
	}
	return request.url.Path, nil
}
