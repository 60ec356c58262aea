package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"slipway/models"
)

// Keyring encrypts what the database keeps secret: AES-256-GCM under the first key. All keys decrypt, so that a key can
// be replaced without signing anybody out. A sealed value begins with the id of its key, so that it can be told when a key
// is no longer needed; values of older releases have none, and every key is tried.
type Keyring struct{ keys []sealingKey }

type sealingKey struct {
	tag  []byte // what values sealed with it begin with
	aead cipher.AEAD
}

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
		id := sha256.Sum256(append([]byte("slipway key id "), key...))
		k.keys = append(k.keys, sealingKey{append([]byte{models.SealedVersion}, id[:models.SealedTag-1]...), aead})
	}
	return k, nil
}

// Seal encrypts. use names what the value is for; it opens only under the same name.
func (k *Keyring) Seal(plain []byte, use string) []byte {
	first := k.keys[0]
	nonce := make([]byte, first.aead.NonceSize())
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return first.aead.Seal(append(bytes.Clone(first.tag), nonce...), nonce, plain, []byte(use))
}

// Open decrypts what Seal made under any of the keys.
func (k *Keyring) Open(sealed []byte, use string) ([]byte, error) {
	for _, key := range k.keys {
		if rest, ok := bytes.CutPrefix(sealed, key.tag); ok {
			if plain, err := key.open(rest, use); err == nil {
				return plain, nil
			}
		}
	}
	for _, key := range k.keys {
		if plain, err := key.open(sealed, use); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}

func (key sealingKey) open(sealed []byte, use string) ([]byte, error) {
	n := key.aead.NonceSize()
	if len(sealed) < n {
		return nil, errSealed
	}
	return key.aead.Open(nil, sealed[:n], sealed[n:], []byte(use))
}

// Tags are what values begin with that are sealed by each key, the first key's first.
func (k *Keyring) Tags() [][]byte {
	var tags [][]byte
	for _, key := range k.keys {
		tags = append(tags, bytes.Clone(key.tag))
	}
	return tags
}
