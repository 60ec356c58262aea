package models

import (
	"strings"
	"time"
)

// CatalogScope is all that a catalogue token may: read what Backstage is told.
const CatalogScope = "catalog:read"

// CatalogComponent is the system actor of whoever reads the catalogue feed.
const CatalogComponent = "backstage"

// MaxCatalogTokens bounds how many tokens there are at a time.
const MaxCatalogTokens = 50

// CatalogToken lets Backstage read the catalogue feed. The token itself is shown once; the store keeps its hash.
type CatalogToken struct {
	ID        string
	Name      string // which Backstage it is for
	Scope     string
	CreatedBy string
	CreatedAt time.Time
	UsedAt    time.Time // at most a minute behind; zero: never
	RevokedBy string
	RevokedAt time.Time // zero: it is good
}

// Check says what is wrong with a token that is to be made.
func (t CatalogToken) Check() error {
	bad := map[string]string{}
	if msg := textField(t.Name, 1, 60, "Say which Backstage reads with it, for example production."); msg != "" {
		bad["name"] = msg
	} else if strings.ContainsAny(t.Name, "\r\n\t") {
		bad["name"] = "Keep it on one line."
	}
	return InvalidFields(bad)
}
