package awssim

import (
	"context"
	"fmt"
	"math"
	"time"

	"slipway/models"
)

// The demo organization was there before its simulation: its accounts have run what no stack of
// theirs holds, and what its tenants have is taken to have been there for months.

// pastService is something that runs in an account beside all stacks.
type pastService struct {
	account, region, service string
	monthly                  float64 // USD at the beginning of 2025
	growth                   float64 // a month
}

func pastServices() []pastService {
	return []pastService{
		{demoManagement, "us-east-1", "AWS CloudTrail", 14, 0.012},
		{demoManagement, "us-east-1", "AWS Support (Business)", 29, 0.015},
		{demoHub, homeRegion, "Amazon Relational Database Service", 31, 0.008},
		{demoHub, homeRegion, "Amazon Elastic Container Service", 22, 0.01},
		{demoLogArchive, homeRegion, "Amazon Simple Storage Service", 19, 0.035},
		{demoAudit, homeRegion, "AWS Config", 12, 0.02},
		{demoAudit, homeRegion, "Amazon GuardDuty", 9, 0.025},
		{demoLegacyShop, homeRegion, "Amazon Elastic Compute Cloud - Compute", 96, 0.011},
		{demoLegacyShop, homeRegion, "Amazon Relational Database Service", 74, 0.014},
		{demoLegacyShop, homeRegion, "EC2 - Other", 38, 0.02},
		{demoDataLab, "us-east-1", "Amazon SageMaker", 41, 0.03},
		{demoDataLab, "us-east-1", "Amazon Simple Storage Service", 12, 0.04},
		{demoCardVault, "eu-central-1", "Amazon Elastic Compute Cloud - Compute", 47, 0.006},
		{demoCardVault, "eu-central-1", "AWS CloudHSM", 58, 0},
	}
}

// background enters what an account runs beside all stacks.
func (b *costBook) background(a Account) {
	for _, p := range pastServices() {
		if p.account == a.ID {
			b.grow(p)
		}
	}
	if a.ID == demoLegacyShop {
		b.reserved(a.ID)
	}
}

// grow enters a service whose use grows month by month.
func (b *costBook) grow(p pastService) {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	k := costKey{account: p.account, region: p.region, service: p.service, record: usageRecord}
	b.add(flow{costKey: k, shaped: p.account + p.service, from: b.first, monthly: func(month time.Time) money {
		n := float64((month.Year()-start.Year())*12 + int(month.Month()-start.Month()))
		return money(math.Round(p.monthly*math.Pow(1+p.growth, n)*100)) * dollar / 100
	}})
}

// reserved is a database's year paid for at once, every February: invoiced that day, in effect
// over its days.
func (b *costBook) reserved(account string) {
	const fee = 365 * dollar
	for year := b.first.Year() - 1; year <= b.end().Year(); year++ {
		paid := time.Date(year, 2, 3, 0, 0, 0, 0, time.UTC)
		for day := paid; day.Before(paid.AddDate(1, 0, 0)); day = day.AddDate(0, 0, 1) {
			if d := b.day(day); !day.Before(b.first) && d < b.days {
				row := b.row(costKey{account: account, region: homeRegion, service: "Amazon Relational Database Service", record: discountedRecord})
				row.put(d, fee/365, true, false)
				if day.Before(b.until) {
					row.put(d, fee/365, true, true)
				}
			}
		}
		if !paid.Before(b.first) && paid.Before(b.end()) {
			row := b.row(costKey{account: account, region: homeRegion, service: "Amazon Relational Database Service", record: feeRecord})
			row.whole.billed[b.day(paid)] += fee
			if paid.Before(b.until) {
				row.known.billed[b.day(paid)] += fee
			}
		}
	}
}

// past enters what demo tenants run beside their stacks, and an environment they had once.
func (b *costBook) past(bills []billRow) {
	ended := monthOf(b.until).AddDate(0, -5, 11)
	accounts, tenants := map[string]bool{}, map[string]bool{}
	for _, bill := range bills {
		tenant := bill.Tags[models.TagTenant]
		beside, known := demoTenants()[tenant]
		if !known {
			continue
		}
		if !accounts[bill.Account] {
			accounts[bill.Account] = true
			b.byHand(bill, beside)
		}
		if tenants[tenant] || bill.Tags[models.TagEnvironment] == "" {
			continue
		}
		tenants[tenant] = true
		for _, s := range []struct {
			service string
			monthly money
		}{{"Amazon Elastic Container Service", 18 * dollar}, {"Amazon Elastic Load Balancing", 22 * dollar}, {"EC2 - Other", 7 * dollar}} {
			k := costKey{account: bill.Account, region: bill.Region, service: s.service, record: usageRecord, tenant: tenant, environment: "pilot", centre: bill.Tags[models.TagCostCentre]}
			b.add(flow{costKey: k, monthly: always(s.monthly), shaped: tenant + s.service, from: b.first.AddDate(0, 1, 4), to: ended})
		}
	}
}

// demoTenants are those with a past, and for how many USD a month they ran things by hand at the
// beginning of 2025.
func demoTenants() map[string]float64 {
	return map[string]float64{"payments": 1010, "storefront": 1500}
}

// byHand enters what a team made in its account beside all stacks, without a tag.
func (b *costBook) byHand(bill billRow, monthly float64) {
	if bill.Tags[models.TagClass] == string(models.NonProd) {
		monthly *= 0.25
	} else {
		monthly *= 0.75
	}
	for service, share := range map[string]float64{"Amazon Relational Database Service": 0.46, "Amazon OpenSearch Service": 0.22, "Amazon ElastiCache": 0.14, "EC2 - Other": 0.18} {
		b.grow(pastService{bill.Account, homeRegion, service, monthly * share, 0.02})
	}
}

// seedCosts gives the demo organization its past, its taxes and its credits, once.
func (c *Call) seedCosts(ctx context.Context) error {
	var seeded bool
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM world WHERE key = 'costs')`).Scan(&seeded); err != nil {
		return fmt.Errorf("look for costs: %w", err)
	}
	if seeded {
		return nil
	}
	begin := monthOf(c.Now).AddDate(0, -monthsBack, 0)
	for _, s := range []struct {
		kind, account, tenant, environment, amount string
		months                                     int // how long it goes on; 0: for ever
	}{
		{taxSetting, "", "", "", "19", 0}, {creditSetting, demoManagement, "", "", "25", 0}, {creditSetting, demoLegacyShop, "", "", "60", 9},
		{historySetting, "", "payments", "", "13", 0}, {historySetting, "", "payments", "checkout-dev", "9", 0}, {historySetting, "", "payments", "docs", "4", 0},
		{historySetting, "", "storefront", "", "13", 0},
	} {
		var to *time.Time
		if s.months > 0 {
			end := begin.AddDate(0, s.months, 0)
			to = &end
		}
		if _, err := c.Tx.Exec(ctx, `INSERT INTO cost_settings (kind, account, tenant, environment, amount, from_at, to_at) VALUES ($1, $2, $3, $4, $5::text::numeric, $6, $7)`,
			s.kind, s.account, s.tenant, s.environment, s.amount, begin, to); err != nil {
			return fmt.Errorf("seed costs: %w", err)
		}
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO world (key, value) VALUES ('costs', $1)`, c.Now.Format(time.RFC3339)); err != nil {
		return fmt.Errorf("mark costs as seeded: %w", err)
	}
	return nil
}
