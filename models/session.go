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
	EndedWhy   EndReason // who ended it; empty: its person, or a later sign-in in the same browser
	FreshAt    time.Time // when the provider asked for the password at a sign-in that demanded it; zero: it was not demanded

	NonceHash    string    // of the sign-in's nonce: a refreshed ID token has the same one or none
	RefreshToken []byte    // encrypted; only given at the sign-in, never read with the session
	Rechecks     bool      // there is a refresh token
	CheckedAt    time.Time // when the provider last vouched for the groups
	RecheckNext  time.Time // the provider is not asked again before; zero: at once when it is due
	FailingSince time.Time // the provider could not be asked since; zero: it vouches
}

// EndReason is why a session ended without its person's doing.
type EndReason string

// The reasons.
const (
	EndedAtProvider EndReason = "provider"    // signed out at the identity provider
	EndedRefused    EndReason = "refused"     // the provider no longer vouches for the person
	EndedUnsure     EndReason = "unconfirmed" // the provider has not answered for longer than ConfirmGrace
)

// Words tell the person why they have to sign in again.
func (r EndReason) Words() string {
	switch r {
	case EndedAtProvider:
		return "You were signed out at the identity provider, so your session here has ended, too. Sign in again to go on."
	case EndedRefused:
		return "The identity provider no longer confirms this sign-in, so your session has ended. Sign in again to go on."
	case EndedUnsure:
		return "The identity provider could not confirm your groups for over an hour, so your session has ended. Sign in again to go on."
	}
	return "Your session has ended. Sign in again to go on."
}

// ConfirmGrace is how long a session goes on while the provider does not vouch for it again, beyond the interval at which it is asked.
const ConfirmGrace = time.Hour

// Recheck is the right to use a session's refresh token, once, until its lease lapses.
type Recheck struct {
	SessionID    string
	Fence        int64
	Issuer       string
	Subject      string
	PersonID     string
	NonceHash    string
	RefreshToken []byte // encrypted
	Doubt        bool   // it was used before and no answer was kept: the provider may have replaced it since
}

// RecheckOutcome is what came of a recheck.
type RecheckOutcome struct {
	At           time.Time // wall time
	Vouched      bool      // Groups are those of now
	Groups       []string
	RefreshToken []byte    // encrypted, in the place of the one that was used; nil: that one stays
	IDToken      []byte    // encrypted; nil: the one before stays
	Ended        EndReason // the session is over
	Reason       string    // why it is over, for the audit log; holds no secret
	Next         time.Time // the provider was not to be reached: not before
	Doubt        bool      // the token may be used up, nobody knows
	Lost         bool      // it is used up, and its successor was never received
}

// KeepsForms tells whether what such a session posts too late is kept for its person: not when somebody signed out on purpose.
func (r EndReason) KeepsForms() bool { return r == EndedRefused || r == EndedUnsure }

// ProviderLogout is the identity provider's word that a session ended there, or all sessions of a person.
type ProviderLogout struct {
	Issuer  string
	Subject string // empty: SID alone says which
	SID     string // empty: all sessions of Subject
	TokenID string
	Until   time.Time // when the token can no longer be used, in wall time
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
