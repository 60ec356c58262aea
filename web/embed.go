package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
	"slipway/web/auth"
)

// framed lets the configured origins, and nobody else, show an answer in a frame.
func (a *App) framed(c *fiber.Ctx) {
	if len(a.opts.FrameOrigins) == 0 {
		return
	}
	h := &c.Response().Header
	h.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(contentPolicy, "frame-ancestors 'none'", "frame-ancestors "+strings.Join(a.opts.FrameOrigins, " "), 1))
	h.Del(fiber.HeaderXFrameOptions) // knows no list of origins; frame-ancestors says it all
}

// frame shows whoever looks at a frame without a session how to get one; everybody else goes on.
func (a *App) frame(c *fiber.Ctx) error {
	there, err := a.auth.Frame(c)
	switch {
	case err != nil:
		return err
	case there && visit.Of(c).Actor.NoAccess():
		return a.frameNote(c, http.StatusForbidden, views.FrameNote{Title: "You have no role in Slipway", Text: "None of your groups leads to one. Slipway's start page says which do.", Link: urls.Home, Word: "Open Slipway"})
	case there:
		return c.Next()
	case c.Get("HX-Request") == "true": // the frame asks for itself, and its session has ended
		c.Set("HX-Refresh", "true")
		return c.SendStatus(http.StatusOK)
	}
	view := auth.FrameView(c.OriginalURL())
	p := a.framePage(c, "Connect to Slipway")
	p.Waits = true
	return write(c, http.StatusOK, views.FrameConnectPage(p, views.FrameConnect{ConnectURL: urls.ConnectFrame(a.auth.FrameNonce(c), view), PageURL: urls.OutOfFrame(view), View: view}))
}

// framePage is what surrounds the content of a frame.
func (a *App) framePage(c *fiber.Ctx, title string) ui.Frame {
	return ui.Frame{Title: title, Theme: ui.ParseTheme(c.Query("theme")), Origins: a.opts.FrameOrigins}
}

func (a *App) frameNote(c *fiber.Ctx, status int, n views.FrameNote) error {
	return write(c, status, views.FrameNotePage(a.framePage(c, n.Title), n))
}

// frameError is the error page of a frame.
func (a *App) frameError(c *fiber.Ctx, v views.ErrorPage, err error) error {
	view := auth.FrameView(c.OriginalURL())
	n := views.FrameNote{Title: views.ErrorTitle(v.Status), Text: v.Message, Request: v.RequestID, Link: urls.OutOfFrame(view), Word: "Open in Slipway"}
	var refused *auth.NoFrame
	if errors.As(err, &refused) {
		view = auth.FrameView(c.Query("view"))
		n.Title, n.Link, n.Again = "Not connected", urls.OutOfFrame(view), view
		if refused.NoCookie {
			n.Again = ""
			n.Text += " What it would show is in Slipway itself."
		}
	}
	return a.frameNote(c, v.Status, n)
}

type connectParams struct {
	Nonce string `form:"nonce"`
	View  string `form:"view"`
}

// connect handles GET /embed/connect?nonce=&view=, in the window that a frame opened.
func (a *App) connect(c *fiber.Ctx) error {
	in, err := form.Query[connectParams](c)
	if err != nil {
		return err
	}
	view := auth.FrameView(in.View)
	v := visit.Of(c)
	return write(c, http.StatusOK, views.ConnectPage(visit.Theme(c), views.Connect{Name: v.Actor.Name(), CSRF: v.CSRF, Nonce: in.Nonce, View: view, PageURL: urls.OutOfFrame(view)}))
}

type giveForm struct {
	Nonce string `form:"nonce"`
	View  string `form:"view"`

	CSRF string `form:"_csrf"`
}

// give handles POST /embed/connect: the answer hands the code to the frame that opened the window.
func (a *App) give(c *fiber.Ctx) error {
	in, err := form.Decode[giveForm](c)
	if err != nil {
		return err
	}
	code, err := a.auth.FrameCode(c, in.Nonce)
	if err != nil {
		return err
	}
	view := auth.FrameView(in.View)
	return write(c, http.StatusOK, views.ConnectedPage(visit.Theme(c), views.Connected{Code: code, PageURL: urls.OutOfFrame(view)}))
}

// startFrame handles GET /embed/start?code=&view=, in the frame.
func (a *App) startFrame(c *fiber.Ctx) error {
	err := a.auth.StartFrame(c)
	var refused *auth.NoFrame
	if errors.As(err, &refused) {
		who := visit.Of(c).Actor
		stranger := models.System(auth.SignInComponent, "")
		stranger.RequestID, stranger.Address = who.RequestID, who.Address
		if denied := a.opts.Denied(c.UserContext(), stranger, fiber.MethodGet+" "+auth.StartPath, "page", auth.StartPath); denied != nil {
			return denied
		}
	}
	if err != nil {
		return err
	}
	return c.Redirect(auth.FrameView(c.Query("view")), http.StatusSeeOther)
}
