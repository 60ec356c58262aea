package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// Keyring encrypts what the database keeps secret: AES-256-GCM under the first key. All keys decrypt, so that a key can
// be replaced without signing anybody out.
type Keyring struct{ keys []cipher.AEAD }

var errSealed = errors.New("open sealed value: no key fits")

// NewKeyring takes keys of 32 bytes, newest first.
func NewKeyring(keys [][]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("make keyring: no key given")
	}
	k := &Keyring{}
	for i, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("make keyring: key %d has %d bytes, not 32", i+1, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("make keyring: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("make keyring: %w", err)
		}
		k.keys = append(k.keys, aead)
	}
	return k, nil
}

// Seal encrypts. use names what the value is for; it opens only under the same name.
func (k *Keyring) Seal(plain []byte, use string) []byte {
	aead := k.keys[0]
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(nonce, nonce, plain, []byte(use))
}

// Open decrypts what Seal made under any of the keys.
func (k *Keyring) Open(sealed []byte, use string) ([]byte, error) {
	for _, aead := range k.keys {
		n := aead.NonceSize()
		if len(sealed) < n {
			return nil, errSealed
		}
		if plain, err := aead.Open(nil, sealed[:n], sealed[n:], []byte(use)); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}
