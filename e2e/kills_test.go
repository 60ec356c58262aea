package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestRandomKills kills the server at random moments while tenants are ordered, approved and made, one after the other, and compares
// the worlds in the end. SLIPWAY_TEST_KILLS says how often; a few by default, a hundred by make crash.
func TestRandomKills(t *testing.T) {
	t.Parallel()
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("SLIPWAY_TEST_KILLS")); err == nil && n > 0 {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, 100)
	server := w.serve(w.bin, w.addr)
	restart := func() bool {
		if !server.ended() {
			return false
		}
		server = w.serve(w.bin, w.addr)
		return true
	}
	w.answers(w.public + "/healthz")
	asks, judge := w.person("admin", restart), w.person("approver", restart)
	killed, worst := 0, time.Duration(0)
	var made []string
	for n := 1; killed < kills; n++ {
		slug := fmt.Sprintf("random-%d", n)
		made = append(made, slug)
		dead := w.makeWhileKilled(slug, asks, judge, func() bool { return killed >= kills }, func() {
			killed++
			if err := server.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-server.done
			restart()
		}, random)
		worst = max(worst, dead)
	}
	t.Logf("%d kills, %d tenants; the longest time from a restart to the next journaled step was %s", killed, len(made), worst.Round(time.Millisecond))
	if worst > 10*15*time.Second {
		t.Errorf("work went on %s after a restart; 15 s are promised", worst)
	}
	for _, slug := range made {
		w.compare(slug)
	}
}

// makeWhileKilled takes one order to its end and kills now and then on the way; it returns the longest silence after a restart.
func (w *world) makeWhileKilled(slug string, asks, judge *script, enough func() bool, kill func(), random *rand.Rand) time.Duration {
	w.t.Helper()
	worst, killedAt, before := time.Duration(0), time.Time{}, ""
	next := time.Now().Add(time.Duration(random.IntN(1500)) * time.Millisecond)
	end := time.Now().Add(walkTime)
	request := ""
	for state := ""; state != "succeeded"; state = w.requestState(slug) {
		switch {
		case time.Now().After(end):
			w.t.Fatalf("%s is %s after %s\n%s", slug, state, walkTime, w.steps(slug))
		case state == "":
			request = asks.tryOrder(slug)
		case state == "awaiting_approval":
			judge.tryApprove(request, w.requestID(slug))
		case state == "failed" || state == "plan_failed" || state == "rejected":
			w.t.Fatalf("%s is %s\n%s", slug, state, w.steps(slug))
		default:
			w.pause()
		}
		if !killedAt.IsZero() {
			if now := w.progress(slug); now != before {
				worst, killedAt = max(worst, time.Since(killedAt)), time.Time{}
			}
		}
		if !enough() && time.Now().After(next) {
			before = w.progress(slug)
			kill()
			killedAt = time.Now()
			next = killedAt.Add(time.Duration(500+random.IntN(3500)) * time.Millisecond)
		}
	}
	return worst
}

// progress changes with everything the journal writes about a tenant's request.
func (w *world) progress(slug string) string {
	return w.ask(`SELECT q.state || ' ' || coalesce((SELECT string_agg(s.state || s.tries || s.intent, ',' ORDER BY s.position) FROM steps s WHERE s.run_id = q.run_id), '')
		|| ' ' || coalesce((SELECT string_agg(j.generation || ':' || j.next_at, ',') FROM journal j WHERE j.object_id IN (q.id, q.run_id)), '') FROM requests q WHERE q.object_name = $1`, slug)
}
