package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"slipway/models"
)

const (
	callLimit     = 10 * time.Second // one call to the provider
	rebuildAfter  = time.Hour        // keys the provider has withdrawn are forgotten by then
	maxAnswer     = 1 << 20          // bytes read of any answer of the provider
	discoverTries = 3
)

// provider is the identity provider as last discovered. It is asked for at the first sign-in, not at start.
type provider struct {
	issuer string
	client *http.Client
	clock  models.Clock
	log    *slog.Logger
	flight singleflight.Group
	pause  time.Duration // before the second attempt; doubles
	sparse *http.Client  // reads keys for tokens that anybody may send

	mu    sync.Mutex
	now   *discovered
	until time.Time
}

// discovered is one reading of the provider's metadata, with its own cache of keys.
type discovered struct {
	*oidc.Provider
	meta    metadata
	sparing *oidc.RemoteKeySet // for what anybody may send: cached, and read again only so often
}

type metadata struct {
	Keys        string   `json:"jwks_uri"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	EndSession  string   `json:"end_session_endpoint"`
	UserInfo    string   `json:"userinfo_endpoint"`
	IssParam    bool     `json:"authorization_response_iss_parameter_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
}

func newProvider(issuer string, client *http.Client, clock models.Clock, log *slog.Logger) *provider {
	bounded := *client
	if bounded.Timeout == 0 || bounded.Timeout > callLimit {
		bounded.Timeout = callLimit
	}
	next := bounded.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	bounded.Transport = limited{next}
	// No answer of a provider redirects: following one could carry a code or a secret elsewhere.
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	sparse := bounded
	sparse.Transport = sparing{bounded.Transport, rate.NewLimiter(rate.Every(keysEvery), keysBurst)}
	return &provider{issuer: issuer, client: &bounded, clock: clock, log: log, pause: 250 * time.Millisecond, sparse: &sparse}
}

// get returns the provider, reading its metadata when there is none or it is an hour old. While a refresh fails the old
// reading goes on being used, and is asked again a minute later.
func (p *provider) get(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	now, fresh := p.now, p.now != nil && p.clock.Wall().Before(p.until)
	p.mu.Unlock()
	if fresh {
		return now, nil
	}
	// One reader for all who wait, on a context of its own: the first to leave must not fail the others.
	answer := p.flight.DoChan("discover", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
		defer cancel()
		return p.refresh(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-answer:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*discovered), nil
	}
}

func (p *provider) refresh(ctx context.Context) (*discovered, error) {
	d, err := p.discover(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.now, p.until = d, p.clock.Wall().Add(rebuildAfter)
	case p.now != nil:
		p.log.Warn("identity provider not read again, the last reading stays in use", "issuer", p.issuer, "err", err)
		p.until = p.clock.Wall().Add(time.Minute)
	default:
		return nil, err
	}
	return p.now, nil
}

func (p *provider) discover(ctx context.Context) (*discovered, error) {
	pause := p.pause
	for attempt := 1; ; attempt++ {
		d, err := p.read(ctx)
		var mismatch *oidc.IssuerMismatchError
		if err == nil || errors.As(err, &mismatch) || attempt == discoverTries {
			return d, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (p *provider) read(ctx context.Context) (*discovered, error) {
	found, err := oidc.NewProvider(p.context(ctx), p.issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", p.issuer, err)
	}
	d := &discovered{Provider: found}
	if err := found.Claims(&d.meta); err != nil {
		return nil, fmt.Errorf("read metadata of %s: %w", p.issuer, err)
	}
	d.sparing = oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), p.sparse), d.meta.Keys)
	return d, nil
}

// context makes go-oidc and oauth2 use the bounded client.
func (p *provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// authStyle says how the client shows its secret. oauth2's own guess tries both, and the second try finds the code burnt.
func (d *discovered) authStyle(public bool) oauth2.AuthStyle {
	methods := d.meta.AuthMethods
	if public || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader // also what a provider that lists nothing must take
}

// limited refuses answers that are longer than any honest one.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = &cappedBody{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, err
}

type cappedBody struct {
	io.ReadCloser
	left int
}

// Read fails instead of ending early: a cut answer must not pass for a whole one.
func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the identity provider's answer is longer than %d bytes", maxAnswer)
	}
	return n, err
}
