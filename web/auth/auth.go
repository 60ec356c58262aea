// Package auth signs people in through OpenID Connect, keeps their sessions and guards what they post.
package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views/urls"
)

// Options is everything sign-in needs to know.
type Options struct {
	PublicURL    string // scheme and host people type, without a slash at the end
	Issuer       string // byte for byte as discovery states it
	ClientID     string
	ClientSecret string // empty for a public client
	Scopes       []string
	GroupsClaim  string // a flat name, or a path such as realm_access.roles
	GroupsPrefix string // only groups that start so are kept; it is cut off
	SessionIdle  time.Duration
	SessionMax   time.Duration
	Recheck      time.Duration // how often the provider vouches for a session again, where it gives refresh tokens; 0: every ten minutes
	Consent      bool          // ask with prompt=consent, without which some providers give no refresh token
	Keys         *Keyring
	Store        Sessions
	Frames       Frames
	Clock        models.Clock
	Logger       *slog.Logger
	HTTPClient   *http.Client // nil: one with a 10 s limit
}

// Auth holds the provider and the rules of sessions.
type Auth struct {
	opts     Options
	provider *provider
	secure   bool          // cookies travel over https only
	forged   *rate.Limiter // how often what anybody can send is audited
	flight   singleflight.Group
	rechecks sync.WaitGroup
}

// The paths of sign-in, and the page a provider sends people back to.
const (
	LoginPath    = "/auth/login"
	CallbackPath = "/auth/callback"
	LogoutPath   = "/auth/logout"
)

// New checks the options. It does not talk to the provider: its outage must not keep Slipway from starting.
func New(o Options) (*Auth, error) {
	var missing []string
	for name, ok := range map[string]bool{
		"PublicURL": o.PublicURL != "", "Issuer": o.Issuer != "", "ClientID": o.ClientID != "", "Keys": o.Keys != nil, "Store": o.Store != nil,
		"Clock": o.Clock != nil, "Logger": o.Logger != nil, "SessionIdle": o.SessionIdle > 0, "SessionMax": o.SessionMax > 0,
	} {
		if !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("set up sign-in: %s not given", strings.Join(missing, ", "))
	}
	if strings.HasSuffix(o.PublicURL, "/") {
		return nil, errors.New("set up sign-in: PublicURL ends in a slash")
	}
	if o.GroupsClaim == "" {
		o.GroupsClaim = "groups"
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"openid", "profile", "email"}
	}
	if o.Recheck == 0 {
		o.Recheck = 10 * time.Minute
	}
	client := o.HTTPClient
	if client == nil {
		client = &http.Client{Transport: connections()}
	}
	return &Auth{opts: o, provider: newProvider(o.Issuer, client, o.Clock, o.Logger), secure: strings.HasPrefix(o.PublicURL, "https://"),
		forged: rate.NewLimiter(rate.Every(15*time.Second), 10)}, nil
}

// connections are the sign-in's own: the environment's proxy counts, and nobody else can close them.
func connections() *http.Transport {
	return &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 10, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second}
}

// nobody is the actor of what happens before it is known who is there.
func nobody(c *fiber.Ctx) models.Actor {
	known := visit.Of(c).Actor
	who := models.System(SignInComponent, "")
	who.RequestID, who.Address = known.RequestID, known.Address
	return who
}

// NeedSignIn is the answer to a request that only a signed-in person may make. web shows Link on the error page, or
// sends htmx there.
type NeedSignIn struct {
	Message string
	Link    string
	Refused error // why a sign-in itself was refused, for the log; nil when there was none
}

// Error is for the log.
func (e *NeedSignIn) Error() string {
	if e.Refused != nil {
		return "sign-in refused: " + e.Refused.Error()
	}
	return e.Message
}

// Unwrap classifies it.
func (e *NeedSignIn) Unwrap() error { return models.Errorf(models.Unauthenticated, "%s", e.Message) }

func loginLink(returnTo, draft string) string {
	if returnTo == "/" {
		returnTo = ""
	}
	return urls.With(LoginPath, "return", returnTo, "draft", draft)
}

// Issuer names the provider.
func (a *Auth) Issuer() string { return a.opts.Issuer }
