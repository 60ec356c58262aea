package seed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// visitor is a person without a browser: a cookie jar and the forms of the pages it reads.
type visitor struct {
	base string
	http *http.Client
}

// page is an answer with its forms.
type page struct {
	url   *url.URL
	body  string
	forms []postForm
}

// postForm is where a form goes and what it carries unseen.
type postForm struct {
	action string
	hidden url.Values
}

func (p page) has(s string) bool { return strings.Contains(p.body, s) }

// signIn goes through the provider's form; the password of a demo person is their user name.
func signIn(ctx context.Context, base, name string) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{base, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	login, err := v.get(ctx, "/auth/login")
	if err != nil {
		return nil, err
	}
	if len(login.forms) == 0 {
		return nil, fmt.Errorf("%s has no form", login.url)
	}
	_, err = v.send(ctx, login, login.forms[0].action, url.Values{"username": {name}, "password": {name}})
	return v, err
}

func (v *visitor) get(ctx context.Context, path string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return page{}, err
	}
	return v.do(req)
}

// send posts the page's form with that action: what it carries unseen, and values.
func (v *visitor) send(ctx context.Context, from page, action string, values url.Values) (page, error) {
	for _, f := range from.forms {
		if f.action != action {
			continue
		}
		target, err := from.url.Parse(action)
		if err != nil {
			return page{}, err
		}
		fields := url.Values{}
		for _, set := range []url.Values{f.hidden, values} {
			for name, list := range set {
				fields[name] = list
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(fields.Encode()))
		if err != nil {
			return page{}, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", target.Scheme+"://"+target.Host)
		return v.do(req)
	}
	return page{}, fmt.Errorf("%s has no form for %s", from.url, action)
}

func (v *visitor) do(req *http.Request) (page, error) {
	res, err := v.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return page{}, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return page{}, statusError{req.URL.Path, res.StatusCode}
	}
	p := page{url: res.Request.URL, body: string(body)}
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", req.URL.Path, err)
	}
	for n := range root.Descendants() {
		if n.DataAtom == atom.Form {
			p.forms = append(p.forms, formOf(n))
		}
	}
	return p, nil
}

func formOf(n *html.Node) postForm {
	f := postForm{action: attr(n, "action"), hidden: url.Values{}}
	for in := range n.Descendants() {
		if in.DataAtom == atom.Input && attr(in, "type") == "hidden" {
			f.hidden.Add(attr(in, "name"), attr(in, "value"))
		}
	}
	return f
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
