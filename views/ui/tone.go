// Package ui holds the parts that pages are built of: one struct in, HTML out. It knows no store, no request and no clock.
package ui

// Tone is what a state means for the reader. There are six, and Swap for a replacement.
type Tone string

// The tones. The accent colour is none of them: it only marks where the reader is.
const (
	OK   Tone = "ok"
	Run  Tone = "run"
	Wait Tone = "wait"
	Warn Tone = "warn"
	Fail Tone = "fail"
	Idle Tone = "idle"
	Swap Tone = "swap"
)

var toneIcons = map[Tone]Icon{
	OK: IconCircleCheck, Run: IconLoaderCircle, Wait: IconStamp, Warn: IconTriangleWarn, Fail: IconCircleX, Idle: IconCircleDashed, Swap: IconRefreshCw,
}

// State is a word with its tone. Icon is the tone's own unless set.
type State struct {
	Label string
	Tone  Tone
	Icon  Icon
}

func (s State) icon() Icon {
	if s.Icon != "" {
		return s.Icon
	}
	return toneIcons[s.Tone]
}

// Mark is the icon that a state is shown by.
func (s State) Mark() Icon { return s.icon() }

// Class is the tone as a style knows it.
func (t Tone) Class() string { return t.class() }

func (t Tone) class() string { return "is-" + string(t) }

func (t Tone) fill() string { return "f-" + string(t) }

// Button says how loud a button is.
type Button string

// One primary button per view at most; a danger button takes something away.
const (
	Primary Button = "btn-primary"
	Quiet   Button = "btn-quiet"
	Danger  Button = "btn-danger"
)
