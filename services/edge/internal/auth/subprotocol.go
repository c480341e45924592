package auth

import (
	"errors"
	"strings"
)

// offer is what a client's Sec-WebSocket-Protocol says.
type offer struct {
	token string
	// answer is the protocol to choose. A browser that offers any gives up
	// unless it gets one of them back.
	answer string
}

var errOnlyToken = errors.New("the token is the only subprotocol, and must not be repeated in the answer; " +
	"offer another one beside it, such as fjord")

// readProtocols reads the header's lines, each a list with commas, and finds the
// token among the protocols. The first one that is no token is the answer: a
// token must not be repeated in a header that proxies may write down.
func readProtocols(lines []string) (offer, error) {
	var o offer
	tokens := 0
	for _, line := range lines {
		for p := range strings.SplitSeq(line, ",") {
			p = strings.TrimSpace(p)
			token, found := strings.CutPrefix(p, TokenProtocol)
			switch {
			case found && token == "":
				return offer{}, errEmptyToken
			case found:
				o.token = token
				tokens++
			case o.answer == "":
				o.answer = p
			}
		}
	}
	switch {
	case tokens > 1:
		return offer{}, errTwoTokens
	case tokens == 1 && o.answer == "":
		return offer{}, errOnlyToken
	}
	return o, nil
}
