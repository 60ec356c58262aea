package awssim

import (
	"fmt"
	"math"
	"time"
)

// money is in ten-thousand-millionths of a US dollar: Cost Explorer writes ten decimals.
type money int64

const dollar money = 1e10

func (m money) String() string {
	sign, n := "", m
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%010d", sign, n/dollar, n%dollar)
}

// costKey is what costs are told apart by.
type costKey struct {
	account, region, service, record string
	tenant, environment, centre      string // of the tags; empty without one
}

// Kinds of records, as Cost Explorer names them.
const (
	usageRecord      = "Usage"
	creditRecord     = "Credit"
	taxRecord        = "Tax"
	feeRecord        = "Fee"
	discountedRecord = "DiscountedUsage"
)

// costRow is what was paid for one key by day: billed as invoiced, effective with fees paid in
// advance spread over what they are for. Whole runs on into the future with what stands now;
// known ends where billing's data ends.
type costRow struct {
	costKey
	known, whole struct{ billed, effective []money }
}

// costBook holds all costs of some months past and to come, by day.
type costBook struct {
	first time.Time // the first day, of a month
	days  int
	until time.Time // billing knows nothing later
	rows  map[costKey]*costRow
}

const (
	monthsBack  = 14
	monthsAhead = 4
	billingLag  = 8 * time.Hour // at least; the data is refreshed as often
)

// billedUntil is how far billing's data reaches: eight to sixteen hours back.
func billedUntil(now time.Time) time.Time { return now.UTC().Truncate(billingLag).Add(-billingLag) }

func monthOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func newCostBook(now time.Time) *costBook {
	first := monthOf(now.UTC()).AddDate(0, -monthsBack, 0)
	end := monthOf(now.UTC()).AddDate(0, monthsAhead, 0)
	return &costBook{first: first, days: int(end.Sub(first) / (24 * time.Hour)), until: billedUntil(now), rows: map[costKey]*costRow{}}
}

func (b *costBook) end() time.Time { return b.first.AddDate(0, 0, b.days) }

func (b *costBook) day(t time.Time) int { return int(t.Sub(b.first) / (24 * time.Hour)) }

func (b *costBook) row(k costKey) *costRow {
	r := b.rows[k]
	if r == nil {
		r = &costRow{costKey: k}
		for _, list := range []*[]money{&r.known.billed, &r.known.effective, &r.whole.billed, &r.whole.effective} {
			*list = make([]money, b.days)
		}
		b.rows[k] = r
	}
	return r
}

// flow is something that is paid for as time goes by.
type flow struct {
	costKey
	monthly  func(month time.Time) money // for the whole of a month
	shaped   string                      // used more on working days, with noise of this name; empty: evenly
	from, to time.Time                   // to is zero without an end
	hidden   bool                        // billed nothing: it was paid for in advance
}

// always is the same amount every month.
func always(m money) func(time.Time) money { return func(time.Time) money { return m } }

// add spreads a flow over its days. Amounts are differences of what had accrued before and after,
// so those of a month make exactly the month's.
func (b *costBook) add(f flow) {
	from, to := f.from, f.to
	if from.Before(b.first) {
		from = b.first
	}
	if to.IsZero() || to.After(b.end()) {
		to = b.end()
	}
	if !from.Before(to) {
		return
	}
	row := b.row(f.costKey)
	for month := monthOf(from); month.Before(to); month = month.AddDate(0, 1, 0) {
		a := newAccrual(month, f.monthly(month), f.shaped)
		for n := range a.days {
			start := month.AddDate(0, 0, n)
			end := start.AddDate(0, 0, 1)
			if !end.After(from) || !start.Before(to) {
				continue
			}
			start, end = later(start, from), earlier(end, to)
			row.put(b.day(start), a.at(end)-a.at(start), f.hidden, false)
			if start.Before(b.until) {
				row.put(b.day(start), a.at(earlier(end, b.until))-a.at(start), f.hidden, true)
			}
		}
	}
}

func (r *costRow) put(day int, m money, hidden, known bool) {
	into := &r.whole
	if known {
		into = &r.known
	}
	if !hidden {
		into.billed[day] += m
	}
	into.effective[day] += m
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// accrual is how an amount adds up over a month.
type accrual struct {
	month  time.Time
	days   int
	amount money
	sums   []float64 // weights before each day, the last is of all
}

func newAccrual(month time.Time, m money, shaped string) accrual {
	a := accrual{month: month, days: int(month.AddDate(0, 1, 0).Sub(month) / (24 * time.Hour)), amount: m}
	a.sums = make([]float64, a.days+1)
	for n := range a.days {
		a.sums[n+1] = a.sums[n] + weight(month.AddDate(0, 0, n), shaped)
	}
	return a
}

// weight is how much of a day's usual use a day sees.
func weight(day time.Time, shaped string) float64 {
	if shaped == "" {
		return 1
	}
	w := 1.12
	switch day.Weekday() {
	case time.Saturday:
		w = 0.72
	case time.Sunday:
		w = 0.68
	}
	return w * (0.94 + 0.12*noise(shaped, day.Unix()/86400))
}

// at is what has accrued at a time of the month, or at its end.
func (a accrual) at(t time.Time) money {
	passed := float64(t.Sub(a.month)) / float64(24*time.Hour)
	n := int(passed)
	if n >= a.days {
		return a.amount
	}
	sum := a.sums[n] + (a.sums[n+1]-a.sums[n])*(passed-float64(n))
	return money(math.Round(float64(a.amount) * sum / a.sums[a.days]))
}

// noise is a number from 0 to 1, always the same for the same name and number.
func noise(name string, n int64) float64 { return noiseOf(seedOf(name), n) }

// seedOf is a number of a name.
func seedOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

func noiseOf(seed uint64, n int64) float64 {
	h := seed ^ uint64(n)*0x9e3779b97f4a7c15
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return float64(h>>11) / (1 << 53)
}
