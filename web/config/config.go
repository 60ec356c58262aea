// Package config reads Slipway's whole configuration from SLIPWAY_* variables.
package config

import (
	"time"

	"github.com/shopspring/decimal"
)

//go:generate go test -count=1 -run TestREADME . -args -update

// Prefix starts the name of every variable; the env tags leave it out.
const Prefix = "SLIPWAY_"

// Config is everything a production binary can be told. The tags carry the whole contract: need lists the commands
// that cannot run without the variable, secret makes it maskable and readable from NAME_FILE, doc is the README's text.
type Config struct {
	Server   Server
	Database Database
	SignIn   SignIn
	AWS      AWS
	Access   Access
	Engine   Engine
	Notify   Notify

	Backstage Backstage
	CI        CI
}

// Server is how the process listens and logs.
type Server struct {
	Addr           string        `env:"ADDR" envDefault:"127.0.0.1:8080" doc:"Address the pages are served on. The image sets :8080."`
	OpsAddr        string        `env:"OPS_ADDR" envDefault:"127.0.0.1:9090" doc:"Address of /metrics and /debug/pprof. Set it to an empty value to switch them off."`
	PublicURL      string        `env:"PUBLIC_URL" need:"web,worker" doc:"Address people type, without a path. Plain http is allowed on loopback only. Scheme and host of every link come from it."`
	TrustedProxies []string      `env:"TRUSTED_PROXIES" doc:"Addresses or CIDR blocks whose X-Forwarded-For is believed."`
	DrainDelay     time.Duration `env:"DRAIN_DELAY" envDefault:"5s" doc:"How long /readyz answers 503 before the listener closes; at most 15s."`
	LogLevel       string        `env:"LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error."`
}

// Database is how PostgreSQL is reached, by its two roles.
type Database struct {
	URL         Secret `env:"DATABASE_URL" secret:"dsn" need:"web,worker,audit,keys" doc:"Connection of the role slipway_app, which serves."`
	MigrateURL  Secret `env:"MIGRATE_DATABASE_URL" secret:"dsn" need:"migrate" doc:"Connection of the role slipway_owner, which migrates."`
	Connections int32  `env:"DB_CONNECTIONS" envDefault:"20" doc:"Most connections one process opens, 4 to 500."`
}

// SignIn is the identity provider and what its groups mean.
type SignIn struct {
	Issuer             string        `env:"OIDC_ISSUER" need:"web" doc:"Issuer of the identity provider, byte for byte as its discovery document states it."`
	ClientID           string        `env:"OIDC_CLIENT_ID" need:"web" doc:"Client registered there, with the redirect address PUBLIC_URL/auth/callback."`
	ClientSecret       Secret        `env:"OIDC_CLIENT_SECRET" secret:"value" doc:"Secret of that client. Empty for a public client."`
	Scopes             []string      `env:"OIDC_SCOPES" envDefault:"openid,profile,email,groups,offline_access" doc:"Scopes asked for. With offline_access most providers give a refresh token, by which groups are read again; a few refuse it or give one anyway (docs/sessions.md)."`
	Consent            bool          `env:"OIDC_CONSENT" envDefault:"false" doc:"Whether sign-in asks with prompt=consent, without which some providers give no refresh token."`
	GroupsRecheck      time.Duration `env:"GROUPS_RECHECK" envDefault:"10m" doc:"How often the identity provider is asked again for a person's groups while they work, where it gives refresh tokens; 1m to 1h."`
	GroupsClaim        string        `env:"OIDC_GROUPS_CLAIM" envDefault:"groups" doc:"Claim of the ID token that lists groups."`
	GroupsPrefix       string        `env:"OIDC_GROUPS_PREFIX" doc:"Only groups that start so are kept; the prefix is cut off."`
	AdminGroups        []string      `env:"ADMIN_GROUPS" need:"web,worker" doc:"Groups that are always platform-admin (break-glass)."`
	TenantGroupPattern string        `env:"TENANT_GROUP_PATTERN" envDefault:"^[a-z0-9][a-z0-9-]{1,62}$" doc:"What the name of a tenant's group must match."`
	SecretKeys         Secret        `env:"SECRET_KEYS" secret:"value" need:"web,worker,keys" doc:"Keys that encrypt what the database keeps secret: 32 bytes each in base64, separated by commas. The first encrypts, all decrypt (openssl rand -base64 32)."`
	SessionIdle        time.Duration `env:"SESSION_IDLE" envDefault:"30m" doc:"A session ends when it was not used this long."`
	SessionMax         time.Duration `env:"SESSION_MAX" envDefault:"8h" doc:"A session ends this long after the sign-in, used or not."`
}

