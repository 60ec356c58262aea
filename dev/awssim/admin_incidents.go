package awssim

import (
	"context"
	"net/http"
	"strconv"
)

// showIncidents lists those that go on, and with ?all=1 those that ended too.
func (s *Sim) showIncidents(w http.ResponseWriter, r *http.Request) {
	all := []incident{}
	where := `ended_at IS NULL`
	if r.URL.Query().Get("all") != "" {
		where = `true`
	}
	err := s.within(r.Context(), func(ctx context.Context, c *Call) error {
		some, err := c.incidents(ctx, where)
		all = append(all, some...)
		return err
	})
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusOK, all)
}

func (s *Sim) addIncident(w http.ResponseWriter, r *http.Request) {
	var i incident
	if err := adminBody(w, r, "incident", 64<<10, &i); err != nil {
		s.adminFail(w, r, err)
		return
	}
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.startIncident(ctx, &i) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusCreated, i)
}

func (s *Sim) dropIncident(w http.ResponseWriter, r *http.Request) {
	if err := s.finishIncident(r.Context(), r.PathValue("id")); err != nil {
		s.adminFail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) finishIncident(ctx context.Context, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return adminError{http.StatusBadRequest, "an incident's id is a number"}
	}
	return s.within(ctx, func(ctx context.Context, c *Call) error { return c.endIncident(ctx, id) })
}
