package web

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"slipway/models"
)

const openerPolicy = "Cross-Origin-Opener-Policy"

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers are on every answer, errors and files included. Files alone replace Cache-Control.
func (a *App) headers(h *fasthttp.ResponseHeader) {
	for _, one := range [][2]string{
		{fiber.HeaderContentSecurityPolicy, contentPolicy},
		{fiber.HeaderXContentTypeOptions, "nosniff"},
		{fiber.HeaderXFrameOptions, "DENY"},
		{fiber.HeaderReferrerPolicy, "same-origin"},
		{openerPolicy, "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{fiber.HeaderPermissionsPolicy, "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"},
		{fiber.HeaderCacheControl, "no-store"},
		{fiber.HeaderVary, "HX-Request, Accept"},
	} {
		h.Set(one[0], one[1])
	}
	if a.public.Scheme == "https" {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
	}
}

// guard refuses requests for another host, which a name server under an attacker's control could send here. On plain
// http, which means loopback, a reader who typed the other name of this machine is sent to the right one.
func (a *App) guard(c *fiber.Ctx) error {
	host := string(c.Request().Host())
	if strings.EqualFold(host, a.public.Host) || c.Path() == "/healthz" || c.Path() == "/readyz" {
		return c.Next()
	}
	if a.public.Scheme == "http" && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) && loopback(host) {
		return c.Redirect(a.opts.PublicURL+c.OriginalURL(), http.StatusTemporaryRedirect)
	}
	return models.Errorf(models.Invalid, "This is not the address of Slipway. It is served at %s.", a.opts.PublicURL)
}

func loopback(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return name == "localhost" || name == "127.0.0.1" || strings.HasPrefix(host, "[::1]")
}

// address is the client's: the last one in X-Forwarded-For that no trusted proxy has written, or the peer itself.
func (a *App) address(c *fiber.Ctx) string {
	at, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return ""
	}
	at = at.Unmap()
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && a.trusts(at); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap()
	}
	return at.String()
}

func (a *App) trusts(at netip.Addr) bool {
	for _, p := range a.proxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}

func prefixes(all []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range all {
		if at, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(at.Unmap(), at.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
