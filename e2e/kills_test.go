package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestRandomKills kills the server at random moments while tenants come up, one after the other, each with a network, a service and an
// environment that is ordered, upgraded and deleted; then the tenant is changed, gets an account that was there before as long as there
// are any, and every other one is closed; and compares the worlds in the end. SLIPWAY_TEST_KILLS says how often; a few by default, two
// hundred by make crash. With the last kill the errands end, too.
func TestRandomKills(t *testing.T) {
	t.Parallel()
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("SLIPWAY_TEST_KILLS")); err == nil && n > 0 {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killer{estate: newEstate(t, 100), left: kills, random: rand.New(rand.NewPCG(seed, 1))}
	var made []string
	ended := map[string]end{}
	for n := 1; k.left > 0; n++ {
		slug := fmt.Sprintf("random-%d", n)
		made = append(made, slug)
		for _, x := range k.life(n, slug) {
			if k.left == 0 {
				break
			}
			switch x.kind {
			case "environment.create":
				k.newest(false)
			case "environment.upgrade":
				k.newest(true)
			case "tenant.close":
				ended[slug] = k.beforeEnd(slug)
			}
			k.carryKilled(x)
		}
	}
	t.Logf("%d kills, %d tenants, %d errands %v; the longest time from a restart to the next journaled step was %s", kills, len(made), k.errands, k.kinds, k.worst.Round(time.Millisecond))
	if k.worst > 10*15*time.Second {
		t.Errorf("work went on %s after a restart; 15 s are promised", k.worst)
	}
	for _, slug := range made {
		if before, closed := ended[slug]; closed {
			k.compareEnd(slug, before)
			continue
		}
		k.compare(slug, 1)
		k.compareStacks(slug)
	}
}

// life is what the n-th tenant goes through.
func (k *killer) life(n int, slug string) []errand {
	service, name := fmt.Sprintf("service-%d", n), fmt.Sprintf("killed-%d", n)
	all := []errand{k.tenant(slug), k.network(slug), k.service(slug, service), k.environment(slug, name, service), k.upgrade(slug, name), k.deletion(slug, name), k.change(slug, "6000")}
	if n <= len(older) {
		all = append(all, k.enrol(slug, older[n-1]))
	}
	if n%2 == 1 {
		all = append(all, k.closing(slug))
	}
	return all
}

// killer kills an estate's server now and then.
type killer struct {
	*estate
	left    int // kills
	random  *rand.Rand
	errands int
	kinds   map[string]int // kills by kind of errand
	worst   time.Duration  // longest silence after a restart
}

// carryKilled carries one errand, with kills on the way while some are left.
func (k *killer) carryKilled(x errand) {
	k.t.Helper()
	if k.kinds == nil {
		k.kinds = map[string]int{}
	}
	k.errands++
	killedAt, before := time.Time{}, ""
	next := time.Now().Add(time.Duration(k.random.IntN(1500)) * time.Millisecond)
	k.carry(x, func() {
		if !killedAt.IsZero() && k.progress(x) != before {
			k.worst, killedAt = max(k.worst, time.Since(killedAt)), time.Time{}
		}
		if k.left > 0 && time.Now().After(next) {
			before = k.progress(x)
			k.kill()
			k.restart()
			k.left, k.kinds[x.kind] = k.left-1, k.kinds[x.kind]+1
			killedAt = time.Now()
			next = killedAt.Add(time.Duration(500+k.random.IntN(3500)) * time.Millisecond)
		}
	})
}
