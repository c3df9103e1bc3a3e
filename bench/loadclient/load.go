package main

import (
	"errors"
	"sync"
	"time"
)

// load is all connections together. Its mutex guards everything that connections touch while they take bytes.
type load struct {
	config      config
	interests   []*interest
	callHeaders []byte
	nodes       *nodeWriter
	transport   transport

	mu          sync.Mutex
	changed     *sync.Cond
	connections []*connection
	connecting  int
	served      int
	closed      int
	messages    int
	bytes       int
	resources   int
	removed     int
	recording   bool
	awaited     uint32
	behind      int // connections that have not seen the awaited change
	held        map[string]holding
	resumed     map[string]holding
}

// holding is what one client has of one type. Only that of the first connection is remembered: all have the same.
type holding struct {
	version   string
	resources map[string]string
}

// transport owns the sockets.
type transport interface {
	// open connects and calls start when connected; it does not block for long.
	open(c *connection) error
	// setReading stops or resumes to take bytes from a connection's socket.
	setReading(c *connection, reading bool)
	close(c *connection)
}

func newLoad(cfg config) (*load, error) {
	l := &load{config: cfg, nodes: newNodeWriter(cfg.Node), held: map[string]holding{}}
	l.changed = sync.NewCond(&l.mu)
	for _, s := range cfg.Subscriptions {
		l.interests = append(l.interests, newInterest(s))
	}
	scheme := "http"
	var err error
	if cfg.CAFile == "" {
		l.transport, err = newPlainTransport(l)
	} else {
		scheme = "https"
		l.transport, err = newTLSTransport(l)
	}
	l.callHeaders = encodeCallHeaders(cfg.Address, cfg.Path, scheme)
	return l, err
}

// open adds connections, at most `parallel` of them connecting at a time, and waits until each has its first state
// or, when they resume, until each is connected and has asked.
func (l *load) open(count, parallel int, resume bool, timeout time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.resumed = nil; resume {
		l.resumed = l.held
	}
	expired := l.alarm(timeout)
	for range count {
		for l.connecting >= parallel && !*expired {
			l.changed.Wait()
		}
		c := newConnection(l, len(l.connections))
		l.connections = append(l.connections, c)
		l.connecting++
		if err := l.transport.open(c); err != nil {
			return err
		}
	}
	for !*expired && l.closed == 0 && (l.connecting > 0 || (!resume && l.served < len(l.connections))) {
		l.changed.Wait()
	}
	return l.failure(*expired)
}

// await waits until every connection that reads has seen this change.
func (l *load) await(change uint32, timeout time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaited, l.behind = change, 0
	for _, c := range l.connections {
		if !c.stalled && c.change < change {
			l.behind++
		}
	}
	expired := l.alarm(timeout)
	for !*expired && l.closed == 0 && l.behind > 0 {
		l.changed.Wait()
	}
	l.awaited = 0
	return l.failure(*expired)
}

// alarm wakes those who wait when the time is over. Called with the mutex held.
func (l *load) alarm(after time.Duration) *bool {
	expired := new(bool)
	time.AfterFunc(after, func() {
		l.mu.Lock()
		*expired = true
		l.changed.Broadcast()
		l.mu.Unlock()
	})
	return expired
}

func (l *load) failure(expired bool) error {
	for _, c := range l.connections {
		if c.err != nil {
			return c.err
		}
	}
	if expired {
		return errors.New("not within the time that was given")
	}
	return nil
}

func (l *load) connected(c *connection) {
	l.connecting--
	c.start()
	l.changed.Broadcast()
}

func (l *load) connectionServed() {
	if l.served++; l.served == len(l.connections) {
		l.changed.Broadcast()
	}
}

func (l *load) failed(c *connection, err error) {
	if c.err == nil {
		c.err = err
		l.closed++
		l.changed.Broadcast()
	}
}

func (l *load) received(c *connection, response *response, at int64) {
	l.messages++
	l.bytes += response.bytes
	l.resources += response.resources
	l.removed += response.removed
	if l.recording {
		c.history = append(c.history, receipt{at: at, change: response.change})
	}
	if c.index == 0 {
		held := l.held[response.typeURL]
		held.version = response.version
		l.held[response.typeURL] = held
	}
	if response.change <= c.change {
		return
	}
	if c.change < l.awaited && response.change >= l.awaited && !c.stalled {
		if l.behind--; l.behind == 0 {
			l.changed.Broadcast()
		}
	}
	c.change, c.changeAt = response.change, at
}

func (l *load) remember(typeURL, name, version string) {
	held := l.held[typeURL]
	if held.resources == nil {
		held.resources = map[string]string{}
	}
	held.resources[name] = version
	l.held[typeURL] = held
}

// stall makes a share of the connections stop reading, spread over all of them; zero lets all read again.
func (l *load) stall(share float64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	stalled := 0
	for i, c := range l.connections {
		wanted := int(float64(i+1)*share) > int(float64(i)*share)
		if wanted {
			stalled++
		}
		if c.stalled != wanted {
			c.stalled = wanted
			l.transport.setReading(c, !wanted)
		}
	}
	return stalled
}

// drop closes all connections without a word, as a network does.
func (l *load) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.connections {
		l.transport.close(c)
	}
	l.connections, l.served, l.closed, l.connecting = nil, 0, 0, 0
}
