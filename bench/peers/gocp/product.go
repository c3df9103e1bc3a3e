package main

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"sync"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// product serves what a proxy needs beside endpoints, one LinearCache a type, and takes changes over HTTP. It is the
// least that a product built on the library has: no store, no health, no checks of what it is told.
type product struct {
	*linear
	mutex sync.Mutex
	mux   *cache.MuxCache
}

func newProduct(cfg config) (*product, error) {
	endpoints, err := newLinear(cfg)
	if err != nil {
		return nil, err
	}
	clusters := make(map[string]types.Resource, cfg.Resources)
	var routes []*route.Route
	for _, assignment := range endpoints.assignments {
		clusters[assignment.ClusterName] = newCluster(assignment.ClusterName)
		routes = append(routes, newRoute(assignment.ClusterName))
	}
	const name = "web"
	hosts := []*route.VirtualHost{{Name: "*", Domains: []string{"*"}, Routes: routes}}
	others := func(typeURL string, resources map[string]types.Resource) cache.Cache {
		return cache.NewLinearCache(typeURL, cache.WithInitialResources(resources))
	}
	return &product{linear: endpoints, mux: &cache.MuxCache{
		Classify:      func(request *cache.Request) string { return request.GetTypeUrl() },
		ClassifyDelta: func(request *cache.DeltaRequest) string { return request.GetTypeUrl() },
		Caches: map[string]cache.Cache{
			resource.EndpointType: endpoints.linear,
			resource.ClusterType:  others(resource.ClusterType, clusters),
			resource.ListenerType: others(resource.ListenerType, map[string]types.Resource{name: newListener(name)}),
			resource.RouteType: others(resource.RouteType, map[string]types.Resource{
				name: &route.RouteConfiguration{Name: name, VirtualHosts: hosts},
			}),
		},
	}}, nil
}

func (p *product) cache() cache.Cache { return p.mux }

// listen takes changes on a free port of the loopback interface and returns its address.
func (p *product) listen() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("POST /set", func(response http.ResponseWriter, request *http.Request) {
		change, err := strconv.ParseUint(request.FormValue("change"), 10, 32)
		if err == nil {
			p.mutex.Lock()
			err = p.apply(uint32(change))
			p.mutex.Unlock()
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(response).Encode(map[string]uint64{"change": change})
	})
	go func() { panic(http.Serve(listener, handler)) }()
	return listener.Addr().String(), nil
}

func ads() *core.ConfigSource {
	return &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
}

func newCluster(name string) *cluster.Cluster {
	return &cluster.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig:     &cluster.Cluster_EdsClusterConfig{EdsConfig: ads(), ServiceName: name},
	}
}

func newRoute(name string) *route.Route {
	return &route.Route{
		Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/" + name}},
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier: &route.RouteAction_Cluster{Cluster: name},
		}},
	}
}

func newListener(name string) *listener.Listener {
	socket := &core.SocketAddress{Address: "127.0.0.1", PortSpecifier: &core.SocketAddress_PortValue{PortValue: 8080}}
	return &listener.Listener{
		Name: name, StatPrefix: name,
		Address: &core.Address{Address: &core.Address_SocketAddress{SocketAddress: socket}},
	}
}
