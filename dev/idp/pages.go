package idp

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"strings"
)

//go:embed *.html
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"join": strings.Join}).ParseFS(files, "*.html"))

// pages are what a person sees of the provider.
type pages struct {
	store    *storage
	cfg      Config
	path     string // of the issuer
	callback func(ctx context.Context, id string) string
}

// page is what the template shows.
type page struct {
	Stylesheet, Action, ID, Username, Wrong string
	Over, SignedOut                         bool
	People                                  []Person
}

// form handles GET /login.
func (p *pages) form(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if !p.store.live(id) {
		p.write(w, http.StatusBadRequest, page{Over: true})
		return
	}
	p.write(w, http.StatusOK, page{ID: id})
}

// signIn handles POST /login: on to the client, or the form again.
func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form cannot be read.", http.StatusBadRequest)
		return
	}
	id, name := r.PostForm.Get("id"), strings.TrimSpace(r.PostForm.Get("username"))
	if id == "" { // a script that posts to the form's own address
		id = r.URL.Query().Get("id")
	}
	live, ok := p.store.signIn(id, name, r.PostForm.Get("password"))
	switch {
	case !live:
		p.write(w, http.StatusBadRequest, page{Over: true})
	case !ok:
		p.write(w, http.StatusUnauthorized, page{ID: id, Username: name, Wrong: "No such user name and password. In this demo the password equals the user name."})
	default:
		http.Redirect(w, r, p.callback(r.Context(), id), http.StatusFound)
	}
}

// signedOut handles GET /signed-out, where a sign-out without a way on ends.
func (p *pages) signedOut(w http.ResponseWriter, _ *http.Request) {
	p.write(w, http.StatusOK, page{SignedOut: true})
}

func (p *pages) write(w http.ResponseWriter, status int, v page) {
	v.Stylesheet, v.Action, v.People = p.cfg.Stylesheet, p.path+"/login", p.cfg.People
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := templates.ExecuteTemplate(w, "login.html", v); err != nil {
		p.cfg.Logger.Warn("write the provider's page", "err", err)
	}
}
