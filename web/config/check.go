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
	regionPattern = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,2}-\d$`)
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
	c.Backstage.check(&p)
	c.CI.check(&p)
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
