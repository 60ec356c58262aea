package awssim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// costSetting makes costs differ from the list prices of what stands, or gives them a past.
// An empty account, tenant, environment or price matches everything.
type costSetting struct {
	ID          int64           `json:"id,string"`
	Kind        string          `json:"kind"`
	Account     string          `json:"account,omitempty"`
	Tenant      string          `json:"tenant,omitempty"`
	Environment string          `json:"environment,omitempty"`
	Price       string          `json:"price,omitempty"` // the beginning of a key of the price file
	Amount      decimal.Decimal `json:"amount"`
	From        time.Time       `json:"from"`
	To          *time.Time      `json:"to,omitempty"`
}

// What a cost setting does, and what its amount is.
const (
	driftSetting   = "drift"   // use is so many times what was assumed
	priceSetting   = "price"   // prices are so many times those of the list
	leakSetting    = "leak"    // something without a tag costs so many USD more each day
	creditSetting  = "credit"  // so many USD a month are given back
	taxSetting     = "tax"     // so many percent are added on the first of the month
	historySetting = "history" // what stands was there so many months before
)

func costSettingKinds() []string {
	return []string{driftSetting, priceSetting, leakSetting, creditSetting, taxSetting, historySetting}
}

const costSettingColumns = `id, kind, account, tenant, environment, price, amount::text, from_at, to_at`

// billRow is a bill as it is kept.
type billRow struct {
	Stack, Account, Region string
	Tags                   map[string]string
	Lines                  []billLine
	From                   time.Time
	To                     *time.Time
}

// bookOf is the last book, for as long as nothing changes that it is made from.
type bookOf struct {
	sync.Mutex
	version int64
	book    *costBook
}

// costs are all costs there are, made anew only after something changed or data came in.
func (c *Call) costs(ctx context.Context) (*costBook, error) {
	var version int64
	if err := c.Tx.QueryRow(ctx, `SELECT last_value FROM world_version`).Scan(&version); err != nil {
		return nil, fmt.Errorf("read the version of the world: %w", err)
	}
	kept := &c.Sim.book
	kept.Lock()
	defer kept.Unlock()
	fresh := newCostBook(c.Now)
	if kept.book != nil && kept.version == version && kept.book.until.Equal(fresh.until) && kept.book.first.Equal(fresh.first) {
		return kept.book, nil
	}
	if err := c.writeBook(ctx, fresh); err != nil {
		return nil, err
	}
	kept.version, kept.book = version, fresh
	return fresh, nil
}

func (c *Call) writeBook(ctx context.Context, b *costBook) error {
	settings, err := c.costSettings(ctx)
	if err != nil {
		return err
	}
	rows, err := c.Tx.Query(ctx, `SELECT stack, account, region, tags, lines, from_at, to_at FROM bills WHERE to_at IS NULL OR to_at > $1 ORDER BY id`, b.first)
	if err != nil {
		return fmt.Errorf("read bills: %w", err)
	}
	bills, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billRow])
	if err != nil {
		return fmt.Errorf("read bills: %w", err)
	}
	accounts, err := c.accounts(ctx, `true`)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, bill := range bills {
		if !seen[bill.Stack] {
			seen[bill.Stack], bill.From = true, since(bill, settings)
		}
		b.charge(bill, settings)
	}
	b.past(bills)
	for _, a := range accounts {
		b.background(a)
	}
	for _, s := range settings {
		b.beside(s)
	}
	b.tax(settings)
	return nil
}

// since is when a stack's costs begin: a history moves them back.
func since(bill billRow, settings []costSetting) time.Time {
	from := bill.From.UTC()
	for _, s := range settings {
		if s.Kind == historySetting && (s.Account == "" || s.Account == bill.Account) && s.Tenant == bill.Tags[models.TagTenant] && s.Environment == bill.Tags[models.TagEnvironment] {
			from = earlier(from, monthOf(bill.From.UTC()).AddDate(0, -int(s.Amount.IntPart()), 0))
		}
	}
	return from
}

// charge enters what a stack costs.
func (b *costBook) charge(bill billRow, settings []costSetting) {
	for _, line := range bill.Lines {
		k := costKey{account: bill.Account, region: billedRegion(line.Key, bill.Region), service: billedService(line.Key), record: usageRecord,
			tenant: bill.Tags[models.TagTenant], environment: bill.Tags[models.TagEnvironment], centre: bill.Tags[models.TagCostCentre]}
		shaped := ""
		if line.Usage != "" {
			shaped = bill.Stack + line.Key
		}
		end := b.end()
		if bill.To != nil {
			end = bill.To.UTC()
		}
		for _, part := range spans(k, line, bill.From, end, settings) {
			b.add(flow{costKey: k, monthly: always(moneyOf(line.Monthly.Mul(part.factor))), shaped: shaped, from: part.from, to: part.to})
		}
	}
}

