package notify_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"slipway/models"
	"slipway/provisioners/notify"
)

// hostileTargets lead inside by every way of writing an address that we know of. None may be connected to.
var hostileTargets = []string{
	"http://127.0.0.1:%d/", "http://127.0.0.2:%d/", "http://127.255.255.254:%d/", "http://localhost:%d/", "http://LOCALHOST:%d/", "http://localhost.:%d/",
	"http://127.1:%d/", "http://127.0.1:%d/", "http://2130706433:%d/", "http://0x7f000001:%d/", "http://0x7f.0.0.1:%d/", "http://0x7f.1:%d/", "http://017700000001:%d/", "http://0177.0.0.1:%d/",
	"http://0177.0.0.01:%d/", "http://127.0.0.1.:%d/", "http://0:%d/", "http://0.0.0.0:%d/", "http://0x0:%d/",
	"http://[::1]:%d/", "http://[0:0:0:0:0:0:0:1]:%d/", "http://[::]:%d/", "http://[::ffff:127.0.0.1]:%d/", "http://[::ffff:7f00:1]:%d/", "http://[0:0:0:0:0:ffff:127.0.0.1]:%d/",
	"http://[::127.0.0.1]:%d/", "http://[64:ff9b::7f00:1]:%d/", "http://[64:ff9b:1::7f00:1]:%d/", "http://[2002:7f00:1::]:%d/", "http://[2002:a00:1::1]:%d/", "http://[2001:0:7f00:1::]:%d/",
	"http://[fe80::1]:%d/", "http://[fe80::1%%25lo]:%d/", "http://[fc00::1]:%d/", "http://[fd00:ec2::254]:%d/", "http://[ff02::1]:%d/", "http://[::1%%25lo]:%d/", "http://[100::1]:%d/",
	"http://10.0.0.1:%d/", "http://10.255.255.255:%d/", "http://172.16.0.1:%d/", "http://172.31.255.255:%d/", "http://192.168.0.1:%d/", "http://100.64.0.1:%d/", "http://100.100.100.200:%d/",
	"http://169.254.169.254:%d/latest/meta-data/", "http://169.254.170.2:%d/", "http://2852039166:%d/", "http://0xa9fea9fe:%d/", "http://0251.0376.0251.0376:%d/", "http://[::ffff:169.254.169.254]:%d/",
	"http://192.0.0.192:%d/", "http://168.63.129.16:%d/", "http://198.18.0.1:%d/", "http://224.0.0.1:%d/", "http://239.255.255.250:%d/", "http://240.0.0.1:%d/", "http://255.255.255.255:%d/",
	"http://192.0.2.1:%d/", "http://192.88.99.1:%d/", "http://①②⑦.⓪.⓪.①:%d/", "http://127。0。0。1:%d/", "https://127.0.0.1:%d/", "https://[::1]:%d/", "https://localhost:%d/",
}

