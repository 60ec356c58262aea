package ui

import "strings"

// Frame is what surrounds the content of what other sites show in a frame: nothing but what it takes to fit in there.
type Frame struct {
	Title   string
	Theme   Theme    // from the address; the site around it may change it
	Origins []string // sites that are listened to and told the height
	Waits   bool     // somebody has to connect first
}

func (f Frame) parents() string { return strings.Join(f.Origins, " ") }
