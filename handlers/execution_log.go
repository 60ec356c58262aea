package handlers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/stream"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// logReader reads the log of a build, as text and in parts of bounded size.
type logReader interface {
	BuildLog(ctx context.Context, p models.Pipeline, group, stream, next string) (models.LogPage, error)
}

const (
	logTime      = 8 * time.Second  // how long a page waits for AWS
	logPageLines = 5000             // lines on one page; the next page goes on
	logParts     = 5                // read for one answer
	logFileParts = 40               // read for a file to save
	logFileTime  = 60 * time.Second // for all of them
	maxLogFrom   = 100_000_000
	maxLogToken  = 500
)

type logQuery struct {
	Stage  string `form:"stage"`
	Action string `form:"action"`
	Next   string `form:"next"`  // where it goes on
	From   int    `form:"from"`  // lines before that
	Shown  int    `form:"shown"` // lines on the reader's page already
}

// logged is one log that is read.
type logged struct {
	in     logQuery
	page   models.ExecutionPage
	action models.ExecutionAction
}

// open finds the action whose log is asked for. Where its log is, the store says and never the address.
func (h *Executions) open(c *fiber.Ctx) (logged, error) {
	l := logged{}
	var err error
	if l.in, err = form.Query[logQuery](c); err != nil {
		return l, err
	}
	if l.page, err = h.read(c); err != nil {
		return l, err
	}
	if len(l.in.Next) > maxLogToken || l.in.From < 0 || l.in.From > maxLogFrom || l.in.Shown < 0 || l.in.Shown > maxLogFrom {
		return l, models.Errorf(models.Invalid, "This log does not go on there. Open it from the execution's page.")
	}
	for _, s := range l.page.Execution.Stages {
		for _, act := range s.Actions {
			if s.Name == l.in.Stage && act.Name == l.in.Action && act.LogGroup != "" && act.LogStream != "" {
				l.action = act
				return l, nil
			}
		}
	}
	return l, models.Errorf(models.NotFound, "This action has no log. It may not have begun, or writes none.")
}

// Log handles GET .../executions/:number/log. htmx asks it for what has come since.
func (h *Executions) Log(c *fiber.Ctx) error {
	l, err := h.open(c)
	if err != nil {
		return err
	}
	d, err := h.log(c.UserContext(), l, isFragment(c))
	if err != nil {
		return err
	}
	if isFragment(c) {
		return render(c, http.StatusOK, views.ExecutionLogLines(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ExecutionLogPage(p, d))
}

// log reads the next lines: a few parts at most, until nothing follows now or the page is full.
func (h *Executions) log(ctx context.Context, l logged, growing bool) (views.ExecutionLog, error) {
	p, e, in := l.page.Pipeline, l.page.Execution, l.in
	d := views.ExecutionLog{Tenant: p.TenantSlug, Pipeline: p.Name, Number: e.Number, Stage: in.Stage, Action: in.Action, State: l.action.State, From: in.From, Link: ui.Out{URL: l.action.Link, Word: "The log at AWS"},
		FileURL: urls.ExecutionLogFile(p.TenantSlug, p.Name, e.Number, in.Stage, in.Action)}
	if h.Logs == nil {
		d.Gap = "AWS is not configured in this installation."
		return d, nil
	}
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	next, from, whole := in.Next, in.From, false
	for range logParts {
		part, err := h.Logs.BuildLog(ctx, p, l.action.LogGroup, l.action.LogStream, next)
		if err != nil {
			return d, fmt.Errorf("read the log of execution %s: %w", e.ID, err)
		}
		if part.Link != "" {
			d.Link.URL = part.Link
		}
		if part.Gap != nil {
			d.Gap, d.GapNext = "Slipway cannot read "+part.Gap.What+". "+part.Gap.Words, "Reload the page to try again."
			return d, nil
		}
		for _, line := range part.Lines {
			from++
			d.Lines = append(d.Lines, views.LogRow{N: from, Time: ui.At(line.At), Text: line.Text, Cut: line.Cut})
		}
		if part.Next != "" {
			next = part.Next
		}
		if whole = part.Whole; whole || len(d.Lines) >= logPageLines {
			break
		}
	}
	l.follow(&d, growing, next, from, whole)
	return d, nil
}

// follow says how the log goes on: by itself while the page has room, else on a page of its own.
func (l logged) follow(d *views.ExecutionLog, growing bool, next string, from int, whole bool) {
	shown := len(d.Lines)
	if growing {
		shown += l.in.Shown
	}
	if whole && l.action.State.Ended() {
		return
	}
	at := urls.ExecutionLog(d.Tenant, d.Pipeline, d.Number, d.Stage, d.Action)
	pairs := []string{"stage", d.Stage, "action", d.Action, "next", next, "from", fmt.Sprint(from)}
	path, _, _ := strings.Cut(at, "?")
	if shown >= logPageLines {
		d.NextURL = urls.With(path, pairs...)
		return
	}
	d.Grows, d.MoreURL = true, urls.With(path, append(pairs, "shown", fmt.Sprint(shown))...)
}

// LogFile handles GET .../executions/:number/log.txt: the log to save, up to a bound, with a last line that says so.
func (h *Executions) LogFile(c *fiber.Ctx) error {
	l, err := h.open(c)
	if err != nil {
		return err
	}
	if h.Logs == nil {
		return models.Errorf(models.Unavailable, "AWS is not configured in this installation, so there is no log to read.")
	}
	p := l.page.Pipeline
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), logFileTime)
	first, err := h.Logs.BuildLog(ctx, p, l.action.LogGroup, l.action.LogStream, "")
	if err == nil && first.Gap != nil {
		err = models.Errorf(models.Unavailable, "Slipway cannot read %s. %s", first.Gap.What, first.Gap.Words)
	}
	if err != nil {
		cancel()
		return err
	}
	r, pipe := io.Pipe()
	go func() {
		defer cancel()
		pipe.CloseWithError(h.writeLog(ctx, pipe, l, first))
	}()
	name := fmt.Sprintf("%s-%d-%s.txt", p.Name, l.page.Execution.Number, l.action.Name)
	saved(c, name)
	stream.Send(c, r, exportWrite)
	return nil
}

// writeLog writes part by part, so that never more than one is in memory.
func (h *Executions) writeLog(ctx context.Context, out io.Writer, l logged, part models.LogPage) error {
	w := bufio.NewWriter(out)
	next := ""
	for n := 1; ; n++ {
		for _, line := range part.Lines {
			cut := ""
			if line.Cut {
				cut = " [cut here; the whole line is at AWS]"
			}
			if _, err := fmt.Fprintf(w, "%s %s%s\n", line.At.UTC().Format("2006-01-02T15:04:05Z"), line.Text, cut); err != nil {
				return err
			}
		}
		switch {
		case part.Gap != nil:
			fmt.Fprintf(w, "[ends here: Slipway cannot read %s. %s]\n", part.Gap.What, part.Gap.Words)
			return w.Flush()
		case part.Whole || part.Next == "" || part.Next == next:
			return w.Flush()
		case n == logFileParts:
			fmt.Fprintf(w, "[ends here: Slipway saves no more than this; the rest is at AWS: %s]\n", part.Link)
			return w.Flush()
		}
		var err error
		next = part.Next
		if part, err = h.Logs.BuildLog(ctx, l.page.Pipeline, l.action.LogGroup, l.action.LogStream, next); err != nil {
			return err
		}
	}
}
