package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// walkTime bounds one walk; about three seconds for each of some sixty points are the aim.
const walkTime = 10 * time.Minute

// TestCrashWalk kills the server at every named point of one run, each once: after an intent was committed, after the call to
// AWS, after the outcome was committed. The simulator is a process of its own, so the world outside stays as the dead process
// left it. In the end the world and the database must agree, and nothing is doubled.
func TestCrashWalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	points := filepath.Join(t.TempDir(), "points")
	const slug = "crash-walk"
	crashes := 0
	var server *process
	start := func() {
		server = w.serve(w.bin, w.addr, "SLIPWAY_CRASH_LOG="+points)
	}
	start()
	restart := func() bool { // after a death; false while it lives
		if !server.ended() {
			return false
		}
		crashes++
		start()
		return true
	}
	w.answers(w.public + "/healthz")
	asks, judge := w.person("admin", restart), w.person("approver", restart)
	w.carry(errand{"tenant.create", "key-" + slug, func(key string) { asks.trySend("/tenants/new", `name="slug"`, key, tenantForm(slug)) }, func() *script { return judge }}, func() {
		if restart() {
			eventually(t, "an answer after a crash", patience, func() (bool, string) {
				a := asks.get("/healthz")
				return a.status == 200 || server.ended(), fmt.Sprint(a.status)
			})
		}
	})
	hit := lines(points)
	t.Logf("%d crashes, %d points:\n%s", crashes, len(hit), strings.Join(hit, "\n"))
	if len(hit) < 40 {
		t.Errorf("only %d points were hit: the walk skipped what it is for", len(hit))
	}
	w.compare(slug, 2)
}

// pause waits a moment for the engine; nothing is concluded from its length.
func (w *world) pause() {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.t.Context().Done():
	}
}

// person signs in, again after every crash that interrupts it.
func (w *world) person(user string, restart func() bool) *script {
	w.t.Helper()
	var s *script
	eventually(w.t, "sign-in of "+user, 2*patience, func() (bool, string) {
		restart()
		var err error
		s, err = tryScript(w.t, w.public, user)
		return err == nil, fmt.Sprint(err)
	})
	return s
}

// tryApprove decides for the plan of a request, as soon as its page can be read.
func (s *script) tryApprove(id string) {
	page := s.get("/requests/" + id)
	if page.status == 200 && strings.Contains(page.body, `name="plan_hash"`) {
		s.submit(page, `/approve"`, url.Values{"seen": {"yes"}})
	}
}

// ask reads one text from Slipway's database as its owner; empty when there is no row.
func (w *world) ask(sql string, args ...any) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	var text *string
	if err := w.book().QueryRow(ctx, sql, args...).Scan(&text); err != nil && err != pgx.ErrNoRows {
		w.t.Fatalf("%s: %v", sql, err)
	}
	if text == nil {
		return ""
	}
	return *text
}

func (w *world) requestState(slug string) string {
	return w.ask(`SELECT state FROM requests WHERE object_name = $1 ORDER BY number LIMIT 1`, slug)
}

func (w *world) steps(slug string) string {
	return w.ask(`SELECT string_agg(s.position || ' ' || s.name || ' ' || s.state || ' tries ' || s.tries || ' ' || coalesce(s.failure::text, '') || coalesce(s.waiting::text, ''), E'\n' ORDER BY s.position)
		FROM steps s JOIN runs r ON r.id = s.run_id JOIN requests q ON q.id = r.request_id WHERE q.object_name = $1`, slug)
}

// compare holds the simulated world against the database: each account, stack and budget once, and the ones that Slipway names.
func (w *world) compare(slug string, accounts int) {
	w.t.Helper()
	if n := w.ask(`SELECT count(*)::text FROM requests WHERE kind = 'tenant.create' AND object_name = $1`, slug); n != "1" {
		w.t.Errorf("%s requests for %s, want 1", n, slug)
	}
	known := strings.Fields(w.ask(`SELECT string_agg(a.aws_id, ' ' ORDER BY a.class) FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND a.state = 'ready' AND NOT a.enrolled`, slug))
	seen := w.look()
	var made []string
	for _, a := range seen.Accounts {
		if isOf(a.Name, slug) {
			made = append(made, a.ID)
			if a.Parent == "" || strings.HasPrefix(a.Parent, "r-") {
				w.t.Errorf("account %s is still in the root", a.ID)
			}
		}
	}
	slices.Sort(known)
	slices.Sort(made)
	if !slices.Equal(known, made) || len(made) != accounts {
		w.t.Errorf("Slipway knows the accounts %v, AWS has %v; want the same %d", known, made, accounts)
	}
	for _, id := range made {
		n := 0
		for _, s := range seen.Stacks {
			if s.Account == id && s.Name == "slw-"+slug+"-baseline" && s.Status != "DELETE_COMPLETE" {
				n++
				if s.Status != "CREATE_COMPLETE" {
					w.t.Errorf("the baseline of %s is %s", id, s.Status)
				}
			}
		}
		if n != 1 {
			w.t.Errorf("account %s has %d baseline stacks, want 1", id, n)
		}
	}
	budgets := 0
	for _, b := range seen.Budgets {
		if b.Name == "slw-"+slug {
			budgets++
		}
	}
	if budgets != 1 {
		w.t.Errorf("%d budgets for %s, want 1", budgets, slug)
	}
}

// isOf tells whether an account's name is one of the tenant's, and not of one whose name begins alike.
func isOf(name, slug string) bool { return name == slug+"-nonprod" || name == slug+"-prod" }

func lines(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(b)), " ", "·"))
}
