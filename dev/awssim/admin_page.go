package awssim

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed admin.html
var adminHTML string

//go:embed admin.css
var adminCSS []byte

var adminTemplate = template.Must(template.New("admin").Parse(adminHTML))

// adminPage shows rules, accounts and recent calls, and takes new rules without JavaScript.
func (s *Sim) adminPage(w http.ResponseWriter, r *http.Request) { s.showPage(w, r, http.StatusOK, "") }

func (s *Sim) showPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	rules, err := s.rules(r)
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	calls, err := s.calls(r)
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	accounts, err := s.accountRows(r)
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	var incidents []incident
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error {
		incidents, err = c.incidents(ctx, `ended_at IS NULL`)
		return err
	}); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.html(w, status)
	if err := adminTemplate.Execute(w, map[string]any{"Incidents": incidents, "Rules": rules, "Calls": calls, "Accounts": accounts, "Actions": actions(), "Speed": s.speed, "Problem": problem}); err != nil {
		s.log.Warn("write admin page", "err", err)
	}
}

// html begins a page, which needs neither scripts nor anything of others.
func (s *Sim) html(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
}

// page writes a page of a template; what fails then is only logged, for the answer has begun.
func (s *Sim) page(w http.ResponseWriter, status int, t *template.Template, view any) {
	s.html(w, status)
	if err := t.Execute(w, view); err != nil {
		s.log.Warn("write a page of the simulator", "page", t.Name(), "err", err)
	}
}

func (s *Sim) accountRows(r *http.Request) ([][]string, error) {
	rows, err := s.pool.Query(r.Context(), `SELECT a.id, a.name, a.email, a.state, n.name FROM accounts a JOIN org_nodes n ON n.id = a.parent ORDER BY a.seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all [][]string
	for rows.Next() {
		row := make([]string, 5)
		if err := rows.Scan(&row[0], &row[1], &row[2], &row[3], &row[4]); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// adminForm takes the page's two forms.
func (s *Sim) adminForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.adminFail(w, r, adminError{http.StatusBadRequest, "The form could not be read."})
		return
	}
	var err error
	if id := r.PostForm.Get("delete"); id != "" {
		err = s.removeRule(r, id)
	} else {
		var ru rule
		if ru, err = formRule(r); err == nil {
			err = s.storeRule(r, &ru)
		}
	}
	switch e := err.(type) {
	case nil:
		w.Header().Set("Location", "./") // relative: the page does not know where it is mounted
		w.WriteHeader(http.StatusSeeOther)
	case adminError:
		s.showPage(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}

func formRule(r *http.Request) (rule, error) {
	f := r.PostForm
	ru := rule{Service: f.Get("service"), Op: f.Get("op"), Account: f.Get("account"), Match: f.Get("match"), Action: f.Get("action"), LogicalID: f.Get("logical_id"), Reason: f.Get("reason")}
	for name, into := range map[string]*int{"nth": &ru.Nth, "times": &ru.Times, "delay_ms": &ru.DelayMS} {
		if text := f.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return ru, adminError{http.StatusBadRequest, name + " must be a whole number"}
			}
			*into = n
		}
	}
	if text := f.Get("probability"); text != "" {
		p, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return ru, adminError{http.StatusBadRequest, "probability must be a number"}
		}
		ru.Probability = p
	}
	return ru, nil
}

func (s *Sim) adminStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	if _, err := w.Write(adminCSS); err != nil {
		s.log.Warn("write admin style", "err", err)
	}
}
