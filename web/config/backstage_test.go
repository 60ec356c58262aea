package config

import (
	"strings"
	"testing"
)

// TestBackstageOrigins: what is not an origin as a browser names it refuses to start, as it would never match.
func TestBackstageOrigins(t *testing.T) {
	for origins, want := range map[string]string{
		"":                              "",
		"https://backstage.example.com": "",
		"https://backstage.example.com:7007, https://b.example.com": "",
		"http://localhost:3000":                       "",
		"http://127.0.0.1:7007":                       "",
		"http://backstage.example.com":                "plain http",
		"backstage.example.com":                       "not an http",
		"https://":                                    "not an http",
		"https://backstage.example.com/":              "not an origin",
		"https://backstage.example.com/x":             "not an origin",
		"https://backstage.example.com?x":             "not an origin",
		"https://Backstage.example.com":               "not an origin",
		"https://backstage.example.com:443":           "not an origin",
		"https://*.example.com":                       "not an origin",
		"*":                                           "not an http",
		"'self'":                                      "not an http",
		"https://u:p@backstage.example.com":           "not an http",
		"https://a.example.com; script-src *":         "not an",
		"javascript:alert(1)":                         "not an http",
		"https://a.example.com,https://a.example.com": "twice",
	} {
		_, err := Load(map[string]string{"SLIPWAY_BACKSTAGE_ORIGINS": origins})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", origins, err, want)
		}
	}
}
