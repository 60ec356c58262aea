package mail

import (
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed mail.html
var pageHTML string

//go:embed mail.css
var pageCSS []byte

var pages = template.Must(template.New("mail").Parse(pageHTML))

// Handler shows what was caught: a list, and one message as text. It is mounted below /dev/mail.
func (c *Catcher) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(pageCSS)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c.write(w, map[string]any{"All": c.filtered(r.URL.Query().Get("q")), "Query": r.URL.Query().Get("q")})
	})
	mux.HandleFunc("GET /{number}", c.one)
	return mux
}

// filtered is what holds a text in its recipients, subject or words.
func (c *Catcher) filtered(text string) []Caught {
	all := c.All()
	if text == "" {
		return all
	}
	var some []Caught
	for _, m := range all {
		if strings.Contains(strings.ToLower(m.To+"\n"+m.Subject+"\n"+m.Text), strings.ToLower(text)) {
			some = append(some, m)
		}
	}
	return some
}

func (c *Catcher) one(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	for _, m := range c.All() {
		if m.Number == number {
			c.write(w, map[string]any{"One": m})
			return
		}
	}
	http.NotFound(w, r)
}

func (c *Catcher) write(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	if err := pages.Execute(w, data); err != nil {
		c.log.Warn("write the page of caught messages", "err", err)
	}
}
