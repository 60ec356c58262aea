package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the configuration table into README.md")

// valid is the smallest environment every command runs with.
func valid() map[string]string {
	return map[string]string{
		"SLIPWAY_PUBLIC_URL":           "https://slipway.example.com",
		"SLIPWAY_DATABASE_URL":         "postgres://slipway_app:pa55word@db.example.com:5432/slipway",
		"SLIPWAY_MIGRATE_DATABASE_URL": "host=/run/postgresql user=slipway_owner dbname=slipway password=0wner",
		"SLIPWAY_OIDC_ISSUER":          "https://login.example.com",
		"SLIPWAY_OIDC_CLIENT_ID":       "slipway",
		"SLIPWAY_OIDC_CLIENT_SECRET":   "s3cr3t-of-the-client",
		"SLIPWAY_SECRET_KEYS":          "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=, QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=",
		"SLIPWAY_ADMIN_GROUPS":         "platform-admins, second",
		"SLIPWAY_AWS_REGION":           "eu-west-1",
		"SLIPWAY_AWS_REGIONS":          "eu-west-1, eu-central-1",
		"SLIPWAY_EXTERNAL_ID":          "external-id-of-this-installation",
		"SLIPWAY_ORG_ROLE_ARN":         "arn:aws:iam::111111111111:role/slipway/platform/slipway-org",
		"SLIPWAY_OU_NONPROD":           "ou-demo-nonprod01",
		"SLIPWAY_OU_PROD":              "ou-demo-prod0001",
		"SLIPWAY_ACCOUNT_EMAIL":        "aws+{tenant}-{class}-{n}@example.com",
	}
}

var everything = []string{"web", "worker", "migrate", "audit"}

func TestLoad(t *testing.T) {
	c, err := Load(valid(), everything...)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.SignIn.AdminGroups; len(got) != 2 || got[1] != "second" {
		t.Errorf("admin groups %q: want them without spaces", got)
	}
	if c.Server.OpsAddr != "127.0.0.1:9090" || c.AWS.AccountSlots != 1 || c.Database.URL.Reveal() == "" {
		t.Errorf("defaults or values are missing: %+v", c)
	}
	env := valid()
	env["SLIPWAY_OPS_ADDR"] = ""
	if c, err = Load(env, everything...); err != nil || c.Server.OpsAddr != "" {
		t.Errorf("an empty OPS_ADDR gave %q, %v: want it off", c.Server.OpsAddr, err)
	}
}

func TestLoadMistakes(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, want string }{
		"http off loopback":   {"PUBLIC_URL", "http://slipway.example.com", "only loopback may be http"},
		"path":                {"PUBLIC_URL", "https://example.com/slipway", "without a path"},
		"missing":             {"PUBLIC_URL", "", "SLIPWAY_PUBLIC_URL is not set"},
		"no scheme":           {"OIDC_ISSUER", "login.example.com", "not an http or https address"},
		"duration":            {"SESSION_IDLE", "30", "is not a duration such as"},
		"idle over max":       {"SESSION_IDLE", "9h", "SLIPWAY_SESSION_MAX is shorter"},
		"drain":               {"DRAIN_DELAY", "1m", "say 0s to 15s"},
		"slots":               {"ACCOUNT_SLOTS", "6", "say 1 to 5"},
		"slots word":          {"ACCOUNT_SLOTS", "one", "is not a whole number"},
		"cost cap":            {"COST_DAILY_CAP", "-1", "say 0 to 1000"},
		"cost cap word":       {"COST_DAILY_CAP", "two", "is not an amount such as 2.00"},
		"region":              {"AWS_REGION", "Ireland", "not the name of a region"},
		"home not allowed":    {"AWS_REGIONS", "eu-central-1", "does not list the home region"},
		"role":                {"ORG_ROLE_ARN", "arn:aws:iam::1111:role/x", "not the ARN of a role"},
		"unit":                {"OU_PROD", "prod", "not the id of an organizational unit"},
		"email without n":     {"ACCOUNT_EMAIL", "aws+{tenant}@example.com", "does not hold {n}"},
		"email unknown field": {"ACCOUNT_EMAIL", "aws+{team}-{n}@example.com", "holds {team}"},
		"email too long":      {"ACCOUNT_EMAIL", "aws+{tenant}-{class}-{n}@" + strings.Repeat("d", 30) + ".example", "at most 64"},
		"email no address":    {"ACCOUNT_EMAIL", "aws-{n}", "does not make an e-mail address"},
		"pattern":             {"TENANT_GROUP_PATTERN", "([a-z", "no regular expression"},
		"keys":                {"SECRET_KEYS", "c2hvcnQ=", "SLIPWAY_SECRET_KEYS has a key (number 1) that is not 32 bytes"},
		"half a contact":      {"CONTACT_NAME", "Platform team", "set all four or none"},
		"bucket":              {"ARTIFACTS_BUCKET", "Slipway_Artifacts", "not the name of a bucket"},
		"half of the names":   {"BASE_DOMAIN", "apps.example.com", "set all three or none"},
		"domain":              {"BASE_DOMAIN", "Apps.Example.com.", "not a domain in small letters"},
		"domain too long":     {"BASE_DOMAIN", strings.Repeat("long.", 40) + "example", "not a domain in small letters"},
		"zone role":           {"DNS_ROLE_ARN", "slipway-dns", "not the ARN of a role"},
		"zone id":             {"DNS_ZONE_ID", "/hostedzone/Z1", "not the id of a hosted zone"},
		"alert address":       {"ALERT_EMAIL", "nobody", "is not an e-mail address"},
		"proxy":               {"TRUSTED_PROXIES", "10.0.0.0/8,lb", `has "lb"`},
		"scopes":              {"OIDC_SCOPES", "profile", "does not list openid"},
		"dsn":                 {"DATABASE_URL", "postgres://u:hunter2@h:notaport/x", "SLIPWAY_DATABASE_URL is not a PostgreSQL"},
		"address":             {"ADDR", "8080", "not an address to listen on"},
		"same address":        {"OPS_ADDR", "127.0.0.1:8080", "same address"},
		"level":               {"LOG_LEVEL", "loud", "say debug, info, warn or error"},
		"connections":         {"DB_CONNECTIONS", "1", "say 4 to 500"},
		"lease":               {"LEASE", "1ms", "say 1s to 1m0s"},
		"mail without sender": {"SMTP_URL", "smtp://mail.example.com", "set both or none"},
		"mail by http":        {"SMTP_URL", "https://mail.example.com", "not an address such as smtp://"},
		"mail port":           {"SMTP_URL", "smtp://u:hunter2@mail.example.com:99999", "has no port from 1"},
		"mail starttls":       {"SMTP_URL", "smtp://mail.example.com?starttls=perhaps", "knows only ?starttls"},
		"password in clear":   {"SMTP_URL", "smtp://u:hunter2@mail.example.com?starttls=off", "send its password without TLS"},
		"sender":              {"MAIL_FROM", "nobody", "not an address such as Slipway"},
		"webhook scheme":      {"WEBHOOK_URL", "ftp://hunter2.example.com/", "not an http or https address"},
		"webhook user":        {"WEBHOOK_URL", "https://u:hunter2@example.com/", "not an http or https address"},
		"secret alone":        {"WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is set without"},
		"secret too short":    {"WEBHOOK_SECRET", "whsec_c2hvcnQ=", "at least 24 bytes"},
		"network":             {"WEBHOOK_NETWORKS", "10.20.0.1/16", "not a CIDR block"},
		"every network":       {"WEBHOOK_NETWORKS", "0.0.0.0/0", "not a CIDR block"},
	} {
		env := valid()
		env[Prefix+tc.variable] = tc.value
		_, err := Load(env, everything...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want it to say %q", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the password", name)
		}
	}
}

