package models

import "time"

// FreshSignIn is how long a sign-in counts as fresh: what needs one is done within it.
const FreshSignIn = 5 * time.Minute

// Session is a signed-in browser. The token itself is only in the cookie; the store keeps its hash.
type Session struct {
	ID         string
	TokenHash  []byte
	PersonID   string
	Issuer     string
	Subject    string
	SID        string // the provider's session id, for back-channel logout
	Groups     []string
	CSRFSecret []byte
	IDToken    []byte // encrypted; the hint for signing out at the provider
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time // absolute end
	EndedAt    time.Time // signed out
	FreshAt    time.Time // when the provider asked for the password at a sign-in that demanded it; zero: it was not demanded
}

// SignIn is one sign-in on its way through the provider: one use, ten minutes, bound to the browser that began it.
type SignIn struct {
	StateHash   []byte
	Nonce       string
	Verifier    string // PKCE; encrypted at rest
	BrowserHash []byte
	ReturnTo    string // a local path
	Draft       string // saved form to restore
	Fresh       bool   // the provider must ask for the password, whoever is signed in there
	ExpiresAt   time.Time
}
