package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// WatchLook is what the work on a pipeline's executions finds when it is woken.
type WatchLook struct {
	Pipeline Pipeline
	Order    *PipelineOrder // the oldest that is open: done before anything is read
}

// WatchRound is the state of that work between its calls.
type WatchRound struct {
	Cursor json.RawMessage `json:"cursor,omitempty"`
}

// PromotionLook is what the work on a promotion finds when it is woken, and what is to be asked outside before it goes on; at most one of
// Scan and Answer is set.
type PromotionLook struct {
	Promotion  Promotion
	Pipeline   Pipeline
	Service    Service
	ExternalID string // of its execution
	Scan       bool   // ECR is to be asked what it found in the image
	Answer     bool   // CodePipeline is to be told what became of it
}

// PromotionFound is what was answered outside; zero when nothing was asked.
type PromotionFound struct {
	Scan   *ImageScan
	Answer AnswerState
	Words  string // with an answer: what CodePipeline was told, or why it was not
}

// PromotionPauses are how long the work on a promotion sleeps when nothing wakes it.
type PromotionPauses struct {
	Scan  time.Duration // while ECR is not done with the image
	Other time.Duration
}

// How old what ECR said of an image may be before it is asked again for a promotion, in wall time. Findings of an image change while it
// stays the same.
const (
	scanLife      = time.Hour
	scanTryAgain  = 5 * time.Minute  // of one that ECR could not make
	scanWaitsOnly = 10 * time.Second // of one that it has not ended
)

// Stale tells whether ECR is to be asked again; a scan that nobody asked for yet is.
func (s *ImageScan) Stale(wall time.Time) bool {
	if s == nil {
		return true
	}
	age := wall.Sub(s.ReadAt)
	switch s.State {
	case ScanComplete:
		return age >= scanLife
	case ScanWaiting, ScanUnreadable, "":
		return age >= scanWaitsOnly
	}
	return age >= scanTryAgain
}

// Approves tells whether CodePipeline is told that the promotion is approved: only when the image runs there.
func (p Promotion) Approves() bool { return p.State == PromotionSucceeded }

// Begun tells whether the request of a promotion has begun to change its environment, so that nothing takes it back any more.
func (p Promotion) Begun() bool {
	return p.RequestID != "" && slices.Contains([]RequestState{Running, Stopping, Undoing}, p.RequestState)
}

// Words say what is stopped, until when, by whom and why.
func (f StageFreeze) Words() string {
	return fmt.Sprintf("%s has stopped promotions to %s until %s: %s", f.By, f.Environment, f.Until.UTC().Format("2 January 2006, 15:04 MST"), sentence(f.Reason))
}

// Check says what is wrong with a new freeze of a stage, by the fields of its form.
func (f StageFreeze) Check(now time.Time) error {
	return Freeze{Reason: f.Reason, Until: f.Until}.Check(now)
}

// Check says what is wrong with a new waiver, by the fields of its form.
func (w Waiver) Check(now time.Time) error {
	err := Freeze{Reason: w.Reason, Until: w.Until}.Check(now)
	fields := Fields(err)
	if fields == nil {
		fields = map[string]string{}
	}
	if fields["until"] != "" && w.Until.Sub(now) > MaxWaiver {
		fields["until"] = "At most 30 days ahead. Waive it again then if it must last longer."
	} else if fields["until"] != "" && w.Until.IsZero() {
		fields["until"] = "Say until when it holds, as in 2026-01-31T18:00 (UTC)."
	}
	if _, ok := GateOf(w.Gate); !ok {
		fields["gate"] = "There is no such gate."
	}
	if w.Digest != "" && !ValidDigest(w.Digest) {
		fields["digest"] = "Name the image by its digest: sha256: and 64 hexadecimal digits, or leave it out for whatever image."
	}
	return InvalidFields(fields)
}
