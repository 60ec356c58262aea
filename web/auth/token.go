package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

var encode = base64.RawURLEncoding

const secretSize = 32

func newSecret() []byte {
	b := make([]byte, secretSize)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

func newToken() string { return encode.EncodeToString(newSecret()) }

// wellFormed tells whether s can be a token of ours at all, before anything is hashed or asked for.
func wellFormed(s string) bool {
	b, err := encode.DecodeString(s)
	return err == nil && len(b) == secretSize
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func hashText(s string) string { return encode.EncodeToString(hash(s)) }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// csrfToken is bound to one session: knowing the token of another session helps nobody.
func csrfToken(secret []byte, sessionID string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("csrf " + sessionID))
	return encode.EncodeToString(mac.Sum(nil))
}
