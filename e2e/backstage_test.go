package e2e

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// portal stands where Backstage would: a page of another site that frames Slipway under Backstage's own policy, keeps what it hears, and makes
// the frame as high as that says. A second frame on it is a stranger's.
type portal struct {
	url string

	mu            sync.Mutex
	slipway, view string
	stranger      string
}

const portalScript = `
window.heard = [];
window.addEventListener('message', (e) => {
	window.heard.push({origin: e.origin, type: e.data?.type, height: e.data?.height});
	if (e.origin === document.body.dataset.slipway && e.data?.type === 'slipway:height' && e.data.height >= 50) document.getElementById('slipway').height = e.data.height;
});
window.say = (data) => document.getElementById('slipway').contentWindow.postMessage(data, document.body.dataset.slipway);
`

// strangerScript tells the frame beside it what only the site around may.
const strangerScript = `
const frame = parent.frames[0];
for (const theme of ['light', 'dark']) frame.postMessage({type: 'slipway:theme', theme}, '*');
frame.postMessage({type: 'slipway:code', code: 'A'.repeat(43)}, '*');
parent.postMessage('stranger done', '*');
`

func newPortal(t *testing.T) *portal {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{url: fmt.Sprintf("http://127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port)}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: p}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return p
}

func (p *portal) show(slipway, view, stranger string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slipway, p.view, p.stranger = slipway, view, stranger
}

func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	switch r.URL.Path {
	case "/portal.js", "/stranger.js":
		h.Set("Content-Type", "text/javascript")
		fmt.Fprint(w, map[string]string{"/portal.js": portalScript, "/stranger.js": strangerScript}[r.URL.Path])
	case "/stranger":
		fmt.Fprint(w, `<!doctype html><title>Stranger</title><script src="/stranger.js"></script>`)
	default:
		h.Set("Content-Security-Policy", "default-src 'self'; img-src data:; frame-src "+p.slipway+" "+p.stranger+"; frame-ancestors 'self'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		fmt.Fprintf(w, `<!doctype html><title>Portal</title><link rel="icon" href="data:,"><body data-slipway="%s"><h1>Portal</h1><iframe id="slipway" title="Slipway" width="1000" height="60" src="%s"></iframe><script src="/portal.js"></script>`,
			p.slipway, html.EscapeString(p.slipway+p.view))
		if p.stranger != "" {
			fmt.Fprintf(w, `<iframe id="stranger" title="Stranger" src="%s/stranger"></iframe>`, p.stranger)
		}
	}
}

// TestFramesInAnotherSite frames Slipway from an origin that may and from one that may not, in a browser without third-party cookies.
func TestFramesInAnotherSite(t *testing.T) {
	t.Parallel()
	allowed, refused := newPortal(t), newPortal(t)
	a := ownApp(t, "SLIPWAY_BACKSTAGE_ORIGINS="+allowed.url)
	chrome.once.Do(openChrome)
	if chrome.err != nil {
		t.Fatal(chrome.err)
	}
	browser, err := launchChrome("--test-third-party-cookie-phaseout")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = browser.Close() })
	for _, theme := range []string{"light", "dark"} {
		t.Run(theme, func(t *testing.T) {
			allowed.show(a.url, "/embed/approvals?theme="+theme, refused.url)
			framed(t, newVisitorOf(t, a, desk, browser), allowed, theme)
		})
	}
	t.Run("refused", func(t *testing.T) {
		page, err := browser.NewPage() // no visitor: theirs fails the test for what is wanted here
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = page.Close() })
		said := make(chan string, 50)
		page.OnConsole(func(m playwright.ConsoleMessage) { said <- m.Text() })
		for _, path := range []string{"/embed/approvals", "/embed/connect", "/approvals"} {
			where := refused
			if path != "/embed/approvals" { // even where frames are allowed
				where = allowed
			}
			where.show(a.url, path, "")
			if _, err := page.Goto(where.url); err != nil {
				t.Fatal(err)
			}
			deadline := time.After(patience)
			for found := false; !found; {
				select {
				case text := <-said:
					found = strings.Contains(text, "frame-ancestors") || strings.Contains(text, "X-Frame-Options")
				case <-deadline:
					t.Fatalf("the browser let %s frame %s", where.url, path)
				}
			}
		}
	})
	t.Run("opener lost", func(t *testing.T) {
		v := newVisitorOf(t, a, desk, browser)
		v.signIn("admin")
		v.open("/embed/connect?nonce=" + strings.Repeat("A", 43) + "&view=%2Fembed%2Fapprovals")
		v.ok(v.page.WaitForURL(a.url + "/approvals#opener-lost"))
		v.sees("could not be reached")
	})
}

