package awssim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func stsOperations() []operation {
	return []operation{
		handle("sts", "AssumeRole", assumeRole),
		handle("sts", "AssumeRoleWithWebIdentity", assumeRoleWithWebIdentity),
		handle("sts", "GetCallerIdentity", getCallerIdentity),
	}
}

func getCallerIdentity(_ context.Context, c *Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	c.open()
	return &sts.GetCallerIdentityOutput{Account: &c.Account, Arn: &c.Principal.ARN, UserId: &c.Principal.UserID}, nil
}

var (
	sessionNameForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDForm  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	tagKeyForm      = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$`)
	tagValueForm    = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$`)
)

// assumption is a checked AssumeRole input together with what a chained session hands on.
type assumption struct {
	role           Role
	session        string
	externalID     string
	sourceIdentity string
	passed         map[string]string // tags of this request
	tags           map[string]string // with the inherited ones
	transitive     []string
	policy         string
	duration       time.Duration
}

func assumeRole(ctx context.Context, c *Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	a, err := checkAssume(c, in)
	if err != nil {
		return nil, err
	}
	target := aws.ToString(in.RoleArn)
	if err := a.find(ctx, c, target); err != nil {
		return nil, err
	}
	if a.duration > time.Duration(a.role.MaxSession)*time.Second {
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	actions := []string{"sts:AssumeRole"}
	if len(a.passed) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if err := a.allowed(ctx, c, action, target); err != nil {
			return nil, err
		}
	}
	return a.open(ctx, c)
}

