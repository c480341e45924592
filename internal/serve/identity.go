package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
)

// pair is a certificate with its key, and whom its owner believes.
type pair struct {
	certificate tls.Certificate
	ca          *x509.CertPool // nil: nobody but the system's roots
	// server is what both come to in a listener. It is made once, since the keys
	// by which clients resume sessions live in it.
	server *tls.Config
}

var errNoCA = errors.New("no certificate of an authority in it; want PEM")

// openPair reads certificate, key and, if ca isn't empty, the certificates of
// authorities: PEM files. They are read again when they change. A listener offers
// the protocols.
func openPair(certificate, key, ca string, log *slog.Logger, protocols ...string) (*files[pair], error) {
	f := &files[pair]{
		paths: []string{certificate, key},
		parse: func(contents [][]byte) (pair, error) { return parsePair(contents, protocols) },
		told: func(err error) {
			if err == nil {
				log.Info("the certificate can be read again", "file", certificate)
				return
			}
			log.Error("the certificate can't be read again; the old one holds", "file", certificate, "error", err)
		},
	}
	if ca != "" {
		f.paths = append(f.paths, ca)
	}
	return f, f.open()
}

func parsePair(contents [][]byte, protocols []string) (p pair, err error) {
	if p.certificate, err = tls.X509KeyPair(contents[0], contents[1]); err != nil {
		return p, err
	}
	if len(contents) > 2 {
		p.ca = x509.NewCertPool()
		if !p.ca.AppendCertsFromPEM(contents[2]) {
			return p, errNoCA
		}
	}
	p.server = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, Certificates: []tls.Certificate{p.certificate}}
	if p.ca != nil {
		p.server.ClientCAs, p.server.ClientAuth = p.ca, tls.RequireAndVerifyClientCert
	}
	return p, nil
}

// serverTLS presents the certificate that holds at the moment, and wants one of
// the authority's from who calls if there is an authority.
func serverTLS(f *files[pair]) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         f.get().server.NextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.get().server, nil },
	}
}

// clientTLS presents the certificate, and believes the authority alone.
func clientTLS(f *files[pair], host string) *tls.Config {
	p := f.get()
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2"},
		ServerName:   host,
		RootCAs:      p.ca,
		Certificates: []tls.Certificate{p.certificate},
	}
}
