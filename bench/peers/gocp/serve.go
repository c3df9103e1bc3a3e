package main

import (
	"context"
	"net"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	server "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// serve starts to listen on a free port of the loopback interface and returns its address.
func serve(cfg config, state content) (string, error) {
	var options []grpc.ServerOption
	if cfg.Mode == "tuned" {
		options = append(options, grpc.SharedWriteBuffer(true), grpc.WriteBufferSize(256<<10))
	}
	if cfg.Certificate != "" {
		credentials, err := credentials.NewServerTLSFromFile(cfg.Certificate, cfg.Key)
		if err != nil {
			return "", err
		}
		options = append(options, grpc.Creds(credentials))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	xds := server.NewServer(context.Background(), state.cache(), nil)
	grpcServer := grpc.NewServer(options...)
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	endpointservice.RegisterEndpointDiscoveryServiceServer(grpcServer, xds)
	go func() {
		if err := grpcServer.Serve(listener); err != nil {
			panic(err)
		}
	}()
	return listener.Addr().String(), nil
}
