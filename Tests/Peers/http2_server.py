# SPDX-License-Identifier: Apache-2.0
"""Serves the negative HTTP/2 interop cases with Python's h2: http2_server.py <case>. Its first line is its port.

Source: gRPC, Negative HTTP/2 Interop Test Case Descriptions. It ends when it has answered as many calls as the case has
and the client is gone: with status 0, or with what the client did wrong and status 1.
"""

import asyncio
import os
import struct
import sys
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

from interop_protos import messages_pb2, zeros

RESPONSE_HEAD = [(":status", "200"), ("content-type", "application/grpc")]
TRAILERS = [("grpc-status", "0")]


class Connection(asyncio.Protocol):
    def __init__(self, case, server):
        self.case = case
        self.server = server
        self.requests = {}
        self.unsent = {}
        self.open = set()
        self.pings = 0
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))

    def connection_made(self, transport):
        self.transport = transport
        self.server.connected()
        self.h2.initiate_connection()
        if self.case == "max_streams":
            self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        self.flush()

    def connection_lost(self, error):
        if self.pings:
            self.server.complain(f"{self.pings} pings were not acknowledged")
        self.server.disconnected()

    def flush(self):
        self.transport.write(self.h2.data_to_send())

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self.server.complain(f"the client broke HTTP/2: {error}")
            events = []
        for event in events:
            self.handle(event)
        self.flush()

    def handle(self, event):
        match event:
            case h2.events.RequestReceived(stream_id=stream):
                self.open.add(stream)
                if self.case == "max_streams" and self.server.answered and len(self.open) > 1:
                    self.server.complain(f"{len(self.open)} streams at once")
                self.requests[stream] = b""
                self.begin(stream)
            case h2.events.DataReceived(stream_id=stream):
                if stream in self.requests:
                    self.requests[stream] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            case h2.events.StreamEnded(stream_id=stream) if stream in self.requests:
                self.answer(stream)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                for stream in list(self.unsent):
                    self.send(stream)
            case h2.events.StreamReset(stream_id=stream):
                self.open.discard(stream)
                self.unsent.pop(stream, None)
            case h2.events.PingAckReceived():
                self.pings -= 1

    def begin(self, stream):
        """The head goes out before the request is there."""
        self.ping()
        self.h2.send_headers(stream, RESPONSE_HEAD)
        self.ping()
        if self.case == "rst_after_header":
            del self.requests[stream]
            self.reset(stream)

    def answer(self, stream):
        request = messages_pb2.SimpleRequest.FromString(self.requests.pop(stream)[5:])
        message = messages_pb2.SimpleResponse(payload=zeros(request.response_size)).SerializeToString()
        body = struct.pack(">BI", 0, len(message)) + message
        if self.case == "goaway" and self.server.connections == 1:
            self.goaway(stream)
        if self.case == "rst_during_data":
            body = body[: len(body) // 2]
        self.ping()
        self.unsent[stream] = body
        self.send(stream)

    def send(self, stream):
        most, padding = self.h2.max_outbound_frame_size, None
        if self.case == "data_frame_padding":
            # Over two megabytes of padding around the response.
            most, padding = 40, 255
        around = 0 if padding is None else padding + 1
        while self.unsent[stream]:
            size = min(self.h2.local_flow_control_window(stream) - around, most)
            if size <= 0:
                return
            self.h2.send_data(stream, self.unsent[stream][:size], pad_length=padding)
            self.unsent[stream] = self.unsent[stream][size:]
        del self.unsent[stream]
        self.ping()
        if self.case in ("rst_during_data", "rst_after_data"):
            return self.reset(stream)
        self.h2.send_headers(stream, TRAILERS, end_stream=True)
        self.end(stream)

    def goaway(self, stream):
        # h2 itself would refuse to go on after a GOAWAY: the frame goes past it.
        self.flush()
        self.transport.write(struct.pack(">I", 8)[1:] + b"\x07\x00" + struct.pack(">III", 0, stream, 0))

    def reset(self, stream):
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)
        self.end(stream)

    def end(self, stream):
        self.open.discard(stream)
        self.server.answered += 1

    def ping(self):
        if self.case == "ping":
            self.pings += 1
            self.h2.ping(struct.pack(">Q", self.pings))


class Server:
    def __init__(self, case):
        self.case = case
        self.calls = {"goaway": 2, "max_streams": 11}.get(case, 1)
        self.connections = 0
        self.open = 0
        self.answered = 0
        self.complaints = []
        self.done = asyncio.Event()

    def complain(self, text):
        self.complaints.append(text)

    def connected(self):
        self.connections += 1
        self.open += 1

    def disconnected(self):
        self.open -= 1
        if self.open == 0 and self.answered == self.calls:
            self.done.set()

    async def run(self):
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self.case, self), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await self.done.wait()
        expected = 2 if self.case == "goaway" else 1
        if self.connections != expected:
            self.complain(f"{self.connections} connections instead of {expected}")


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    server = Server(sys.argv[1])
    asyncio.run(server.run())
    sys.exit("\n".join(server.complaints) or 0)


main()
