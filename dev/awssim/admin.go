package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// AdminHandler serves the simulator's own page and JSON API at its root: GET and POST
// /rules, DELETE /rules and /rules/{id}, GET and POST /stacks (the page for drift), POST
// /drift, GET and POST /things (the page of the services), GET and POST /quickcreate (where
// a link to create a stack leads), GET and POST /trouble and /spending (the pages of incidents and
// costs), GET and POST /deliveries (the page of pipelines), GET and POST /incidents and /cost-settings, DELETE of one of them by its id, what deeds
// lists, GET /world, GET /calls. In `slipway dev` it hangs under /dev/aws; the simulator's own listener has it under /_slipway/.
func (s *Sim) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.adminPage)
	mux.HandleFunc("POST /{$}", s.adminForm)
	mux.HandleFunc("GET /style.css", s.adminStyle)
	mux.HandleFunc("GET /rules", s.listRules)
	mux.HandleFunc("POST /rules", s.addRule)
	mux.HandleFunc("DELETE /rules", s.clearRules)
	mux.HandleFunc("DELETE /rules/{id}", s.dropRule)
	mux.HandleFunc("GET /stacks", s.stacksPage)
	mux.HandleFunc("POST /stacks", s.stacksForm)
	mux.HandleFunc("POST /drift", s.takeHandChange)
	mux.HandleFunc("GET /quickcreate", s.quickCreatePage)
	mux.HandleFunc("POST /quickcreate", s.quickCreateForm)
	mux.HandleFunc("GET /things", s.thingsPage)
	mux.HandleFunc("POST /things", s.thingsForm)
	mux.HandleFunc("GET /deliveries", s.deliveriesPage)
	mux.HandleFunc("POST /deliveries", s.deliveriesForm)
	mux.HandleFunc("GET /setup", s.setupPage)
	mux.HandleFunc("POST /setup", s.setupForm)
	mux.HandleFunc("GET /trouble", s.troublePage)
	mux.HandleFunc("POST /trouble", s.troubleForm)
	mux.HandleFunc("GET /spending", s.spendingPage)
	mux.HandleFunc("POST /spending", s.spendingForm)
	mux.HandleFunc("GET /incidents", s.showIncidents)
	mux.HandleFunc("POST /incidents", s.addIncident)
	mux.HandleFunc("DELETE /incidents/{id}", s.dropIncident)
	mux.HandleFunc("GET /cost-settings", s.showCostSettings)
	mux.HandleFunc("POST /cost-settings", s.addCostSetting)
	mux.HandleFunc("DELETE /cost-settings/{id}", s.dropCostSetting)
	for route := range deeds() {
		mux.HandleFunc(route, s.takeDeed(route))
	}
	mux.HandleFunc("GET /world", s.showWorld)
	mux.HandleFunc("GET /calls", s.showCalls)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" { // mounted without its slash, against which the page's links would go wrong
			w.Header().Set("Location", strings.TrimSuffix(strings.SplitN(r.RequestURI, "?", 2)[0], "/")+"/")
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet && site != "" && site != "same-origin" && site != "none" {
			s.adminFail(w, r, adminError{http.StatusForbidden, "This was sent by a page of another site."})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// adminError is a request the admin API refuses.
type adminError struct {
	status  int
	message string
}

func (e adminError) Error() string { return e.message }

func (s *Sim) adminFail(w http.ResponseWriter, r *http.Request, err error) {
	var e adminError
	if !errors.As(err, &e) {
		s.log.Error("simulator admin", "path", r.URL.Path, "err", err)
		e = adminError{http.StatusInternalServerError, "The simulator could not do this; its log says why."}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	if err := json.NewEncoder(w).Encode(map[string]string{"error": e.message}); err != nil {
		s.log.Warn("write admin error", "err", err)
	}
}

func (s *Sim) adminJSON(w http.ResponseWriter, r *http.Request, status int, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		s.adminFail(w, r, fmt.Errorf("encode: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		s.log.Warn("write admin answer", "err", err)
	}
}

func (s *Sim) listRules(w http.ResponseWriter, r *http.Request) {
	all, err := s.rules(r)
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusOK, all)
}

func (s *Sim) rules(r *http.Request) ([]rule, error) {
	rows, err := s.pool.Query(r.Context(), `SELECT `+ruleColumns+` FROM rules ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rule])
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return append([]rule{}, all...), nil
}

func actions() []string {
	return []string{throttle, error500, timeout, accessDenied, delayed, dropAfterCommit, unavailable, clockOff, constraint, createFailed, updateFailed, deleteFailed, rollbackFailed, slowResource, validationError, changeSetFailed}
}

// mostDelay keeps a mistyped delay from hanging a connection for hours.
const mostDelay = 10 * 60 * 1000

// check fills in defaults and refuses a rule that could never mean anything.
func (ru *rule) check() error {
	if ru.Nth == 0 {
		ru.Nth = 1
	}
	if ru.Probability == 0 {
		ru.Probability = 1
	}
	switch {
	case !slices.Contains(actions(), ru.Action):
		return adminError{http.StatusBadRequest, fmt.Sprintf("action %q is none of %v", ru.Action, actions())}
	case ru.Nth < 1 || ru.Times < 0 || ru.Probability < 0 || ru.Probability > 1 || ru.DelayMS < 0 || ru.DelayMS > mostDelay:
		return adminError{http.StatusBadRequest, "nth is at least 1, times at least 0, probability between 0 and 1, delay_ms between 0 and 600000"}
	case slices.Contains(inStacks(), ru.Action) && (ru.LogicalID == "") != (ru.Action == changeSetFailed):
		return adminError{http.StatusBadRequest, ru.Action + " needs a logical_id; change_set_failed has none"}
	case ru.Action == constraint && (ru.Service != "organizations" || ru.Reason == ""):
		return adminError{http.StatusBadRequest, "constraint needs the service organizations and its reason"}
	case (ru.Action == clockOff) != (ru.Skew != 0) || ru.Incident != nil:
		return adminError{http.StatusBadRequest, "clock_off, and nothing else, needs skew; an incident begins its rules itself"}
	case (ru.Action == delayed || ru.Action == slowResource) && ru.DelayMS == 0:
		return adminError{http.StatusBadRequest, ru.Action + " needs delay_ms"}
	}
	switch {
	case ru.Reason != "":
	case ru.Action == changeSetFailed:
		ru.Reason = "Internal failure: injected failure"
	case ru.Action == validationError:
		ru.Reason = "injected finding"
	case slices.Contains(inStacks(), ru.Action):
		ru.Reason = "Resource handler returned message: \"injected failure\" (RequestToken: 00000000-0000-0000-0000-000000000000, HandlerErrorCode: GeneralServiceException)"
	}
	return nil
}

func (s *Sim) addRule(w http.ResponseWriter, r *http.Request) {
	var ru rule
	if err := adminBody(w, r, "rule", 64<<10, &ru); err != nil {
		s.adminFail(w, r, err)
		return
	}
	if err := s.storeRule(r, &ru); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusCreated, ru)
}

func (s *Sim) storeRule(r *http.Request, ru *rule) error {
	if err := ru.check(); err != nil {
		return err
	}
	err := s.pool.QueryRow(r.Context(), `INSERT INTO rules (service, op, account, match, nth, times, probability, seed, action, delay_ms, logical_id, reason, region, skew, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, clock_timestamp()) RETURNING id, seen, fired, created_at`,
		ru.Service, ru.Op, ru.Account, ru.Match, ru.Nth, ru.Times, ru.Probability, ru.Seed, ru.Action, ru.DelayMS, ru.LogicalID, ru.Reason, ru.Region, ru.Skew).
		Scan(&ru.ID, &ru.Seen, &ru.Fired, &ru.CreatedAt)
	if err != nil {
		return fmt.Errorf("store rule: %w", err)
	}
	return nil
}

func (s *Sim) clearRules(w http.ResponseWriter, r *http.Request) {
	if _, err := s.pool.Exec(r.Context(), `DELETE FROM rules WHERE incident IS NULL`); err != nil {
		s.adminFail(w, r, fmt.Errorf("clear rules: %w", err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) dropRule(w http.ResponseWriter, r *http.Request) {
	if err := s.removeRule(r, r.PathValue("id")); err != nil {
		s.adminFail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) removeRule(r *http.Request, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return adminError{http.StatusBadRequest, "a rule's id is a number"}
	}
	tag, err := s.pool.Exec(r.Context(), `DELETE FROM rules WHERE id = $1 AND incident IS NULL`, id)
	if err != nil {
		return fmt.Errorf("delete rule %d: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return adminError{http.StatusNotFound, fmt.Sprintf("there is no rule %d that was made by hand", id)}
	}
	return nil
}
