package urls

import "testing"

func TestLocal(t *testing.T) {
	for in, want := range map[string]string{
		"/tenants?q=a%20b":     "/tenants?q=a%20b",
		"/requests/1#talk":     "/requests/1#talk",
		"":                     "/",
		"//evil.example":       "/",
		"/\\evil.example":      "/",
		"/\t/evil.example":     "/",
		"https://evil.example": "/",
		"javascript:alert(1)":  "/",
		"tenants":              "/",
		"/%zz":                 "/",
	} {
		if got := Local(in); got != want {
			t.Errorf("Local(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPageOf(t *testing.T) {
	for in, want := range map[string]string{
		"/requests/1/approve?x=1": "/requests/1",
		"/runs/1/stop":            "/runs/1",
		"/requests/1":             "/",
		"/requests//approve":      "/",
		"//evil.example/1/2":      "/",
		"/tenants/new/check":      "/",
	} {
		if got := PageOf(in); got != want {
			t.Errorf("PageOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIDsCannotLeaveTheirPlace(t *testing.T) {
	if got, want := Tenant("../admin"), "/tenants/..%2Fadmin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Request("a?b#c"), "/requests/a%3Fb%23c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWithLeavesEmptyOut(t *testing.T) {
	if got, want := With(Requests, "state", "", "tenant", "a&b"), "/requests?tenant=a%26b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := With(Requests, "state", ""); got != Requests {
		t.Errorf("got %s", got)
	}
	if got, want := SignInThen("/tenants/new"), "/auth/login?return=%2Ftenants%2Fnew"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAllAreDifferent(t *testing.T) {
	seen := map[Link]bool{}
	for _, l := range All() {
		if seen[l] {
			t.Errorf("%s %s is listed twice", l.Method, l.Path)
		}
		seen[l] = true
	}
}
