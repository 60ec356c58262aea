// Package mail catches on a laptop what Slipway would send: e-mail by SMTP and webhooks by HTTP, both on loopback, kept in memory.
package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"
)

const (
	kept        = 500 // of the newest, by all kinds together
	mostMessage = 1 << 20
)

// Caught is one message as it arrived.
type Caught struct {
	Number  int
	At      time.Time // wall time
	Kind    string    // e-mail or webhook
	To      string    // envelope recipients, or the path that was called
	ID      string    // Message-ID, or webhook-id
	Subject string
	Text    string // plain text of an e-mail, body of a webhook
	Raw     string // as it came, with its headers
}

// Catcher is an SMTP server and an HTTP server that take everything.
type Catcher struct {
	log   *slog.Logger
	mail  net.Listener
	hooks net.Listener
	smtp  *smtp.Server
	http  *http.Server

	mu    sync.Mutex
	next  int
	all   []Caught
	wakes []chan struct{}
}

// Start opens both servers on ports of their own.
func Start(ctx context.Context, log *slog.Logger) (*Catcher, error) {
	c := &Catcher{log: log}
	var err error
	if c.mail, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("open the mail catcher: %w", err)
	}
	if c.hooks, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(fmt.Errorf("open the webhook catcher: %w", err), c.mail.Close())
	}
	c.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{catcher: c}, nil }))
	c.smtp.Domain, c.smtp.MaxMessageBytes, c.smtp.MaxRecipients = "localhost", mostMessage, 50
	c.smtp.ReadTimeout, c.smtp.WriteTimeout = 30*time.Second, 30*time.Second
	c.smtp.ErrorLog = quiet{}
	c.http = &http.Server{Handler: http.HandlerFunc(c.hook), ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() {
		if err := c.smtp.Serve(c.mail); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			log.Error("mail catcher", "err", err)
		}
	}()
	go func() {
		if err := c.http.Serve(c.hooks); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("webhook catcher", "err", err)
		}
	}()
	return c, nil
}

// Close ends both servers.
func (c *Catcher) Close() error { return errors.Join(c.smtp.Close(), c.http.Close()) }

// SMTPURL is what SLIPWAY_SMTP_URL is set to.
func (c *Catcher) SMTPURL() string { return "smtp://" + c.mail.Addr().String() }

// HookURL is what SLIPWAY_WEBHOOK_URL is set to.
func (c *Catcher) HookURL() string { return "http://" + c.hooks.Addr().String() + "/hook" }

// All is what was caught, newest first.
func (c *Catcher) All() []Caught {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.all)
	slices.Reverse(all)
	return all
}

// Changed gives a channel that is closed with the next message.
func (c *Catcher) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	wake := make(chan struct{})
	c.wakes = append(c.wakes, wake)
	return wake
}

func (c *Catcher) keep(m Caught) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	m.Number, m.At = c.next, time.Now()
	if c.all = append(c.all, m); len(c.all) > kept {
		c.all = slices.Clone(c.all[len(c.all)-kept:])
	}
	for _, w := range c.wakes {
		close(w)
	}
	c.wakes = nil
}

// hook takes any call.
func (c *Catcher) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostMessage))
	if err != nil {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		return
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s\n", r.Method, r.URL)
	if err := r.Header.Write(&head); err != nil {
		c.log.Warn("read a webhook's headers", "err", err)
	}
	subject := "JSON for Slack"
	if r.Header.Get("webhook-signature") != "" {
		subject = "Signed JSON"
	}
	c.keep(Caught{Kind: "webhook", To: r.URL.Path, ID: r.Header.Get("webhook-id"), Subject: subject, Text: string(body), Raw: head.String() + "\n" + string(body)})
	w.WriteHeader(http.StatusNoContent)
}

// session is one conversation by SMTP. It believes everybody.
type session struct {
	catcher *Catcher
	to      []string
}

func (s *session) Reset()                               { s.to = nil }
func (s *session) Logout() error                        { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := Caught{Kind: "e-mail", To: strings.Join(s.to, ", "), Raw: string(raw)}
	if err := m.read(); err != nil {
		m.Text = "This message cannot be read: " + err.Error()
	}
	s.catcher.keep(m)
	return nil
}

// read takes an e-mail apart.
func (m *Caught) read() error {
	msg, err := gomail.EMLToMsgFromString(m.Raw)
	if err != nil {
		return err
	}
	m.ID = strings.Trim(strings.Join(msg.GetGenHeader(gomail.HeaderMessageID), ""), "<>")
	m.Subject = strings.Join(msg.GetGenHeader(gomail.HeaderSubject), " ")
	for _, part := range msg.GetParts() {
		if part.GetContentType() != gomail.TypeTextPlain {
			continue
		}
		content, err := part.GetContent()
		if err != nil {
			return err
		}
		m.Text = string(content)
	}
	return nil
}

// quiet drops what the library says of every connection that ended early.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
