package auth_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/dev/idp"
	"slipway/models"
	"slipway/web/auth"
	"slipway/web/webtest"
)

const providerSecret = "providers-test-secret"

// embedded starts dev/idp on a listener of its own.
func embedded(t *testing.T, o *auth.Options) { telling(make(chan error, 10))(t, o) }

// telling is embedded and says when the client was told of a sign-out.
func telling(told chan error) func(*testing.T, *auth.Options) {
	return func(t *testing.T, o *auth.Options) {
		mux := http.NewServeMux()
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		o.Issuer, o.ClientID, o.ClientSecret = server.URL+"/dev/idp", "slipway", providerSecret
		h, err := idp.New(idp.Config{Issuer: o.Issuer, People: idp.Demo(), Clients: []idp.Client{idp.Slipway(o.PublicURL, providerSecret)},
			Told: func(_ string, err error) { told <- err }})
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/dev/idp/", h)
	}
}

// independent starts npm oidc-provider, which shares no code with dev/idp or with go-oidc.
func independent(env ...string) func(*testing.T, *auth.Options) {
	return func(t *testing.T, o *auth.Options) {
		folder := os.Getenv("SLIPWAY_TEST_OIDC_PROVIDER")
		if folder == "" {
			t.Fatal("SLIPWAY_TEST_OIDC_PROVIDER does not name the folder of the second provider: run the tests by make test")
		}
		o.ClientID, o.ClientSecret = "slipway", providerSecret
		config, err := json.Marshal(map[string]any{"redirect": o.PublicURL + "/auth/callback", "signedOut": o.PublicURL + "/", "backchannel": o.PublicURL + auth.BackchannelPath, "clientId": o.ClientID,
			"clientSecret": o.ClientSecret, "groups": []string{"payments-developers", "engineers"}})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "testdata/oidc-provider.mjs", folder, string(config))
		cmd.Env = append(os.Environ(), env...)
		var words strings.Builder
		cmd.Stderr = &words
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		t.Cleanup(func() {
			in.Close()
			timer := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
			defer timer.Stop()
			if err := cmd.Wait(); err != nil {
				t.Errorf("second provider: %v\n%s", err, words.String())
			}
		})
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "http://") {
				o.Issuer = lines.Text()
				go io.Copy(io.Discard, out)
				return
			}
		}
		t.Fatalf("the second provider did not start: %s", words.String())
	}
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
	action = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
)

// submit fills in the form of a provider's page and follows it back.
func submit(t *testing.T, b *webtest.Browser, page webtest.Answer, fields url.Values) webtest.Answer {
	t.Helper()
	for _, m := range hidden.FindAllStringSubmatch(page.Text, -1) {
		fields.Set(m[1], m[2])
	}
	to := page.Request.URL
	if m := action.FindStringSubmatch(page.Text); m != nil {
		ref, err := url.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		to = to.ResolveReference(ref)
	}
	a := b.Post(to.String(), fields)
	if at, err := a.Location(); err == nil {
		return b.Follow(at.String())
	}
	return a
}

