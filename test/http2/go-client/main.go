// A client by grpc-go: checks of several sizes, many at a time, one that is late, and health. Prints what came back.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

const method = "/envoy.service.auth.v3.Authorization/Check"

type raw struct{}

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}
func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
func (raw) Name() string { return "proto" }

var _ encoding.CodecV2 = raw{}

func check(conn *grpc.ClientConn, path string, message []byte, timeout time.Duration) string {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var answer []byte
	if err := conn.Invoke(ctx, path, &message, &answer, grpc.ForceCodecV2(raw{})); err != nil {
		return status.Code(err).String()
	}
	if bytes.Equal(answer, message) {
		return "same"
	}
	return "other"
}

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	said := map[string]any{}
	said["small"] = check(conn, method, []byte("hello"), 10*time.Second)
	said["large"] = check(conn, method, bytes.Repeat([]byte("a"), 1<<20), 10*time.Second)
	said["too large"] = check(conn, method, bytes.Repeat([]byte("a"), 3<<20), 10*time.Second)
	said["unknown"] = check(conn, "/shop.Orders/Get", []byte("hello"), 10*time.Second)
	said["late"] = check(conn, method, []byte("l"), 200*time.Millisecond)
	var group sync.WaitGroup
	var lock sync.Mutex
	many := map[string]int{}
	for i := range 500 {
		group.Add(1)
		go func() {
			defer group.Done()
			answer := check(conn, method, bytes.Repeat([]byte{byte(i), 7}, 10*(i+1)), 20*time.Second)
			lock.Lock()
			many[answer]++
			lock.Unlock()
		}()
	}
	group.Wait()
	said["many"] = many
	health := grpc_health_v1.NewHealthClient(conn)
	answer, err := health.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	said["health"] = fmt.Sprint(answer.GetStatus(), err)
	watch, err := health.Watch(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		first, err := watch.Recv()
		said["watch"] = fmt.Sprint(first.GetStatus(), err)
	}
	list, err := health.List(context.Background(), &grpc_health_v1.HealthListRequest{})
	said["list"] = fmt.Sprint(len(list.GetStatuses()), err)
	_ = json.NewEncoder(os.Stdout).Encode(said)
}
