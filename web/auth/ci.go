package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"slipway/models"
)

const (
	maxCIToken  = 12 << 10
	longestCI   = time.Hour // a token that lives longer is not one that a host gives to a run
	maxKnownKey = 100
)

// CI checks tokens that source hosts give to workflows. The zero Issuer takes none.
type CI struct {
	Issuer   string // byte for byte as its discovery document states it; empty: switched off
	Audience string // the one that a token must be for
	Host     models.CIHost
	Clock    models.Clock

	provider *provider

	mu    sync.Mutex
	known map[string]bool // names of keys that have signed a good token here
}

// NewCI makes a checker; it asks nothing before the first token comes.
func NewCI(issuer, audience string, host models.CIHost, clock models.Clock, log *slog.Logger) *CI {
	return &CI{Issuer: issuer, Audience: audience, Host: host, Clock: clock, provider: newProvider(issuer, &http.Client{}, clock, log), known: map[string]bool{}}
}

// What a token is refused for, by which refusals are counted: never rename one.
const (
	ciForm      = "form"
	ciIssuer    = "issuer"
	ciAudience  = "audience"
	ciExpired   = "expired"
	ciEarly     = "early"
	ciSignature = "signature"
	ciClaims    = "claims"
)

func refuseCI(code, format string, args ...any) error {
	return models.CIRefusal(models.Unauthenticated, code, format, args...)
}

// seen is what is read of a token before its signature is known to be good, to say what is wrong with it.
type seen struct {
	Issuer   string      `json:"iss"`
	Audience audiences   `json:"aud"`
	Expires  *jsonNumber `json:"exp"`
	Issued   *jsonNumber `json:"iat"`
	Early    *jsonNumber `json:"nbf"`
	key      string      // that is said to have signed it
	raw      string      // the token
	payload  []byte      // its claims
}

type jsonNumber float64

func (n *jsonNumber) at() time.Time { return time.Unix(int64(*n), 0) }

// audiences are a text or a list of texts.
type audiences []string

// UnmarshalJSON takes both.
func (a *audiences) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// Check finds out whose token it is. A *models.CIRefused is the sender's fault; Unavailable means that it was not judged.
func (v *CI) Check(ctx context.Context, raw string) (models.CIToken, error) {
	if v.Issuer == "" {
		return models.CIToken{}, models.Errorf(models.NotFound, "Slipway takes nothing from workflows here: SLIPWAY_GITHUB_ISSUER is empty.")
	}
	s, err := parseCI(raw)
	if err != nil {
		return models.CIToken{}, err
	}
	if err := v.plausible(&s); err != nil {
		return models.CIToken{}, err
	}
	if err := v.signed(ctx, s); err != nil {
		return models.CIToken{}, err
	}
	token, err := v.Host.Read(s.Issuer, s.payload)
	if err != nil {
		return models.CIToken{}, refuseCI(ciClaims, "The token is signed, but it is none of a run of %s: %s.", v.Host.Name, err)
	}
	token.ExpiresAt = s.Expires.at().Add(skew).UTC()
	return token, nil
}

// parseCI takes a token apart. Only RS256 is taken, and no key but those that the issuer publishes: a token that brings one is refused.
func parseCI(raw string) (seen, error) {
	if raw == "" || len(raw) > maxCIToken {
		return seen{}, refuseCI(ciForm, "Send the run's token: Authorization: Bearer ..., of at most %d bytes.", maxCIToken)
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(jws.Signatures) != 1 {
		return seen{}, refuseCI(ciForm, "This is not a token that is signed with RS256.")
	}
	h := jws.Signatures[0].Protected
	typ, given := h.ExtraHeaders[jose.HeaderType]
	name, _ := typ.(string)
	own := func(k jose.HeaderKey) bool { return slices.Contains([]string{"jku", "x5u", "x5c", "jwk"}, string(k)) }
	brings := h.JSONWebKey != nil
	for k := range h.ExtraHeaders {
		brings = brings || own(k)
	}
	switch {
	case brings:
		return seen{}, refuseCI(ciForm, "The token brings a key of its own. Only keys that the issuer publishes count.")
	case given && !strings.EqualFold(name, "JWT"):
		return seen{}, refuseCI(ciForm, "The token says that it is something else than a JWT.")
	case h.KeyID == "" || len(h.KeyID) > maxSubject:
		return seen{}, refuseCI(ciForm, "The token does not name the key that signed it.")
	}
	s := seen{key: h.KeyID, raw: raw, payload: jws.UnsafePayloadWithoutVerification()}
	if err := json.Unmarshal(s.payload, &s); err != nil {
		return seen{}, refuseCI(ciForm, "The token's claims are not well formed.")
	}
	return s, nil
}

// plausible says what is wrong with a token, whoever has signed it.
func (v *CI) plausible(s *seen) error {
	now := v.Clock.Wall()
	switch {
	case s.Issuer != v.Issuer:
		return refuseCI(ciIssuer, "The token is of another issuer than %s.", v.Issuer)
	case len(s.Audience) != 1 || s.Audience[0] != v.Audience:
		return refuseCI(ciAudience, "The token is not for Slipway alone. Ask for one with the audience %s.", v.Audience)
	case s.Expires == nil || s.Issued == nil:
		return refuseCI(ciExpired, "The token does not say from when to when it is good.")
	case now.After(s.Expires.at().Add(skew)):
		return refuseCI(ciExpired, "The token has expired. Ask for a new one right before each call.")
	case s.Expires.at().After(now.Add(longestCI)):
		return refuseCI(ciExpired, "The token is good for longer than an hour, which no token of a run is.")
	case s.Issued.at().After(now.Add(skew)), s.Early != nil && s.Early.at().After(now.Add(skew)):
		return refuseCI(ciEarly, "The token is not good yet: the clocks differ by more than a minute.")
	}
	return nil
}

// signed checks signature, algorithm, issuer, audience and expiry, now all of them by what the issuer publishes.
func (v *CI) signed(ctx context.Context, s seen) error {
	const wait = "The keys of %s cannot be read right now, so the token was not judged. Send another in a moment."
	d, err := v.provider.get(ctx)
	if err != nil {
		return models.Wrap(models.Unavailable, err, wait, v.Host.Name)
	}
	now := v.Clock.Wall()
	verifier := oidc.NewVerifier(v.Issuer, d.sparing, &oidc.Config{ClientID: v.Audience, SupportedSigningAlgs: []string{oidc.RS256}, Now: func() time.Time { return now.Add(-skew) }})
	if _, err = verifier.Verify(ctx, s.raw); err == nil {
		v.learn(s.key)
		return nil
	}
	if keysUnread(err) && !v.knows(s.key) {
		return models.Wrap(models.Unavailable, err, wait, v.Host.Name)
	}
	return &models.CIRefused{Code: ciSignature, Err: models.Wrap(models.Unauthenticated, fmt.Errorf("verify the token: %w", err), "The token is not signed by %s.", v.Issuer)}
}

// knows tells whether a key has signed a good token here: one that bears its name and does not verify is forged, and no reason to wait
// for the keys to be read again.
func (v *CI) knows(key string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known[key]
}

func (v *CI) learn(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) < maxKnownKey {
		v.known[key] = true
	}
}