func TestLoadReportsEveryMistakeAtOnce(t *testing.T) {
	env := valid()
	env["SLIPWAY_LEASE"], env["SLIPWAY_ACCOUNT_SLOTS"], env["SLIPWAY_LOG_LEVEL"] = "x", "9", "loud"
	delete(env, "SLIPWAY_OIDC_ISSUER")
	_, err := Load(env, everything...)
	for _, want := range []string{"SLIPWAY_LEASE", "SLIPWAY_ACCOUNT_SLOTS", "SLIPWAY_LOG_LEVEL", "SLIPWAY_OIDC_ISSUER"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if _, err := Load(map[string]string{}); err != nil {
		t.Errorf("nothing set and nothing needed: %v", err)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := valid()
	delete(env, "SLIPWAY_OIDC_CLIENT_SECRET")
	env["SLIPWAY_OIDC_CLIENT_SECRET_FILE"] = path
	c, err := Load(env, everything...)
	if err != nil || c.SignIn.ClientSecret.Reveal() != "from-a-file" {
		t.Errorf("got %q, %v", c.SignIn.ClientSecret.Reveal(), err)
	}
	both := maps.Clone(env)
	both["SLIPWAY_OIDC_CLIENT_SECRET"] = "x"
	if _, err := Load(both); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("value and file: %v", err)
	}
	env["SLIPWAY_OIDC_CLIENT_SECRET_FILE"] = path + ".gone"
	if _, err := Load(env); err == nil || !strings.Contains(err.Error(), "SLIPWAY_OIDC_CLIENT_SECRET_FILE") {
		t.Errorf("missing file: %v", err)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	c, err := Load(valid(), everything...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "config", c, "secret", c.SignIn.ClientSecret)
	fmt.Fprintf(&out, "%v %+v %#v %q %x %s", c, c, c, c.SignIn.ClientSecret, c.SignIn.ClientSecret, c.Database.URL)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := c.Show(&out); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"pa55word", "0wner", "s3cr3t-of-the-client", "external-id-of-this-installation", "MDEyMzQ1Njc4OTAx"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s is printed:\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "SLIPWAY_DATABASE_URL=postgres://slipway_app:********@db.example.com:5432/slipway\n") {
		t.Errorf("the connection's address is not shown:\n%s", out.String())
	}
	if got := c.Secrets(); len(got) != 6 {
		t.Errorf("%d secrets to redact, want 6", len(got))
	}
}

func TestUnknown(t *testing.T) {
	env := valid()
	env["SLIPWAY_PUBLIC_ULR"], env["SLIPWAY_CRASH_LOG"], env["SLIPWAY_EXTERNAL_ID_FILE"] = "x", "x", "x"
	if got := Unknown(env); len(got) != 1 || got[0] != "SLIPWAY_PUBLIC_ULR" {
		t.Errorf("unknown %q", got)
	}
}

func TestREADME(t *testing.T) {
	const path, start, end = "../../README.md", "<!-- configuration: go generate ./web/config -->\n", "<!-- end of configuration -->\n"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), start)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no markers for the table", path)
	}
	want := before + start + Table() + end + after
	if want == string(readme) {
		return
	}
	if !*update {
		t.Fatal("the table in README.md is not current: run go generate ./web/config")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