// framed leads a visitor from a frame without a session to one that shows what waits for them, and out again.
func framed(t *testing.T, v *visitor, p *portal, theme string) {
	var mu sync.Mutex
	var errors []string
	v.page.Context().OnConsole(func(m playwright.ConsoleMessage) {
		mu.Lock()
		defer mu.Unlock()
		if m.Type() == "error" || m.Type() == "warning" {
			errors = append(errors, m.Text())
		}
	})
	_, err := v.page.Goto(p.url)
	v.ok(err)
	frame := v.page.FrameLocator("#slipway")
	v.ok(v.must.Locator(frame.Locator("h1")).ToHaveText("Connect to Slipway"))
	window, err := v.page.ExpectPopup(func() error { return frame.Locator("#connect").Click() })
	v.ok(err)
	v.ok(window.Locator("[name=username]").Fill("admin"))
	v.ok(window.Locator("[name=password]").Fill("admin"))
	v.ok(window.Locator("form:has([name=password]) [type=submit]").Click())
	v.ok(v.must.Locator(window.Locator("h1")).ToHaveText("Show in Backstage?"))
	closed := make(chan bool, 1)
	window.OnClose(func(playwright.Page) { closed <- true })
	v.ok(window.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Show in Backstage"}).Click())
	v.ok(v.must.Locator(frame.Locator("h1")).ToContainText("for you"))
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("the window stays open")
	}
	html := frame.Locator("html")
	v.ok(v.must.Locator(html).ToHaveAttribute("data-theme", "slipway-"+theme)) // whatever the stranger beside it said
	rightHeight(t, v, frame)

	other := map[string]string{"light": "dark", "dark": "light"}[theme]
	_, err = v.page.Evaluate(`(theme) => { say({type: 'slipway:theme', theme: 'x" onload="'}); say({type: 'other', theme}); say(null); say('slipway:theme'); say({type: 'slipway:theme', theme}); }`, other)
	v.ok(err)
	v.ok(v.must.Locator(html).ToHaveAttribute("data-theme", "slipway-"+other))
	v.ok(v.must.Locator(v.page.FrameLocator("#slipway").Locator("a[href='/approvals']")).ToHaveAttribute("rel", "noopener"))
	outside, err := v.page.ExpectPopup(func() error { return frame.Locator("a[href='/approvals']").Click() })
	v.ok(err)
	v.ok(outside.WaitForURL(v.app.url + "/approvals"))
	cut, err := outside.Evaluate(`() => window.opener === null`)
	v.ok(err)
	if cut != true {
		t.Error("a page that was opened from a frame knows its opener")
	}
	v.shot("connected-" + theme)
	_, err = v.page.Reload() // the cookie is the frame's own: no window is needed again
	v.ok(err)
	v.ok(v.must.Locator(frame.Locator("h1")).ToContainText("for you"))
	v.ok(outside.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Sign out"}).Click())
	v.ok(outside.WaitForLoadState())
	_, err = v.page.Reload()
	v.ok(err)
	v.ok(v.must.Locator(frame.Locator("h1")).ToHaveText("Connect to Slipway"))
	mu.Lock()
	defer mu.Unlock()
	for _, text := range errors {
		t.Errorf("the console says: %s", text)
	}
}

// rightHeight holds the frame against its content, and all that the portal heard against who may say it.
func rightHeight(t *testing.T, v *visitor, frame playwright.FrameLocator) {
	t.Helper()
	body, err := frame.Locator("body").Evaluate(`(b) => Math.ceil(b.getBoundingClientRect().height)`, nil)
	v.ok(err)
	v.ok(v.must.Locator(v.page.Locator("#slipway")).ToHaveAttribute("height", fmt.Sprint(body)))
	scrolls, err := frame.Locator("html").Evaluate(`(h) => h.scrollHeight - h.clientHeight`, nil)
	v.ok(err)
	if n, _ := scrolls.(int); n > 0 {
		t.Errorf("the frame scrolls by %d px", n)
	}
	heard, err := v.page.Evaluate(`() => heard`)
	v.ok(err)
	for _, one := range heard.([]any) {
		m := one.(map[string]any)
		if kind, _ := m["type"].(string); m["origin"] == v.app.url && kind != "slipway:height" {
			t.Errorf("the frame says %v to the site around it", m)
		}
	}
}
