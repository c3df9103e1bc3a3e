package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// tlsTransport gives each connection a goroutine: what TLS costs hides what that costs.
type tlsTransport struct {
	load    *load
	config  *tls.Config
	sockets map[*connection]net.Conn
}

func newTLSTransport(l *load) (*tlsTransport, error) {
	pem, err := os.ReadFile(l.config.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", l.config.CAFile)
	}
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13}
	return &tlsTransport{load: l, config: config, sockets: map[*connection]net.Conn{}}, nil
}

func (t *tlsTransport) open(c *connection) error {
	go func() {
		err := t.run(c)
		t.load.mu.Lock()
		if _, ours := t.sockets[c]; ours || !errors.Is(err, net.ErrClosed) {
			t.load.failed(c, err)
		}
		t.load.mu.Unlock()
	}()
	return nil
}

func (t *tlsTransport) run(c *connection) error {
	socket, err := tls.Dial("tcp", t.load.config.Address, t.config)
	if err != nil {
		return err
	}
	t.load.mu.Lock()
	t.sockets[c] = socket
	t.load.connected(c)
	t.load.mu.Unlock()
	buffer := make([]byte, 32<<10)
	for {
		t.load.mu.Lock()
		out := c.out
		c.out = nil
		for c.stalled {
			t.load.changed.Wait()
		}
		t.load.mu.Unlock()
		if len(out) > 0 {
			if _, err := socket.Write(out); err != nil {
				return err
			}
		}
		n, err := socket.Read(buffer)
		if err != nil {
			return err
		}
		t.load.mu.Lock()
		err = c.feed(buffer[:n], monotonic)
		t.load.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// setReading takes effect after the next bytes of a connection that already waits for some.
func (t *tlsTransport) setReading(_ *connection, reading bool) {
	if reading {
		t.load.changed.Broadcast()
	}
}

func (t *tlsTransport) close(c *connection) {
	socket := t.sockets[c]
	delete(t.sockets, c)
	if socket != nil {
		_ = socket.Close()
	}
}
