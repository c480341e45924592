package edge_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fjord-sync/fjord/services/edge"
)

// An edge in a program of one's own, with a hook before its door. The program would
// listen with edge.Listener, and Drain before it closes; rooms must be at the URL
// before anybody comes in, but not for somebody to be refused.
func ExampleNew() {
	e, err := edge.New(edge.Config{
		RoomsURLs: []string{"http://127.0.0.1:7070"},
		Hooks: []edge.Hook{func(r edge.Request) *edge.Refusal {
			if strings.HasPrefix(r.Room, "archive/") {
				return &edge.Refusal{Status: http.StatusForbidden, Text: "the archive is closed"}
			}
			return nil // on to the next hook, then to Auth
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, upgrade("/archive/1999"))
	fmt.Print(answer.Code, " ", answer.Body)
	// Output: 403 the archive is closed
}

// upgrade is how a websocket client knocks.
func upgrade(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(name, value)
	}
	return r
}
