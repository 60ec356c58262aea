package ui

import (
	"fmt"
	"net/url"
)

// Sec heads a section: id for its aria-labelledby, title, and a count or word beside it.
type Sec struct{ ID, Title, N string }

// Pair is a label with its value.
type Pair struct{ Label, Value string }

// Fact is one of the short facts under a page's title. Label and Text are muted, Value stands out; When replaces Value.
type Fact struct {
	Label string
	Value string
	Text  string
	URL   string // makes a link of Value
	Code  bool   // Value is a hash or id
	When  When
}

func (f Fact) empty() bool { return f.Value == "" && f.Text == "" && f.When.At.IsZero() }

// Empty is what a list without rows says: what belongs here, why it is empty, what to do first.
type Empty struct {
	Title string
	Text  string
	URL   string // optional first action
	Word  string
	Icon  Icon
}

// Post is a button that posts. With Later set it is not possible now, and Later says when it will be.
type Post struct {
	URL    string
	Label  string
	Of     string // what it is about, for who hears one such button after another; may be empty
	Icon   Icon
	Kind   Button
	Small  bool
	CSRF   string
	Key    string // idempotency key; may be empty where the state alone protects
	Fields []Pair // further hidden fields
	Later  string
}

// Seg is a piece of a bar, in percent of its width. Planned pieces are hatched, real ones solid.
type Seg struct {
	From, Width float64
	Tone        string // 1 for the plain series, or a tone's name
	Planned     bool
}

// Bar is a horizontal bar. Mark draws a line, for example at the budget; zero draws none.
type Bar struct {
	Label string // read out in its place
	Segs  []Seg
	Mark  float64
}

func (s Seg) fill() string {
	if s.Planned {
		return "url(#h-" + s.Tone + ")"
	}
	return ""
}

func (s Seg) class() string {
	if s.Planned {
		return ""
	}
	return "f-" + s.Tone
}

// pct writes a share of the width as an SVG attribute, kept inside the picture.
func pct(v float64) string { return fmt.Sprintf("%.1f%%", min(max(v, 0), 100)) }

// Callout says what happened in words, why with the numbers, what can be done (its children), who owns it and the ids to quote.
type Callout struct {
	ID    string
	Tone  Tone
	Title string
	Text  string
	Next  string // what to do, in words
	Facts []Pair // owner, AWS error code, request id
	Focus bool   // gets the focus when the page opens
}

// Entry is one line of an activity list.
type Entry struct {
	Icon Icon
	Tone Tone
	Who  string
	Text string
	URL  string // optional address of what it is about
	Word string // words of that link
	When When
}

// Out is an address outside of Slipway. What is no web address, or not one at all, is shown as text: outputs can hold anything.
type Out struct{ URL, Word string }

func (o Out) safe() bool {
	u, err := url.Parse(o.URL)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func (o Out) word() string {
	if o.Word == "" {
		return o.URL
	}
	return o.Word
}

// Command is what a reader pastes into a terminal.
type Command struct {
	Label string // what it does
	Lines []string
}

// Action is one thing that can be done to an object. With Why set it is not possible now, and Why says what stands against it.
type Action struct {
	ID    string // unique on the page
	Label string
	Icon  Icon
	Text  string // what it does, in a sentence
	URL   string
	Post  bool   // asked for at once, after one more look; otherwise the address is a form
	Sure  string // with Post: what will happen, said before the last button
	Why   string
	Bad   bool // takes something away
	CSRF  string
	Key   string
}

func (a Action) kind() string {
	if a.Bad {
		return string(Danger)
	}
	return string(Quiet)
}

func (a Action) words() string {
	if a.Why != "" {
		return a.Why
	}
	return a.Text
}
