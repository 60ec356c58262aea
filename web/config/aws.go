package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	rolePattern    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}$`)
	unitPattern    = regexp.MustCompile(`^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`)
	prefixPattern  = regexp.MustCompile(`^([\w+=,.@-]+/)*[\w+=,.@-]*$`)
	externalID     = regexp.MustCompile(`^[\w+=,.@:/-]{2,1000}$`)
	emailPattern   = regexp.MustCompile(`^[\w.+-]+@[\w-]+(\.[\w-]+)+$`)
	phonePattern   = regexp.MustCompile(`^[\d ()+-]{1,25}$`)
	addressField   = regexp.MustCompile(`\{[^}]*\}`)
	bucketPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	domainPattern  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	zonePattern    = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

// maxCostCap bounds what asking for costs may cost a day: beyond it somebody has mistaken the unit.
var maxCostCap = decimal.NewFromInt(1000)

func (a *AWS) check(p *problems) {
	a.Regions = trimmed(a.Regions)
	for _, region := range append([]string{a.Region}, a.Regions...) {
		if region != "" && !regionPattern.MatchString(region) {
			p.add("AWS_REGION(S)", "has %q, which is not the name of a region such as eu-west-1", region)
		}
	}
	if a.Region != "" && len(a.Regions) > 0 && !slices.Contains(a.Regions, a.Region) {
		p.add("AWS_REGIONS", "does not list the home region %s", a.Region)
	}
	p.address("AWS_ENDPOINT", a.Endpoint, false)
	p.address("AWS_CONSOLE", a.Console, false)
	a.Protected = trimmed(a.Protected)
	for _, id := range a.Protected {
		if !accountPattern.MatchString(id) {
			p.add("PROTECTED_ACCOUNTS", "has %q, which is not the 12 digits of an account", id)
		}
	}
	if a.ExternalID != "" && !externalID.MatchString(a.ExternalID.Reveal()) {
		p.add("EXTERNAL_ID", "is not 2 to 1000 characters of letters, digits and +=,.@:/_-")
	}
	if a.OrgRoleARN != "" && !rolePattern.MatchString(a.OrgRoleARN) {
		p.add("ORG_ROLE_ARN", "is %q, which is not the ARN of a role", a.OrgRoleARN)
	}
	if !prefixPattern.MatchString(a.SpokeRolePrefix) {
		p.add("SPOKE_ROLE_PREFIX", "is %q: it has no leading slash and only characters a role may have", a.SpokeRolePrefix)
	}
	units := []struct{ name, value string }{{"OU_NONPROD", a.OUNonprod}, {"OU_PROD", a.OUProd}, {"OU_SUSPENDED", a.OUSuspended}}
	for _, unit := range units {
		if unit.value != "" && !unitPattern.MatchString(unit.value) {
			p.add(unit.name, "is %q, which is not the id of an organizational unit such as ou-ab12-cd34ef56", unit.value)
		}
	}
	a.checkEmail(p)
	a.checkContact(p)
	a.checkNames(p)
	if a.CostDailyCap.IsNegative() || a.CostDailyCap.GreaterThan(maxCostCap) {
		p.add("COST_DAILY_CAP", "is %s: say 0 to %s", a.CostDailyCap, maxCostCap)
	}
	if a.AccountSlots < 1 || a.AccountSlots > 5 {
		p.add("ACCOUNT_SLOTS", "is %d: say 1 to 5", a.AccountSlots)
	}
}

func (a *AWS) checkContact(p *problems) {
	set := 0
	for _, part := range []string{a.ContactName, a.ContactTitle, a.ContactEmail, a.ContactPhone} {
		if part != "" {
			set++
		}
	}
	if set != 0 && set != 4 {
		p.add("CONTACT_NAME", "CONTACT_TITLE, CONTACT_EMAIL and CONTACT_PHONE belong together: set all four or none")
	}
	if a.ContactPhone != "" && !phonePattern.MatchString(a.ContactPhone) {
		p.add("CONTACT_PHONE", "is not a telephone number")
	}
	for name, address := range map[string]string{"CONTACT_EMAIL": a.ContactEmail, "ALERT_EMAIL": a.AlertEmail} {
		if address != "" && !emailPattern.MatchString(address) {
			p.add(name, "is not an e-mail address")
		}
	}
}

func (a *AWS) checkNames(p *problems) {
	if a.ArtifactsBucket != "" && !bucketPattern.MatchString(a.ArtifactsBucket) {
		p.add("ARTIFACTS_BUCKET", "is %q, which is not the name of a bucket", a.ArtifactsBucket)
	}
	set := 0
	for _, part := range []string{a.BaseDomain, a.DNSRoleARN, a.DNSZoneID} {
		if part != "" {
			set++
		}
	}
	if set != 0 && set != 3 {
		p.add("BASE_DOMAIN", "DNS_ROLE_ARN and DNS_ZONE_ID belong together: set all three or none")
	}
	if a.BaseDomain != "" && (!domainPattern.MatchString(a.BaseDomain) || len(a.BaseDomain) > 170) { // names of tenants and environments come before it
		p.add("BASE_DOMAIN", "is %q, which is not a domain in small letters such as apps.example.com, without a dot at its end", a.BaseDomain)
	}
	if a.DNSRoleARN != "" && !rolePattern.MatchString(a.DNSRoleARN) {
		p.add("DNS_ROLE_ARN", "is %q, which is not the ARN of a role", a.DNSRoleARN)
	}
	if a.DNSZoneID != "" && !zonePattern.MatchString(a.DNSZoneID) {
		p.add("DNS_ZONE_ID", "is %q, which is not the id of a hosted zone such as Z0123456789ABCDEFGHIJ", a.DNSZoneID)
	}
}

// checkEmail fills the pattern with the longest values it can get: Organizations takes at most 64 characters.
func (a *AWS) checkEmail(p *problems) {
	if a.AccountEmail == "" {
		return
	}
	if !strings.Contains(a.AccountEmail, "{n}") {
		p.add("ACCOUNT_EMAIL", "does not hold {n}: a closed account's address stays taken for ever")
	}
	for _, field := range addressField.FindAllString(a.AccountEmail, -1) {
		if !slices.Contains([]string{"{tenant}", "{class}", "{n}"}, field) {
			p.add("ACCOUNT_EMAIL", "holds %s: only {tenant}, {class} and {n} are filled in", field)
		}
	}
	filled := addressField.ReplaceAllString(a.AccountEmail, "x")
	local, domain, ok := strings.Cut(filled, "@")
	if !ok || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(filled, " \t<>()[]\\,;:\"") || strings.Contains(domain, "@") {
		p.add("ACCOUNT_EMAIL", "does not make an e-mail address")
	}
	longest := strings.NewReplacer("{tenant}", strings.Repeat("x", 20), "{class}", "nonprod", "{n}", "9999").Replace(a.AccountEmail)
	if len(longest) > 64 {
		p.add("ACCOUNT_EMAIL", "can reach %d characters, AWS takes at most 64", len(longest))
	}
}
