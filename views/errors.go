package views

import (
	"fmt"

	"slipway/views/ui"
	"slipway/views/urls"
)

// ErrorPage is what a person reads when a request of theirs was not done.
type ErrorPage struct {
	Status    int
	Message   string // models.Message(err); empty: the status speaks for itself
	RequestID string // to quote
	Path      string // what was asked for; a sign-in comes back to it
	SignedIn  bool   // decides which way out is offered
	SignIn    string // address that signs in and restores what was typed; empty: made from Path
	RetryIn   string // "30 s"; for 429 and 503
}

type errorWords struct{ title, text, url, word string }

var errorPages = map[int]errorWords{
	400: {"This request cannot be read", "Something in the address or the form is not as this page expects it.", urls.Home, "Go home"},
	401: {"Sign in again", "Your session has ended. What you typed is kept, and is there when you come back.", "", "Sign in"},
	403: {"That is not yours to do", "You may see this, but not do it.", urls.Home, "Go home"},
	404: {"There is nothing here", "It does not exist, or it belongs to a team you are not in.", urls.Home, "Go home"},
	405: {"That is not possible here", "This address answers to another kind of request.", urls.Home, "Go home"},
	409: {"It has changed in the meantime", "Somebody or something was faster. Look at it as it is now.", urls.Home, "Go home"},
	413: {"That is too much at once", "The form is larger than Slipway takes. Shorten the longest answer.", urls.Home, "Go home"},
	422: {"Some answers need a change", "Go back, and the form says which.", urls.Home, "Go home"},
	429: {"Too many at once", "Wait a moment, then do it again.", urls.Home, "Go home"},
	431: {"Your browser sent too much", "Delete the cookies of this site, then open the page again.", urls.Home, "Go home"},
	500: {"Something failed on our side", "It was recorded. Quote the request id to the platform team.", urls.Home, "Go home"},
	503: {"Slipway is not ready", "The database or a part of it does not answer. This page works again by itself; what was accepted is not lost.", urls.Home, "Go home"},
}

func (e ErrorPage) words() errorWords {
	w, ok := errorPages[e.Status]
	switch {
	case !ok && e.Status >= 500:
		w = errorPages[500]
	case !ok:
		w = errorPages[400]
	}
	if e.Status == 401 || !e.SignedIn && e.Status != 503 && e.Status != 500 {
		w.url, w.word = urls.SignInThen(e.Path), "Sign in"
	}
	if page := urls.PageOf(e.Path); e.SignedIn && page != urls.Home && (e.Status == 409 || e.Status == 403) {
		w.url, w.word = page, "Look at it as it is now"
	}
	if e.SignIn != "" {
		w.url = e.SignIn
	}
	if e.Message != "" {
		w.text = e.Message
	}
	return w
}

func (e ErrorPage) code() string { return fmt.Sprintf("Error %d", e.Status) }

// SignIn is the page before a session.
type SignIn struct {
	Next     string // path to come back to after signing in
	Provider string // host of the identity provider, so that a person knows where they are sent
	Problem  string // why a sign-in was refused; empty on a plain visit
	Request  string // request id to quote with the problem
}

// SignedOut goes on to the identity provider's own sign-out. The handler sends the same address in a Refresh header.
type SignedOut struct {
	Provider string // address at the provider; empty when it has none
}

// NoRole is what somebody reads who signed in but holds no role.
type NoRole struct {
	Name   string
	CSRF   string
	Groups []string // groups the provider sent; may be empty
	Access []Access // which groups give access
	Theme  ui.Theme
}

// Access is a group with what it opens.
type Access struct {
	Group string
	Gives string // "platform-admin", "may ask for a tenant", "owner of payments" (only what may be told)
}

// ErrorTitle is an error's headline.
func ErrorTitle(status int) string { return ErrorPage{Status: status}.words().title }
