package edge

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"testing"
)

func TestClientIsTheRightmostUntrustedHop(t *testing.T) {
	ours := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"[::ffff:192.0.2.1]:5", nil, "192.0.2.1"},
		// Nobody but a proxy of ours is believed.
		{"192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"},
		{"10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"[::ffff:10.0.0.1]:5", []string{"198.51.100.7"}, "198.51.100.7"},
		// What the client wrote itself stands further left.
		{"10.0.0.1:5", []string{"127.0.0.1, 198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"127.0.0.1", "198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"203.0.113.9, 10.9.9.9, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"[fd00::1]:5", []string{" 2001:db8::1 "}, "2001:db8::1"},
		{"10.0.0.1:5", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"10.0.0.1:5", []string{"198.51.100.7:1234"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		// A chain that is all ours, or can't be read, ends with what was known.
		{"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.7, unknown"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.7, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"pipe", []string{"198.51.100.7"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := ours.client(r).String(); got != test.want {
			t.Errorf("%s with %q: %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
}

func TestWhoSpeaksTLS(t *testing.T) {
	ours := proxies{netip.MustParsePrefix("10.0.0.1/32")}
	for _, test := range []struct {
		peer string
		tls  bool
		said []string
		want bool
	}{
		{"192.0.2.1:5", false, nil, false},
		{"192.0.2.1:5", true, nil, true},
		{"192.0.2.1:5", false, []string{"https"}, false},
		{"10.0.0.1:5", false, []string{"https"}, true},
		{"10.0.0.1:5", false, []string{"WSS"}, true},
		{"10.0.0.1:5", false, []string{"http"}, false},
		{"10.0.0.1:5", false, []string{"https", "http"}, false},
		{"10.0.0.1:5", false, []string{"https, http"}, false},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-Proto": test.said}}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := ours.https(r); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}
