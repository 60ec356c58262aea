package aws

import (
	"slices"
	"strings"
	"sync"

	"slipway/models"
)

// callCounts counts attempts per account until somebody writes them down for all replicas to show. The metrics count the same, but of one process.
type callCounts struct {
	mu     sync.Mutex
	counts map[string]models.AccountCalls
}

func (t *callCounts) called(account string, throttled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := models.AccountCalls{Account: t.label(account), Calls: 1}
	if throttled {
		n.Throttles = 1
	}
	t.add(n)
}

// label keeps the number of accounts bounded, as the metrics' labels are.
func (t *callCounts) label(account string) string {
	if _, known := t.counts[account]; !known && len(t.counts) >= maxAccountLabels {
		return "other"
	}
	return account
}

func (t *callCounts) add(n models.AccountCalls) {
	if t.counts == nil {
		t.counts = map[string]models.AccountCalls{}
	}
	was := t.counts[n.Account]
	t.counts[n.Account] = models.AccountCalls{Account: n.Account, Calls: was.Calls + n.Calls, Throttles: was.Throttles + n.Throttles}
}

// TakeCalls gives what was counted since it was asked last, sorted by account.
func (c *Clients) TakeCalls() []models.AccountCalls {
	c.counted.mu.Lock()
	defer c.counted.mu.Unlock()
	counts := make([]models.AccountCalls, 0, len(c.counted.counts))
	for _, n := range c.counted.counts {
		counts = append(counts, n)
	}
	c.counted.counts = nil
	slices.SortFunc(counts, func(a, b models.AccountCalls) int { return strings.Compare(a.Account, b.Account) })
	return counts
}

// ReturnCalls puts counts back that could not be written down.
func (c *Clients) ReturnCalls(counts []models.AccountCalls) {
	c.counted.mu.Lock()
	defer c.counted.mu.Unlock()
	for _, n := range counts {
		n.Account = c.counted.label(n.Account)
		c.counted.add(n)
	}
}
