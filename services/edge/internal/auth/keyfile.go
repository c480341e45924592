package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/MicahParks/jwkset"
)

// maxKeyFile bounds a file of keys, and a JWK Set that is fetched, in bytes.
const maxKeyFile = 256 << 10

var (
	errPrivateKey = errors.New("it holds a private key; Fjord wants the public one only")
	errPEM        = errors.New("a PEM block can't be read; want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
	errSSH        = errors.New("it is an SSH key; convert it with `ssh-keygen -e -m PKCS8`")
	errNoKeys     = errors.New("it holds no key that can check signatures")
)

// readKeyFile reads the keys of a file: public keys in PEM, a JWK Set, or else a
// secret. What looks like a key but can't be read is an error, and never taken
// for a secret: that "secret" would be public.
func readKeyFile(path string, log *slog.Logger) ([]key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("key file %s: %d bytes; want at most %d", path, info.Size(), maxKeyFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	keys, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	for _, k := range keys {
		if _, secret := k.material.([]byte); secret && info.Mode().Perm()&0o007 != 0 {
			log.Warn("everybody on this machine can read the key file; chmod 600 it", "file", path)
			break
		}
	}
	return keys, nil
}

func parseKeys(data []byte) ([]key, error) {
	text := bytes.TrimSpace(data)
	switch {
	case bytes.Contains(text, []byte("-----BEGIN")):
		return parsePEM(text)
	case bytes.HasPrefix(text, []byte("{")):
		return parseSet(text)
	case bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-sha2-")):
		return nil, errSSH
	}
	if material, err := x509.ParsePKIXPublicKey(data); err == nil {
		return one(newKey(material, "", ""))
	}
	// Editors and echo end a file with a newline that is no part of the secret.
	return one(newKey(bytes.TrimRight(data, "\r\n"), "", ""))
}

func one(k key, err error) ([]key, error) {
	if err != nil {
		return nil, err
	}
	return []key{k}, nil
}

// parsePEM reads all blocks or fails.
func parsePEM(data []byte) ([]key, error) {
	var keys []key
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			if len(keys) == 0 || bytes.Contains(rest, []byte("-----BEGIN")) {
				return nil, errPEM
			}
			return keys, nil
		}
		k, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
		data = rest
	}
}

func parseBlock(block *pem.Block) (key, error) {
	var material any
	var err error
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return key{}, errPrivateKey
	case block.Type == "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		material, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			material = certificate.PublicKey
		}
	default:
		return key{}, errPEM
	}
	if err != nil {
		return key{}, errPEM
	}
	return newKey(material, "", "")
}

// parseSet reads a JWK Set of the operator's own, which may hold secrets.
func parseSet(data []byte) ([]key, error) {
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("it begins like a JWK Set, but: %w", err)
	}
	list, err := set.JWKSlice()
	if err != nil {
		return nil, fmt.Errorf("JWK Set: %w", err)
	}
	var keys []key
	for _, jwk := range list {
		k, err := fromJWK(jwk, true)
		if errors.Is(err, errUse) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("JWK Set, kid %q: %w", jwk.Marshal().KID, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	return keys, nil
}
