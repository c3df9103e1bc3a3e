package main

import (
	"errors"
	"strconv"
	"strings"
)

// How much of one resource is looked at: enough to reach its first endpoint.
const headBytes = 1024

// response is what a client needs of a DiscoveryResponse or DeltaDiscoveryResponse in order to acknowledge it.
type response struct {
	version, typeURL, nonce string
	resources, removed      int
	// The highest number of a change that any of its resources shows; see changeOf.
	change uint32
	bytes  int
}

// responseReader reads one response as its bytes arrive, without collecting them: all it keeps are the short fields
// and the head of each resource.
type responseReader struct {
	delta bool
	// Called per resource of a delta response.
	onResource func(typeURL, name, version string)

	out    response
	state  int
	varint uint64
	shift  uint
	field  uint64
	// Bytes left of the payload of the current field, and how many of those are still to be kept.
	left, keep int
	kept       []byte

	// Within a Resource of a delta response: the bytes left of it, and what it has shown so far.
	inside                bool
	resource              int
	name, resourceVersion string
	head                  []byte
}

const (
	readTag = iota
	readLength
	readNumber
	readPayload
)

func (r *responseReader) reset() {
	*r = responseReader{delta: r.delta, onResource: r.onResource, kept: r.kept[:0], head: r.head[:0]}
}

func (r *responseReader) feed(p []byte) error {
	r.out.bytes += len(p)
	for len(p) > 0 {
		if r.state == readPayload {
			n := min(len(p), r.left)
			keep := min(n, r.keep)
			r.kept = append(r.kept, p[:keep]...)
			r.keep -= keep
			r.left -= n
			r.spend(n)
			p = p[n:]
			if r.left == 0 {
				r.fieldDone()
			}
			continue
		}
		b := p[0]
		p = p[1:]
		r.spend(1)
		r.varint |= uint64(b&0x7f) << r.shift
		r.shift += 7
		if b >= 0x80 {
			continue
		}
		value := r.varint
		r.varint, r.shift = 0, 0
		if err := r.number(value); err != nil {
			return err
		}
	}
	return nil
}

func (r *responseReader) number(value uint64) error {
	switch r.state {
	case readTag:
		r.field = value >> 3
		switch value & 7 {
		case 0:
			r.state = readNumber
		case 2:
			r.state = readLength
		default:
			return errors.New("a response with a field of a wire type that discovery.proto does not use")
		}
	case readNumber:
		r.state = readTag
		r.leaveIfDone()
	case readLength:
		if r.delta && !r.inside && r.field == 2 {
			r.inside, r.resource, r.state = true, int(value), readTag
			r.name, r.resourceVersion, r.head = "", "", r.head[:0]
			r.leaveIfDone()
			return nil
		}
		r.left, r.keep, r.kept, r.state = int(value), min(int(value), headBytes), r.kept[:0], readPayload
		if r.left == 0 {
			r.fieldDone()
		}
	}
	return nil
}

func (r *responseReader) spend(n int) {
	if r.inside {
		r.resource -= n
	}
}

func (r *responseReader) fieldDone() {
	r.state = readTag
	if r.inside {
		switch {
		case r.field == 2:
			r.head = append(r.head[:0], r.kept...)
		case r.field == 1 && r.onResource != nil:
			r.resourceVersion = string(r.kept)
		case r.field == 3 && r.onResource != nil:
			r.name = string(r.kept)
		}
		r.leaveIfDone()
		return
	}
	switch r.field {
	case 1:
		r.out.version = string(r.kept)
	case 2:
		r.countResource(r.kept)
	case 4:
		r.out.typeURL = string(r.kept)
	case 5:
		r.out.nonce = string(r.kept)
	case 6:
		if r.delta {
			r.out.removed++
		}
	}
}

func (r *responseReader) leaveIfDone() {
	if !r.inside || r.resource > 0 {
		return
	}
	r.inside = false
	r.countResource(r.head)
	if r.onResource != nil {
		r.onResource(string(descend(r.head, 1)), r.name, r.resourceVersion)
	}
}

func (r *responseReader) countResource(head []byte) {
	r.out.resources++
	r.out.change = max(r.out.change, changeOf(head))
}

const (
	loadAssignmentType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	lbEndpointType     = "type.googleapis.com/envoy.config.endpoint.v3.LbEndpoint"
)

// changeOf reads the number of the change that made this resource: servers of the benchmark write it into the address
// of the first endpoint, 10.A.B.C for the number 0xABC in 24 bits. Zero when there is none.
func changeOf(head []byte) uint32 {
	typeURL, value := descend(head, 1), descend(head, 2)
	var endpoint []byte
	switch string(typeURL) {
	case loadAssignmentType:
		endpoint = descend(descend(value, 2), 2)
	case lbEndpointType:
		endpoint = value
	}
	address := descend(descend(descend(descend(endpoint, 1), 1), 1), 2)
	parts := strings.Split(string(address), ".")
	if len(parts) != 4 || parts[0] != "10" {
		return 0
	}
	change := uint32(0)
	for _, part := range parts[1:] {
		number, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return 0
		}
		change = change<<8 | uint32(number)
	}
	return change
}
