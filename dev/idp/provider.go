// Package idp is an OpenID provider for development and tests: real protocol and signatures, made-up people. Its people
// and its signing key outlive a restart; what was signed in half way does not.
package idp

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// Person is somebody who can sign in; the password equals the name.
type Person struct {
	Name     string // user name
	FullName string
	Groups   []string

	disabled bool
}

func (p Person) subject() string { return "demo-" + p.Name }
func (p Person) email() string   { return p.Name + "@example.com" }

// Client is one relying party; an empty Secret makes it a public one. Everybody uses PKCE.
type Client struct {
	ID, Secret  string
	Also        []string // secrets that are accepted, too, while one is being replaced
	Redirects   []string
	SignedOut   []string // where a sign-out may go on to; * stands for one part of the path
	Backchannel string   // where it is told of sign-outs; empty: nowhere
}

// Config describes a provider.
type Config struct {
	Issuer     string // the handler answers below its path
	KeyFile    string // signing key, made at first; empty: one that lives as long as the process
	Stylesheet string // address of the product's styles
	People     []Person
	Clients    []Client
	Logger     *slog.Logger
	Told       func(clientID string, err error) // called after a client was told of a sign-out; may be nil
}

// Provider answers below the issuer's path.
type Provider struct {
	http.Handler
	store *storage
}

// SetGroups changes a person's groups: the next refresh or sign-in shows them.
func (p *Provider) SetGroups(name string, groups ...string) {
	p.store.change(name, func(person *Person) { person.Groups = groups })
}

// Disable makes refresh tokens and passwords of a person worthless.
func (p *Provider) Disable(name string) {
	p.store.change(name, func(person *Person) { person.disabled = true })
}

// SignOut ends what a person has here, everywhere, and tells the clients.
func (p *Provider) SignOut(name string) { p.store.signOut(Person{Name: name}.subject(), "") }

// Demo are the people of the demo world.
func Demo() []Person {
	return []Person{
		{Name: "admin", FullName: "Mara Lindqvist", Groups: []string{"platform-admins"}},
		{Name: "approver", FullName: "Tomás Ferreira", Groups: []string{"platform-admins"}},
		{Name: "auditor", FullName: "Priya Raman", Groups: []string{"auditors"}},
		{Name: "owner", FullName: "Jonas Weber", Groups: []string{"payments-owners", "engineers"}},
		{Name: "developer", FullName: "Aiko Tanaka", Groups: []string{"payments-developers", "engineers"}},
		{Name: "viewer", FullName: "Sam Okafor", Groups: []string{"payments-viewers", "engineers"}},
		{Name: "outsider", FullName: "Lea Moreau", Groups: []string{"storefront-owners", "engineers"}},
		{Name: "nobody", FullName: "Nico Brandt"},
	}
}

// Slipway is the client a Slipway at publicURL uses.
func Slipway(publicURL, secret string) Client {
	return Client{ID: "slipway", Secret: secret, Redirects: []string{publicURL + "/auth/callback"}, SignedOut: []string{publicURL, publicURL + "/*", publicURL + "/*/*"},
		Backchannel: publicURL + "/auth/backchannel-logout"}
}

// New returns the provider.
func New(cfg Config) (*Provider, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil || issuer.Host == "" {
		return nil, fmt.Errorf("issuer %q is not an address", cfg.Issuer)
	}
	if len(cfg.People) == 0 || len(cfg.Clients) == 0 {
		return nil, errors.New("an identity provider needs people and clients")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	key, err := signingKey(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	cfg.People = slices.Clone(cfg.People)
	store := newStorage(cfg, key)
	settings := &op.Config{
		CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true, BackChannelLogoutSupported: true, BackChannelLogoutSessionSupported: true,
		DefaultLogoutRedirectURI: cfg.Issuer + "/signed-out",
		SupportedScopes:          []string{"openid", "profile", "email", "groups", "offline_access"},
		SupportedClaims:          append(slices.Clone(op.DefaultSupportedClaims), "groups", "sid"),
	}
	if _, err := rand.Read(settings.CryptoKey[:]); err != nil { // of opaque access tokens: they need not outlive us
		return nil, err
	}
	provider, err := op.NewProvider(settings, store, op.StaticIssuer(cfg.Issuer), op.WithAllowInsecure(), op.WithLogger(cfg.Logger))
	if err != nil {
		return nil, fmt.Errorf("set up the identity provider: %w", err)
	}
	p := &pages{store: store, cfg: cfg, path: strings.TrimSuffix(issuer.Path, "/"), callback: op.AuthCallbackURL(provider)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", p.form)
	mux.Handle("POST /login", op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(p.signIn))
	mux.HandleFunc("GET /signed-out", p.signedOut)
	mux.Handle("/", provider)
	return &Provider{Handler: http.StripPrefix(p.path, mux), store: store}, nil
}

// Lifetimes of what the provider hands out.
const (
	requestLife = 15 * time.Minute // a person may look up their password
	tokenLife   = 10 * time.Minute
	refreshLife = 12 * time.Hour
)
