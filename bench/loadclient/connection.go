package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/http2/hpack"
)

// One HTTP/2 connection with one gRPC stream on it, as bytes in and bytes out: no socket here.

const (
	frameData, frameHeaders, frameReset, frameSettings        = 0, 1, 3, 4
	framePing, frameGoAway, frameWindowUpdate, frameContinued = 6, 7, 8, 9

	flagEndStream, flagAck, flagEndHeaders = 0x1, 0x1, 0x4
	flagPadded, flagPriority               = 0x8, 0x20

	streamID      = 1
	defaultWindow = 65_535
	// The largest window that there is, so that the client's never limits a server.
	wideWindow  = 1<<31 - 1
	refillAfter = 1 << 29
)

type connection struct {
	index  int
	load   *load
	reader responseReader
	out    []byte
	err    error

	header      [9]byte
	headerBytes int
	frame       frame
	control     []byte // the payload of a frame that is not DATA
	decoder     *hpack.Decoder

	prefix       [5]byte
	prefixBytes  int
	messageLeft  int
	unrefilled   int
	connWindow   int
	streamWindow int
	frameLimit   int
	initial      int
	queued       [][]byte // gRPC messages that wait for window

	types   []typeProgress
	served  int // types whose first state is whole
	saidWho bool
	stalled bool
	// The newest change it has been told of, and when the message with it was complete.
	change   uint32
	changeAt int64
	messages int
	bytes    int
	history  []receipt
}

type frame struct {
	kind, flags byte
	left        int
}

type typeProgress struct {
	resources int
	done      bool
}

type receipt struct {
	at     int64
	change uint32
}

func newConnection(l *load, index int) *connection {
	c := &connection{
		index: index, load: l, connWindow: defaultWindow, streamWindow: defaultWindow, initial: defaultWindow,
		frameLimit: 16_384, types: make([]typeProgress, len(l.interests)),
	}
	c.reader.delta = l.config.Delta
	if index == 0 {
		c.reader.onResource = l.remember
	}
	return c
}

// start writes the preface, the call and the first request of each type.
func (c *connection) start() {
	c.out = append(c.out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"...)
	const initialWindowSize = 4
	settings := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, initialWindowSize), wideWindow)
	c.writeFrame(frameSettings, 0, 0, settings)
	c.writeFrame(frameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, wideWindow-defaultWindow))
	c.writeFrame(frameHeaders, flagEndHeaders, streamID, c.load.callHeaders)
	for _, it := range c.load.interests {
		c.send(it.first(c.load.config.Delta, c.who(), c.load.resumed[it.typeURL]))
	}
}

// who returns the node when the next request has to carry it.
func (c *connection) who() []byte {
	if c.saidWho && !(c.load.config.Delta && c.load.config.Node.EveryRequest) {
		return nil
	}
	c.saidWho = true
	return c.load.nodes.encode(c.index)
}

// feed takes what the socket delivered. `now` tells the time when it was read, and is asked once per message.
func (c *connection) feed(p []byte, now func() int64) error {
	for len(p) > 0 {
		if c.headerBytes < 9 {
			n := copy(c.header[c.headerBytes:], p)
			c.headerBytes, p = c.headerBytes+n, p[n:]
			if c.headerBytes < 9 {
				return nil
			}
			length := int(c.header[0])<<16 | int(c.header[1])<<8 | int(c.header[2])
			c.frame = frame{kind: c.header[3], flags: c.header[4], left: length}
			if c.frame.kind == frameData && c.frame.flags&flagPadded != 0 {
				return errors.New("a padded DATA frame, which no gRPC server is known to write")
			}
		}
		n := min(len(p), c.frame.left)
		c.frame.left -= n
		if c.frame.kind == frameData {
			if err := c.data(p[:n], now); err != nil {
				return err
			}
		} else {
			c.control = append(c.control, p[:n]...)
		}
		p = p[n:]
		if c.frame.left > 0 {
			return nil
		}
		c.headerBytes = 0
		if err := c.frameDone(); err != nil {
			return err
		}
	}
	return nil
}

func (c *connection) frameDone() error {
	payload := c.control
	defer func() { c.control = c.control[:0] }()
	switch c.frame.kind {
	case frameData:
		if c.frame.flags&flagEndStream != 0 {
			return errors.New("the server ended the stream")
		}
	case frameHeaders, frameContinued:
		return c.headers(payload)
	case frameReset:
		return fmt.Errorf("the server reset the stream, code %d", binary.BigEndian.Uint32(payload))
	case frameGoAway:
		return fmt.Errorf("the server goes away, code %d", binary.BigEndian.Uint32(payload[4:]))
	case frameSettings:
		if c.frame.flags&flagAck == 0 {
			c.settings(payload)
			c.writeFrame(frameSettings, flagAck, 0, nil)
		}
	case framePing:
		if c.frame.flags&flagAck == 0 {
			c.writeFrame(framePing, flagAck, 0, payload)
		}
	case frameWindowUpdate:
		increment := int(binary.BigEndian.Uint32(payload))
		if binary.BigEndian.Uint32(c.header[5:]) == 0 {
			c.connWindow += increment
		} else {
			c.streamWindow += increment
		}
		c.pump()
	}
	return nil
}