func TestProviders(t *testing.T) {
	for name, tc := range map[string]struct {
		start   func(*testing.T, *auth.Options)
		subject string
	}{
		"embedded":                              {embedded, "demo-developer"},
		"independent":                           {independent(), "developer"},
		"independent, claims by userinfo alone": {independent("CLAIMS_BY_USERINFO=1"), "developer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) {
				o.Scopes = []string{"openid", "profile", "email", "groups"}
				tc.start(t, o)
			}})
			b := s.Browser(t)
			form := b.Follow("/notes/new")
			if form.StatusCode != http.StatusOK || !strings.Contains(form.Text, `name="username"`) || !strings.Contains(form.Text, "<title>") {
				t.Fatalf("the way to the provider ends at %s: %s", form.Request.URL, form.Status)
			}
			if a := submit(t, b, form, url.Values{"username": {"developer"}, "password": {"wrong"}}); a.StatusCode != http.StatusUnauthorized {
				t.Fatalf("a wrong password: %s", a.Status)
			}
			page := submit(t, b, form, url.Values{"username": {"developer"}, "password": {"developer"}})
			lines := strings.Split(page.Text, "\n")
			if page.StatusCode != http.StatusOK || page.Request.URL.Path != "/notes/new" || len(lines) < 4 || lines[0] != tc.subject {
				t.Fatalf("signed in at %s: %s\n%.500s", page.Request.URL, page.Status, page.Text)
			}
			if got := strings.Split(lines[2], ","); !slices.Equal(got, []string{"engineers", "payments-developers"}) || lines[3] != "developer@example.com" {
				t.Errorf("groups %q, e-mail %q", got, lines[3])
			}
			if s.Store.Sessions()[0].SID == "" {
				t.Error("the provider's session id is not kept")
			}
			signOut(t, s, b, lines[1])
		})
	}
}

// signOut leaves through the provider and must be asked for the password again.
func signOut(t *testing.T, s *webtest.Site, b *webtest.Browser, token string) {
	t.Helper()
	out := b.Post("/auth/logout", url.Values{"_csrf": {token}})
	to, ok := strings.CutPrefix(out.Header.Get("Refresh"), "0; url=")
	if out.StatusCode != http.StatusOK || !ok {
		t.Fatalf("signing out: %s, Refresh %q", out.Status, out.Header.Get("Refresh"))
	}
	a := b.Follow(to)
	if strings.Contains(a.Text, `name="logout"`) { // it asks once more
		a = submit(t, b, a, url.Values{})
	}
	if a.StatusCode != http.StatusOK || !strings.Contains(a.Text, `name="username"`) {
		t.Errorf("signing out ends at %s: %s\n%.300s", a.Request.URL, a.Status, a.Text)
	}
	for _, in := range s.Store.Sessions() {
		if in.EndedAt.IsZero() {
			t.Error("a session is still alive")
		}
	}
}

// TestSignOutAtTheProviders signs out there and not here: the provider tells.
func TestSignOutAtTheProviders(t *testing.T) {
	told := make(chan error, 10) // by the embedded provider; the independent one tells before it answers
	for name, tc := range map[string]struct {
		start func(*testing.T, *auth.Options)
		end   string
	}{
		"embedded":    {telling(told), "/end_session"},
		"independent": {independent(), "/session/end"},
	} {
		t.Run(name, func(t *testing.T) {
			var issuer string
			s := webtest.Serve(t, webtest.Config{Auth: func(o *auth.Options) {
				tc.start(t, o)
				issuer = o.Issuer
			}})
			here, elsewhere := s.Browser(t), s.Browser(t)
			var hint string
			for _, b := range []*webtest.Browser{elsewhere, here} {
				submit(t, b, b.Follow("/notes/new"), url.Values{"username": {"developer"}, "password": {"developer"}})
			}
			for _, in := range s.Store.Sessions() {
				hint = openSealed(t, s, in)
			}
			a := here.Follow(issuer + tc.end + "?id_token_hint=" + url.QueryEscape(hint))
			if strings.Contains(a.Text, `name="logout"`) {
				submit(t, here, a, url.Values{})
			} else if err := <-told; err != nil {
				t.Fatal(err)
			}
			if a := here.Get("/"); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Text, "signed out at the identity provider") {
				t.Errorf("signed out there, and here: %s", a.Status)
			}
			if a := elsewhere.Get("/"); a.StatusCode != http.StatusOK {
				t.Errorf("another browser's session: %s", a.Status)
			}
		})
	}
}

// openSealed is the ID token that signing out would show to the provider.
func openSealed(t *testing.T, s *webtest.Site, in models.Session) string {
	t.Helper()
	plain, err := s.Keys.Open(in.IDToken, "id token")
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}
