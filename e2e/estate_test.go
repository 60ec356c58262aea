package e2e

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	estateRegion = "eu-west-1"
	estatePath   = "ecs-web-service" // ordered in version 1.0.0 and upgraded to 1.1.0
)

// estate is a world in which a team orders environments: names under a base domain, a directory that hides versions, and its people.
type estate struct {
	*world
	dir              string
	server           *process
	admin, approver  *script
	developer, owner *script // of every tenant; nil until they are asked for: without a tenant they have no access
}

// newEstate starts a server without crash points, and signs everybody in.
func newEstate(t *testing.T, speed int) *estate {
	t.Helper()
	e := &estate{world: newWorld(t, speed), dir: t.TempDir()}
	e.start()
	e.answers(e.public + "/healthz")
	again := func() bool { return e.restart() }
	e.admin, e.approver = e.person("admin", again), e.person("approver", again)
	pool := e.admin.trySend("/admin/pools", `name="block"`, "pool", url.Values{"region": {estateRegion}, "block": {"10.64.0.0/12"}, "size": {"20"}})
	if pool.status != 200 {
		t.Fatalf("add an address pool: %d %s", pool.status, said(pool.body))
	}
	return e
}

// start starts the server, with whatever else it is told.
func (e *estate) start(env ...string) {
	e.t.Helper()
	e.server = e.serve(e.bin, e.addr, append([]string{"SLIPWAY_BASE_DOMAIN=apps.example.com", "SLIPWAY_DNS_ZONE_ID=Z0DEMOBASEDOMAIN0001",
		"SLIPWAY_DNS_ROLE_ARN=arn:aws:iam::222222222222:role/slipway/platform/slipway-dns", "SLIPWAY_ARTIFACTS_BUCKET=slipway-artifacts-222222222222-eu-west-1",
		"SLIPWAY_BLUEPRINTS_DIR=" + e.dir}, env...)...)
}

// restart starts the server again when it died, and waits until it answers or dies again; false while it lives.
func (e *estate) restart(env ...string) bool {
	e.t.Helper()
	if !e.server.ended() {
		return false
	}
	e.start(env...)
	eventually(e.t, "an answer after a crash", patience, func() (bool, string) {
		res, err := http.Get(e.public + "/healthz")
		if err != nil {
			return e.server.ended(), err.Error()
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK, res.Status
	})
	return true
}

// kill ends the server as a power cut would.
func (e *estate) kill() {
	e.t.Helper()
	if err := e.server.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		e.t.Fatal(err)
	}
	<-e.server.done
}

// newest says whether the newest version of the path is offered, and waits until the server knows.
func (e *estate) newest(offered bool) {
	e.t.Helper()
	hidden := []byte("- {blueprint: " + estatePath + "@1.1.0, reason: It comes later.}\n")
	if offered {
		hidden = []byte("[]\n")
	}
	if err := os.WriteFile(filepath.Join(e.dir, "hidden.yaml"), hidden, 0o644); err != nil {
		e.t.Fatal(err)
	}
	want := map[bool]string{true: "0", false: "1"}[offered]
	eventually(e.t, "the directory of blueprints to be read", patience, func() (bool, string) {
		e.restart()
		n := e.ask(`SELECT count(*)::text FROM blueprint_hidden WHERE name = $1 AND version = '1.1.0'`, estatePath)
		return n == want, n
	})
}

func (e *estate) platform() *script { return e.approver }

// asks is the developer. The owner signs in before anything is planned: an owner who was never seen cannot be counted on to decide.
func (e *estate) asks() *script {
	e.t.Helper()
	e.decides()
	return e.member(&e.developer, "developer")
}

func (e *estate) decides() *script { return e.member(&e.owner, "owner") }

// member signs somebody of the team in, once.
func (e *estate) member(who **script, name string) *script {
	e.t.Helper()
	if *who == nil {
		*who = e.person(name, func() bool { return e.restart() })
	}
	return *who
}

// The errands of an estate. Each form is sent under a key of its own, so that sending it again lands on the same request.

func (e *estate) tenant(slug string) errand {
	form := tenantForm(slug, "nonprod")
	form.Set("owner_group", "payments-owners")
	form.Set("developer_group", "payments-developers")
	form.Set("viewer_group", "payments-viewers")
	return errand{"tenant.create", "tenant-" + slug, func(key string) { e.admin.trySend("/tenants/new", `name="slug"`, key, form) }, e.platform}
}

func (e *estate) network(slug string) errand {
	form := url.Values{"class": {"nonprod"}, "region": {estateRegion}, "Size": {"S"}}
	return errand{"network.create", "network-" + slug, func(key string) { e.asks().trySend("/tenants/"+slug+"/networks/new", `name="region"`, key, form) }, e.platform}
}

