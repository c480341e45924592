package page

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, path string) (*http.Response, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	Handler().ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	response := recorder.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestIndexNamesFilesThatAreServed(t *testing.T) {
	response, body := get(t, http.MethodGet, "/")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("GET / answered %s, %q", response.Status, response.Header.Get("Content-Type"))
	}
	links := regexp.MustCompile(`"/-/([a-z-]+)\.([0-9a-f]{12})\.([a-z]+)"`).FindAllStringSubmatch(body, -1)
	if len(links) != 4 {
		t.Fatalf("the page names %d files, want script, style, icon and notices", len(links))
	}
	for _, link := range links {
		path := strings.Trim(link[0], `"`)
		response, content := get(t, http.MethodGet, path)
		if want := contentTypes["."+link[3]]; response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != want {
			t.Errorf("GET %s answered %s, %q; want 200, %q", path, response.Status, response.Header.Get("Content-Type"), want)
		}
		if got := response.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("GET %s: Cache-Control %q would not keep it", path, got)
		}
		// An immutable file whose name isn't its content's hash would stay stale in browsers.
		sum := sha256.Sum256([]byte(content))
		if got := hex.EncodeToString(sum[:])[:12]; got != link[2] {
			t.Errorf("%s: content hashes to %s", path, got)
		}
	}
}

func TestIndexHasAStrictPolicyWithItsOwnNonce(t *testing.T) {
	seen := make(map[string]bool)
	for range 2 {
		response, body := get(t, http.MethodGet, "/")
		policy := response.Header.Get("Content-Security-Policy")
		match := regexp.MustCompile(`script-src 'nonce-([^']+)'`).FindStringSubmatch(policy)
		if match == nil {
			t.Fatalf("no nonce for scripts in %q", policy)
		}
		if !strings.Contains(body, `nonce="`+match[1]+`"`) || strings.Contains(body, nonceMark) {
			t.Errorf("the page does not carry the nonce %s", match[1])
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || !strings.HasPrefix(policy, "default-src 'none';") {
			t.Errorf("policy is too wide: %q", policy)
		}
		if seen[match[1]] {
			t.Errorf("nonce %s was used twice", match[1])
		}
		seen[match[1]] = true
		if got := response.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q would reuse a nonce", got)
		}
	}
}

func TestNothingComesFromElsewhere(t *testing.T) {
	_, body := get(t, http.MethodGet, "/")
	for _, attribute := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if !strings.HasPrefix(attribute[1], "/") || strings.HasPrefix(attribute[1], "//") {
			t.Errorf("the page refers to %q", attribute[1])
		}
	}
}

func TestOtherPathsAnswerOneLine(t *testing.T) {
	for _, path := range []string{"/doc", "/a/b", "/-/", "/-/index.html", "/-/nothing.js", "/page.js", "/index.html"} {
		response, body := get(t, http.MethodGet, path)
		if response.StatusCode != http.StatusOK || body != "Fjord: connect a Yjs client to this path by websocket\n" {
			t.Errorf("GET %s answered %s, %q", path, response.Status, body)
		}
		if got := response.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("GET %s: Content-Type %q", path, got)
		}
	}
}

func TestOnlyGetAndHead(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodConnect} {
		for _, path := range []string{"/", "/doc"} {
			response, _ := get(t, method, path)
			if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s answered %s, Allow %q", method, path, response.Status, response.Header.Get("Allow"))
			}
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	server := httptest.NewServer(Handler())
	defer server.Close()
	response, err := http.Head(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || len(body) != 0 || response.ContentLength <= 0 {
		t.Errorf("HEAD / answered %d bytes of body, Content-Length %d, error %v", len(body), response.ContentLength, err)
	}
}
