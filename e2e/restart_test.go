package e2e

import (
	"strings"
	"testing"
)

// TestKillAndStartAgain pulls the plug of the development program while its demo data is being made and starts it again on the
// same data: the same people, the same session, nothing asked for is lost, and the demo is completed.
func TestKillAndStartAgain(t *testing.T) {
	t.Parallel()
	a := ownApp(t)
	s := signInByScript(t, a.url, "admin")
	request := s.order("before-the-cut")
	a.kill()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.start(bin); err != nil {
		t.Fatal(err)
	}
	if page := s.get(request); page.status != 200 || !strings.Contains(page.body, "Create tenant before-the-cut") {
		t.Fatalf("the request after the cut: %d\n%s", page.status, clip(page.body, 500)) // with the session from before
	}
	eventually(t, "the demo's tenants", walkTime, func() (bool, string) {
		page := s.get("/tenants?state=ready")
		return strings.Contains(page.body, "/tenants/payments") && strings.Contains(page.body, "/tenants/storefront"), clip(page.body, 300)
	})
	for _, slug := range []string{"payments", "storefront"} {
		if n := accountsNamed(t, a, slug); n != 2 {
			t.Errorf("AWS has %d accounts of %s, want 2", n, slug)
		}
	}
}
