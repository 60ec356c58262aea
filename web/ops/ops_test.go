package ops

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"slipway/web/telemetry"
)

func TestServer(t *testing.T) {
	handler := Server("", telemetry.Registry("test")).Handler
	for path, want := range map[string]string{
		"/metrics":                  `slipway_build_info{go="`,
		"/debug/pprof/":             "goroutine",
		"/debug/pprof/heap?debug=1": "heap profile",
	} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d without %q", path, rec.Code, want)
		}
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	if rec.Code != http.StatusNotFound {
		t.Errorf("/: %d", rec.Code)
	}
}
