// The floor that the native door is measured against: ext_authz by grpc-go, as the published Go types have it, with one
// answer for all. Prints its port as {"port": N}.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

type server struct{}

var allowed = &auth.CheckResponse{Status: &status.Status{}}

func (server) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	return allowed, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	door := grpc.NewServer()
	auth.RegisterAuthorizationServer(door, server{})
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	if err := door.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
