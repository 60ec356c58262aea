package models

import "github.com/google/uuid"

// NewID makes an opaque identifier. Version 7 keeps index inserts together; nobody may read anything from it.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ValidID tells whether s has the form of an identifier, so that a bad one is answered as missing without a query.
func ValidID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

// DerivedID makes the identifier of something that comes with another thing: the same one each time it is asked for.
func DerivedID(of, what string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(of+"/"+what)).String()
}
