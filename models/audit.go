package models

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// AuditEntry is who did what to what, when, from where, with before and after. Append-only, hash-chained by the sealer.
type AuditEntry struct {
	ID         string
	At         time.Time // product time
	ActorID    string    // person id, or empty for a component
	Actor      string    // name at the time
	Role       string
	Action     string // verb, dotted: request.submit, run.start, auth.signin, access.denied
	ObjectType string
	ObjectID   string
	ObjectName string
	TenantID   string
	RequestID  string // HTTP request id or run id
	Address    string
	Before     json.RawMessage // secrets masked; null when there is none
	After      json.RawMessage
	Seq        int64  // gap-free number given by the sealer; 0 while unsealed
	Hash       []byte // SHA-256 over previous hash and the entry's RFC 8785 form
}

// AuditHead is the newest sealed point of the chain; kept elsewhere as an anchor.
type AuditHead struct {
	Seq  int64
	Hash []byte
	At   time.Time
}

// AuditReport is what verifying the chain found.
type AuditReport struct {
	Sealed      int64
	Head        AuditHead
	BrokenAt    int64  // first sequence number that does not verify; 0 when none
	Broken      string // what is wrong there
	Gap         int64  // first missing sequence number; 0 when none
	Unsealed    int64
	UnsealedAge time.Duration
	Anchors     int     // how many were compared
	Doubts      []Doubt // anchors that do not hold, in no order
}

// OK tells whether the chain verifies.
func (r AuditReport) OK() bool { return r.BrokenAt == 0 && r.Gap == 0 && len(r.Doubts) == 0 }

// ParseAnchor reads "seq:hash" as the log and the anchor bucket keep it.
func ParseAnchor(s string) (AuditHead, error) {
	number, sum, _ := strings.Cut(strings.TrimSpace(s), ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 1 {
		return AuditHead{}, Errorf(Invalid, "An anchor is a sequence number, a colon and a hash; %q has no such number.", number)
	}
	hash, err := hex.DecodeString(sum)
	if err != nil || len(hash) != 32 {
		return AuditHead{}, Errorf(Invalid, "An anchor ends with 64 hexadecimal digits.")
	}
	return AuditHead{Seq: seq, Hash: hash}, nil
}

// String is the head as an anchor: seq:hash.
func (h AuditHead) String() string {
	return strconv.FormatInt(h.Seq, 10) + ":" + hex.EncodeToString(h.Hash)
}