func checkAssume(c *Call, in *sts.AssumeRoleInput) (*assumption, error) {
	a := &assumption{session: aws.ToString(in.RoleSessionName), externalID: aws.ToString(in.ExternalId), sourceIdentity: aws.ToString(in.SourceIdentity),
		policy: aws.ToString(in.Policy), duration: time.Hour, passed: map[string]string{}, tags: map[string]string{}}
	switch {
	case !sessionNameForm.MatchString(a.session):
		return nil, invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", a.session)
	case in.ExternalId != nil && (len(a.externalID) < 2 || len(a.externalID) > 1224 || !externalIDForm.MatchString(a.externalID)):
		return nil, invalid("1 validation error detected: Value at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*")
	case in.SourceIdentity != nil && !sessionNameForm.MatchString(a.sourceIdentity):
		return nil, invalid("1 validation error detected: Value at 'sourceIdentity' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
	case len(a.policy) > 2048:
		return nil, invalid("1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048")
	case len(in.PolicyArns) > 0, in.SerialNumber != nil, in.TokenCode != nil, len(in.ProvidedContexts) > 0:
		return nil, invalid("The simulator does not play PolicyArns, MFA and provided contexts.")
	}
	if a.policy != "" {
		if _, err := parsePolicy(a.policy); err != nil {
			return nil, malformed(err)
		}
	}
	if in.DurationSeconds != nil {
		a.duration = time.Duration(*in.DurationSeconds) * time.Second
	}
	if a.duration < 15*time.Minute || a.duration > 12*time.Hour {
		return nil, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200", int(a.duration.Seconds()))
	}
	if c.Principal.RoleName != "" && a.duration > time.Hour { // a role's session assumes: chaining
		return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return a, a.takeTags(c, in)
}

// takeTags checks the passed tags and adds what the calling session hands on.
func (a *assumption) takeTags(c *Call, in *sts.AssumeRoleInput) error {
	if len(in.Tags) > 50 {
		return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	for _, t := range in.Tags {
		k, v := aws.ToString(t.Key), aws.ToString(t.Value)
		if !tagKeyForm.MatchString(k) || !tagValueForm.MatchString(v) || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("The session tag %q is not valid.", k)
		}
		if _, twice := a.passed[k]; twice {
			return refuse(http.StatusBadRequest, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		a.passed[k], a.tags[k] = v, v
	}
	for _, k := range in.TransitiveTagKeys {
		if _, ok := a.passed[k]; !ok {
			return refuse(http.StatusBadRequest, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
	}
	a.transitive = append(a.transitive, in.TransitiveTagKeys...)
	for _, k := range c.Principal.Transitive {
		if _, again := a.passed[k]; again {
			return refuse(http.StatusBadRequest, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		a.tags[k] = c.Principal.Tags[k]
		a.transitive = append(a.transitive, k)
	}
	if had := c.Principal.SourceIdentity; had != "" {
		if a.sourceIdentity != "" && a.sourceIdentity != had {
			return denied("sts", "The source identity of a session cannot be changed by role chaining.")
		}
		a.sourceIdentity = had
	}
	return nil
}

// find looks for the role. What is not there, and what AWS does not know everywhere yet,
// is denied in the same words.
func (a *assumption) find(ctx context.Context, c *Call, target string) error {
	no := denied("sts", fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Principal.ARN, target))
	account, path, name, ok := splitRoleARN(target)
	if !ok {
		return invalid("%s is invalid", target)
	}
	member, ok, err := c.account(ctx, account)
	if err != nil {
		return err
	}
	if !ok || member.State != "ACTIVE" || c.Now.Before(member.UsableAfter) {
		return no
	}
	r, ok, err := c.role(ctx, account, name)
	if err != nil {
		return err
	}
	if !ok || r.Path != path || c.Now.Before(r.UsableAfter) {
		return no
	}
	a.role = r
	return nil
}

// allowed asks both sides: the role's trust policy, and the caller's own policies, which
// only a direct trust within one account can do without.
func (a *assumption) allowed(ctx context.Context, c *Call, action, target string) error {
	c.asked = true
	k := keys{"sts:ExternalId": one(a.externalID), "sts:RoleSessionName": {a.session}, "sts:SourceIdentity": one(a.sourceIdentity),
		"aws:TagKeys": nil, "sts:TransitiveTagKeys": a.transitive}
	for name, value := range a.passed {
		k["aws:RequestTag/"+name] = []string{value}
		k["aws:TagKeys"] = append(k["aws:TagKeys"], name)
	}
	slices.Sort(k["aws:TagKeys"])
	for name, value := range a.role.Tags {
		k["aws:ResourceTag/"+name] = []string{value}
		k["iam:ResourceTag/"+name] = []string{value}
	}
	q := c.question(c.Principal, action, target, k)
	trust, err := parsePolicy(a.role.TrustPolicy)
	if err != nil {
		return fmt.Errorf("trust policy of %s: %w", target, err)
	}
	says, direct := trust.trust(q)
	why, err := c.refusalOf(ctx, q)
	if err != nil {
		return err
	}
	sameAccount := direct && c.Account == a.role.Account && strings.HasPrefix(why, "because no identity-based")
	if says == allows && (why == "" || sameAccount) {
		return nil
	}
	return denied("sts", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", c.Principal.ARN, action, target))
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// open writes the session and answers its credentials.
func (a *assumption) open(ctx context.Context, c *Call) (*sts.AssumeRoleOutput, error) {
	r := a.role
	p := asRole(r.Account, r.Path, r.Name, a.session, "")
	id := r.ID + ":" + a.session
	key, secret, token := "ASIA"+r.Account+letters(8), letters(40), letters(64)
	expires := c.Now.Add(a.duration).Truncate(time.Second)
	if _, err := c.Tx.Exec(ctx, `DELETE FROM sessions WHERE expires_at < $1`, c.Now.Add(-24*time.Hour)); err != nil {
		return nil, fmt.Errorf("forget old sessions: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO sessions (key, token, account, arn, user_id, role_name, role_arn, session_name, source_identity, tags, transitive, session_policy, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		key, token, r.Account, p.ARN, id, r.Name, r.ARN(), a.session, a.sourceIdentity, jsonText(a.tags), append([]string{}, a.transitive...), a.policy, expires); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: &p.ARN, AssumedRoleId: &id},
		Credentials:     &ststypes.Credentials{AccessKeyId: &key, SecretAccessKey: &secret, SessionToken: &token, Expiration: &expires},
	}
	if a.sourceIdentity != "" {
		out.SourceIdentity = &a.sourceIdentity
	}
	out.SessionTokenSize = aws.Int32(int32(len(token)))
	out.SessionTokenUtilization = aws.Int32(int32(len(token) * 100 / 4096))
	return out, nil
}
