package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// who is on whose behalf and for what a session is opened. CloudTrail shows all of it.
type who struct {
	person  string // person id: source identity; empty: Slipway itself
	job     string // run or request id: in the session's name
	purpose string // session tag slipway:purpose; empty: none
	approve bool   // session tag slipway:approved: something that was approved is deleted
}

// The session tags. Trust policies and role policies ask for them.
const (
	tagAccount  = "slipway:account"
	tagRun      = "slipway:run"
	tagPurpose  = "slipway:purpose"
	tagApproved = "slipway:approved"

	planCleanup = "plan-cleanup"
)

// Sessions of chained roles last an hour at most; they are renewed early.
const (
	sessionLife  = time.Hour
	renewBefore  = 5 * time.Minute
	maxSessions  = 2000
	ownIdentity  = "slipway"
	maxIdentity  = 64
	minIdentity  = 2
	policyLength = 2048
)

// session is one assumed role, for exactly one purpose: nothing of it is shared between tenants, people or policies.
type session struct {
	sts    *sts.Client
	in     sts.AssumeRoleInput
	mu     sync.Mutex
	held   sdk.Credentials
	usedAt time.Time
	clock  func() time.Time
}

// Retrieve gives the credentials, from memory until five minutes before they end.
func (s *session) Retrieve(ctx context.Context) (sdk.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usedAt = s.clock()
	if s.held.HasKeys() && s.usedAt.Before(s.held.Expires.Add(-renewBefore)) {
		return s.held, nil
	}
	out, err := s.sts.AssumeRole(ctx, &s.in)
	if err != nil {
		return sdk.Credentials{}, err
	}
	s.held = sdk.Credentials{AccessKeyID: sdk.ToString(out.Credentials.AccessKeyId), SecretAccessKey: sdk.ToString(out.Credentials.SecretAccessKey),
		SessionToken: sdk.ToString(out.Credentials.SessionToken), Source: "slipway", CanExpire: true, Expires: sdk.ToTime(out.Credentials.Expiration)}
	return s.held, nil
}

// forget drops credentials that AWS no longer takes.
func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = sdk.Credentials{}
}

// assume gives the session of a role in an account; calls that differ in role, policy, tags or person never share one.
func (c *Clients) assume(roleARN, account, policy string, w who) *session {
	tags := map[string]string{tagAccount: account}
	if w.job != "" {
		tags[tagRun] = w.job
	}
	if w.purpose != "" {
		tags[tagPurpose] = w.purpose
	}
	if w.approve {
		tags[tagApproved] = "true"
	}
	in := sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: sdk.String(sessionName(w.job)), ExternalId: &c.ExternalID,
		SourceIdentity: sdk.String(sourceIdentity(w.person)), DurationSeconds: sdk.Int32(int32(sessionLife.Seconds())), Policy: &policy}
	sum := sha256.Sum256([]byte(policy))
	key := []string{roleARN, *in.RoleSessionName, *in.SourceIdentity, hex.EncodeToString(sum[:])}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, ststypes.Tag{Key: sdk.String(k), Value: sdk.String(tags[k])})
		key = append(key, k+"="+tags[k])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := strings.Join(key, "\n")
	s := c.sessions[id]
	if s == nil {
		if len(c.sessions) >= maxSessions {
			c.dropOldest()
		}
		s = &session{sts: sts.NewFromConfig(c.config(account, c.Region, nil)), in: in, clock: c.Clock.Wall, usedAt: c.Clock.Wall()}
		c.sessions[id] = s
	}
	return s
}

// forget drops every session of a role, so that the next call asks AWS anew: a role that was made, changed or deleted meanwhile shows.
func (c *Clients) forget(roleARN string) {
	c.mu.Lock()
	var all []*session
	for _, s := range c.sessions {
		if *s.in.RoleArn == roleARN {
			all = append(all, s)
		}
	}
	c.mu.Unlock()
	for _, s := range all {
		s.forget()
	}
}

// dropOldest forgets the session that was not used for the longest time. c.mu is held.
func (c *Clients) dropOldest() {
	oldest, at := "", time.Time{}
	for id, s := range c.sessions {
		s.mu.Lock()
		used := s.usedAt
		s.mu.Unlock()
		if oldest == "" || used.Before(at) {
			oldest, at = id, used
		}
	}
	delete(c.sessions, oldest)
}

// org is the configuration for calls as slipway-org in the management account.
func (c *Clients) org(w who, policy string) sdk.Config { return c.orgIn(w, policy, c.Region) }

func (c *Clients) orgIn(w who, policy, region string) sdk.Config {
	return c.config(c.management, region, c.assume(c.OrgRoleARN, c.management, policy, w))
}

// spoke is the configuration for calls as a spoke role (read or deploy) in an account.
func (c *Clients) spoke(account, region, role, policy string, w who) sdk.Config {
	return c.config(account, region, c.assume(c.roleARN(account, role), account, policy, w))
}

// hub is the configuration for calls with Slipway's own role.
func (c *Clients) hub(region string) sdk.Config { return c.config("hub", region, nil) }

func (c *Clients) roleARN(account, role string) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s%s", c.partition, account, c.SpokeRolePrefix, role)
}

// sessionName carries the run's or request's id, so that CloudTrail and Slipway's audit log join.
func sessionName(job string) string {
	if job == "" {
		return "slw-upkeep"
	}
	return clipBytes("slw-"+allowed(job), 64)
}

// sourceIdentity carries the person, through every role that is assumed on.
func sourceIdentity(person string) string {
	id := clipBytes(allowed(person), maxIdentity)
	if len(id) < minIdentity || strings.HasPrefix(strings.ToLower(id), "aws:") {
		return ownIdentity
	}
	return id
}

// allowed keeps what STS allows in names: letters, digits and _+=,.@-
func allowed(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_+=,.@-", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
}

func clipBytes(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