// TestHostileTargets lets every hostile form try to reach a server that listens on loopback, IPv4 and IPv6 where there is one.
func TestHostileTargets(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	port := listenEverywhere(t, &hits)
	for _, target := range hostileTargets {
		address := fmt.Sprintf(target, port)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		r := notify.Call(ctx, nil, nil, models.Webhook{URL: address, Form: models.SlackHook})
		cancel()
		if r.OK {
			t.Errorf("%s was called", address)
		}
		if strings.Contains(r.Error, "meta-data") {
			t.Errorf("%s: the log shows the path: %q", address, r.Error)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("the server inside was reached %d times", hits.Load())
	}
	if len(hostileTargets) < 30 {
		t.Errorf("only %d forms", len(hostileTargets))
	}
}

// TestGuardRefusesEachAddress asks the guard itself, so that a form that merely failed to resolve here is no proof.
func TestGuardRefusesEachAddress(t *testing.T) {
	for address, public := range map[string]bool{
		"127.0.0.1": false, "127.9.9.9": false, "0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "100.64.0.1": false, "100.127.255.255": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.9.9": false,
		"192.0.0.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false, "224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": false, "::7f00:1": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2002:808:808::1": false, "2001::1": false, "2001:db8::1": false, "fe80::1": false, "fec0::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "100::1": false, "3fff::1": false,
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "192.167.255.255": true, "169.253.1.1": true, "2606:4700::1111": true, "2a00:1450::1": true,
	} {
		ip, network := netip.MustParseAddr(address), "tcp6"
		if ip.Is4() {
			network = "tcp4"
		}
		if err := notify.Guard(nil)(network, netip.AddrPortFrom(ip, 443).String(), nil); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAllowedNetworks(t *testing.T) {
	guard := notify.Guard([]netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd00:1::/64")})
	for address, ok := range map[string]bool{"10.20.1.1:80": true, "10.21.0.1:80": false, "127.0.0.1:80": false, "[fd00:1::9]:443": true, "[fd00:2::9]:443": false, "[::ffff:10.20.1.1]:80": false, "8.8.8.8:9999": true} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		if err := guard(network, address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, network := range []string{"udp4", "unix", "tcp"} {
		if err := guard(network, "8.8.8.8:53", nil); err == nil {
			t.Errorf("%s passes", network)
		}
	}
}

// TestRebinding has a name server answer with a public address first and with loopback from then on.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var hits, asked atomic.Int32
	port := listenEverywhere(t, &hits)
	resolver := nameServer(t, func() netip.Addr {
		if asked.Add(1) == 1 {
			return netip.MustParseAddr("192.0.2.80") // goes nowhere, and is refused as well
		}
		return netip.MustParseAddr("127.0.0.1")
	})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		r := notify.Call(ctx, resolver, nil, models.Webhook{URL: fmt.Sprintf("http://rebind.example:%d/", port), Form: models.SlackHook})
		cancel()
		if r.OK || !r.Permanent || !strings.Contains(r.Error, "not a public address") {
			t.Errorf("got %+v", r)
		}
	}
	if hits.Load() != 0 || asked.Load() < 2 {
		t.Errorf("reached %d times, resolved %d times", hits.Load(), asked.Load())
	}
	r := notify.Call(t.Context(), resolver, loopback, models.Webhook{URL: fmt.Sprintf("http://rebind.example:%d/", port), Form: models.SlackHook})
	if !r.OK || hits.Load() == 0 {
		t.Errorf("with the network allowed: %+v, reached %d times", r, hits.Load())
	}
}

// TestRedirectsAreNotFollowed: inward, outward, in a circle, by every status.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inside.Close()
	var calls atomic.Int32
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		to := inside.URL
		switch r.URL.Path {
		case "/circle":
			to = "/circle"
		case "/metadata":
			to = "http://169.254.169.254/latest/meta-data/"
		case "/file":
			to = "file:///etc/passwd"
		}
		status := 302
		_, _ = fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}))
	defer outside.Close()
	n := int32(0)
	for _, path := range []string{"/inward", "/circle", "/metadata", "/file"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			n++
			r := notify.Call(t.Context(), nil, loopback, models.Webhook{URL: fmt.Sprintf("%s%s?status=%d", outside.URL, path, status), Form: models.SlackHook})
			if r.OK || r.Permanent || !strings.Contains(r.Error, "Redirects are not followed") {
				t.Errorf("%s %d: %+v", path, status, r)
			}
		}
	}
	if hits.Load() != 0 || calls.Load() != n {
		t.Errorf("the target was reached %d times, the webhook called %d times instead of %d", hits.Load(), calls.Load(), n)
	}
}

// TestNoProxyFromTheEnvironment: a proxy would connect where the guard does not look.
func TestNoProxyFromTheEnvironment(t *testing.T) {
	var hits atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	for _, address := range []string{"http://10.0.0.1/", "https://10.0.0.1/"} {
		if r := notify.Call(t.Context(), nil, nil, models.Webhook{URL: address, Form: models.SlackHook}); r.OK || hits.Load() != 0 {
			t.Errorf("%s: %+v, the proxy was asked %d times", address, r, hits.Load())
		}
	}
}

// listenEverywhere serves on one port of IPv4, and of IPv6 where there is one, and counts who comes.
func listenEverywhere(t *testing.T, hits *atomic.Int32) int {
	t.Helper()
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	listeners := []net.Listener{l}
	if six, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp6", fmt.Sprintf("[::]:%d", port)); err == nil {
		listeners = append(listeners, six)
	}
	for _, l := range listeners {
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				hits.Add(1)
			}
		}}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })
	}
	return port
}

// nameServer is a resolver whose answers the test makes up.
func nameServer(t *testing.T, answer func() netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: answer().As4()}}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}
