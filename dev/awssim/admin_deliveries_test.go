package awssim

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// TestDeliveriesPage does what the page offers by its forms.
func TestDeliveriesPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "")
	page := func() string {
		res, err := browser.Get(w.url + "/_slipway/deliveries")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the page: %d, %v", res.StatusCode, err)
		}
		return string(body)
	}
	send := func(status int, form url.Values) {
		t.Helper()
		form.Set("account", demoManagement)
		form.Set("region", homeRegion)
		client := *browser
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := client.PostForm(w.url+"/_slipway/deliveries", form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != status {
			t.Errorf("%v: %d, want %d: %s, %v", form, res.StatusCode, status, body, err)
		}
	}
	if text := page(); !strings.Contains(text, "shop</strong> to GitHub") || !strings.Contains(text, "PENDING") || !strings.Contains(text, "CreatePipeline") {
		t.Errorf("the page at first:\n%s", text)
	}
	send(http.StatusSeeOther, url.Values{"do": {"PUT /connections"}, "name": {d.connection}, "value": {"AVAILABLE"}, "author": {"mina-vogel"}})
	send(http.StatusSeeOther, url.Values{"do": {"POST /images/next"}, "name": {"shop/web"}, "value": {"critical"}})
	send(http.StatusSeeOther, url.Values{"do": {"POST /commits"}, "name": {"shop/web"}, "key": {"main"}, "value": {"Sell umbrellas <b>"}, "author": {"Mina Vogel"}, "paths": {"web/a.go web/b.go"}})
	one := *d.newest()[0].PipelineExecutionId
	d.waiting(one)
	eventually(t, "the scan", func() bool { return strings.Contains(page(), "2 critical, 1 high") })
	if text := page(); !strings.Contains(text, "Sell umbrellas &lt;b&gt;") || !strings.Contains(text, "AVAILABLE, by mina-vogel") || !strings.Contains(text, one) {
		t.Errorf("the page then:\n%s", text)
	}
	send(http.StatusBadRequest, url.Values{"do": {"POST /commits"}, "name": {"nothing"}, "key": {"main"}, "value": {"x"}})
	send(http.StatusNotFound, url.Values{"do": {"PUT /connections"}, "name": {"none"}, "value": {"AVAILABLE"}})
	send(http.StatusBadRequest, url.Values{"do": {"DELETE /everything"}})
	send(http.StatusSeeOther, url.Values{"do": {"POST /approvals/expire"}, "name": {"shop"}})
	d.ended(one, cptypes.PipelineExecutionStatusFailed)
	send(http.StatusConflict, url.Values{"do": {"POST /approvals/expire"}, "name": {"shop"}})
	status, out := w.byHandAPI(t, "POST", "/commits", deed{Name: "shop/web", Key: "main", Value: "By the API"})
	if told, ok := out["pipelines"].([]any); status != http.StatusCreated || !ok || len(told) != 1 {
		t.Errorf("a commit by the API: %d %v", status, out)
	}
}
