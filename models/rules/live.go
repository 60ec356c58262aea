package rules

import (
	"sync"
	"time"

	"slipway/models"
)

// Live is the rules file in force. A file that does not compile never replaces the last good one.
type Live struct {
	mu     sync.RWMutex
	set    *Set
	status Status
}

// Status is what the rules page shows of the file in force and of the last attempt to replace it.
type Status struct {
	Rules    []Rule
	Digest   string
	Origin   string    // file name, or "shipped with Slipway"
	LoadedAt time.Time // product time
	TriedAt  time.Time // product time of the last attempt
	Error    string    // why the last attempt was refused; empty when it was taken
}

// NewLive puts a compiled file in force.
func NewLive(set *Set, origin string, at time.Time) *Live {
	return &Live{set: set, status: status(set, origin, at)}
}

func status(set *Set, origin string, at time.Time) Status {
	return Status{Rules: set.Rules(), Digest: set.Digest(), Origin: origin, LoadedAt: at, TriedAt: at}
}

// Replace puts another file in force when it compiles; otherwise the old one stays, and Status says why.
func (l *Live) Replace(src []byte, origin string, at time.Time) error {
	set, err := Load(src)
	if err != nil {
		l.Refuse(err, at)
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set, l.status = set, status(set, origin, at)
	return nil
}

// Refuse records that the file could not even be read.
func (l *Live) Refuse(err error, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Error, l.status.TriedAt = err.Error(), at
}

// Evaluate judges a plan by the file in force.
func (l *Live) Evaluate(f models.RuleFacts) models.Verdict {
	l.mu.RLock()
	set := l.set
	l.mu.RUnlock()
	return set.Evaluate(f)
}

// Status reads what is in force.
func (l *Live) Status() Status {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.status
}
