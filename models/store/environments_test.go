package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

func TestADeletedEnvironmentGivesBackItsName(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	env := e.made(t, site("a-site"))
	broken, err := e.ChangeEnvironment(ctx, e.developer, "payments", "a-site", models.ExtendEnvironment, "ext", models.EnvironmentInputs{Days: 5})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, broken.ID, models.Failed)
	if _, err := e.ChangeEnvironment(ctx, e.developer, "payments", "a-site", models.DeleteEnvironment, "del", models.EnvironmentInputs{Confirm: "other"}); models.Fields(err)["confirm"] == "" {
		t.Fatalf("deleted without its name typed: %v", err)
	}
	gone, err := e.ChangeEnvironment(ctx, e.developer, "payments", "a-site", models.DeleteEnvironment, "del", models.EnvironmentInputs{Confirm: "a-site"})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, gone.ID, models.Succeeded)
	receipt := models.Receipt{ObjectType: models.EnvironmentObject, ObjectID: env.ID, ObjectName: env.Name, TenantID: env.TenantID, RequestID: gone.ID, Gone: []models.ReceiptLine{{ID: "x", Type: "AWS::SNS::Topic"}}}
	for range 2 {
		if err := e.Registry().WriteReceipt(ctx, worker, receipt); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, e.Store, broken.ID); got != models.Abandoned {
		t.Errorf("what failed on it before is %s, want abandoned", got)
	}
	p, err := e.EnvironmentPage(ctx, e.developer, "payments", "a-site")
	if err != nil || p.Environment.State != models.Deleted || p.Receipt == nil || len(p.Receipt.Gone) != 1 {
		t.Fatalf("its page: %+v, %v", p.Environment.State, err)
	}
	if again := e.made(t, site("a-site")); again.ID == env.ID {
		t.Error("the new one has the old one's id")
	}
	if p, err = e.EnvironmentPage(ctx, e.developer, "payments", "a-site"); err != nil || p.Environment.State != models.Ready {
		t.Errorf("the page shows the %s one: %v", p.Environment.State, err)
	}
}

func TestExpiryWarnsSleepsAndDeletes(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.made(t, site("a-site")) // 30 days
	sweep := func(want string, kinds ...models.RequestKind) {
		t.Helper()
		for range 2 { // twice asks once
			if err := e.SweepExpiry(ctx); err != nil {
				t.Fatal(err)
			}
		}
		env, err := e.livingEnvironment(ctx, e.developer, "payments", "a-site")
		if err != nil || env.ExpiryWarned != want {
			t.Errorf("warned %q, want %q: %v", env.ExpiryWarned, want, err)
		}
		if n := count(t, e.Store, `SELECT count(*) FROM requests WHERE object_id = $1 AND requester_id = '00000000-0000-4000-8000-000000000001'`, env.ID); n != len(kinds) {
			t.Errorf("%d requests by expiry, want %v", n, kinds)
		}
	}
	sweep("")
	e.clock.SetOffset(23*24*time.Hour + time.Hour)
	sweep("7d")
	e.clock.SetOffset(29*24*time.Hour + time.Hour)
	sweep("1d")
	e.clock.SetOffset(30*24*time.Hour - time.Hour)
	sweep("2h")
	e.clock.SetOffset(30*24*time.Hour + time.Minute)
	sweep("2h", models.HibernateEnvironment)
	hibernate, err := one[requestRow](e.read(ctx), `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.kind = 'environment.hibernate'`)
	if err != nil || hibernate.RequesterName != "Slipway (expiry)" {
		t.Fatalf("asked by %q: %v", hibernate.RequesterName, err)
	}
	e.lead(t, hibernate.ID, models.Succeeded)
	if err := e.Registry().SaveEnvironment(ctx, worker, hibernate.ObjectID, func(env *models.Environment) { env.Hibernated = true }); err != nil {
		t.Fatal(err)
	}
	sweep("2h", models.HibernateEnvironment)
	e.clock.SetOffset(37*24*time.Hour + time.Hour)
	sweep("2h", models.HibernateEnvironment, models.DeleteEnvironment)
	deletion, err := one[requestRow](e.read(ctx), `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.kind = 'environment.delete'`)
	if err != nil {
		t.Fatal(err)
	}
	in, err := deletion.model()
	if err != nil || strings.Contains(string(in.Inputs), `"empty_buckets": true`) {
		t.Errorf("buckets are emptied without consent: %s", in.Inputs)
	}
}

