package main

import (
	"errors"
	"net/netip"
	"runtime"
	"syscall"
)

// plainTransport serves all sockets from one thread with epoll: a goroutine per connection would cost more than the
// server that is measured.
type plainTransport struct {
	load     *load
	epoll    int
	address  syscall.Sockaddr
	family   int
	sockets  map[*connection]*socket
	byNumber map[int32]*socket
	buffer   []byte
}

type socket struct {
	fd        int
	c         *connection
	connected bool
	interest  uint32
}

func newPlainTransport(l *load) (*plainTransport, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	address, err := netip.ParseAddrPort(l.config.Address)
	if err != nil {
		return nil, err
	}
	t := &plainTransport{
		load: l, epoll: epoll, family: syscall.AF_INET, buffer: make([]byte, 256<<10),
		sockets: map[*connection]*socket{}, byNumber: map[int32]*socket{},
	}
	if address.Addr().Is6() {
		t.family, t.address = syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
	} else {
		t.address = &syscall.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
	}
	go t.run()
	return t, nil
}

func (t *plainTransport) open(c *connection) error {
	fd, err := syscall.Socket(t.family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := syscall.Connect(fd, t.address); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		return err
	}
	s := &socket{fd: fd, c: c, interest: syscall.EPOLLIN | syscall.EPOLLOUT}
	t.sockets[c], t.byNumber[int32(fd)] = s, s
	return syscall.EpollCtl(t.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: s.interest, Fd: int32(fd)})
}

func (t *plainTransport) setReading(c *connection, reading bool) {
	if s := t.sockets[c]; reading {
		t.watch(s, s.interest|syscall.EPOLLIN)
	} else {
		t.watch(s, s.interest&^syscall.EPOLLIN)
	}
}

func (t *plainTransport) close(c *connection) {
	s := t.sockets[c]
	delete(t.sockets, c)
	delete(t.byNumber, int32(s.fd))
	_ = syscall.Close(s.fd)
}

func (t *plainTransport) run() {
	runtime.LockOSThread()
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(t.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			panic(err)
		}
		t.load.mu.Lock()
		for _, event := range events[:max(n, 0)] {
			if s := t.byNumber[event.Fd]; s != nil && s.c.err == nil {
				if err := t.serve(s, event.Events); err != nil {
					t.watch(s, 0)
					t.load.failed(s.c, err)
				}
			}
		}
		t.load.mu.Unlock()
	}
}

func (t *plainTransport) serve(s *socket, ready uint32) error {
	if !s.connected {
		code, err := syscall.GetsockoptInt(s.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
		if err != nil {
			return err
		}
		if code != 0 {
			return syscall.Errno(code)
		}
		if ready&syscall.EPOLLOUT == 0 {
			return nil
		}
		s.connected = true
		t.load.connected(s.c)
	}
	if ready&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
		n, err := syscall.Read(s.fd, t.buffer)
		switch {
		case err != nil && !errors.Is(err, syscall.EAGAIN):
			return err
		case err == nil && n == 0:
			return errors.New("the server closed the connection")
		case err == nil:
			if err := s.c.feed(t.buffer[:n], monotonic); err != nil {
				return err
			}
		}
	}
	return t.flush(s)
}

func (t *plainTransport) flush(s *socket) error {
	c := s.c
	for len(c.out) > 0 {
		n, err := syscall.Write(s.fd, c.out)
		if errors.Is(err, syscall.EAGAIN) {
			t.watch(s, s.interest|syscall.EPOLLOUT)
			return nil
		}
		if err != nil {
			return err
		}
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	t.watch(s, s.interest&^syscall.EPOLLOUT)
	return nil
}

func (t *plainTransport) watch(s *socket, interest uint32) {
	if s.interest == interest {
		return
	}
	s.interest = interest
	event := syscall.EpollEvent{Events: interest, Fd: int32(s.fd)}
	if err := syscall.EpollCtl(t.epoll, syscall.EPOLL_CTL_MOD, s.fd, &event); err != nil {
		t.load.failed(s.c, err)
	}
}
