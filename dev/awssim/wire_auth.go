package awssim

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// signature is what Authorization and its headers say. The secret is not checked: any
// signature is taken, but its key, scope, date and token must be right.
type signature struct {
	key, date, region, service string
	token                      string
	at                         time.Time
	open                       bool // the call needs no signature
}

const clockSkew = 15 * time.Minute

var credentialForm = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{16,128})/(\d{8})/([a-z0-9-]{1,40})/([a-z0-9-]{1,40})/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$`)

// readSignature takes scope and date out of the request.
func readSignature(r *http.Request, now time.Time) (signature, error) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return signature{}, refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	m := credentialForm.FindStringSubmatch(h)
	if m == nil {
		return signature{}, refuse(http.StatusBadRequest, "IncompleteSignature", "The Authorization header does not hold a complete AWS4-HMAC-SHA256 signature.")
	}
	s := signature{key: m[1], date: m[2], region: m[3], service: m[4], token: r.Header.Get("X-Amz-Security-Token")}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != s.date {
		return s, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	s.at = at
	if skew := now.Sub(at); skew > clockSkew || skew < -clockSkew {
		return s, skewed(prefixOf(s.service), at, now)
	}
	return s, nil
}

// openCall is the scope of a call that brings no signature because it brings a token of another
// kind; its body is left to be read again.
func openCall(r *http.Request, now time.Time) (signature, bool) {
	if r.Header.Get("Authorization") != "" || r.Method != http.MethodPost || guessProtocol(r) != queryXML {
		return signature{}, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil || form.Get("Action") != "AssumeRoleWithWebIdentity" {
		return signature{}, false
	}
	return signature{service: "sts", region: homeRegion, at: now, open: true}, true
}

func skewed(service string, at, now time.Time) error {
	const layout = "20060102T150405Z"
	word, limit := "earlier", now.Add(-clockSkew)
	if at.After(now) {
		word, limit = "later", now.Add(clockSkew)
	}
	msg := fmt.Sprintf("Signature expired: %s is now %s than %s (%s)", at.Format(layout), word, limit.UTC().Format(layout), now.UTC().Format(layout))
	switch service {
	case "ec2":
		return refuse(http.StatusBadRequest, "RequestExpired", "Request has expired.")
	case "s3":
		return refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	case "organizations", "budgets", "servicequotas", "account", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "codebuild", "codeconnections", "codepipeline", "logs":
		return refuse(http.StatusBadRequest, "InvalidSignatureException", "%s", msg)
	default:
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "%s", msg)
	}
}

// staticKeys are the long-lived keys of the demo world.
func staticKey(key string) (Principal, bool) {
	hub := func(role string) Principal {
		p := asRole(demoHub, "/slipway/platform/", role, "static", "")
		p.UserID = "AROASIM" + strings.ToUpper(strings.ReplaceAll(role, "-", "")) + ":static"
		return p
	}
	admin := func(account string) Principal {
		return Principal{Account: account, ARN: arn("iam", "", account, "user/administrator"), UserID: "AIDASIM" + account, Admin: true}
	}
	switch key {
	case "AKIASIMHUBWORKER0001":
		return hub("slipway-worker"), true
	case "AKIASIMHUBWEB0000001":
		return hub("slipway-web"), true
	case "AKIASIMMGMTADMIN0001":
		return admin(demoManagement), true
	case "AKIASIMHUBADMIN00001":
		return admin(demoHub), true
	}
	return Principal{}, false
}

// principal finds who owns the credentials.
func (c *Call) principal(ctx context.Context, sig signature) (Principal, error) {
	if sig.open {
		return Principal{}, nil // nobody: a policy has to name the token's provider
	}
	if p, ok := staticKey(sig.key); ok {
		if sig.token != "" {
			return p, unknownToken(c.Service)
		}
		return p, nil
	}
	var p Principal
	var tags []byte
	var token string
	var expires time.Time
	err := c.Tx.QueryRow(ctx, `SELECT token, account, arn, user_id, role_name, role_arn, session_name, source_identity, tags, transitive, session_policy, expires_at
		FROM sessions WHERE key = $1`, sig.key).Scan(&token, &p.Account, &p.ARN, &p.UserID, &p.RoleName, &p.RoleARN, &p.SessionName, &p.SourceIdentity, &tags, &p.Transitive, &p.SessionPolicy, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, unknownToken(c.Service)
	}
	if err != nil {
		return p, fmt.Errorf("find session: %w", err)
	}
	if token != sig.token {
		return p, unknownToken(c.Service)
	}
	if !c.Now.Before(expires) {
		return p, expiredToken(c.Service)
	}
	p.Chained = true
	if err := json.Unmarshal(tags, &p.Tags); err != nil {
		return p, fmt.Errorf("read session tags: %w", err)
	}
	return p, nil
}

func unknownToken(service string) error {
	switch service {
	case "s3", "s3control":
		return refuse(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case "organizations", "budgets", "servicequotas", "account", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "codebuild", "codeconnections", "codepipeline", "logs":
		return refuse(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case "ec2":
		return refuse(http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials")
	default:
		return refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
}

func expiredToken(service string) error {
	switch service {
	case "organizations", "budgets", "servicequotas", "account", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "codebuild", "codeconnections", "codepipeline", "logs":
		return refuse(http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
	case "ec2":
		return refuse(http.StatusBadRequest, "RequestExpired", "Request has expired.")
	default:
		return refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
}

// letters draws n characters of the alphabet AWS uses in its ids.
func letters(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// hexID draws n hexadecimal digits.
func hexID(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)[:n]
}

func newRequestID() string {
	h := hexID(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
