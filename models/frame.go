package models

import "time"

const (
	// FrameLife is the longest that a frame of another site shows what its person may see, without asking again.
	FrameLife = time.Hour
	// FrameCodeLife is how long the code is good that takes a signed-in person into a frame.
	FrameCodeLife = 30 * time.Second
)

// FrameCode takes a signed-in person into a frame, once. Frame and window know it; the store keeps hashes.
type FrameCode struct {
	CodeHash  []byte
	NonceHash []byte // of the frame that asked for it
	SessionID string
	ExpiresAt time.Time // wall time
}

// FrameSession is what a frame may read with: no more than the session it came from, for no longer, and nothing but reading.
type FrameSession struct {
	Session   Session
	ExpiresAt time.Time // wall time
}
