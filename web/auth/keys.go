package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"
)

const (
	keysEvery = 10 * time.Second // how often an unknown key may make us read the provider's keys again, over all who send tokens
	keysBurst = 3
)

var errKeysLately = errors.New("the keys were read a moment ago")

// sparing keeps forged tokens from making us hammer the provider: a token whose key is unknown costs a reading of the keys, and
// whoever sends it chooses the key's name. What one reader fetches helps all, so an honest token under a new key gets through while
// forged ones arrive, or is asked for once more.
type sparing struct {
	next http.RoundTripper
	rate *rate.Limiter
}

// RoundTrip implements http.RoundTripper.
func (s sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.rate.Allow() {
		return nil, errKeysLately
	}
	return s.next.RoundTrip(r)
}

// keysUnread tells whether a token could not be judged for want of keys. go-oidc hides the cause, so it is known by its words.
func keysUnread(err error) bool {
	return strings.Contains(err.Error(), "fetching keys")
}

// asymmetric are the signature algorithms that the provider announces and that need no shared secret.
func (m metadata) asymmetric() []string {
	known := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
	algorithms := slices.DeleteFunc(slices.Clone(m.Algorithms), func(a string) bool { return !slices.Contains(known, a) })
	if len(algorithms) == 0 {
		return []string{oidc.RS256}
	}
	return algorithms
}

func (d *discovered) algorithms() []jose.SignatureAlgorithm {
	var all []jose.SignatureAlgorithm
	for _, a := range d.meta.asymmetric() {
		all = append(all, jose.SignatureAlgorithm(a))
	}
	return all
}
