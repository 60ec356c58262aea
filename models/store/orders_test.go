package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"slipway/models"
)

func TestAnOrderWaitsForWhatItStandsOn(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	_, err := e.RequestEnvironment(ctx, e.developer, "payments", "k1", web("shop-dev"), "")
	if got := models.Fields(err)["region"]; !strings.Contains(got, "no nonprod network") {
		t.Fatalf("an order without a network: %v", err)
	}
	network, err := e.network(t, "net")
	if err != nil {
		t.Fatal(err)
	}
	if got := models.Fields(func() error {
		_, err := e.RequestEnvironment(ctx, e.developer, "payments", "k1", web("shop-dev"), "")
		return err
	}())["service"]; !strings.Contains(got, "no service") {
		t.Fatalf("an order without a service: %q", got)
	}
	service, err := e.RequestService(ctx, e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	order, err := e.RequestEnvironment(ctx, e.developer, "payments", "k1", web("shop-dev"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []models.Request{network, service} {
		r, ok := e.wake(t, order.ID)
		if ok {
			t.Fatal("it is planned before what it stands on is there")
		}
		if n := count(t, e.Store, `SELECT count(*) FROM locks WHERE request_id = $1`, r.ID); n != 0 {
			t.Errorf("it holds %d locks while it waits", n)
		}
		now, err := e.Request(ctx, e.developer, order.ID)
		if err != nil || now.Waiting == nil || now.Waiting.Ref != other.ID || !strings.Contains(now.Waiting.Words, "comes first") {
			t.Fatalf("it waits for %+v, want %s: %v", now.Waiting, other.Title, err)
		}
		e.ensure(t, other, models.NonProd)
		e.lead(t, other.ID, models.Succeeded)
	}
	r, ok := e.wake(t, order.ID)
	if !ok {
		t.Fatalf("it waits on although everything is there: %+v", r.Waiting)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM locks WHERE request_id = $1`, r.ID); n != 4 {
		t.Errorf("it holds %d locks, want its own and three shared", n)
	}
}

func TestAnOrderFailsToPlanWhenWhatItNeedsEndsOtherwise(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	network, err := e.network(t, "net")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.RequestService(ctx, e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	order, err := e.RequestEnvironment(ctx, e.developer, "payments", "k1", web("shop-dev"), "")
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, network.ID, models.Rejected)
	if r, ok := e.wake(t, order.ID); ok || r.State != models.PlanFailed || !strings.Contains(r.Reason, "network") {
		t.Fatalf("it is %s: %s", r.State, r.Reason)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM cidr_blocks WHERE freed_at IS NULL`); n != 0 {
		t.Errorf("the rejected network still holds %d block(s)", n)
	}
	again, err := e.network(t, "net2") // another one takes its place: the order finds it by itself
	if err != nil {
		t.Fatal(err)
	}
	if err := e.PlanAgain(ctx, e.developer, order.ID); err != nil {
		t.Fatal(err)
	}
	if r, ok := e.wake(t, order.ID); ok || r.State != models.Planning {
		t.Fatalf("it is %s: %s", r.State, r.Reason)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM request_dependencies WHERE request_id = $1 AND on_request_id = $2`, order.ID, again.ID); n != 1 {
		t.Error("it does not wait for the network that was asked for instead")
	}
}

func TestOneNameOneWinner(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, told := 0, 0
	for i := range 8 {
		wg.Go(func() {
			_, err := e.RequestEnvironment(t.Context(), e.developer, "payments", fmt.Sprint("k", i), site("shop-dev"), "")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case models.Fields(err)["name"] == Taken:
				told++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || told != 7 {
		t.Errorf("%d won and %d were told", won, told)
	}
}

func TestOneBlockLeft(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/24") // room for one network
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, told := 0, 0
	for i, class := range models.Classes() {
		wg.Go(func() {
			_, err := e.RequestNetwork(t.Context(), e.developer, "payments", fmt.Sprint("k", i), models.CreateNetwork,
				models.NetworkInputs{Class: class, Region: "us-east-1", Inputs: map[string]string{"Title": "net"}})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case strings.Contains(models.Fields(err)["region"], "are taken"):
				told++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || told != 1 {
		t.Errorf("%d won and %d were told", won, told)
	}
	if _, err := e.RequestNetwork(t.Context(), e.developer, "payments", "eu", models.CreateNetwork,
		models.NetworkInputs{Class: models.Prod, Region: "eu-central-1", Inputs: map[string]string{"Title": "net"}}); !strings.Contains(models.Fields(err)["region"], "no address pool") {
		t.Errorf("a region without a pool: %v", err)
	}
}

func TestPoolUses(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	if err := e.AddPool(t.Context(), e.admin, models.CIDRPool{Region: "eu-central-1", Block: "10.80.0.0/20", Size: 24}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.network(t, "net"); err != nil {
		t.Fatal(err)
	}
	pools, err := e.Pools(t.Context(), e.admin)
	if err != nil || len(pools) != 2 {
		t.Fatal(pools, err)
	}
	uses, err := e.PoolUses(t.Context(), e.admin)
	if err != nil || len(uses) != 1 {
		t.Fatalf("uses %v, %v", uses, err)
	}
	for _, p := range pools {
		if len(uses[p.ID]) != p.Used {
			t.Errorf("pool %s: %d blocks are listed, %d held", p.Block, len(uses[p.ID]), p.Used)
		}
		for _, u := range uses[p.ID] {
			if u.Block != "10.64.0.0/24" || u.TenantSlug != "payments" || u.Network != "nonprod-us-east-1" {
				t.Errorf("pool %s is held by %+v", p.Block, u)
			}
		}
	}
	if _, err := e.PoolUses(t.Context(), e.developer); models.KindOf(err) != models.Forbidden {
		t.Errorf("a developer sees the pools: %v", err)
	}
}

func TestWhoMayOrder(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	for name, tc := range map[string]struct {
		who  models.Actor
		want models.Kind
	}{"viewer": {e.viewer, models.Forbidden}, "outsider": {e.outsider, models.NotFound}} {
		_, env := e.RequestEnvironment(t.Context(), tc.who, "payments", "k", site("a-site"), "")
		_, svc := e.RequestService(t.Context(), tc.who, "payments", "k", models.ServiceInputs{Name: "shop"})
		_, choices := e.OrderChoices(t.Context(), tc.who, "payments")
		_, taken := e.NameTaken(t.Context(), tc.who, "payments", models.EnvironmentObject, "a-site")
		for what, err := range map[string]error{"environment": env, "service": svc, "choices": choices, "name": taken} {
			if models.KindOf(err) != tc.want {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	for name, who := range map[string]models.Actor{"owner": e.owner, "developer": e.developer, "admin": e.admin} {
		if _, err := e.RequestEnvironment(t.Context(), who, "payments", "k", site("site-"+name), ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrdersAreHeldAgainstTheirBlueprint(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	for name, tc := range map[string]struct {
		change func(*models.EnvironmentInputs)
		field  string
	}{
		"unknown path":     {func(in *models.EnvironmentInputs) { in.Blueprint = "nothing" }, "blueprint"},
		"a network":        {func(in *models.EnvironmentInputs) { in.Blueprint = "network" }, "blueprint"},
		"unknown version":  {func(in *models.EnvironmentInputs) { in.Version = "9.0.0" }, "version"},
		"wrong stage":      {func(in *models.EnvironmentInputs) { in.Stage, in.Days = models.Production, 0 }, "stage"},
		"refused input":    {func(in *models.EnvironmentInputs) { in.Inputs = map[string]string{"Title": "NOT"} }, "Title"},
		"unknown input":    {func(in *models.EnvironmentInputs) { in.Inputs = map[string]string{"Title": "ok", "Other": "x"} }, "Other"},
		"region elsewhere": {func(in *models.EnvironmentInputs) { in.Region = "mars-1" }, "region"},
		"life too long":    {func(in *models.EnvironmentInputs) { in.Days = 4000 }, "days"},
		"image not needed": {func(in *models.EnvironmentInputs) { in.Image = "r@sha256:" + strings.Repeat("a", 64) }, "service"},
	} {
		in := site("a-site")
		tc.change(&in)
		_, err := e.RequestEnvironment(t.Context(), e.developer, "payments", "k", in, "")
		if models.Fields(err)[tc.field] == "" {
			t.Errorf("%s: got %v, want a word about %s", name, err, tc.field)
		}
	}
	if n := count(t, e.Store, `SELECT count(*) FROM names WHERE object_type = 'environment'`); n != 0 {
		t.Errorf("%d names are reserved by refused orders", n)
	}
}

func TestAnOrderFailsToPlanOnAnAbandonedNetwork(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	network, err := e.network(t, "net")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.RequestService(t.Context(), e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	order, err := e.RequestEnvironment(t.Context(), e.developer, "payments", "k1", web("shop-dev"), "")
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, network, models.NonProd)
	e.lead(t, network.ID, models.Failed)
	if err := e.AbandonRequest(t.Context(), e.admin, network.ID, "no longer wanted"); err != nil {
		t.Fatal(err)
	}
	if r, ok := e.wake(t, order.ID); ok || r.State != models.PlanFailed || !strings.Contains(r.Reason, "is abandoned") {
		t.Errorf("it is %s: %s", r.State, r.Reason)
	}
}
