package awssim

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

//go:embed admin_trouble.html
var troubleHTML string

//go:embed admin_spending.html
var spendingHTML string

var (
	troubleTemplate  = template.Must(template.New("trouble").Parse(troubleHTML))
	spendingTemplate = template.Must(template.New("spending").Parse(spendingHTML))
)

// troubleView is what the page of incidents shows.
type troubleView struct {
	Problem          string
	Open, Ended      []incident
	Accounts         [][]string
	Regions, Targets []string
}

func (s *Sim) troublePage(w http.ResponseWriter, r *http.Request) {
	s.showTrouble(w, r, http.StatusOK, "")
}

func (s *Sim) showTrouble(w http.ResponseWriter, r *http.Request, status int, problem string) {
	v := troubleView{Problem: problem}
	v.Regions, _ = regions()
	var err error
	if v.Accounts, err = s.accountRows(r); err == nil {
		err = s.within(r.Context(), func(ctx context.Context, c *Call) error {
			if v.Open, err = c.incidents(ctx, `ended_at IS NULL`); err != nil {
				return err
			}
			if v.Ended, err = c.incidents(ctx, `ended_at IS NOT NULL`); err != nil {
				return err
			}
			rows, err := c.Tx.Query(ctx, `SELECT DISTINCT tags->>'slipway:environment' FROM things WHERE tags ? 'slipway:environment' UNION SELECT arn FROM things WHERE type = $1 ORDER BY 1`, ecsService)
			if err != nil {
				return fmt.Errorf("read targets: %w", err)
			}
			v.Targets, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	}
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, troubleTemplate, v)
}

// formed reads a form of a page; a number that is none is said on the page.
func formed(w http.ResponseWriter, r *http.Request, numbers ...string) (map[string]float64, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return nil, adminError{http.StatusBadRequest, "The form could not be read."}
	}
	out := map[string]float64{}
	for _, name := range numbers {
		if text := strings.TrimSpace(r.PostForm.Get(name)); text != "" {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || n < -1e9 || n > 1e9 {
				return nil, adminError{http.StatusBadRequest, name + " is a number"}
			}
			out[name] = n
		}
	}
	return out, nil
}

// troubleForm starts an incident or ends one.
func (s *Sim) troubleForm(w http.ResponseWriter, r *http.Request) {
	numbers, err := formed(w, r, "amount", "ago")
	if f := r.PostForm; err == nil && f.Get("end") != "" {
		err = s.finishIncident(r.Context(), f.Get("end"))
	} else if err == nil {
		i := incident{Kind: f.Get("kind"), Account: f.Get("account"), Region: f.Get("region"), Target: strings.TrimSpace(f.Get("target")), Amount: numbers["amount"],
			From: time.Now().UTC().Add(-time.Duration(numbers["ago"] * float64(time.Minute)))}
		err = s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.startIncident(ctx, &i) })
	}
	s.answerForm(w, r, err, s.showTrouble)
}

// answerForm shows a page again: with what was wrong, or by being asked anew.
func (s *Sim) answerForm(w http.ResponseWriter, r *http.Request, err error, show func(http.ResponseWriter, *http.Request, int, string)) {
	var e adminError
	switch {
	case err == nil:
		w.Header().Set("Location", r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]) // relative: the page does not know where it is mounted
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		show(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}

// spendingView is what the page of costs shows.
type spendingView struct {
	Problem, Until string
	Costs          [][]string
	Settings       []costSetting
	Accounts       [][]string
}

func (s *Sim) spendingPage(w http.ResponseWriter, r *http.Request) {
	s.showSpending(w, r, http.StatusOK, "")
}

func (s *Sim) showSpending(w http.ResponseWriter, r *http.Request, status int, problem string) {
	v := spendingView{Problem: problem}
	var err error
	if v.Accounts, err = s.accountRows(r); err == nil {
		err = s.within(r.Context(), func(ctx context.Context, c *Call) error {
			if v.Settings, err = c.costSettings(ctx); err != nil {
				return err
			}
			book, err := c.costs(ctx)
			if err == nil {
				v.Until, v.Costs = book.until.Format("2006-01-02 15:04"), book.summary(c.Now)
			}
			return err
		})
	}
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, spendingTemplate, v)
}

// summary is a row for each account, tenant, environment and kind of record.
func (b *costBook) summary(now time.Time) [][]string {
	month := monthOf(now.UTC())
	sums := map[string][3]money{}
	for k, r := range b.rows {
		name := strings.Join([]string{k.account, k.tenant, k.environment, k.record}, "\x00")
		sum := sums[name]
		for d := b.day(month.AddDate(0, -1, 0)); d < b.day(month); d++ {
			sum[2] += r.known.billed[d]
		}
		for d := b.day(month); d < b.day(month.AddDate(0, 1, 0)); d++ {
			sum[0], sum[1] = sum[0]+r.known.billed[d], sum[1]+r.whole.billed[d]
		}
		sums[name] = sum
	}
	var out [][]string
	for _, name := range sortedKeys(sums) {
		sum := sums[name]
		if sum[0] == 0 && sum[1] == 0 && sum[2] == 0 {
			continue
		}
		row := strings.Split(name, "\x00")
		for _, m := range sum {
			row = append(row, strconv.FormatFloat(float64(m)/float64(dollar), 'f', 2, 64))
		}
		out = append(out, row)
	}
	return out
}

// spendingForm adds a setting or takes one back.
func (s *Sim) spendingForm(w http.ResponseWriter, r *http.Request) {
	numbers, err := formed(w, r, "ago")
	if f := r.PostForm; err == nil && f.Get("delete") != "" {
		err = s.removeCostSetting(r.Context(), f.Get("delete"))
	} else if err == nil {
		set := costSetting{Kind: f.Get("kind"), Account: f.Get("account"), Tenant: strings.TrimSpace(f.Get("tenant")), Environment: strings.TrimSpace(f.Get("environment")), Price: strings.TrimSpace(f.Get("price")),
			From: time.Now().UTC().Add(-time.Duration(numbers["ago"] * float64(24*time.Hour)))}
		if set.Amount, err = decimal.NewFromString(strings.TrimSpace(f.Get("amount"))); err != nil {
			err = adminError{http.StatusBadRequest, "amount is a number"}
		} else {
			err = s.putCostSetting(r.Context(), &set)
		}
	}
	s.answerForm(w, r, err, s.showSpending)
}
