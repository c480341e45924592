package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claimSet is the JSON in which tokens and webhooks say who somebody is:
//
//	{
//	  "sub": "ann", "name": "Ann", "color": "#f60", "jti": "7", "exp": 1767225600,
//	  "nbf": …, "iat": …, "iss": "https://id.example.com", "aud": "fjord",
//	  "rooms": [
//	    {"id": "notes/today", "perm": "rw"},
//	    {"prefix": "public/", "perm": "r", "awareness": false, "create": false}
//	  ]
//	}
//
// Names of members are compared to the letter, unlike encoding/json does for
// structs: "Exp" is no exp. Of what Fjord doesn't know, strings are kept for
// display and the rest is ignored, but in rooms everything must be understood.
type claimSet struct {
	exp, nbf, iat     *jwt.NumericDate
	iss, sub, tokenID string
	aud               jwt.ClaimStrings
	display           map[string]string
	grants            []Grant
}

var (
	errDate    = errors.New("want seconds since 1970")
	errText    = errors.New("want a string")
	errObject  = errors.New("want one JSON object")
	errTwoKeys = errors.New("a member is there twice")
	errGrant   = errors.New(`want {"id" or "prefix": …, "perm": "r", "rw" or "admin", "awareness": true or false, "create": true or false}`)
)

// UnmarshalJSON reads the object; its errors hold none of it.
func (c *claimSet) UnmarshalJSON(data []byte) error {
	if err := checkObject(data); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return errObject
	}
	c.display = make(map[string]string)
	for name, value := range members {
		if err := c.member(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *claimSet) member(name string, value []byte) error {
	switch name {
	case "exp":
		return readDate(value, &c.exp)
	case "nbf":
		return readDate(value, &c.nbf)
	case "iat":
		return readDate(value, &c.iat)
	case "iss":
		return readText(value, &c.iss)
	case "sub":
		return readText(value, &c.sub)
	case "jti":
		return readText(value, &c.tokenID)
	case "aud":
		if json.Unmarshal(value, &c.aud) != nil {
			return errText
		}
		return nil
	case "rooms":
		return readGrants(value, &c.grants)
	default:
		var text string
		if json.Unmarshal(value, &text) == nil {
			c.display[name] = text
		}
		return nil
	}
}

func readText(value []byte, to *string) error {
	// null leaves a string as it is, and is none.
	if json.Unmarshal(value, to) != nil || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return errText
	}
	return nil
}

// lastDate is the end of the year 9999: what is later is no date but a way to
// overflow one.
const lastDate = 253402300799

func readDate(value []byte, to **jwt.NumericDate) error {
	var seconds *float64
	if json.Unmarshal(value, &seconds) != nil || seconds == nil || math.IsNaN(*seconds) || *seconds <= 0 || *seconds > lastDate {
		return errDate
	}
	*to = &jwt.NumericDate{Time: time.Unix(int64(*seconds), 0)}
	return nil
}

// readGrants reads the member rooms.
func readGrants(value []byte, to *[]Grant) error {
	var list []map[string]json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return errGrant
	}
	for _, members := range list {
		grant, err := readGrant(members)
		if err != nil {
			return err
		}
		*to = append(*to, grant)
	}
	return nil
}

func readGrant(members map[string]json.RawMessage) (Grant, error) {
	grant := Grant{Presence: true}
	var create *bool
	var err error
	for name, value := range members {
		switch name {
		case "id":
			err = readText(value, &grant.Room)
		case "prefix":
			grant.Prefix = new(string)
			err = readText(value, grant.Prefix)
		case "perm":
			var perm string
			err = readText(value, &perm)
			grant.Level = levels[perm]
		case "awareness":
			err = readFlag(value, &grant.Presence)
		case "create":
			create = new(bool)
			err = readFlag(value, create)
		default:
			err = errGrant
		}
		if err != nil {
			return Grant{}, errGrant
		}
	}
	if grant.Level == 0 || (grant.Room == "") == (grant.Prefix == nil) {
		return Grant{}, errGrant
	}
	// Whoever may write may make the room, unless that is said otherwise: it is what
	// the clients of all dialects expect of an address that nobody has used.
	grant.Create = grant.Level >= Write
	if create != nil {
		grant.Create = *create
	}
	return grant, nil
}

func readFlag(value []byte, to *bool) error {
	// null leaves a flag as it is, and is none.
	if json.Unmarshal(value, to) != nil || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return errGrant
	}
	return nil
}

var levels = map[string]Level{"r": Read, "rw": Write, "admin": Admin}

// claims returns what the set says, holding leeway longer than it says.
func (c *claimSet) claims() Claims {
	claims := Claims{Subject: c.sub, Display: c.display, TokenID: c.tokenID, Grants: c.grants}
	if c.exp != nil {
		claims.Expires = c.exp.Add(leeway)
	}
	return claims
}

// GetExpirationTime and the others are those of jwt.Claims.
func (c *claimSet) GetExpirationTime() (*jwt.NumericDate, error) { return c.exp, nil }

// GetIssuedAt returns iat.
func (c *claimSet) GetIssuedAt() (*jwt.NumericDate, error) { return c.iat, nil }

// GetNotBefore returns nbf.
func (c *claimSet) GetNotBefore() (*jwt.NumericDate, error) { return c.nbf, nil }

// GetIssuer returns iss.
func (c *claimSet) GetIssuer() (string, error) { return c.iss, nil }

// GetSubject returns sub.
func (c *claimSet) GetSubject() (string, error) { return c.sub, nil }

// GetAudience returns aud.
func (c *claimSet) GetAudience() (jwt.ClaimStrings, error) { return c.aud, nil }

// maxDepth is how deep objects and lists may nest.
const maxDepth = 16

// checkObject refuses what doesn't begin with a JSON object, or has a name twice
// in any of its objects: of two, one reader takes the first and another the
// last, and what the one has checked the other uses. What is behind the object
// is for json.Unmarshal to refuse.
func checkObject(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []*object
	for {
		token, err := decoder.Token()
		if err != nil || (len(open) == 0 && token != json.Delim('{')) {
			return errObject
		}
		if open, err = nest(open, token); err != nil {
			return err
		}
		if len(open) == 0 {
			return nil
		}
	}
}

// object is an object or list that is being read.
type object struct {
	// names are those seen so far; nil in a list.
	names map[string]bool
	// value: the next token is a member's value.
	value bool
}

// nest follows one token.
func nest(open []*object, token json.Token) ([]*object, error) {
	if token == json.Delim('}') || token == json.Delim(']') {
		return open[:len(open)-1], nil
	}
	if len(open) > 0 {
		top := open[len(open)-1]
		if name, ok := token.(string); ok && top.names != nil && !top.value {
			if top.names[name] {
				return nil, errTwoKeys
			}
			top.names[name], top.value = true, true
			return open, nil
		}
		top.value = false
	}
	switch token {
	case json.Delim('{'):
		open = append(open, &object{names: make(map[string]bool)})
	case json.Delim('['):
		open = append(open, &object{})
	}
	if len(open) > maxDepth {
		return nil, errObject
	}
	return open, nil
}
