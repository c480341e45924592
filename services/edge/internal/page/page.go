// Package page answers plain HTTP on the websocket port: a small editor on
// GET /, its files under /-/, and one line of text everywhere else.
//
//	services/edge/page  ──npm run build──▸  dist/  ──go:embed──▸  Handler
//
// The editor is a real Yjs client (CodeMirror, y-websocket) of the server that
// serves it, whole in three files: it needs no other host, and its
// Content-Security-Policy allows none. dist is committed; `npm run check` in
// services/edge/page proves that it is what the source builds to.
//
// A websocket path and a page's path never meet: the edge takes upgrades
// before it asks this handler, so a room may be called "-/page.js" too.
package page

import (
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist
var dist embed.FS

// prefix is where build.mjs places the files; their names carry the hash of
// their content, so they may be kept for ever.
const prefix = "/-/"

const nonceMark = "{{nonce}}"

// contentTypes is complete on purpose: the standard library asks the machine's
// MIME tables, which a scratch container does not have.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// Handler answers GET and HEAD; it is safe for concurrent use and holds nothing
// but the embedded files. Other methods get 405.
func Handler() http.Handler {
	index := mustRead("index.html")
	files := hashedFiles()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET, or a websocket upgrade, is understood here", http.StatusMethodNotAllowed)
			return
		}
		if r.URL.Path == "/" {
			writeIndex(w, index)
			return
		}
		if content, ok := files[strings.TrimPrefix(r.URL.Path, prefix)]; ok && strings.HasPrefix(r.URL.Path, prefix) {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
			write(w, contentTypes[path.Ext(r.URL.Path)], content)
			return
		}
		header.Set("Cache-Control", "no-cache")
		write(w, contentTypes[".txt"], "Fjord: connect a Yjs client to this path by websocket\n")
	})
}

// writeIndex fills in a nonce of its own for each answer. CodeMirror adds one
// style element at run time; the nonce lets in that one and no other.
func writeIndex(w http.ResponseWriter, index string) {
	nonce := rand.Text()
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", fmt.Sprintf(
		"default-src 'none'; script-src 'nonce-%[1]s'; style-src 'self' 'nonce-%[1]s'; "+
			"img-src 'self'; connect-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce))
	// The address holds the room's name, which may be a secret.
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	write(w, "text/html; charset=utf-8", strings.Replace(index, nonceMark, nonce, 1))
}

// write answers 200; net/http itself leaves the body out for HEAD. An error
// means that the visitor has gone: there is nobody left to tell.
func write(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write([]byte(body))
}

// hashedFiles returns all of dist but the index, by name.
func hashedFiles() map[string]string {
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		panic(err) // the files are inside the binary
	}
	files := make(map[string]string, len(entries))
	for _, entry := range entries {
		if entry.Name() != "index.html" {
			files[entry.Name()] = mustRead(entry.Name())
		}
	}
	return files
}

func mustRead(name string) string {
	content, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic(err) // the files are inside the binary
	}
	return string(content)
}