func (e *estate) service(slug, name string) errand {
	form := url.Values{"name": {name}}
	return errand{"service.create", "service-" + name, func(key string) { e.asks().trySend("/tenants/"+slug+"/services/new", `name="name"`, key, form) }, e.decides}
}

func (e *estate) environment(slug, name, service string) errand {
	query := url.Values{"tenant": {slug}, "blueprint": {estatePath}, "stage": {"dev"}, "region": {estateRegion}}
	form := url.Values{"tenant": {slug}, "blueprint": {estatePath}, "stage": {"dev"}, "region": {estateRegion}, "name": {name}, "service": {service}, "days": {"30"}, "Size": {"S"}, "do": {"plan"}}
	return errand{"environment.create", "create-" + name, func(key string) { e.asks().trySend("/environments/new?"+query.Encode(), `name="stage"`, key, form) }, e.decides}
}

func (e *estate) upgrade(slug, name string) errand {
	path := "/tenants/" + slug + "/environments/" + name + "/upgrade"
	return errand{"environment.upgrade", "upgrade-" + name, func(key string) { e.asks().trySend(path, `name="version"`, key, url.Values{}) }, e.decides}
}

func (e *estate) deletion(slug, name string) errand {
	path := "/tenants/" + slug + "/environments/" + name + "/delete"
	return errand{"environment.delete", "delete-" + name, func(key string) { e.asks().trySend(path, `name="confirm"`, key, url.Values{"confirm": {name}}) }, e.decides}
}

// compareStacks holds what AWS has of a tenant against the database: a stack for each object that Slipway has, and no other, in no
// other state; no change set that nobody needs; no work left open.
func (e *estate) compareStacks(slug string) {
	e.t.Helper()
	eventually(e.t, "change sets to be swept", patience, func() (bool, string) { // every 15 s
		e.restart()
		n := e.ask(`SELECT string_agg(stack_name || ' ' || name, E'\n') FROM change_sets WHERE ended_at IS NULL`)
		return n == "", n
	})
	accounts := strings.Fields(e.ask(`SELECT string_agg(a.aws_id, ' ') FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND NOT a.enrolled`, slug))
	known := strings.Fields(e.ask(`SELECT string_agg(s.name || '=' || s.status, ' ' ORDER BY s.name) FROM stacks s JOIN tenants t ON t.id = s.tenant_id
		WHERE t.slug = $1 AND s.status <> 'DELETE_COMPLETE'`, slug))
	known = append(known, "slw-"+slug+"-baseline=CREATE_COMPLETE")
	var made []string
	seen := e.look()
	mine := map[string]bool{}
	for _, s := range seen.Stacks {
		if slices.Contains(accounts, s.Account) && strings.HasPrefix(s.Name, "slw-") {
			mine[s.ID] = true
			if s.Status != "DELETE_COMPLETE" {
				made = append(made, s.Name+"="+s.Status)
			}
		}
	}
	slices.Sort(known)
	slices.Sort(made)
	if !slices.Equal(known, made) {
		e.t.Errorf("Slipway knows the stacks\n%s\nAWS has\n%s", strings.Join(known, "\n"), strings.Join(made, "\n"))
	}
	for _, c := range seen.ChangeSets {
		if mine[c.Stack] && c.Status == "CREATE_COMPLETE" && c.Execution == "AVAILABLE" {
			e.t.Errorf("the change set %s is left", c.Name)
		}
	}
	for what, sql := range map[string]string{
		"runs that have not ended":  `SELECT string_agg(id || ' ' || state, ' ') FROM runs WHERE ended_at IS NULL`,
		"requests that are on":      `SELECT string_agg(title || ' ' || state, E'\n') FROM requests WHERE state <> 'succeeded'`,
		"requests that came twice":  `SELECT string_agg(kind || ' ' || object_name, E'\n') FROM (SELECT kind, object_name FROM requests WHERE kind <> 'environment.deploy' GROUP BY kind, object_name, tenant_id HAVING count(*) > 1) x`,
		"locks":                     `SELECT string_agg(object_type || ' ' || object_id, E'\n') FROM locks`,
		"open journal rows":         `SELECT string_agg(kind || ' ' || object_id, E'\n') FROM journal WHERE NOT done AND kind IN ('plan', 'run', 'undo', 'vend')`,
		"receipts that came twice":  `SELECT string_agg(object_name, ' ') FROM (SELECT object_name FROM receipts GROUP BY object_id, object_name HAVING count(*) > 1) x`,
		"deletions without receipt": `SELECT string_agg(object_name, ' ') FROM requests q WHERE kind = 'environment.delete' AND state = 'succeeded' AND NOT EXISTS (SELECT FROM receipts r WHERE r.request_id = q.id)`,
	} {
		if left := e.ask(sql); left != "" {
			e.t.Errorf("%s: %s", what, left)
		}
	}
}
