package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// Freeze gives the content's canonical form (RFC 8785) and its SHA-256 in lower case hex: what an approval is bound to.
func (c PlanContent) Freeze() (canonical []byte, hash string, err error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, "", fmt.Errorf("encode plan: %w", err)
	}
	canonical, err = jcs.Transform(raw)
	if err != nil {
		return nil, "", fmt.Errorf("canonicalize plan: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return canonical, hex.EncodeToString(sum[:]), nil
}

// SamePriceAside tells whether two contents differ in nothing but their cost lines.
func (c PlanContent) SamePriceAside(other PlanContent) (bool, error) {
	c.Cost, other.Cost = nil, nil
	_, mine, err := c.Freeze()
	if err != nil {
		return false, err
	}
	_, theirs, err := other.Freeze()
	return mine == theirs, err
}
