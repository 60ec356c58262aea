package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Notify is how people are told what happens without looking. Webhooks of the database come from /admin/notifications.
type Notify struct {
	SMTPURL         Secret   `env:"SMTP_URL" secret:"url" doc:"Mail server: smtp://user:password@host:587 or smtps://...:465, with ?starttls=required, optional or off (required; off on loopback). Empty means that nobody gets e-mail. With MAIL_FROM."`
	MailFrom        string   `env:"MAIL_FROM" doc:"Sender of e-mail, an address or a name and an address: Slipway <slipway@example.com>."`
	WebhookURL      Secret   `env:"WEBHOOK_URL" secret:"value" doc:"Address that is told of every event, in Slack's form, or with WEBHOOK_SECRET as signed JSON. Empty means none but those that admins add."`
	WebhookSecret   Secret   `env:"WEBHOOK_SECRET" secret:"value" doc:"Secret that signs what goes to WEBHOOK_URL: whsec_ and base64 of at least 24 bytes."`
	WebhookNetworks []string `env:"WEBHOOK_NETWORKS" doc:"CIDR blocks that webhooks may reach although they are not public. Admins may allow more on /admin/notifications."`
}

func (n *Notify) check(p *problems) {
	n.MailFrom, n.WebhookNetworks = strings.TrimSpace(n.MailFrom), trimmed(n.WebhookNetworks)
	if _, err := n.SMTP(); err != nil {
		p.add("SMTP_URL", "%v", err)
	}
	if (n.SMTPURL == "") != (n.MailFrom == "") {
		p.add("SMTP_URL", "and MAIL_FROM belong together: set both or none")
	}
	if _, err := mail.ParseAddress(n.MailFrom); n.MailFrom != "" && err != nil {
		p.add("MAIL_FROM", "is not an address such as Slipway <slipway@example.com>")
	}
	n.checkWebhook(p)
	for _, text := range n.WebhookNetworks {
		if block, err := netip.ParsePrefix(text); err != nil || block != block.Masked() || block.Addr().Is4In6() || block.Bits() == 0 {
			p.add("WEBHOOK_NETWORKS", "has %q, which is not a CIDR block such as 10.20.0.0/16", text)
		}
	}
}

func (n *Notify) checkWebhook(p *problems) {
	u, err := url.Parse(n.WebhookURL.Reveal()) // its own words would quote the secret
	if n.WebhookURL != "" && (err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https") {
		p.add("WEBHOOK_URL", "is not an http or https address without a user name")
	}
	if n.WebhookSecret == "" {
		return
	}
	if n.WebhookURL == "" {
		p.add("WEBHOOK_SECRET", "is set without SLIPWAY_WEBHOOK_URL")
	}
	if !validHookSecret(n.WebhookSecret.Reveal()) {
		p.add("WEBHOOK_SECRET", "is not whsec_ and at least 24 bytes in base64")
	}
}

// MailServer is SMTPURL taken apart.
type MailServer struct {
	Host, User, Password string
	Port                 int
	SSL                  bool   // TLS from the first byte
	StartTLS             string // required, optional or off
}

// SMTP takes SMTPURL apart; the zero MailServer when it is empty. No error quotes the password.
func (n *Notify) SMTP() (MailServer, error) {
	text := n.SMTPURL.Reveal()
	if text == "" {
		return MailServer{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Opaque != "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return MailServer{}, errors.New("is not an address such as smtp://user:password@mail.example.com:587")
	}
	m := MailServer{Host: u.Hostname(), Port: 587, SSL: u.Scheme == "smtps", StartTLS: "required"}
	if m.SSL {
		m.Port = 465
	}
	if loopback(m.Host) {
		m.StartTLS = "off"
	}
	if u.Port() != "" {
		if m.Port, err = strconv.Atoi(u.Port()); err != nil || m.Port < 1 || m.Port > 65535 {
			return MailServer{}, errors.New("has no port from 1 to 65535")
		}
	}
	if u.User != nil {
		m.User = u.User.Username()
		m.Password, _ = u.User.Password()
	}
	for name, values := range u.Query() {
		if name != "starttls" || len(values) != 1 || m.SSL || !slices.Contains([]string{"required", "optional", "off"}, values[0]) {
			return MailServer{}, errors.New("knows only ?starttls=required, optional or off, and that for smtp://")
		}
		m.StartTLS = values[0]
	}
	if m.User != "" && !m.SSL && m.StartTLS != "required" && !loopback(m.Host) {
		return MailServer{}, fmt.Errorf("would send its password without TLS: leave ?starttls=%s out", m.StartTLS)
	}
	return m, nil
}

func validHookSecret(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	return err == nil && strings.HasPrefix(text, "whsec_") && len(raw) >= 24
}
