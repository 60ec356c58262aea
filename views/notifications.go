package views

import (
	"strings"

	"slipway/models"
	"slipway/views/ui"
)

// Notifications is what the reader is told, and what they were sent.
type Notifications struct {
	CSRF     string
	Key      string
	Email    string // empty: the provider gave no verified one
	MailOff  bool   // no mail server is configured
	Choices  []models.EventChoice
	Off      map[models.EventKind]bool
	Rows     []NoticeRow
	SeesMore bool // may see the whole delivery log
	Saved    bool // the choices were just saved
	Sent     bool // a test was just asked for
}

// NoticeRow is one message with what became of it.
type NoticeRow struct {
	ID        string
	State     ui.State
	Subject   string
	Kind      string
	RequestID string
	To        string // recipient, in the log of all
	Channel   string
	Attempts  int
	Error     string
	At        ui.When
	Next      ui.When // of one that is tried again; zero: is not
	Again     bool    // may be sent again by the reader
}

// NoticeState is how the state of a message looks.
func NoticeState(s models.NotificationState, attempts int) ui.State {
	switch s {
	case models.NoteSent:
		return ui.State{Label: "Sent", Tone: ui.OK}
	case models.NoteFailed:
		return ui.State{Label: "Given up", Tone: ui.Fail}
	case models.NoteSuperseded:
		return ui.State{Label: "Superseded", Tone: ui.Idle}
	case models.NoteNotConfigured:
		return ui.State{Label: "Not configured", Tone: ui.Warn}
	case models.NotePending:
		if attempts > 1 {
			return ui.State{Label: "Tried again", Tone: ui.Warn}
		}
		return ui.State{Label: "On its way", Tone: ui.Run}
	}
	return ui.State{Label: string(s), Tone: ui.Idle}
}

// EventWords is a kind of event as somebody reads it who is not concerned.
func EventWords(k models.EventKind) string {
	if words, ok := hookWords[k]; ok {
		return words
	}
	return "Tests"
}

// EventTitle is a kind of event as those read it whom it concerns.
func EventTitle(k models.EventKind) string {
	for _, c := range models.EventChoices() {
		if c.Kind == k {
			return c.Title
		}
	}
	return "Test"
}

func (d Notifications) boxes() ui.Choices {
	c := ui.Choices{ID: "kinds", Name: "kinds", Label: "Send me an e-mail when"}
	for _, k := range d.Choices {
		if !k.Forced {
			c.Choices = append(c.Choices, ui.Choice{Value: string(k.Kind), Label: k.Title, Text: k.Words, Checked: !d.Off[k.Kind]})
		}
	}
	return c
}

// about is what a message was of, to whom it went, and how often it was tried.
func (r NoticeRow) about() string {
	words := r.Kind
	if r.To != "" {
		words += " · " + r.Channel + " to " + r.To
	}
	if r.Attempts > 1 {
		words += " · " + ui.Plural(r.Attempts, "try", "tries")
	}
	return words
}

// always are the events that cannot be switched off, in words.
func (d Notifications) always() string {
	var words []string
	for _, k := range d.Choices {
		if k.Forced {
			words = append(words, k.Title+": "+k.Words)
		}
	}
	return strings.Join(words, " ")
}

func (d Notifications) facts() []ui.Fact {
	if d.Email == "" {
		return nil
	}
	return []ui.Fact{{Label: "E-mail goes to", Value: d.Email}}
}
