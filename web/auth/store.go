package auth

import (
	"context"
	"time"

	"slipway/models"
)

// SignInComponent is the system actor of what happens before anybody is known.
const SignInComponent = "sign-in"

// KeptAfterEnd is how long a session's row and cookie outlive its end, so that a form posted too late becomes a draft
// of the person who filled it in. The store deletes rows later than that.
const KeptAfterEnd = 24 * time.Hour

// Sessions is what sign-in needs of the store. Times given are wall time. Each method is one transaction; those that
// say so write their audit entry in it. Before anybody is known the actor is a System of SignInComponent.
type Sessions interface {
	// BeginSignIn keeps a sign-in under the hash of its state. Verifier arrives encrypted and Nonce hashed: both are
	// stored as they are. Rows past ExpiresAt may be deleted on the way.
	BeginSignIn(ctx context.Context, actor models.Actor, in models.SignIn) error
	// TakeSignIn deletes the sign-in and returns it, so that it works once. NotFound when there is none; an expired one
	// is returned as it stands, for the caller to refuse.
	TakeSignIn(ctx context.Context, actor models.Actor, stateHash []byte) (models.SignIn, error)
	// SignIn writes the person as the provider described them (found by issuer and subject; name, e-mail, groups and
	// GroupsSeenAt replaced), inserts the session for that person, ends the session with the token hash replaces (nil:
	// none) and audits "auth.signin". ID and PersonID are set by the store where empty.
	SignIn(ctx context.Context, actor models.Actor, p models.Person, s models.Session, replaces []byte) (models.Actor, error)
	// RefuseSignIn audits "auth.refused" with a reason that holds no secret.
	RefuseSignIn(ctx context.Context, actor models.Actor, reason string) error
	// Session finds a session, ended or not, by its token's hash, and its person with the roles and memberships of
	// this moment, in one query. NotFound when there is none.
	Session(ctx context.Context, actor models.Actor, tokenHash []byte) (models.Session, models.Actor, error)
	// TouchSession sets LastSeenAt, unless it is later already. Not audited.
	TouchSession(ctx context.Context, actor models.Actor, sessionID string, seen time.Time) error
	// EndSession sets EndedAt, once, and audits "auth.signout".
	EndSession(ctx context.Context, actor models.Actor, sessionID string, at time.Time) error
	// EndAtProvider ends the sessions that a logout token names: those with its session id, or all of its person when it names none.
	// Each token id counts once, until it expires: Conflict when it was used before. It audits "auth.provider_signout".
	EndAtProvider(ctx context.Context, actor models.Actor, out models.ProviderLogout, at time.Time) error
	// RefuseLogout audits "auth.logout_refused" with a reason that holds no secret.
	RefuseLogout(ctx context.Context, actor models.Actor, reason string) error
	// ClaimRecheck gives one caller, over all processes, the right to use a session's refresh token; Conflict when it is not due
	// (vouched for after due, or put off until after now), claimed by somebody else, or the session is over.
	ClaimRecheck(ctx context.Context, actor models.Actor, sessionID string, due, now time.Time, lease time.Duration) (models.Recheck, error)
	// SettleRecheck writes what came of it, with the groups of the person, and audits what changed or ended; Conflict when another
	// claim was made since.
	SettleRecheck(ctx context.Context, actor models.Actor, r models.Recheck, out models.RecheckOutcome) error
	// EndUnconfirmed ends a session that the provider has not vouched for in time, and audits it.
	EndUnconfirmed(ctx context.Context, actor models.Actor, sessionID string, at time.Time) error
	// SaveExpiredForm keeps a form for the person of an expired session: PersonID, Issuer and Subject are the session's.
	// It returns the saved form's id.
	SaveExpiredForm(ctx context.Context, actor models.Actor, f models.SavedForm) (string, error)
}