func TestDriftChecksAreSpreadAndAcceptedDriftStays(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	for i := range 12 {
		e.made(t, site(fmt.Sprintf("site-%d", i)))
	}
	book := e.DriftBook()
	total := 0
	for hour := range 25 { // every environment's turn comes once a day, not all at once
		e.clock.SetOffset(time.Duration(hour+1) * time.Hour)
		n, err := book.StartDue(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		if n > 8 {
			t.Errorf("%d checks in hour %d", n, hour)
		}
		total += n
	}
	if total != 12 {
		t.Errorf("%d checks a day, want 12", total)
	}
	check := func(found []models.ResourceDrift) models.Drift {
		env, err := e.livingEnvironment(ctx, e.developer, "payments", "site-0")
		if err != nil {
			t.Fatal(err)
		}
		job := take(t, e.Store, enqueued(t, e.Store, models.DriftWork, env.ID, 0), "w")
		d, _, err := book.BeginDrift(ctx, *job, "nightly")
		if err != nil {
			t.Fatal(err)
		}
		d.State, d.Checked, d.Resources = models.DriftFound, 4, found
		if err := book.EndDrift(ctx, *job, d); err != nil {
			t.Fatal(err)
		}
		now, err := e.Registry().Drift(ctx, env.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	one := []models.ResourceDrift{{LogicalID: "Topic", Status: "MODIFIED", Properties: []models.PropertyDrift{{Path: "/DisplayName", Declared: "a", Actual: "b"}}}}
	first := check(one)
	until := e.clock.Now().AddDate(0, 0, 10)
	if err := e.Registry().AcceptDrift(ctx, worker, first.ObjectID, until, "owner", "known"); err != nil {
		t.Fatal(err)
	}
	if d := check(one); d.AcceptedBy != "owner" || d.ID == first.ID {
		t.Errorf("the same drift is no longer accepted: %+v", d)
	}
	if d := check(append(one, models.ResourceDrift{LogicalID: "Other", Status: "DELETED"})); !d.Accepted.IsZero() {
		t.Errorf("more drift is accepted without anybody having looked: %+v", d)
	}
}

func TestAServiceInUseStays(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	network, err := e.network(t, "net")
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, network, models.NonProd)
	e.lead(t, network.ID, models.Succeeded)
	service, err := e.RequestService(ctx, e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, service, models.NonProd)
	e.lead(t, service.ID, models.Succeeded)
	e.made(t, web("shop-dev"))
	_, svc := e.ChangeService(ctx, e.developer, "payments", "shop", models.DeleteService, "d1", models.ServiceInputs{Confirm: "shop"})
	_, net := e.ChangeNetwork(ctx, e.developer, "payments", "nonprod-us-east-1", models.DeleteNetwork, "d2", models.NetworkInputs{Confirm: "nonprod-us-east-1"})
	for what, err := range map[string]error{"service": svc, "network": net} {
		if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "environment shop-dev") {
			t.Errorf("%s: %v", what, err)
		}
	}
	p, err := e.ServicePage(ctx, e.viewer, "payments", "shop")
	if err != nil || len(p.Environments) != 1 || len(p.Requests) != 1 {
		t.Errorf("the service's page: %+v, %v", p, err)
	}
	n, err := e.NetworkPage(ctx, e.viewer, "payments", "nonprod-us-east-1")
	if err != nil || len(n.Environments) != 1 || n.Network.CIDR != "10.64.0.0/24" {
		t.Errorf("the network's page: %+v, %v", n.Network, err)
	}
	if _, err := e.ServicePage(ctx, e.outsider, "payments", "shop"); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider sees the service: %v", err)
	}
}