func moneyOf(d decimal.Decimal) money { return money(d.Shift(10).Round(0).IntPart()) }

// span is a time in which one factor holds.
type span struct {
	from, to time.Time
	factor   decimal.Decimal
}

// spans cuts the life of a line where a setting begins or ends that is about it.
func spans(k costKey, line billLine, from, to time.Time, settings []costSetting) []span {
	cuts := []time.Time{from, to}
	var about []costSetting
	for _, s := range settings {
		if !(s.Kind == driftSetting && line.Usage != "" || s.Kind == priceSetting && strings.HasPrefix(line.Key, s.Price)) || !s.about(k) {
			continue
		}
		about = append(about, s)
		for _, at := range []*time.Time{&s.From, s.To} {
			if at != nil && at.After(from) && at.Before(to) {
				cuts = append(cuts, at.UTC())
			}
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	var out []span
	for i := range len(cuts) - 1 {
		p := span{cuts[i], cuts[i+1], decimal.NewFromInt(1)}
		for _, s := range about {
			if !s.From.After(p.from) && (s.To == nil || s.To.After(p.from)) {
				p.factor = p.factor.Mul(s.Amount)
			}
		}
		out = append(out, p)
	}
	return out
}

func (s costSetting) about(k costKey) bool {
	return (s.Account == "" || s.Account == k.account) && (s.Tenant == "" || s.Tenant == k.tenant) && (s.Environment == "" || s.Environment == k.environment)
}

// beside enters what no stack stands for: leaks and credits.
func (b *costBook) beside(s costSetting) {
	to := b.end()
	if s.To != nil {
		to = s.To.UTC()
	}
	switch s.Kind {
	case creditSetting:
		b.add(flow{costKey: costKey{account: s.Account, region: homeRegion, service: "EC2 - Other", record: creditRecord, tenant: s.Tenant, environment: s.Environment}, monthly: always(-moneyOf(s.Amount)), from: s.From.UTC(), to: to})
	case leakSetting:
		k := costKey{account: s.Account, region: homeRegion, service: "Amazon Elastic Compute Cloud - Compute", record: usageRecord}
		grown := money(0)
		for day := dayOf(s.From); day.Before(to); day = day.AddDate(0, 0, 1) {
			grown += moneyOf(s.Amount)
			n := money(monthOf(day).AddDate(0, 1, 0).Sub(monthOf(day)) / (24 * time.Hour))
			b.add(flow{costKey: k, monthly: always(grown * n), from: later(day, s.From.UTC()), to: earlier(day.AddDate(0, 0, 1), to)})
		}
	}
}

// tax adds to each account's month, on its first day, what is due on the rest of it.
func (b *costBook) tax(settings []costSetting) {
	type bill struct {
		account string
		month   time.Time
	}
	sums := map[bill][2]money{}
	for k, r := range b.rows {
		for d := range b.days {
			at := bill{k.account, monthOf(b.first.AddDate(0, 0, d))}
			was := sums[at]
			sums[at] = [2]money{was[0] + r.known.billed[d], was[1] + r.whole.billed[d]}
		}
	}
	for at, sum := range sums {
		for _, s := range settings {
			if s.Kind != taxSetting || s.Account != "" && s.Account != at.account || monthOf(s.From.UTC()).After(at.month) || s.To != nil && !s.To.After(at.month) {
				continue
			}
			row, day := b.row(costKey{account: at.account, region: "NoRegion", service: "Tax", record: taxRecord}), b.day(at.month)
			due := func(m money) money {
				return moneyOf(decimal.New(int64(max(m, 0)), -10).Mul(s.Amount).Shift(-2))
			}
			row.put(day, due(sum[0]), false, true)
			row.put(day, due(sum[1]), false, false)
		}
	}
}

func (c *Call) costSettings(ctx context.Context) ([]costSetting, error) {
	rows, err := c.Tx.Query(ctx, `SELECT `+costSettingColumns+` FROM cost_settings ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read cost settings: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[costSetting])
	if err != nil {
		return nil, fmt.Errorf("read cost settings: %w", err)
	}
	return all, nil
}
