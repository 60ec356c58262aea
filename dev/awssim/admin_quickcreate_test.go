package awssim

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestQuickCreate follows a link as the console takes it: the form is filled in, and the stack is made in the account that one is signed in to.
func TestQuickCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	bucket := "slipway-artifacts-222222222222-eu-west-1"
	w.byHandAPI(t, "POST", "/objects", deed{Account: demoHub, Name: bucket, Key: "spoke/one.yaml", Value: `
Parameters:
  Name: {Type: String}
Resources:
  Images: {Type: "AWS::ECR::Repository", Properties: {RepositoryName: !Ref Name}}
`})
	w.byHandAPI(t, "POST", "/objects", deed{Account: demoHub, Name: bucket, Key: "templates/one.yaml", Value: "Resources: {}"})
	link := w.url + "/_slipway/quickcreate?" + url.Values{"templateURL": {"https://" + bucket + ".s3.eu-west-1.amazonaws.com/spoke/one.yaml"}, "stackName": {"by-link"}, "param_Name": {"legacy/one"}}.Encode()
	status, page := w.fetched(t, browser.Get, link)
	for _, want := range []string{`value="by-link"`, `name="param_Name" value="legacy/one"`, "legacy-shop (" + demoLegacyShop + ")"} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("the form (%d) lacks %s: %s", status, want, page)
		}
	}
	post := func(change map[string]string) (int, string) {
		f := url.Values{"account": {demoLegacyShop}, "name": {"by-link"}, "value": {"https://" + bucket + ".s3.eu-west-1.amazonaws.com/spoke/one.yaml"}, "param_Name": {"legacy/one"}, "do": {"PUT /stacks"}}
		for name, value := range change {
			f.Set(name, value)
		}
		return w.fetched(t, func(link string) (*http.Response, error) { return browser.PostForm(link, f) }, link)
	}
	for name, tc := range map[string]struct {
		change map[string]string
		status int
		says   string
	}{
		"nothing to do":           {map[string]string{"do": "drop"}, http.StatusBadRequest, "nothing like that"},
		"an odd name":             {map[string]string{"name": "<b>"}, http.StatusBadRequest, "letters, digits and dashes"},
		"a template of the hub's": {map[string]string{"value": "https://" + bucket + ".s3.eu-west-1.amazonaws.com/templates/one.yaml"}, http.StatusConflict, "Access Denied"},
		"no such account":         {map[string]string{"account": "999999999999"}, http.StatusNotFound, "no such account"},
		"no stack to delete":      {map[string]string{"do": "DELETE /stacks"}, http.StatusNotFound, "There is no stack"},
	} {
		if status, page := post(tc.change); status != tc.status || !strings.Contains(page, tc.says) {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
	for _, want := range []string{"Done:", "already exists"} { // the second time
		if _, page := post(nil); !strings.Contains(page, want) {
			t.Errorf("create: %s", page)
		}
	}
	made := func() (n int) {
		w.do(t, func(ctx context.Context, c *Call) error {
			if err := c.tick(ctx); err != nil {
				return err
			}
			return c.Tx.QueryRow(ctx, `SELECT count(*) FROM stacks WHERE account = $1 AND name = 'by-link' AND status = 'CREATE_COMPLETE'`, demoLegacyShop).Scan(&n)
		})
		return n
	}
	eventually(t, "the stack is made", func() bool { return made() == 1 })
	if status, _ := post(map[string]string{"do": "DELETE /stacks"}); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
	eventually(t, "the stack is gone", func() bool { return made() == 0 })
}

// fetched is the answer's status and text.
func (w *world) fetched(t *testing.T, get func(string) (*http.Response, error), link string) (int, string) {
	t.Helper()
	res, err := get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
