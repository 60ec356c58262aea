package awssim

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestStacksPage goes the way of a person: account, stack, resource, form.
func TestStacksPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	s.changeSet("slw-page", "one", drifting, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-page", "one")
	stack := s.want("slw-page", "CREATE_COMPLETE")
	where := w.url + "/_slipway/stacks?" + url.Values{"account": {demoManagement}, "stack": {*stack.StackId}, "resource": {"Topic"}}.Encode()
	client := &http.Client{Transport: browser.Transport}
	post := func(form url.Values) (int, string) {
		t.Helper()
		form.Set("stack", *stack.StackId)
		form.Set("resource", "Topic")
		res, err := client.PostForm(where, form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode, readAll(t, res)
	}
	if code, page := post(url.Values{"path": {"/DisplayName"}, "value": {`"<b>Noise</b>"`}, "do": {"change"}}); code != http.StatusOK || !strings.Contains(page, `\u003cb\u003eNoise`) || strings.Contains(page, "<b>") {
		t.Errorf("after a change: %d\n%s", code, page)
	}
	if code, page := post(url.Values{"path": {"/DisplayName"}, "value": {"Noise"}, "do": {"change"}}); code != http.StatusBadRequest || !strings.Contains(page, "The value is not JSON") || !strings.Contains(page, `value="Noise"`) {
		t.Errorf("a value that is not JSON: %d\n%s", code, page)
	}
	if code, page := post(url.Values{"do": {"delete"}}); code != http.StatusOK || !strings.Contains(page, "It was deleted.") {
		t.Errorf("after the deletion: %d\n%s", code, page)
	}
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
