package auth

import (
	"context"
	"net/http"
	gopath "path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
)

// Frames is what sessions of frames need of the store. Nil: there are no frames.
type Frames interface {
	// GiveFrameCode keeps a code until it expires.
	GiveFrameCode(ctx context.Context, actor models.Actor, code models.FrameCode) error
	// StartFrame uses a code up and begins a session that ends with the one the code came from, audited as "auth.frame". NotFound when the
	// code is not good for the nonce.
	StartFrame(ctx context.Context, actor models.Actor, codeHash, nonceHash, tokenHash []byte) error
	// FrameSession finds a frame's session by its token's hash. NotFound when there is none.
	FrameSession(ctx context.Context, actor models.Actor, tokenHash []byte) (models.FrameSession, models.Actor, error)
}

const (
	frameCookie = "slipway_frame"
	nonceCookie = "slipway_frame_nonce"
	framePath   = "/embed"
)

// Frame finds out who looks at a frame and puts the visit into the request: without a session id or a token for forms, as a frame only
// reads. It tells whether somebody is there. The session cookie is not looked at.
func (a *Auth) Frame(c *fiber.Ctx) (bool, error) {
	token := c.Cookies(a.frameName(frameCookie))
	if a.opts.Frames == nil || !wellFormed(token) {
		return false, nil
	}
	before := visit.Of(c).Actor
	f, who, err := a.opts.Frames.FrameSession(c.UserContext(), nobody(c), hash(token))
	if models.KindOf(err) == models.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, s := a.opts.Clock.Wall(), f.Session
	if now.Before(f.ExpiresAt) && a.alive(s, now) {
		if s, who, err = a.recheck(c, s, who); err != nil {
			return false, err
		}
	}
	if !now.Before(f.ExpiresAt) || !a.alive(s, now) {
		return false, nil
	}
	who.RequestID, who.Address = before.RequestID, before.Address
	visit.Set(c, visit.Visit{Actor: who, ConfirmedAt: s.CheckedAt, ConfirmBy: a.confirmBy(s)})
	return true, nil
}

// FrameNonce is the token that binds codes to this browser and the site around the frame; frames side by side share it.
func (a *Auth) FrameNonce(c *fiber.Ctx) string {
	nonce := c.Cookies(a.frameName(nonceCookie))
	if !wellFormed(nonce) {
		nonce = newToken()
	}
	a.setFrameCookie(c, nonceCookie, nonce)
	return nonce
}

// FrameCode makes the code that takes the person of this request's session into the frame with a nonce.
func (a *Auth) FrameCode(c *fiber.Ctx, nonce string) (string, error) {
	if a.opts.Frames == nil || !wellFormed(nonce) {
		return "", models.Errorf(models.Invalid, "This window was not opened by a frame of Slipway. Close it, and press the frame's button again.")
	}
	code := newToken()
	err := a.opts.Frames.GiveFrameCode(c.UserContext(), visit.Of(c).Actor, models.FrameCode{CodeHash: hash(code), NonceHash: hash(nonce), SessionID: visit.Of(c).SessionID,
		ExpiresAt: a.opts.Clock.Wall().Add(models.FrameCodeLife)})
	return code, err
}

// NoFrame says why a frame could not be opened.
type NoFrame struct {
	NoCookie bool // the browser keeps no cookie in this frame
	err      error
}

func (e *NoFrame) Error() string { return "frame refused: " + e.err.Error() }

// Unwrap classifies it.
func (e *NoFrame) Unwrap() error { return e.err }

// StartFrame uses up the code of the address and gives the frame its cookie: one that only this site within that site gets, and only for
// what frames read.
func (a *Auth) StartFrame(c *fiber.Ctx) error {
	code, nonce := c.Query("code"), c.Cookies(a.frameName(nonceCookie))
	if !wellFormed(nonce) {
		return &NoFrame{NoCookie: true, err: models.Errorf(models.Unauthenticated, "This browser keeps no cookie in a frame of Slipway.")}
	}
	stale := models.Errorf(models.Unauthenticated, "The connection took too long, or was used already.")
	if a.opts.Frames == nil || !wellFormed(code) {
		return &NoFrame{err: stale}
	}
	token := newToken()
	err := a.opts.Frames.StartFrame(c.UserContext(), nobody(c), hash(code), hash(nonce), hash(token))
	if models.KindOf(err) == models.NotFound {
		return &NoFrame{err: stale}
	}
	if err != nil {
		return err
	}
	a.setFrameCookie(c, frameCookie, token)
	return nil
}

func (a *Auth) frameName(name string) string {
	if a.secure {
		return "__Secure-" + name
	}
	return name
}

// setFrameCookie is also sent Secure over plain http, which means loopback: browsers trust that, and take no cookie for another site's
// frame otherwise.
func (a *Auth) setFrameCookie(c *fiber.Ctx, name, value string) {
	cookie := http.Cookie{Name: a.frameName(name), Value: value, Path: framePath, MaxAge: int(models.FrameLife / time.Second), Secure: true, HttpOnly: true,
		SameSite: http.SameSiteNoneMode, Partitioned: true}
	c.Response().Header.Add(fiber.HeaderSetCookie, cookie.String())
}

// FrameView keeps a path and query of something that frames show, and turns all else into the frame of what waits for the reader.
func FrameView(path string) string {
	path = visit.Local(path)
	at, _, _ := strings.Cut(path, "?")
	if !strings.HasPrefix(at, framePath+"/") || gopath.Clean(at) != at || at == ConnectPath || at == StartPath {
		return framePath + "/approvals"
	}
	return path
}

// The ways into a frame.
const (
	ConnectPath = framePath + "/connect"
	StartPath   = framePath + "/start"
)
