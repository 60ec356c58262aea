// Package handlers turns requests into one call each and its result into an answer: one file per resource.
package handlers

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/stream"
	"slipway/handlers/visit"
	"slipway/models"
)

// actor is who acts in this request.
func actor(c *fiber.Ctx) models.Actor { return visit.Of(c).Actor }

// csrf is the token that every form of this answer carries in _csrf.
func csrf(c *fiber.Ctx) string { return visit.Of(c).CSRF }

// isFragment tells whether htmx swaps the answer into a page. A history restore and a boosted link want whole pages.
func isFragment(c *fiber.Ctx) bool {
	return c.Get("HX-Request") == "true" && c.Get("HX-History-Restore-Request") != "true" && c.Get("HX-Boosted") != "true"
}

// render answers with a page or a fragment. It is rendered whole before a byte is sent, so that an error is still a 500.
func render(c *fiber.Ctx, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(c.UserContext(), &b); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(b.Bytes())
}

// pageOr answers 200 with the fragment when htmx asked for one, otherwise with the whole page.
func pageOr(c *fiber.Ctx, page, fragment templ.Component) error {
	if isFragment(c) {
		return render(c, http.StatusOK, fragment)
	}
	return render(c, http.StatusOK, page)
}

// redirect sends the browser on to a path of this server: by HX-Redirect for htmx, which would follow a 303 itself and
// swap the page it leads to; by 303 otherwise.
func redirect(c *fiber.Ctx, to string) error {
	if c.Get("HX-Request") == "true" {
		c.Set("HX-Redirect", to)
		return c.SendStatus(http.StatusOK)
	}
	return c.Redirect(to, http.StatusSeeOther)
}

const (
	exportTime  = 60 * time.Second // an export's own deadline
	exportWrite = 10 * time.Second // longest time one write of an export may take
)

// export streams a CSV file. rows gets a function that writes one row; its error, or the client's leaving, ends it. An
// error within the first few KB is an ordinary error page; later, the connection is cut so that nobody takes a part for all.
func export(c *fiber.Ctx, name string, header []string, rows func(ctx context.Context, row func(...string) error) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), exportTime)
	r, pipe := io.Pipe()
	w := &opening{out: pipe, begun: make(chan error, 1)}
	go func() {
		defer cancel()
		err := writeRows(ctx, csv.NewWriter(w), header, rows)
		if err != nil && !errors.Is(err, io.ErrClosedPipe) && w.open {
			slog.WarnContext(ctx, "export cut short", "file", name, "err", err)
		}
		if !w.open {
			w.begun <- err
		}
		pipe.CloseWithError(err)
	}()
	if err := <-w.begun; err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
	c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(name))
	stream.Send(c, r, exportWrite)
	return nil
}

// opening tells when the first bytes leave the buffer: from then on the answer has begun.
type opening struct {
	out   io.Writer
	begun chan error
	open  bool
}

func (o *opening) Write(p []byte) (int, error) {
	if !o.open {
		o.open = true
		o.begun <- nil
	}
	return o.out.Write(p)
}

// writeRows runs outside the request's own recover, so a panic becomes an error here.
func writeRows(ctx context.Context, out *csv.Writer, header []string, rows func(context.Context, func(...string) error) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := out.Write(header); err != nil {
		return err
	}
	if err := rows(ctx, func(cells ...string) error { return out.Write(plainCells(cells)) }); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// plainCells quotes what a spreadsheet would run as a formula.
func plainCells(cells []string) []string {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