func (c *connection) settings(payload []byte) {
	for ; len(payload) >= 6; payload = payload[6:] {
		value := int(binary.BigEndian.Uint32(payload[2:]))
		switch binary.BigEndian.Uint16(payload) {
		case 4:
			c.streamWindow += value - c.initial
			c.initial = value
		case 5:
			c.frameLimit = value
		}
	}
	c.pump()
}

// headers looks for the end of the call. Trailers are the only headers that matter to this client.
func (c *connection) headers(payload []byte) error {
	if c.frame.kind == frameHeaders && c.frame.flags&(flagPadded|flagPriority) != 0 {
		return errors.New("a HEADERS frame with padding or priority, which no gRPC server is known to write")
	}
	var status, message string
	if c.decoder == nil {
		c.decoder = hpack.NewDecoder(4096, nil)
	}
	c.decoder.SetEmitFunc(func(field hpack.HeaderField) {
		switch field.Name {
		case "grpc-status":
			status = field.Value
		case "grpc-message":
			message = field.Value
		case ":status":
			if field.Value != "200" {
				status = "HTTP " + field.Value
			}
		}
	})
	if _, err := c.decoder.Write(payload); err != nil {
		return err
	}
	if status != "" {
		return fmt.Errorf("the call ended with status %s %s", status, message)
	}
	return nil
}

func (c *connection) data(p []byte, now func() int64) error {
	c.bytes += len(p)
	c.refill(len(p))
	for len(p) > 0 {
		if c.prefixBytes < 5 {
			n := copy(c.prefix[c.prefixBytes:], p)
			c.prefixBytes, p = c.prefixBytes+n, p[n:]
			if c.prefixBytes < 5 {
				return nil
			}
			if c.prefix[0] != 0 {
				return errors.New("a compressed message, although none was asked for")
			}
			c.messageLeft = int(binary.BigEndian.Uint32(c.prefix[1:]))
			c.reader.reset()
		}
		n := min(len(p), c.messageLeft)
		if err := c.reader.feed(p[:n]); err != nil {
			return err
		}
		c.messageLeft, p = c.messageLeft-n, p[n:]
		if c.messageLeft == 0 {
			c.prefixBytes = 0
			c.received(now())
		}
	}
	return nil
}

func (c *connection) received(at int64) {
	response := &c.reader.out
	c.messages++
	c.load.received(c, response, at)
	for i, it := range c.load.interests {
		if it.typeURL != response.typeURL {
			continue
		}
		progress := &c.types[i]
		progress.resources += response.resources
		if !progress.done && progress.resources >= it.expect {
			progress.done = true
			c.served++
			if c.served == len(c.types) {
				c.load.connectionServed()
			}
		}
		c.send(it.ack(c.load.config.Delta, c.whoAgain(), response.version, response.nonce))
		return
	}
}

// whoAgain returns the node for requests after the first, nil unless every request carries it.
func (c *connection) whoAgain() []byte {
	if c.load.config.Delta && c.load.config.Node.EveryRequest {
		return c.who()
	}
	return nil
}

// send queues one gRPC message, and writes as much as the server's windows allow.
func (c *connection) send(message []byte) {
	framed := binary.BigEndian.AppendUint32(make([]byte, 1, len(message)+5), uint32(len(message)))
	c.queued = append(c.queued, append(framed, message...))
	c.pump()
}

func (c *connection) pump() {
	for len(c.queued) > 0 {
		next := c.queued[0]
		n := min(len(next), c.connWindow, c.streamWindow, c.frameLimit)
		if n <= 0 {
			return
		}
		c.writeFrame(frameData, 0, streamID, next[:n])
		c.connWindow -= n
		c.streamWindow -= n
		if c.queued[0] = next[n:]; n == len(next) {
			c.queued = c.queued[1:]
		}
	}
}

func (c *connection) refill(n int) {
	if c.unrefilled += n; c.unrefilled < refillAfter {
		return
	}
	increment := binary.BigEndian.AppendUint32(nil, uint32(c.unrefilled))
	c.writeFrame(frameWindowUpdate, 0, 0, increment)
	c.writeFrame(frameWindowUpdate, 0, streamID, increment)
	c.unrefilled = 0
}

func (c *connection) writeFrame(kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	c.out = append(c.out, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	c.out = binary.BigEndian.AppendUint32(c.out, stream)
	c.out = append(c.out, payload...)
}

// encodeCallHeaders encodes the call without the dynamic table, so that all connections share the bytes.
func encodeCallHeaders(authority, path, scheme string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSizeLimit(0)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", scheme}, {":path", path}, {":authority", authority},
		{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "fairlead-bench"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	return block.Bytes()
}
