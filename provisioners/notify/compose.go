package notify

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/models"
)

const (
	longestSubject = 180
	longestFact    = 500
)

// message is what is said, whatever the channel.
type message struct {
	id      string
	host    string // of the public address, for message ids
	to      string
	toName  string
	kind    models.EventKind
	subject string
	words   string
	facts   []models.Fact
	link    string
	choices string // page where the reader chooses what they are told
}

func (c *Courier) compose(d models.Delivery) message {
	m := message{id: d.ID, host: "slipway.invalid", to: d.To, toName: oneLine(d.ToName, 100), kind: d.Event.Kind, subject: oneLine(d.Event.Subject, longestSubject),
		words: plain(d.Event.Words), link: c.PublicURL + c.Link(d), choices: c.PublicURL + "/notifications"}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		m.host = u.Hostname()
	}
	for _, f := range d.Facts {
		m.facts = append(m.facts, models.Fact{Label: f.Label, Value: oneLine(f.Value, longestFact)})
	}
	return m
}

// oneLine is what a person typed as it may stand in a header: one line, without characters that control or hide anything.
func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		if unicode.Is(unicode.Cf, r) || r == utf8.RuneError { // bidirectional marks could turn the rest of a line around
			return -1
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return s
}

// plain is a text of several lines without control characters.
func plain(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = oneLine(l, 4000)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// text is the message as plain text.
func (m message) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", m.subject)
	if m.words != "" {
		fmt.Fprintf(&b, "%s\n\n", m.words)
	}
	for _, f := range m.facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Label, f.Value)
	}
	fmt.Fprintf(&b, "\n%s\n\n-- \nChoose what Slipway tells you: %s\n", m.link, m.choices)
	return b.String()
}

var htmlMail = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="en"><body style="font-family:sans-serif;line-height:1.5;color:#1b1b1f">
<h1 style="font-size:1.2em">{{.Subject}}</h1>
{{range .Words}}<p>{{.}}</p>
{{end}}{{if .Facts}}<table cellpadding="4" style="border-collapse:collapse">{{range .Facts}}
<tr><th align="left" valign="top">{{.Label}}</th><td>{{.Value}}</td></tr>{{end}}
</table>{{end}}
<p><a href="{{.Link}}">Open it in Slipway</a></p>
<p style="font-size:.85em;color:#5b5b66"><a href="{{.Choices}}">Choose what Slipway tells you</a></p>
</body></html>
`))

func (m message) html() (string, error) {
	var b bytes.Buffer
	err := htmlMail.Execute(&b, map[string]any{"Subject": m.subject, "Words": strings.Split(m.words, "\n"), "Facts": m.facts, "Link": m.link, "Choices": m.choices})
	return b.String(), err
}
