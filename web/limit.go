package web

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"slipway/handlers/visit"
	"slipway/models"
)

// Limit names a kind of request that one person, or one address while nobody is signed in, may only make so often.
type Limit string

// The limits.
const (
	LimitNone     Limit = ""
	LimitSignIn   Limit = "sign-ins"
	LimitReturn   Limit = "finished sign-ins" // those that come back from the provider
	LimitProvider Limit = "sign-outs"         // those that the provider reports, from a few addresses of its own
	LimitExport   Limit = "exports"
	LimitPlan     Limit = "plans"
	LimitCheck    Limit = "checks" // live checks of a name
	LimitCatalog  Limit = "catalogue reads"
	LimitCI       Limit = "calls of workflows"
)

// Rate is a token bucket: Burst at once, then one every Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// DefaultLimits let a person work and a whole office behind one address sign in.
func DefaultLimits() map[Limit]Rate {
	return map[Limit]Rate{
		LimitSignIn:   {Every: time.Second, Burst: 60},
		LimitReturn:   {Every: time.Second, Burst: 60},
		LimitProvider: {Every: 100 * time.Millisecond, Burst: 300},
		LimitExport:   {Every: 10 * time.Second, Burst: 6},
		LimitPlan:     {Every: 3 * time.Second, Burst: 20},
		LimitCheck:    {Every: 250 * time.Millisecond, Burst: 40},
		LimitCI:       {Every: 100 * time.Millisecond, Burst: 200}, // runners of one network; each wait asks a few times a minute
		LimitCatalog:  {Every: 5 * time.Millisecond, Burst: 5000},  // one round of Backstage asks for a document of every tenant
	}
}

// maxBuckets bounds the memory an attacker with many addresses can take; the longest unused bucket goes first.
const maxBuckets = 20000

type limiter struct {
	rates map[Limit]Rate

	mu      sync.Mutex
	buckets map[bucketKey]*list.Element
	recent  *list.List // of *bucket, the latest used in front
}

type bucketKey struct {
	limit Limit
	who   string
}

type bucket struct {
	key bucketKey
	*rate.Limiter
}

func newLimiter(rates map[Limit]Rate) *limiter {
	all := DefaultLimits()
	for name, r := range rates {
		all[name] = r
	}
	return &limiter{rates: all, buckets: map[bucketKey]*list.Element{}, recent: list.New()}
}

// take takes one token; when there is none it says how long until there is.
func (l *limiter) take(key bucketKey) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	el, found := l.buckets[key]
	if found {
		l.recent.MoveToFront(el)
	} else {
		r := l.rates[key.limit]
		el = l.recent.PushFront(&bucket{key, rate.NewLimiter(rate.Every(r.Every), r.Burst)})
		l.buckets[key] = el
		if l.recent.Len() > maxBuckets {
			last := l.recent.Back()
			delete(l.buckets, last.Value.(*bucket).key)
			l.recent.Remove(last)
		}
	}
	r := el.Value.(*bucket).Reserve()
	if wait = r.Delay(); wait > 0 {
		r.Cancel()
		return wait, false
	}
	return 0, true
}

// tooOften is a RateLimited error that says when to come back.
type tooOften struct {
	limit Limit
	wait  time.Duration
}

func (t *tooOften) Error() string { return "too many " + string(t.limit) }

func (t *tooOften) Unwrap() error {
	return models.Errorf(models.RateLimited, "That were too many %s in a short time. Wait a moment, then go on.", t.limit)
}

func (a *App) limit(l Limit) fiber.Handler {
	return func(c *fiber.Ctx) error {
		v := visit.Of(c)
		who := v.Actor.Person.ID
		if who == "" {
			who = network(v.Actor.Address)
		}
		if wait, ok := a.limits.take(bucketKey{l, who}); !ok {
			return &tooOften{l, wait}
		}
		return c.Next()
	}
}

// limitExport takes lists that are asked for as a file from the bucket of exports: they share their path with the page.
func (a *App) limitExport(c *fiber.Ctx) error {
	if c.Query("format") == "csv" || c.Accepts(fiber.MIMETextHTML, "text/csv") == "text/csv" {
		return a.limit(LimitExport)(c)
	}
	return c.Next()
}

// network is what one customer of a provider gets: of IPv6 a whole /64, whose addresses cost nothing.
func network(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil || at.Is4() {
		return address
	}
	p, err := at.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
