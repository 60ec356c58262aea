package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwoReplicas runs two untagged binaries on one database, the provider and the simulator as other processes: each step runs
// once at a time, account creation is serialised, nothing is doubled.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 200)
	bin := filepath.Join(t.TempDir(), "slipway")
	if out, err := exec.Command("go", "build", "-o", bin, "slipway").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	other := "127.0.0.1:" + ports[0]
	w.serve(bin, w.addr)
	w.serve(bin, other, "SLIPWAY_PUBLIC_URL="+w.public)
	w.answers(w.public+"/readyz", "http://"+other+"/readyz")
	asks, judge := signInByScript(t, w.public, "admin"), signInByScript(t, w.public, "approver")
	slugs := []string{"twin-one", "twin-two", "twin-three"}
	for _, slug := range slugs {
		request := asks.order(slug)
		judge.approve(request)
	}
	for _, slug := range slugs {
		eventually(t, slug+" to be made", walkTime, func() (bool, string) {
			s := w.requestState(slug)
			return s == "succeeded" || s == "failed", s + "\n" + w.steps(slug)
		})
		w.compare(slug, 2)
	}
	if n := w.ask(`SELECT max(n)::text FROM (SELECT count(*) AS n FROM creation_slots a JOIN creation_slots b
		ON a.taken_at <= b.taken_at AND b.taken_at < a.freed_at GROUP BY a.account_id) x`); strings.TrimSpace(n) != "1" {
		t.Errorf("%s account creations at the same time, want 1", n)
	}
}
