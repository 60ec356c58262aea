package models

import (
	"crypto/md5" // S3 lists the MD5 of what it holds; nothing is kept secret or signed by it
	"encoding/hex"
	"fmt"
	"time"
)

// Anchor is a head of the audit chain as somebody kept it elsewhere.
type Anchor struct {
	Seq     int64
	Sum     string    // of the kept text, see AuditHead.Sum
	Version string    // of the object that holds it; empty: it was given by hand
	At      time.Time // when it was kept; zero: not known
}

// AnchorText is what is kept of a head.
func (h AuditHead) AnchorText() string { return h.String() + "\n" }

// Sum is a digest of the kept text, as S3 lists it: who has the list has compared every anchor without reading one.
func (h AuditHead) Sum() string {
	sum := md5.Sum([]byte(h.AnchorText()))
	return hex.EncodeToString(sum[:])
}

// Anchor is the head as an anchor that was given by hand.
func (h AuditHead) Anchor() Anchor { return Anchor{Seq: h.Seq, Sum: h.Sum()} }

// Doubt is an anchor that is not what the chain has at its number today.
type Doubt struct {
	Anchor Anchor
	Chain  AuditHead // of today, at the anchor's number; zero: the chain does not reach so far
}

// String says what the doubt means once it is sure.
func (d Doubt) String() string {
	kept := ""
	if !d.Anchor.At.IsZero() {
		kept = " of " + d.Anchor.At.UTC().Format(time.RFC3339)
	}
	if d.Chain.Seq == 0 {
		return fmt.Sprintf("The chain ends before entry %d, but it was there when the anchor%s was kept: its tail was cut off.", d.Anchor.Seq, kept)
	}
	return fmt.Sprintf("Entry %d has another hash than the anchor%s: the chain up to it was rewritten.", d.Anchor.Seq, kept)
}
