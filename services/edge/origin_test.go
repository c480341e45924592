package edge

import "testing"

// What looks like an origin that is allowed, and isn't.
func TestOriginTricks(t *testing.T) {
	o, err := newOrigins([]string{"https://app.test", "http://[2001:db8::1]:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]bool{
		"https://app.test":            true,
		"HTTPS://APP.test":            true,
		"https://app.test:443":        true,
		"http://[2001:db8::1]:8080":   true,
		"https://edge.test":           true,
		"":                            false,
		"null":                        false,
		"https://app.test.":           false,
		"https://app.test.evil.test":  false,
		"https://evilapp.test":        false,
		"https://x.app.test":          false,
		"https://app.test@evil.test":  false,
		"https://evil.test@app.test":  false,
		"https://app.test:443@evil":   false,
		"https://app.test:444":        false,
		"https://app.test:0443":       false,
		"https://app.test:":           true, // as a browser would read it
		"https://app.test/x":          false,
		"https://app.test?x":          false,
		"https://app.test#x":          false,
		`https://app.test\evil.test`:  false,
		"https://app.test evil.test":  false,
		"https://app.test,evil.test":  false,
		"//app.test":                  false,
		"app.test":                    false,
		"javascript:app.test":         false,
		"https://%61pp.test":          false,
		"https://edge.test.evil.test": false,
		"wss://edge.test":             true, // as some native clients say it
		"http://[2001:db8::1]":        false,
		"http://[2001:db8::1%25lo]":   false,
	} {
		if got := o.allows([]string{header}, "edge.test", false); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
	if o.allows([]string{"https://evil.test", "https://app.test"}, "edge.test", false) {
		t.Error("two origins are allowed")
	}
	if !o.allows(nil, "edge.test", false) {
		t.Error("a program that is no browser isn't allowed")
	}
}

// Behind TLS, a page that came without it may be anybody's.
func TestOriginsSchemeCountsOnceItIsKnown(t *testing.T) {
	o, err := newOrigins(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		header, host string
		https, want  bool
	}{
		{"http://edge.test", "edge.test", false, true},
		{"https://edge.test", "edge.test", false, true}, // a proxy ends TLS, and doesn't say so
		{"http://edge.test", "edge.test", true, false},
		{"https://edge.test", "edge.test", true, true},
		{"https://edge.test:8443", "edge.test:8443", true, true},
		{"wss://edge.test", "edge.test", true, true},
		{"ws://edge.test", "edge.test", true, false},
		{"http://localhost:5173", "localhost:1234", true, true},
	} {
		if got := o.allows([]string{test.header}, test.host, test.https); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}
