package subscribe

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestGuard(t *testing.T) {
	inner := netip.MustParsePrefix("10.1.0.0/16")
	for _, c := range []struct {
		ip            string
		open, inside  bool // over TLS: by default, and with 10.1.0.0/16 allowed
		plain, within bool // without TLS: likewise
	}{
		{"93.184.215.14", true, true, false, false},
		{"2606:2800:21f:cb07:6820:80da:af6b:8b2c", true, true, false, false},
		{"10.1.2.3", false, true, false, true},
		{"::ffff:10.1.2.3", false, true, false, true}, // the same address
		{"10.2.2.3", false, false, false, false},
		{"127.0.0.1", false, false, false, false},
		{"::1", false, false, false, false},
		{"::ffff:127.0.0.1", false, false, false, false},
		{"::127.0.0.1", false, false, false, false},
		{"169.254.169.254", false, false, false, false}, // metadata of clouds
		{"fd00:ec2::254", false, false, false, false},   // likewise
		{"100.100.100.200", false, false, false, false}, // likewise
		{"192.168.0.1", false, false, false, false},
		{"172.31.255.255", false, false, false, false},
		{"0.0.0.0", false, false, false, false},
		{"::", false, false, false, false},
		{"255.255.255.255", false, false, false, false},
		{"224.0.0.1", false, false, false, false},
		{"ff02::1", false, false, false, false},
		{"fe80::1%eth0", false, false, false, false},
		{"fec0::1", false, false, false, false},
		{"64:ff9b::a01:203", false, false, false, false}, // 10.1.2.3 behind a translator
		{"2002:a01:203::", false, false, false, false},   // 10.1.2.3 in a tunnel
		{"2001:0:a01:203::", false, false, false, false}, // likewise
	} {
		ip := netip.MustParseAddr(c.ip)
		for _, g := range []struct {
			guard  guard
			secure bool
			want   bool
		}{{guard{}, true, c.open}, {guard{[]netip.Prefix{inner}}, true, c.inside}, {guard{}, false, c.plain}, {guard{[]netip.Prefix{inner}}, false, c.within}} {
			if err := g.guard.check(ip, g.secure); (err == nil) != g.want {
				t.Errorf("%s, allowed %v, TLS %v: %v, want called %v", c.ip, g.guard.allow, g.secure, err, g.want)
			}
		}
	}
}

// TestDial: the addresses that a name leads to are what counts, when it is called; redirects and proxies lead nowhere else.
func TestDial(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	t.Setenv("HTTP_PROXY", server.URL)
	for _, secure := range []bool{true, false} {
		for _, url := range []string{server.URL, byName} {
			answer, err := guard{}.client(secure).Get(url)
			if err == nil {
				_ = answer.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "subscriptions.allow") {
				t.Errorf("%s, TLS %v: %v", url, secure, err)
			}
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls have arrived", calls.Load())
	}
	client := guard{prefixes("127.0.0.0/8", "::1/128")}.client(false)
	defer client.CloseIdleConnections()
	answer, err := client.Post(byName, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusTemporaryRedirect || calls.Load() != 1 {
		t.Errorf("status %d after %d calls; a redirect is an answer", answer.StatusCode, calls.Load())
	}
}
