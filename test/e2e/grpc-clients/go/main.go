// Command grpc-client is a proxyless client over grpc-go: for each line that it reads it makes one call to the xDS
// target that its argument names, and prints who answered or why nobody did. At the end of its input it closes its channel.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	callTimeout = 2 * time.Second
	// The library closes its management stream a moment after the last channel is gone, and does not tell when.
	farewell = 10 * time.Second
)

func main() {
	channel, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(ask(channel))
	}
	channel.Close()
	time.Sleep(farewell)
}

func ask(channel *grpc.ClientConn) string {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	reply := &wrapperspb.StringValue{}
	if err := channel.Invoke(ctx, "/fairlead.test.Who/Ask", &emptypb.Empty{}, reply); err != nil {
		return fmt.Sprintf("error %s", status.Convert(err).Message())
	}
	return fmt.Sprintf("answer %s", reply.GetValue())
}