// AWS is the organization Slipway works in. Credentials come from the standard AWS chain, never from here.
type AWS struct {
	Region          string          `env:"AWS_REGION" need:"web,worker" doc:"Home region: where baselines and stack sets live."`
	Regions         []string        `env:"AWS_REGIONS" need:"web,worker" doc:"Regions environments may use; the home region is one of them."`
	Endpoint        string          `env:"AWS_ENDPOINT" doc:"One address for every AWS service: the simulator or another emulator. Empty means AWS itself."`
	ExternalID      Secret          `env:"EXTERNAL_ID" secret:"value" need:"web,worker" doc:"External id the spoke roles ask for."`
	OrgRoleARN      string          `env:"ORG_ROLE_ARN" need:"web,worker" doc:"Role slipway-org in the management account."`
	SpokeRolePrefix string          `env:"SPOKE_ROLE_PREFIX" envDefault:"slipway/platform/slipway-" doc:"Path and start of the name of the spoke roles; read, deploy and cfn-exec follow."`
	OUNonprod       string          `env:"OU_NONPROD" need:"worker" doc:"Organizational unit of nonprod accounts."`
	OUProd          string          `env:"OU_PROD" need:"worker" doc:"Organizational unit of prod accounts."`
	OUSuspended     string          `env:"OU_SUSPENDED" doc:"Organizational unit of accounts on their way out."`
	Protected       []string        `env:"PROTECTED_ACCOUNTS" doc:"Accounts that can never be enrolled, by their 12 digits: log archive, audit and whatever else the platform keeps to itself. The management account, the one Slipway runs in and delegated administrators are protected anyway."`
	Console         string          `env:"AWS_CONSOLE" doc:"Address that a link to create a stack opens instead of the AWS console; for an emulator."`
	AccountEmail    string          `env:"ACCOUNT_EMAIL" need:"worker" doc:"Pattern of a new account's address. It holds {n}, a counter that never repeats, and may hold {tenant} and {class}."`
	ContactName     string          `env:"CONTACT_NAME" doc:"Whom AWS may ask about the accounts: set as their alternate contacts. All four parts, or none."`
	ContactTitle    string          `env:"CONTACT_TITLE" doc:"Their title."`
	ContactEmail    string          `env:"CONTACT_EMAIL" doc:"Their e-mail address."`
	ContactPhone    string          `env:"CONTACT_PHONE" doc:"Their telephone number."`
	AlertEmail      string          `env:"ALERT_EMAIL" doc:"Where budget alerts and the alarms of baselines go. Empty means nowhere."`
	AnchorBucket    string          `env:"AUDIT_ANCHOR_BUCKET" doc:"Bucket with Object Lock that keeps the audit log's head every minute (deploy/aws/hub.yaml makes one). Empty means the process log alone."`
	ArtifactsBucket string          `env:"ARTIFACTS_BUCKET" doc:"Bucket for templates that are too long for a call (deploy/aws/hub.yaml makes it). Empty means that such templates cannot be deployed."`
	BaseDomain      string          `env:"BASE_DOMAIN" doc:"Domain under which every account gets a zone and every service a host. Empty means that paths that need names are not offered."`
	DNSRoleARN      string          `env:"DNS_ROLE_ARN" doc:"Role slipway-dns, which may delegate zones in the base domain's zone (deploy/aws/dns.yaml makes it)."`
	DNSZoneID       string          `env:"DNS_ZONE_ID" doc:"Id of the base domain's hosted zone. BASE_DOMAIN, DNS_ROLE_ARN and DNS_ZONE_ID: all three, or none."`
	CostDailyCap    decimal.Decimal `env:"COST_DAILY_CAP" envDefault:"2.00" doc:"What AWS Cost Explorer may be paid per UTC day, in USD: it charges 0.01 a page. When it is reached, costs keep what was read before and say so; 0 asks it nothing."`
	AccountSlots    int             `env:"ACCOUNT_SLOTS" envDefault:"1" doc:"Account creations at the same time, 1 to 5."`
}

// Engine is what requests are judged by and how runs are worked.
type Engine struct {
	RulesFile     string        `env:"RULES_FILE" doc:"Rules of the platform team. Empty means the shipped file."`
	BlueprintsDir string        `env:"BLUEPRINTS_DIR" doc:"Folder with blueprints of the platform team, NAME/VERSION/template.yaml and meta.yaml, and a hidden.yaml of those not to offer. Read again within seconds."`
	PricesFile    string        `env:"PRICES_FILE" doc:"Prices of the platform team. Empty means the shipped file."`
	BreakGlass    bool          `env:"BREAK_GLASS" envDefault:"false" doc:"Whether an admin may approve alone, their own request included, after a fresh sign-in and with a typed reason."`
	Lease         time.Duration `env:"LEASE" envDefault:"10s" doc:"How long a worker's claim on a step outlives the worker, 1s to 60s."`
}

// Dev is what only a binary built with the tag dev reads.
type Dev struct {
	DataDir        string   `env:"DATA_DIR" doc:"Folder of the private PostgreSQL and the provider's key. Default: ~/.local/share/slipway/ and a hash of the checkout's path; for root under /var/lib."`
	PostgresBin    string   `env:"PG_BIN" doc:"Folder that holds initdb and postgres, when they are not found by themselves."`
	SimAddr        string   `env:"SIM_ADDR" envDefault:"127.0.0.1:4577" doc:"Address of the AWS simulator."`
	SimDatabaseURL Secret   `env:"SIM_DATABASE_URL" secret:"dsn" need:"awssim" doc:"Database of the AWS simulator (role slipway_sim)."`
	SimSpeed       float64  `env:"SIM_SPEED" envDefault:"20" doc:"Divides durations inside the simulator."`
	Pace           float64  `env:"PACE" envDefault:"0.1" doc:"Multiplies the engine's waits between two looks at AWS and divides its limits on calls; 1 is production."`
	CrashLog       string   `env:"CRASH_LOG" doc:"File of crash points hit so far: the process kills itself at the first one that is not in it."`
	CrashKinds     []string `env:"CRASH_KINDS" doc:"Kinds of work whose crash points count, such as plan,run. Empty means all of them."`
}
