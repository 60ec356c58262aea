package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// shop is the demo environment that people use, so that there is something to measure.
const shop = "/tenants/payments/environments/checkout-dev"

var repositoryForm = regexp.MustCompile(`([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9/_.-]+)`)

// open deploys a first image to the shop once it stands: without one nothing runs, and nothing is measured.
func open(ctx context.Context, by *visitor) error {
	page, err := by.until(ctx, shop, `"`+shop+`/deploy"`)
	if err != nil || page.has("@sha256:") { // deployed before a restart
		return err
	}
	image, err := by.push(ctx, page)
	if err != nil {
		return fmt.Errorf("push an image: %w", err)
	}
	_, err = by.wish(ctx, wish{page: shop + "/deploy", key: "demo-deploy", fields: url.Values{"image": {image}}})
	return err
}

// until waits for a page to show something.
func (v *visitor) until(ctx context.Context, path, what string) (page, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		p, err := v.get(ctx, path)
		var status statusError
		if err != nil && !(errors.As(err, &status) && status.status == http.StatusNotFound) { // it is not there yet
			return p, err
		}
		if err == nil && p.has(what) {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-tick.C:
		}
	}
}

// push lets the simulator make an image in the repository that a page names, as a pipeline would, and answers its name by digest.
func (v *visitor) push(ctx context.Context, from page) (string, error) {
	m := repositoryForm.FindStringSubmatch(from.body)
	if m == nil {
		return "", errors.New("the page names no repository")
	}
	body, err := json.Marshal(map[string]string{"account": m[1], "region": m[2], "name": m[3]})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base+"/dev/aws/images", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Origin", v.base)
	res, err := v.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return "", statusError{req.URL.Path, res.StatusCode}
	}
	var made struct{ Image string }
	err = json.NewDecoder(res.Body).Decode(&made)
	return made.Image, err
}
