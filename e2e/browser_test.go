package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// patience bounds every wait of the browser: far more than ten times what is aimed at, so that a busy machine decides nothing.
const patience = 2 * time.Minute

var chrome struct {
	once sync.Once
	pw   *playwright.Playwright
	b    playwright.Browser
	exe  string
	axe  string
	err  error
}

func openChrome() {
	driver := os.Getenv("PLAYWRIGHT_DRIVER_PATH")
	if driver == "" {
		chrome.err = fmt.Errorf("PLAYWRIGHT_DRIVER_PATH is not set: run the tests with make test, which installs the driver")
		return
	}
	axe, err := os.ReadFile(filepath.Join(driver, "axe", "axe.min.js"))
	if err != nil {
		chrome.err = err
		return
	}
	chrome.axe = string(axe)
	if chrome.pw, chrome.err = playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true, DriverDirectory: driver}); chrome.err != nil {
		return
	}
	exe := os.Getenv("SLIPWAY_TEST_CHROMIUM")
	if exe == "" {
		if exe, chrome.err = exec.LookPath("chromium"); chrome.err != nil {
			return
		}
	}
	chrome.exe = exe
	chrome.b, chrome.err = launchChrome()
}

// launchChrome starts a browser. Its two optimizing compilers are off: most of what they would compile is axe, which each page runs but twice.
func launchChrome(more ...string) (playwright.Browser, error) {
	return chrome.pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath: playwright.String(chrome.exe), Headless: playwright.Bool(true), ChromiumSandbox: playwright.Bool(false),
		Args: append([]string{"--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--js-flags=--no-turbofan --no-maglev"}, more...),
	})
}

