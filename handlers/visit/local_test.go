package visit

import (
	"net/url"
	"strings"
	"testing"
)

func TestLocal(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/tenants?q=a%20b&sort=-name": "/tenants?q=a%20b&sort=-name", "/requests/1#plan": "/requests/1",
		"": "/", "tenants": "/", "//evil.example.com": "/", `/\evil.example.com`: "/", `\\evil.example.com`: "/", "https://evil.example.com/": "/",
		"/%2f/evil.example.com": "/", "/%5Cevil.example.com": "/", "/ /evil": "/", "/\r\nSet-Cookie: x": "/", "/\tx": "/", "/é": "/", "/auth/logout": "/",
		"/auth/login?return=/": "/", "javascript:alert(1)": "/", "/" + strings.Repeat("a", maxLocal): "/", "/%zz": "/",
	} {
		if got := Local(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/", "/a?b=c", "//x", `/\x`, "/%2fx", "http://x/", "/@x", "/.//x", "/..//x"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://slipway.example.com/some/page")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Local(in)
		to, err := base.Parse(out)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || !strings.HasPrefix(out, "/") || strings.HasPrefix(out, "//") || strings.ContainsAny(out, "\\\r\n\t ") {
			t.Fatalf("%q became %q, which leads to %v (%v)", in, out, to, err)
		}
		if again := Local(out); again != out {
			t.Fatalf("%q became %q, then %q", in, out, again)
		}
	})
}
