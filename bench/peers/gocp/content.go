package main

import (
	"context"
	"fmt"
	"strconv"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const lbEndpointType = "type.googleapis.com/envoy.config.endpoint.v3.LbEndpoint"

// content is what is served, with a way to change one endpoint of it.
type content interface {
	cache() cache.Cache
	// apply writes the number of the change into the first endpoint of one resource, and publishes that.
	apply(change uint32) error
}

func newContent(cfg config) (content, error) {
	switch {
	case cfg.API:
		return newProduct(cfg)
	case cfg.Members && cfg.Mode != "snapshot":
		return newMembers(cfg)
	case cfg.Mode == "linear", cfg.Mode == "tuned":
		return newLinear(cfg)
	case cfg.Mode == "snapshot" && !cfg.Members:
		return newSnapshots(cfg)
	}
	return nil, fmt.Errorf("no such mode: %q", cfg.Mode)
}

// linear is the LinearCache with one load assignment per cluster.
type linear struct {
	assignments []*endpoint.ClusterLoadAssignment
	linear      *cache.LinearCache
}

func newLinear(cfg config) (*linear, error) {
	l := &linear{assignments: newAssignments(cfg), linear: cache.NewLinearCache(resource.EndpointType)}
	resources := make(map[string]types.Resource, len(l.assignments))
	for _, assignment := range l.assignments {
		resources[assignment.ClusterName] = assignment
	}
	return l, l.linear.UpdateResources(resources, nil)
}

func (l *linear) cache() cache.Cache { return l.linear }

func (l *linear) apply(change uint32) error {
	at := int(change) % len(l.assignments)
	l.assignments[at] = changed(l.assignments[at], change)
	return l.linear.UpdateResource(l.assignments[at].ClusterName, l.assignments[at])
}

// members is the LinearCache with one resource per endpoint. Version 0.14.0 knows no glob collections, so clients take
// the whole cache by wildcard.
type members struct {
	count  int
	linear *cache.LinearCache
}

func newMembers(cfg config) (*members, error) {
	m := &members{count: cfg.Endpoints, linear: cache.NewLinearCache(lbEndpointType)}
	resources := make(map[string]types.Resource, cfg.Endpoints)
	for i := range cfg.Endpoints {
		resources[memberName(i)] = newEndpoint(hostname(i), ordinaryAddress(i))
	}
	return m, m.linear.UpdateResources(resources, nil)
}

func (m *members) cache() cache.Cache { return m.linear }

func (m *members) apply(change uint32) error {
	at := int(change) % m.count
	return m.linear.UpdateResource(memberName(at), newEndpoint(hostname(at), addressOf(change)))
}

// snapshots is the SnapshotCache with a node of its own for each client, as its documentation shows it.
type snapshots struct {
	config      config
	assignments []*endpoint.ClusterLoadAssignment
	snapshots   cache.SnapshotCache
}

func newSnapshots(cfg config) (*snapshots, error) {
	s := &snapshots{config: cfg, assignments: newAssignments(cfg), snapshots: cache.NewSnapshotCache(true, cache.IDHash{}, nil)}
	return s, s.publish("0")
}

func (s *snapshots) cache() cache.Cache { return s.snapshots }

func (s *snapshots) apply(change uint32) error {
	at := int(change) % len(s.assignments)
	s.assignments[at] = changed(s.assignments[at], change)
	return s.publish(strconv.Itoa(int(change)))
}

// publish makes one snapshot and gives it to every node.
func (s *snapshots) publish(version string) error {
	resources := make([]types.Resource, len(s.assignments))
	for i, assignment := range s.assignments {
		resources[i] = assignment
	}
	snapshot, err := cache.NewSnapshot(version, map[resource.Type][]types.Resource{resource.EndpointType: resources})
	if err != nil {
		return err
	}
	for i := range s.config.Nodes {
		node := s.config.NodePrefix + strconv.Itoa(i)
		if err := s.snapshots.SetSnapshot(context.Background(), node, snapshot); err != nil {
			return err
		}
	}
	return nil
}

func newAssignments(cfg config) []*endpoint.ClusterLoadAssignment {
	assignments := make([]*endpoint.ClusterLoadAssignment, cfg.Resources)
	for i := range assignments {
		endpoints := make([]*endpoint.LbEndpoint, cfg.Endpoints)
		for j := range endpoints {
			name, address := hostname(j), ordinaryAddress(j)
			if cfg.API { // The product gives its endpoints no names.
				name = ""
			}
			if j == 0 {
				address = addressOf(0)
			}
			endpoints[j] = newEndpoint(name, address)
		}
		assignments[i] = &endpoint.ClusterLoadAssignment{
			ClusterName: "cluster-" + strconv.Itoa(i),
			Endpoints:   []*endpoint.LocalityLbEndpoints{{LbEndpoints: endpoints}},
		}
	}
	return assignments
}

// changed is the assignment with another first endpoint; all others are shared with the old one.
func changed(old *endpoint.ClusterLoadAssignment, change uint32) *endpoint.ClusterLoadAssignment {
	endpoints := append([]*endpoint.LbEndpoint(nil), old.Endpoints[0].LbEndpoints...)
	endpoints[0] = newEndpoint(endpoints[0].GetEndpoint().Hostname, addressOf(change))
	return &endpoint.ClusterLoadAssignment{
		ClusterName: old.ClusterName,
		Endpoints:   []*endpoint.LocalityLbEndpoints{{LbEndpoints: endpoints}},
	}
}

func newEndpoint(name, address string) *endpoint.LbEndpoint {
	socket := &core.SocketAddress{Address: address, PortSpecifier: &core.SocketAddress_PortValue{PortValue: 8080}}
	return &endpoint.LbEndpoint{
		HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{
			Address:  &core.Address{Address: &core.Address_SocketAddress{SocketAddress: socket}},
			Hostname: name,
		}},
		HealthStatus:        core.HealthStatus_HEALTHY,
		LoadBalancingWeight: wrapperspb.UInt32(1),
	}
}

func hostname(index int) string {
	return fmt.Sprintf("backend-%05d.shops.example", index)
}

func memberName(index int) string {
	return fmt.Sprintf("xdstp://bench/envoy.config.endpoint.v3.LbEndpoint/cluster-0/%d", index)
}

// addressOf spells the number of a change as 10.A.B.C, where the load client finds it.
func addressOf(change uint32) string {
	return fmt.Sprintf("10.%d.%d.%d", change>>16&255, change>>8&255, change&255)
}

func ordinaryAddress(index int) string {
	return fmt.Sprintf("172.%d.%d.%d", 16+index>>16, index>>8&255, index&255)
}
