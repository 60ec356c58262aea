package handlers

import (
	"testing"

	"slipway/models"
)

func TestComeBack(t *testing.T) {
	req := models.Request{ID: "r1"}
	for back, want := range map[string]string{
		"":                               "/requests/r1",
		"/environments/new?draft=d1":     "/environments/new?draft=d1&service=orders",
		"/environments/new?draft=d1&x=1": "/environments/new?draft=d1&service=orders&x=1",
		"/admin/roles":                   "/requests/r1",
		"//evil.example/environments/new?draft=d1":       "/requests/r1",
		"https://evil.example/environments/new?draft=d1": "/requests/r1",
		"/environments/new?draft=d1\r\nSet-Cookie: a=b":  "/requests/r1",
	} {
		if got := comeBack(back, req, "service", "orders"); got != want {
			t.Errorf("%q leads to %s, want %s", back, got, want)
		}
	}
}
