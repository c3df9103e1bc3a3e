package main

import (
	"fmt"
	"strconv"
)

// Requests as Envoy writes them: DiscoveryRequest and DeltaDiscoveryRequest of discovery.proto.

const (
	sotwVersion, sotwNode, sotwNames, sotwType, sotwNonce          = 1, 2, 3, 4, 5
	deltaNode, deltaType, deltaSubscribe, deltaInitial, deltaNonce = 1, 2, 3, 5, 6
)

// interest is what every connection asks for of one type, with the parts of requests that are the same for all.
type interest struct {
	typeURL string
	expect  int
	names   []string
	// The field resource_names of SotW, repeated in each request.
	sotwNames []byte
}

func newInterest(s subscription) *interest {
	names := s.allNames(strconv.Itoa)
	it := &interest{typeURL: s.TypeURL, expect: max(s.Expect, 1), names: names}
	for _, name := range names {
		it.sotwNames = appendBytes(it.sotwNames, sotwNames, name)
	}
	return it
}

// first is the request that opens a type on a stream; a reconnecting client tells what it holds.
func (it *interest) first(delta bool, node []byte, held holding) []byte {
	if !delta {
		return it.sotw(node, held.version, "")
	}
	var request []byte
	if node != nil {
		request = appendBytes(request, deltaNode, node)
	}
	request = appendBytes(request, deltaType, it.typeURL)
	for _, name := range it.names {
		request = appendBytes(request, deltaSubscribe, name)
	}
	for name, version := range held.resources {
		entry := appendBytes(appendBytes(nil, 1, name), 2, version)
		request = appendBytes(request, deltaInitial, entry)
	}
	return request
}

// ack accepts one response; the node is nil when the stream has told it before.
func (it *interest) ack(delta bool, node []byte, version, nonce string) []byte {
	if !delta {
		return it.sotw(node, version, nonce)
	}
	var request []byte
	if node != nil {
		request = appendBytes(request, deltaNode, node)
	}
	return appendBytes(appendBytes(request, deltaType, it.typeURL), deltaNonce, nonce)
}

func (it *interest) sotw(node []byte, version, nonce string) []byte {
	var request []byte
	if version != "" {
		request = appendBytes(request, sotwVersion, version)
	}
	if node != nil {
		request = appendBytes(request, sotwNode, node)
	}
	request = append(request, it.sotwNames...)
	request = appendBytes(request, sotwType, it.typeURL)
	if nonce != "" {
		request = appendBytes(request, sotwNonce, nonce)
	}
	return request
}

// nodeWriter encodes nodes that differ by their id only.
type nodeWriter struct {
	config nodeConfig
	rest   []byte
}

// newNodeWriter fills the node with extensions, as Envoy does, until it has about the wanted size.
func newNodeWriter(n nodeConfig) *nodeWriter {
	const cluster, userAgentName, extensions = 2, 6, 9
	rest := appendBytes(nil, cluster, n.Cluster)
	rest = appendBytes(rest, userAgentName, "envoy")
	for i := 0; len(rest) < n.Bytes; i++ {
		extension := appendBytes(nil, 1, fmt.Sprintf("fairlead.bench.extension_%d", i))
		extension = appendBytes(extension, 2, "envoy.filters.http")
		extension = appendBytes(extension, 6, fmt.Sprintf("fairlead.bench.extensions.v3.Extension%d", i))
		rest = appendBytes(rest, extensions, extension)
	}
	return &nodeWriter{config: n, rest: rest}
}

func (w *nodeWriter) encode(index int) []byte {
	const id = 1
	return append(appendBytes(nil, id, w.config.IDPrefix+strconv.Itoa(index)), w.rest...)
}
