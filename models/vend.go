package models

import "time"

// CreationSlot is an account's claim on one of the few creations that AWS Organizations may have under way at a time.
// It is held from before CreateAccount until AWS has ended it, whatever becomes of the run.
type CreationSlot struct {
	AccountID string
	RunID     string
	AskedAt   time.Time // place in the queue
	TakenAt   time.Time // zero while waiting
	FreedAt   time.Time // zero while waiting or held
	Outcome   string    // created, refused, failed or lost; empty while not freed
	Failure   *Failure  // why no account came of it
}

// Open tells whether the slot is waited for or held.
func (s CreationSlot) Open() bool { return !s.AskedAt.IsZero() && s.FreedAt.IsZero() }

// ChangeSet is the owner row of a change set that Slipway made, so that a sweeper can delete what no plan needs any more.
type ChangeSet struct {
	ID        string
	RequestID string
	Account   string // 12 digits
	Region    string
	StackName string
	Name      string
	Type      string // CREATE or UPDATE
	MadeAt    time.Time
	EndedAt   time.Time
	Outcome   string // executed, deleted, failed
}
