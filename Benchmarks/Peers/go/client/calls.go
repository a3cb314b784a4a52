// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"log"
	"sync/atomic"
	"time"

	pb "apus/bench"
)

const (
	streamMessages = 1000
	name           = "benchmark"
)

const (
	warmUp int32 = iota
	measurement
	over
)

// What all lanes look at.
var phase atomic.Int32

var payload []byte

// One call after the other, and what was seen of them.
type lane struct {
	client     pb.EchoClient
	id         int64
	latency    *histogram
	operations uint64
	errors     int
}

var turns = map[string]func(*lane) error{
	"unary": (*lane).unary, "chat": (*lane).chat, "download": (*lane).download, "upload": (*lane).upload,
}

func (lane *lane) fail(err error) {
	if lane.errors == 0 {
		log.Print(err)
	}
	lane.errors++
}

func (lane *lane) finish(start time.Time, operations uint64) {
	if phase.Load() == measurement {
		lane.operations += operations
		lane.latency.record(uint64(time.Since(start)))
	}
}

func (lane *lane) request() *pb.EchoRequest {
	lane.id++
	return &pb.EchoRequest{Payload: payload, Name: name, Id: lane.id}
}

func (lane *lane) check(reply *pb.EchoResponse) error {
	if reply.Id != lane.id || reply.Name != name || len(reply.Payload) != len(payload) {
		return errors.New("not what was sent")
	}
	return nil
}

func (lane *lane) unary() error {
	start := time.Now()
	reply, err := lane.client.Echo(context.Background(), lane.request())
	if err != nil {
		return err
	}
	lane.finish(start, 1)
	return lane.check(reply)
}

func (lane *lane) chat() error {
	stream, err := lane.client.Chat(context.Background())
	if err != nil {
		return err
	}
	for phase.Load() != over {
		start := time.Now()
		if err := stream.Send(lane.request()); err != nil {
			return err
		}
		reply, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := lane.check(reply); err != nil {
			return err
		}
		lane.finish(start, 1)
	}
	return stream.CloseSend()
}

func (lane *lane) download() error {
	start := time.Now()
	wanted := &pb.DownloadRequest{Count: streamMessages, Size: int32(len(payload))}
	stream, err := lane.client.Download(context.Background(), wanted)
	if err != nil {
		return err
	}
	messages := 0
	for {
		reply, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(reply.Payload) != len(payload) {
			return errors.New("a payload of another length")
		}
		messages++
		if phase.Load() == measurement {
			lane.operations++
		}
	}
	if messages != streamMessages {
		return errors.New("another number of messages")
	}
	lane.finish(start, 0)
	return nil
}

func (lane *lane) upload() error {
	start := time.Now()
	stream, err := lane.client.Upload(context.Background())
	if err != nil {
		return err
	}
	message := lane.request()
	for i := 0; i < streamMessages; i++ {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	summary, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if summary.Messages != streamMessages || summary.Bytes != int64(streamMessages*len(payload)) {
		return errors.New("another summary")
	}
	lane.finish(start, streamMessages)
	return nil
}
