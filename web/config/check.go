package config

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,2}-\d$`)
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

// problems collects what check finds; every entry starts with the variable's name and never repeats a secret.
type problems []error

func (p *problems) add(name, format string, args ...any) {
	*p = append(*p, fmt.Errorf(Prefix+name+" "+format, args...))
}

// check normalises lists and judges every value that is set. What is missing is the caller's business (see Load).
func (c *Config) check() []error {
	var p problems
	c.Server.check(&p)
	c.Database.check(&p)
	c.SignIn.check(&p)
	c.AWS.check(&p)
	c.Notify.check(&p)
	c.Access.check(&p)
	p.duration("LEASE", c.Engine.Lease, time.Second, time.Minute)
	return p
}

func (s *Server) check(p *problems) {
	p.listen("ADDR", s.Addr)
	if s.OpsAddr != "" {
		p.listen("OPS_ADDR", s.OpsAddr)
		if s.OpsAddr == s.Addr {
			p.add("OPS_ADDR", "is the same address as SLIPWAY_ADDR: give it another port, or leave it empty")
		}
	}
	s.PublicURL = strings.TrimSuffix(s.PublicURL, "/")
	if u := p.address("PUBLIC_URL", s.PublicURL, true); u != nil && (u.Path != "" || u.RawQuery != "" || u.Fragment != "") {
		p.add("PUBLIC_URL", "is not an address without a path, such as https://slipway.example.com")
	}
	s.TrustedProxies = trimmed(s.TrustedProxies)
	for _, proxy := range s.TrustedProxies {
		if _, err := netip.ParseAddr(proxy); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(proxy); err != nil {
			p.add("TRUSTED_PROXIES", "has %q, which is neither an IP address nor a CIDR block", proxy)
		}
	}
	p.duration("DRAIN_DELAY", s.DrainDelay, 0, 15*time.Second)
	if err := new(slog.Level).UnmarshalText([]byte(s.LogLevel)); err != nil {
		p.add("LOG_LEVEL", "is %q: say debug, info, warn or error", s.LogLevel)
	}
}

func (d *Database) check(p *problems) {
	p.dsn("DATABASE_URL", d.URL)
	p.dsn("MIGRATE_DATABASE_URL", d.MigrateURL)
	if d.Connections < 4 || d.Connections > 500 {
		p.add("DB_CONNECTIONS", "is %d: say 4 to 500", d.Connections)
	}
}

func (s *SignIn) check(p *problems) {
	p.address("OIDC_ISSUER", s.Issuer, true)
	s.Scopes, s.AdminGroups = trimmed(s.Scopes), trimmed(s.AdminGroups)
	if !slices.Contains(s.Scopes, "openid") {
		p.add("OIDC_SCOPES", "does not list openid")
	}
	if s.GroupsClaim == "" {
		p.add("OIDC_GROUPS_CLAIM", "is empty")
	}
	if _, err := regexp.Compile(s.TenantGroupPattern); err != nil {
		p.add("TENANT_GROUP_PATTERN", "is no regular expression: %v", err)
	}
	if keys, err := s.Keys(); err != nil {
		p.add("SECRET_KEYS", "%v", err)
	} else if s.SecretKeys != "" && len(keys) == 0 {
		p.add("SECRET_KEYS", "holds no key")
	}
	p.duration("GROUPS_RECHECK", s.GroupsRecheck, time.Minute, time.Hour)
	p.duration("SESSION_IDLE", s.SessionIdle, time.Minute, 24*time.Hour)
	p.duration("SESSION_MAX", s.SessionMax, time.Minute, 7*24*time.Hour)
	if s.SessionMax < s.SessionIdle {
		p.add("SESSION_MAX", "is shorter than SLIPWAY_SESSION_IDLE")
	}
}

// Keys are SecretKeys decoded; the first encrypts, all decrypt.
func (s *SignIn) Keys() ([][]byte, error) {
	var keys [][]byte
	for i, text := range trimmed(strings.Split(s.SecretKeys.Reveal(), ",")) {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != 32 { // the decoder's own words would quote the key
			return nil, fmt.Errorf("has a key (number %d) that is not 32 bytes in base64", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

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

func (d *Dev) check() []error {
	var p problems
	p.listen("SIM_ADDR", d.SimAddr)
	p.dsn("SIM_DATABASE_URL", d.SimDatabaseURL)
	if d.Pace <= 0 || d.Pace > 1 {
		p.add("PACE", "is %v: say more than 0, at most 1", d.Pace)
	}
	if d.SimSpeed < 1 || d.SimSpeed > 10000 {
		p.add("SIM_SPEED", "is %v: say 1 to 10000", d.SimSpeed)
	}
	return p
}

func (p *problems) duration(name string, d, least, most time.Duration) {
	if d < least || d > most {
		p.add(name, "is %s: say %s to %s", d, least, most)
	}
}

func (p *problems) listen(name, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if number, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || number == 0 {
		p.add(name, "is %q, which is not an address to listen on such as 127.0.0.1:8080", addr)
	}
}

// address checks an http(s) URL; private means that plain http may not leave this machine.
func (p *problems) address(name, value string, private bool) *url.URL {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		p.add(name, "is not an http or https address")
		return nil
	}
	if private && u.Scheme == "http" && !loopback(u.Hostname()) {
		p.add(name, "is plain http to %s: only loopback may be http", u.Hostname())
	}
	return u
}

func (p *problems) dsn(name string, s Secret) {
	if s == "" {
		return
	}
	if _, err := pgconn.ParseConfig(s.Reveal()); err != nil { // its text may quote the password
		p.add(name, "is not a PostgreSQL connection string such as postgres://user:password@host:5432/slipway")
	}
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func trimmed(list []string) []string {
	var kept []string
	for _, item := range list {
		if item = strings.TrimSpace(item); item != "" {
			kept = append(kept, item)
		}
	}
	return kept
}
