package models

// A sealed value begins with a version byte and the id of the key that sealed it: SealedTag bytes in all.
const (
	SealedVersion = 1
	SealedTag     = 9
)

// What values are sealed for: a value opens only under its own name.
const (
	SealIDToken      = "id token"
	SealRefreshToken = "refresh token"
)

// KeyUse is how many values of the database each key has sealed.
type KeyUse struct {
	Keys    []int // by the keys' order in SLIPWAY_SECRET_KEYS
	Older   int   // by a release that did not write down the key
	Foreign int   // by a key that is not given
	SignIns int   // sign-ins on their way, which end within ten minutes; whatever key they are under
}
