package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/dev/postgres"
	"slipway/dev/postgres/pgtest"
)

// TestRestoreGoesOn is the drill of docs/operations.md: a dump while a run is going, AWS going on after it, the installation lost, the dump
// restored beside it. The audit chain verifies, the run goes on, and what AWS did after the dump is found and not done again.
func TestRestoreGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	const slug = "restored"
	first := w.serve(w.bin, w.addr)
	w.answers(w.public + "/readyz")
	asks, judge := signInByScript(t, w.public, "admin"), signInByScript(t, w.public, "approver")
	request := asks.order(slug)
	judge.approve(request)
	eventually(t, "the run to ask AWS for an account", patience, func() (bool, string) { return w.accountsOf(slug) > 0, w.steps(slug) })
	state := w.requestState(slug)
	if state != "running" {
		t.Fatalf("the request is %s before the dump", state)
	}
	dump := filepath.Join(t.TempDir(), "slipway.dump")
	w.postgres("pg_dump", "--format=custom", "--file="+dump, w.owner)
	atDump := w.accountsOf(slug)
	eventually(t, "AWS to get ahead of the dump", walkTime, func() (bool, string) { return w.accountsOf(slug) == 2 && w.baselinesOf(slug) > 0, w.steps(slug) })
	_ = first.cmd.Process.Kill()
	<-first.done

	restored, app := pgtest.Database(t, ownSchema)
	w.postgres("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+restored, dump)
	w.owner, w.db = restored, app
	if s := w.requestState(slug); s != "running" {
		t.Fatalf("the restored request is %s", s)
	}
	verify := exec.Command(w.bin, "audit", "verify")
	verify.Env = append(os.Environ(), "SLIPWAY_DATABASE_URL="+app)
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "The chain holds.") {
		t.Errorf("the restored chain: %v\n%s", err, out)
	}
	w.serve(w.bin, w.addr)
	eventually(t, "the run to end", walkTime, func() (bool, string) {
		return w.requestState(slug) == "succeeded", w.requestState(slug) + "\n" + w.steps(slug)
	})
	w.compare(slug, 2)
	seen := map[string]int{}
	for _, a := range w.look().Accounts {
		seen[a.Email]++
	}
	for email, n := range seen {
		if n != 1 {
			t.Errorf("%d accounts have the address %s", n, email)
		}
	}
	t.Logf("%d of 2 accounts were there at the dump", atDump)
	eventually(t, "the chain to hold after the restore", patience, func() (bool, string) {
		again := exec.Command(w.bin, "audit", "verify")
		again.Env = append(os.Environ(), "SLIPWAY_DATABASE_URL="+app)
		out, err := again.CombinedOutput()
		return err == nil, string(out)
	})
}

// postgres runs one of PostgreSQL's client programs, which are beside the server's.
func (w *world) postgres(program string, args ...string) {
	w.t.Helper()
	bin, err := postgres.Find()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	path := filepath.Join(bin, program)
	if _, err := os.Stat(path); err != nil { // server programs alone: the client's may be on the path
		if path, err = exec.LookPath(program); err != nil {
			if os.Getuid() == 0 { // CI: scripts/postgres has installed them
				w.t.Fatalf("%s is needed: install PostgreSQL's client programs: %v", program, err)
			}
			w.t.Skipf("%s is not on this machine: the private build has the server's programs alone", program)
		}
	}
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// accountsOf counts the accounts that AWS has of a tenant.
func (w *world) accountsOf(slug string) (n int) {
	for _, a := range w.look().Accounts {
		if isOf(a.Name, slug) {
			n++
		}
	}
	return n
}

func (w *world) baselinesOf(slug string) (n int) {
	for _, s := range w.look().Stacks {
		if s.Name == "slw-"+slug+"-baseline" {
			n++
		}
	}
	return n
}
