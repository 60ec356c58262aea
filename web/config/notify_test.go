package config

import (
	"slices"
	"strings"
	"testing"
)

func TestSMTP(t *testing.T) {
	for text, want := range map[string]MailServer{
		"":                        {},
		"smtp://mail.example.com": {Host: "mail.example.com", Port: 587, StartTLS: "required"},
		"smtp://mail.example.com:25?starttls=optional": {Host: "mail.example.com", Port: 25, StartTLS: "optional"},
		"smtps://u:p%40ss@mail.example.com":            {Host: "mail.example.com", Port: 465, SSL: true, StartTLS: "required", User: "u", Password: "p@ss"},
		"smtp://127.0.0.1:2525":                        {Host: "127.0.0.1", Port: 2525, StartTLS: "off"},
		"smtp://u:p@localhost:2525?starttls=off":       {Host: "localhost", Port: 2525, StartTLS: "off", User: "u", Password: "p"},
	} {
		n := Notify{SMTPURL: Secret(text)}
		if got, err := n.SMTP(); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

// TestMailPasswordIsRedacted: the log must know the password alone, as a server's answer may quote it.
func TestMailPasswordIsRedacted(t *testing.T) {
	c := Config{Notify: Notify{SMTPURL: "smtps://u:p%40ss-word@mail.example.com"}}
	got := c.Secrets()
	for _, want := range []string{"smtps://u:p%40ss-word@mail.example.com", "p@ss-word", "p%40ss-word"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	var b strings.Builder
	if err := c.Show(&b); err != nil || strings.Contains(b.String(), "ss-word") {
		t.Errorf("shown: %v %s", err, b.String())
	}
}