func TestMain(m *testing.M) {
	if addr := os.Getenv(baseline); addr != "" { // the benchmark started this binary again
		fmt.Fprintln(os.Stderr, byHand(addr))
		os.Exit(1)
	}
	// Most of these tests wait for the product, which goes its own pace: more of them than processors fit side by side.
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if !told {
		if err := flag.Set("test.parallel", fmt.Sprint(2*runtime.GOMAXPROCS(0))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if chrome.b != nil {
		_ = chrome.b.Close()
		_ = chrome.pw.Stop()
	}
	if shared.app != nil {
		shared.app.stop()
	}
	if built.path != "" && os.Getenv("SLIPWAY_TEST_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// look is how a visitor sees pages.
type look struct {
	width, height int
	theme         string // light or dark
	noScript      bool
}

var desk = look{1280, 900, "light", false}

// visitor is one browser profile: cookies of its own, script and policy errors collected.
type visitor struct {
	t    *testing.T
	app  *app
	page playwright.Page
	must playwright.PlaywrightAssertions
}

func newVisitor(t *testing.T, a *app, l look) *visitor {
	t.Helper()
	chrome.once.Do(openChrome)
	if chrome.err != nil {
		t.Fatal(chrome.err)
	}
	return newVisitorOf(t, a, l, chrome.b)
}

// newVisitorOf is a visitor with another browser than the usual one.
func newVisitorOf(t *testing.T, a *app, l look, b playwright.Browser) *visitor {
	t.Helper()
	scheme := playwright.ColorSchemeLight
	if l.theme == "dark" {
		scheme = playwright.ColorSchemeDark
	}
	ctx, err := b.NewContext(playwright.BrowserNewContextOptions{Viewport: &playwright.Size{Width: l.width, Height: l.height},
		ColorScheme: scheme, ReducedMotion: playwright.ReducedMotionReduce, JavaScriptEnabled: playwright.Bool(!l.noScript), TimezoneId: playwright.String("Europe/Berlin")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ctx.Close() })
	ctx.SetDefaultTimeout(float64(patience.Milliseconds()))
	ctx.SetDefaultNavigationTimeout(float64(patience.Milliseconds())) // what waits for an address asks for this one alone
	page, err := ctx.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	page.OnPageError(func(e error) { t.Errorf("script error on %s: %v", page.URL(), e) })
	page.OnConsole(func(m playwright.ConsoleMessage) {
		if strings.Contains(m.Text(), "Content Security Policy") || strings.Contains(m.Text(), "Content-Security-Policy") {
			t.Errorf("policy violation on %s: %s", page.URL(), m.Text())
		}
	})
	return &visitor{t, a, page, playwright.NewPlaywrightAssertions(float64(patience.Milliseconds()))}
}

// signIn goes through the real provider's form; the password of a demo user is the user name.
func (v *visitor) signIn(user string) *visitor {
	v.t.Helper()
	v.open("/auth/login")
	v.fill("username", user)
	v.fill("password", user)
	v.ok(v.page.Locator("form:has([name=password]) [type=submit]").Click())
	v.ok(v.page.WaitForURL(v.app.url + "/**"))
	return v
}

func (v *visitor) ok(err error) {
	v.t.Helper()
	if err != nil {
		v.shot("failed")
		v.t.Fatalf("%s: %v", v.page.URL(), err)
	}
}

func (v *visitor) open(path string) {
	v.t.Helper()
	_, err := v.page.Goto(v.app.url + path)
	v.ok(err)
}

func (v *visitor) fill(name, value string) {
	v.t.Helper()
	v.ok(v.page.Locator("[name=" + name + "]").First().Fill(value))
}

func (v *visitor) click(role playwright.AriaRole, name string) {
	v.t.Helper()
	v.ok(v.page.GetByRole(role, playwright.PageGetByRoleOptions{Name: name}).First().Click())
}

func (v *visitor) sees(text string) {
	v.t.Helper()
	v.ok(v.must.Locator(v.page.Locator("body")).ToContainText(text))
}

// What axe is asked for, as its option runOnly.
const (
	everyRule = `['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']` // WCAG 2.2 A and AA, and best practice
	contrast  = `{type: 'rule', values: ['color-contrast']}`
)

// axe fails the test for every violation of every rule on the page as it stands.
func (v *visitor) axe(where string) {
	v.t.Helper()
	v.rules(where, everyRule)
}

// rules fails the test for every violation of some rules on the page as it stands.
func (v *visitor) rules(where, only string) {
	v.t.Helper()
	there, err := v.page.Evaluate(`() => {
		for (const a of document.getAnimations()) if (a.effect?.getComputedTiming().iterations !== Infinity) a.finish();
		return 'axe' in window;
	}`)
	v.ok(err) // colours that are on their way are no colours to judge
	if there != true {
		_, err = v.page.Evaluate(chrome.axe)
		v.ok(err)
	}
	_, err = v.page.Evaluate(`() => window.scrollTo({top: 0, behavior: 'instant'})`)
	v.ok(err) // what a page that was scrolled hides behind its bar is no finding
	res, err := v.page.Evaluate(`async () => (await axe.run(document, {resultTypes: ['violations'], runOnly: ` + only + `}))
		.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).slice(0, 3).join('; '))`)
	v.ok(err)
	for _, violation := range res.([]any) {
		v.t.Errorf("axe on %s: %v", where, violation)
	}
}

// noSideways fails the test when the page is wider than its window.
func (v *visitor) noSideways(where string) {
	v.t.Helper()
	wide, err := v.page.Evaluate(`() => document.documentElement.scrollWidth - document.documentElement.clientWidth`)
	v.ok(err)
	if n, _ := wide.(int); n > 0 {
		v.t.Errorf("%s scrolls sideways by %d px", where, n)
	}
}

// shot keeps a picture when SLIPWAY_TEST_SHOTS names a folder.
func (v *visitor) shot(name string) {
	dir := os.Getenv("SLIPWAY_TEST_SHOTS")
	if dir == "" {
		return
	}
	file := strings.NewReplacer("/", "-", " ", "-").Replace(v.t.Name()+"-"+name) + ".png"
	if _, err := v.page.Screenshot(playwright.PageScreenshotOptions{Path: playwright.String(filepath.Join(dir, file)), FullPage: playwright.Bool(true)}); err != nil {
		v.t.Logf("picture %s: %v", file, err)
	}
}
