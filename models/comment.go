package models

import "time"

// Comment is one contribution to a request's discussion.
type Comment struct {
	ID         string
	RequestID  string
	PersonID   string
	PersonName string
	Body       string
	At         time.Time
}

// SavedForm is a draft: fields as typed, kept for its person until restored, submitted or 30 days old.
type SavedForm struct {
	ID       string
	PersonID string
	Issuer   string // restored only for the same issuer and subject
	Subject  string
	Path     string              // the form's address, for example /tenants/new
	Fields   map[string][]string // as typed; never a secret
	Expired  bool                // saved because the session had ended
	SavedAt  time.Time
}
