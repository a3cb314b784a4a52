// SPDX-License-Identifier: Apache-2.0

// Serves bench.Echo with grpc-go: server --port P.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	pb "apus/bench"

	"google.golang.org/grpc"
)

type service struct {
	pb.UnimplementedEchoServer
}

func answer(request *pb.EchoRequest) *pb.EchoResponse {
	return &pb.EchoResponse{Payload: request.Payload, Name: request.Name, Id: request.Id}
}

func (service) Echo(_ context.Context, request *pb.EchoRequest) (*pb.EchoResponse, error) {
	return answer(request), nil
}

func (service) Download(request *pb.DownloadRequest, stream pb.Echo_DownloadServer) error {
	message := &pb.EchoResponse{Payload: make([]byte, request.Size)}
	for i := int32(0); i < request.Count; i++ {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

func (service) Upload(stream pb.Echo_UploadServer) error {
	summary := &pb.UploadSummary{}
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(summary)
		}
		if err != nil {
			return err
		}
		summary.Messages++
		summary.Bytes += int64(len(request.Payload))
	}
}

func (service) Chat(stream pb.Echo_ChatServer) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(answer(request)); err != nil {
			return err
		}
	}
}

func main() {
	port := flag.Int("port", 0, "the port to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(65 << 20))
	pb.RegisterEchoServer(server, service{})
	log.Fatal(server.Serve(listener))
}
