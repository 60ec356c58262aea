// Package aws is every AWS call Slipway makes: sessions, limits, the meaning of errors, and the steps of a tenant's accounts.
package aws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"slipway/models"
)

// Options say where AWS is, what Slipway may reach there and how fast it asks.
type Options struct {
	Endpoint        string // one address for every service; empty: AWS itself
	Region          string // home region: baselines and the stack set
	Regions         []string
	ExternalID      string
	OrgRoleARN      string // role slipway-org in the management account
	SpokeRolePrefix string // path and start of the spoke roles' names: slipway/platform/slipway-
	OUs             map[models.Class]string
	OUSuspended     string                  // where accounts go before they are closed; empty: none can be closed
	StackSet        string                  // delivers the spoke roles; empty: slipway-spoke
	Contact         Contact                 // of the platform team, for AWS; zero: accounts get no alternate contacts
	AlertEmail      string                  // gets budget and baseline alarms; empty: nobody
	ArtifactsBucket string                  // the hub's bucket for templates that are too long for a call; empty: such templates cannot be deployed
	AnchorBucket    string                  // keeps the audit log's heads; empty: none does
	BaseDomain      string                  // accounts get zones under it; empty: nothing has a name of its own
	DNSRoleARN      string                  // role slipway-dns, which may write the base domain's zone
	DNSZoneID       string                  // of the base domain's zone
	WorkflowIssuer  string                  // whom accounts trust to say who a GitHub workflow is: an https address; empty: GitHub's own
	Protected       []string                // accounts that are never a tenant's: log archive, audit
	Console         string                  // where a person opens a quick-create link; empty: the AWS console
	IdentityCenter  IdentityCenter          // lets people into accounts; zero: nobody gets access through Slipway
	Version         string                  // of Slipway, for the user agent
	SetUp           SetUp                   // what Slipway's roles should be
	Timeout         time.Duration           // of one attempt of one call; 0: 10 s
	Pace            float64                 // multiplies the rate limits and divides the back-off, for the simulator; 0: 1
	FreshFor        time.Duration           // how long AWS may not know a new account or role everywhere; 0: 15 min
	Credentials     sdk.CredentialsProvider // nil: the SDK's default chain
	Clock           models.Clock
	Logger          *slog.Logger
	Meter           prometheus.Registerer // nil: none
}

// Contact is whom AWS may ask about an account.
type Contact struct{ Name, Title, Email, Phone string }

// Clients make calls to AWS: with the right session, at a bounded rate, with deadlines, and with errors that say what they mean.
type Clients struct {
	Options
	base       sdk.Config // credentials Slipway itself runs with
	partition  string
	management string // account of the organization role
	metrics    *metrics
	counted    callCounts
	limits     *limits

	mu       sync.Mutex
	sessions map[string]*session
	listing  *listing
	hubID    string // account of Slipway's own credentials; empty: not asked for yet

	delegations delegations
	identities  identities
}

// New reads the credentials chain; it calls nothing yet.
func New(ctx context.Context, o Options) (*Clients, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c := &Clients{Options: o, sessions: map[string]*session{}, metrics: newMetrics(o.Meter), limits: newLimits(o.Pace)}
	var err error
	if c.partition, c.management, err = readRoleARN(o.OrgRoleARN); err != nil {
		return nil, err
	}
	client, err := httpClient(o.Endpoint)
	if err != nil {
		return nil, err
	}
	load := []func(*config.LoadOptions) error{
		config.WithRegion(o.Region), config.WithHTTPClient(client),
		config.WithRetryer(func() sdk.Retryer {
			return sdkretry.NewStandard(func(s *sdkretry.StandardOptions) {
				s.MaxAttempts, s.MaxBackoff = 3, time.Duration(float64(5*time.Second)/o.Pace)
			})
		}),
		config.WithAPIOptions([]func(*middleware.Stack) error{awsmiddleware.AddUserAgentKeyValue("slipway", userAgent(o.Version))}),
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	if c.base, err = config.LoadDefaultConfig(ctx, load...); err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	if o.Endpoint != "" {
		c.base.BaseEndpoint = &o.Endpoint
	}
	return c, nil
}

func (o *Options) complete() error {
	switch {
	case o.Clock == nil:
		return errors.New("AWS: a clock is needed")
	case o.Region == "" || o.OrgRoleARN == "" || o.ExternalID == "":
		return errors.New("AWS: region, organization role and external id are needed")
	}
	if o.SpokeRolePrefix == "" {
		o.SpokeRolePrefix = "slipway/platform/slipway-"
	}
	if o.StackSet == "" {
		o.StackSet = "slipway-spoke"
	}
	if o.WorkflowIssuer == "" {
		o.WorkflowIssuer = gitHubIssuer
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Pace == 0 {
		o.Pace = 1
	}
	if o.FreshFor == 0 {
		o.FreshFor = 15 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// httpClient is the SDK's own, bounded. Some services put the account into the host name; with one endpoint for all of them such a
// name leads nowhere, so the connection goes to the endpoint itself.
func httpClient(endpoint string) (*awshttp.BuildableClient, error) {
	client := awshttp.NewBuildableClient().WithTimeout(30 * time.Second)
	if endpoint == "" {
		return client, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("AWS endpoint %q: an address like http://127.0.0.1:4577 is expected", endpoint)
	}
	return client.WithTransportOptions(func(t *http.Transport) {
		dial := t.DialContext
		if dial == nil {
			dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
		}
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(addr); err == nil && strings.HasSuffix(host, "."+u.Hostname()) {
				addr = net.JoinHostPort(u.Hostname(), port)
			}
			return dial(ctx, network, addr)
		}
	}), nil
}

// userAgent keeps the version to the characters a user agent may hold.
func userAgent(version string) string {
	if version == "" {
		return "dev"
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("!#$%&'*+-.^_`|~", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, version)
}

// readRoleARN takes partition and account out of arn:PARTITION:iam::ACCOUNT:role/PATH.
func readRoleARN(arn string) (partition, account string, err error) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "iam" || len(p[4]) != 12 || !strings.HasPrefix(p[5], "role/") {
		return "", "", fmt.Errorf("organization role %q: an ARN like arn:aws:iam::111111111111:role/slipway/platform/slipway-org is expected", arn)
	}
	return p[1], p[4], nil
}

// RegionOf is the region a service is asked in: a few answer in one region for the whole partition.
const quotaRegion = "us-east-1"

// config is a copy of the base configuration for one account and region, observed and limited.
func (c *Clients) config(account, region string, credentials sdk.CredentialsProvider) sdk.Config {
	cfg := c.base.Copy()
	cfg.Region = region
	if credentials != nil {
		cfg.Credentials = credentials
	}
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], c.observe(account, region, credentials))
	return cfg
}
