package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"time"

	"github.com/wneessen/go-mail"

	"slipway/models"
)

// MailServer is where e-mail is handed over.
type MailServer struct {
	Host     string
	Port     int
	SSL      bool   // TLS from the first byte
	StartTLS string // required, optional or off; ignored with SSL
	User     string
	Password string
	From     string      // address, perhaps with a name
	Roots    *tls.Config // nil: the system's
}

var startTLS = map[string]mail.TLSPolicy{"required": mail.TLSMandatory, "optional": mail.TLSOpportunistic, "off": mail.NoTLS}

// send hands one message over, on a connection of its own. The context bounds all of it, whatever the server does.
func (s *MailServer) send(ctx context.Context, now time.Time, m message) models.Result {
	msg, err := s.letter(now, m)
	if err != nil {
		return models.Result{Permanent: true, Error: "The message could not be written: " + oneLine(err.Error(), 300)}
	}
	client, err := s.client(ctx)
	if err != nil {
		return models.Result{Error: "The mail server's settings cannot be used: " + oneLine(err.Error(), 300), Theirs: true}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return models.Result{Theirs: true, Error: said("The mail server could not be reached", err)}
	}
	err = client.SendWithSMTPClient(conn, msg)
	_ = client.CloseWithSMTPClient(conn) // it has the message or has not; how the connection ends changes nothing
	if err != nil {
		return refusal(err)
	}
	return models.Result{OK: true}
}

func (s *MailServer) client(ctx context.Context) (*mail.Client, error) {
	o := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(usualTimeout), mail.WithoutNoop(), mail.WithoutRset(), mail.WithDialContextFunc(s.dial(ctx))}
	if s.Roots != nil {
		o = append(o, mail.WithTLSConfig(s.Roots))
	}
	if s.SSL {
		o = append(o, mail.WithSSL())
	} else {
		o = append(o, mail.WithTLSPolicy(startTLS[s.StartTLS]))
	}
	if s.User != "" {
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	return mail.NewClient(s.Host, o...)
}

// dial opens connections that end with the message's own context, so that a server that falls silent half-way holds nothing.
func (s *MailServer) dial(whole context.Context) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(whole, func() { _ = conn.Close() })
		if !s.SSL {
			return conn, nil
		}
		settings := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.Roots != nil {
			settings = s.Roots.Clone()
		}
		if settings.ServerName == "" {
			settings.ServerName = s.Host
		}
		secure := tls.Client(conn, settings)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secure, nil
	}
}

// letter writes the message: text and HTML, one recipient, and an id that stays the same however often it is sent.
func (s *MailServer) letter(now time.Time, m message) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(s.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := netmail.ParseAddress(m.to)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	msg.ToMailAddress(&netmail.Address{Name: m.toName, Address: to.Address})
	html, err := m.html()
	if err != nil {
		return nil, err
	}
	msg.SetMessageIDWithValue(m.id + "@" + m.host)
	msg.SetDateWithValue(now)
	msg.Subject(m.subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Slipway-Event", string(m.kind))
	msg.SetBodyString(mail.TypeTextPlain, m.text())
	msg.AddAlternativeString(mail.TypeTextHTML, html)
	return msg, nil
}

// refusal says what an error of the conversation means: of this recipient or message for good, for now, or of the server.
func refusal(err error) models.Result {
	r := models.Result{Error: said("The mail server did not take it", err)}
	var refused *mail.SendError
	if !errors.As(err, &refused) || refused.ErrorCode() == 0 {
		r.Theirs = true
		return r
	}
	switch refused.Reason {
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
		r.Permanent = refused.ErrorCode() >= 500
	default: // the sender or the session: a matter of the settings, for every message
		r.Theirs = true
	}
	return r
}

// said is an error as the delivery log shows it: one line, and a time-out called so.
func said(what string, err error) string {
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() || errors.Is(err, net.ErrClosed) {
		return what + ": it did not answer in time."
	}
	return what + ": " + oneLine(err.Error(), 300)
}
