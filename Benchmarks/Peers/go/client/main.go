// SPDX-License-Identifier: Apache-2.0

// A closed loop of calls of bench.Echo with grpc-go, a goroutine for each. Flags and output are those of
// Limit/loadgen.h.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	pb "apus/bench"

	"google.golang.org/grpc"
)

var (
	port        = flag.Int("port", 0, "the server's port")
	mode        = flag.String("mode", "unary", "unary, chat, download or upload")
	concurrency = flag.Int("concurrency", 1, "calls or streams in flight")
	connections = flag.Int("connections", 1, "connections")
	seconds     = flag.Float64("seconds", 5, "of measurement")
	size        = flag.Int("payload", 16, "bytes of each message's payload")
	pid         = flag.Int("pid", 0, "the server's process")
)

func connect() []pb.EchoClient {
	clients := make([]pb.EchoClient, *connections)
	for i := range clients {
		connection, err := grpc.Dial(fmt.Sprintf("127.0.0.1:%d", *port), grpc.WithInsecure(),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(65<<20)))
		if err != nil {
			log.Fatal(err)
		}
		clients[i] = pb.NewEchoClient(connection)
	}
	return clients
}

func main() {
	flag.Parse()
	turn, known := turns[*mode]
	if !known {
		log.Fatalf("no mode %s", *mode)
	}
	payload = make([]byte, *size)
	clients := connect()
	lanes := make([]*lane, *concurrency)
	ended := make(chan bool)
	for i := range lanes {
		lanes[i] = &lane{client: clients[i%len(clients)], id: 1<<28 + int64(i)<<32, latency: newHistogram()}
		go func(lane *lane) {
			for phase.Load() != over && lane.errors < 1000 {
				if err := turn(lane); err != nil {
					lane.fail(err)
				}
			}
			ended <- true
		}(lanes[i])
	}
	time.Sleep(time.Second)
	from := now()
	phase.Store(measurement)
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	to := now()
	phase.Store(over)
	for range lanes {
		<-ended
	}
	if report(lanes, from, to) > 0 {
		os.Exit(1)
	}
}
