# SPDX-License-Identifier: Apache-2.0
"""Calls an apus.test.peer.Peer with Python's gRPC: client.py <address> <case>... Fails with a text for a wrong reply.

The cases are the functions of this file whose names the tests give. No call has a deadline of its own unless its case
is about deadlines: the tests end a client that hangs.
"""

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / ".peers" / "gen"))

import grpc
from test import peer_pb2, peer_pb2_grpc
from test.peer_pb2 import Instruction, Reply

SPECIAL_TEXT = " \ttabs\t, a line\r\nand another, 100 %, ☃ and beyond the basic plane 🐦 "
MEGABYTE = 1 << 20


def same(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: {actual!r} instead of {expected!r}")


def fails(call, code, text=None):
    """The error of a call that has to fail with this code and, unless it is None, with this text."""
    try:
        result = call()
    except grpc.RpcError as error:
        same("code", (error.code(), error.details()), (code, error.details() if text is None else text))
        return error
    sys.exit(f"the call gave {result!r} and not {code}")


def watch(peer, name):
    """The stages of a call that starts after this has returned."""
    stages = (reply.stage for reply in peer.Watch(peer_pb2.WatchRequest(name=name)))
    same("first stage", next(stages), peer_pb2.STAGE_WATCHED)
    return stages


class Requests:
    """A stream of requests that is written piece by piece."""

    def __init__(self, *first):
        self.changed = threading.Condition()
        self.waiting = list(first)
        self.closed = False

    def write(self, *requests):
        with self.changed:
            self.waiting.extend(requests)
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __iter__(self):
        return self

    def __next__(self):
        with self.changed:
            self.changed.wait_for(lambda: self.waiting or self.closed)
            if not self.waiting:
                raise StopIteration
            return self.waiting.pop(0)


# The four kinds of call.


def unary(peer, channel):
    reply = peer.Unary(Instruction(payload=b"123", size=10))
    same("reply", reply, Reply(payload=bytes(10), received_messages=1, received_bytes=3))


def empty_messages(peer, channel):
    same("reply", peer.Unary(Instruction()), Reply(received_messages=1))
    same("no requests", peer.ClientStream(iter(())), Reply())
    same("no replies", list(peer.ServerStream(Instruction())), [])
    same("nothing either way", list(peer.Chat(iter(()))), [])


def client_stream(peer, channel):
    reply = peer.ClientStream(Instruction(payload=b"7") for _ in range(1000))
    same("reply", reply, Reply(received_messages=1000, received_bytes=1000))


def server_stream(peer, channel):
    replies = list(peer.ServerStream(Instruction(messages=1000, size=100)))
    same("order", [reply.index for reply in replies], list(range(1000)))
    same("sizes", {len(reply.payload) for reply in replies}, {100})


def chat(peer, channel):
    requests = Requests()
    replies = peer.Chat(requests)
    for round in range(1000):
        requests.write(Instruction(messages=1))
        same("index", next(replies).index, round)
    requests.close()
    same("rest", list(replies), [])


def half_close(peer, channel):
    replies = peer.Chat(iter([Instruction(messages=500, size=1000)]))
    same("replies", len(list(replies)), 500)


def big_messages(peer, channel):
    reply = peer.Unary(Instruction(payload=bytes(MEGABYTE), size=MEGABYTE))
    same("sizes", (reply.received_bytes, len(reply.payload)), (MEGABYTE, MEGABYTE))
    replies = peer.Chat(Instruction(payload=bytes(MEGABYTE), messages=1, size=MEGABYTE) for _ in range(8))
    same("sizes of a stream", [len(reply.payload) for reply in replies], [MEGABYTE] * 8)


def many_calls(peer, channel):
    calls = [peer.Unary.future(Instruction(payload=bytes(size))) for size in range(500)]
    same("sum", sum(call.result().received_bytes for call in calls), sum(range(500)))


# Metadata and statuses.


def metadata(peer, channel):
    values = [("text", "one, two"), ("text", "~!@#$%^&*()_+"), ("bytes-bin", b""), ("bytes-bin", b"\x00\xff,\r\n")]
    initial = [("echo-initial-" + key, value) for key, value in values]
    trailing = [("echo-trailing-" + key, value) for key, value in values]

    def echoes(metadata):
        return [(key, value) for key, value in metadata if key.startswith("echo-")]

    _, call = peer.Unary.with_call(Instruction(), metadata=initial + trailing)
    same("initial metadata", echoes(call.initial_metadata()), initial)
    same("trailing metadata", echoes(call.trailing_metadata()), trailing)

    replies = peer.ServerStream(Instruction(messages=1), metadata=initial + trailing)
    same("a stream's initial metadata", echoes(replies.initial_metadata()), initial)
    same("replies", len(list(replies)), 1)
    same("a stream's trailing metadata", echoes(replies.trailing_metadata()), trailing)


def early_head(peer, channel):
    replies = peer.ServerStream(Instruction(early_head=True, hang=True), metadata=[("echo-initial-a", "1")])
    same("initial metadata", dict(replies.initial_metadata()).get("echo-initial-a"), "1")
    replies.cancel()


def statuses(peer, channel):
    for code in grpc.StatusCode:
        if code is not grpc.StatusCode.OK:
            instruction = Instruction(code=code.value[0], text=SPECIAL_TEXT)
            fails(lambda: peer.Unary(instruction), code, SPECIAL_TEXT)
            fails(lambda: list(peer.ServerStream(instruction)), code, SPECIAL_TEXT)


def status_after_messages(peer, channel):
    replies = peer.ServerStream(Instruction(messages=3, code=9, text="enough"))
    same("order", [next(replies).index for _ in range(3)], [0, 1, 2])
    fails(lambda: next(replies), grpc.StatusCode.FAILED_PRECONDITION, "enough")


def trailers_of_an_error(peer, channel):
    error = fails(
        lambda: peer.Unary(Instruction(code=5), metadata=[("echo-trailing-a", "1"), ("echo-trailing-b", "2")]),
        grpc.StatusCode.NOT_FOUND)
    trailers = dict(error.trailing_metadata())
    same("trailers", (trailers.get("echo-trailing-a"), trailers.get("echo-trailing-b")), ("1", "2"))


# Ends before the time.


def early_end(peer, channel):
    requests = Requests(Instruction(payload=b"12", stop=True))
    same("reply", peer.ClientStream(requests), Reply(received_messages=1, received_bytes=2))
    requests = Requests(Instruction(messages=2, stop=True))
    same("order", [reply.index for reply in peer.Chat(requests)], [0, 1])
    endless = iter(lambda: Instruction(code=3, text="no more"), None)
    fails(lambda: peer.ClientStream(endless), grpc.StatusCode.INVALID_ARGUMENT, "no more")


def cancellation(peer, channel):
    stages = watch(peer, "unary")
    call = peer.Unary.future(Instruction(name="unary", hang=True))
    same("stage", next(stages), peer_pb2.STAGE_STARTED)
    call.cancel()
    same("stages", list(stages), [peer_pb2.STAGE_CANCELLED])

    stages = watch(peer, "server stream")
    replies = peer.ServerStream(Instruction(name="server stream", messages=1, hang=True))
    same("index", next(replies).index, 0)
    replies.cancel()
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_CANCELLED])

    stages = watch(peer, "client stream")
    call = peer.ClientStream.future(Requests(Instruction(name="client stream")))
    same("stage", next(stages), peer_pb2.STAGE_STARTED)
    call.cancel()
    same("stages", list(stages), [peer_pb2.STAGE_CANCELLED])

    stages = watch(peer, "chat")
    replies = peer.Chat(Requests(Instruction(name="chat", messages=1)))
    same("index", next(replies).index, 0)
    replies.cancel()
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_CANCELLED])


def lost_client(peer, channel):
    stages = watch(peer, "lost")
    other = grpc.insecure_channel(sys.argv[1], options=[("grpc.use_local_subchannel_pool", 1)])
    replies = peer_pb2_grpc.PeerStub(other).ServerStream(Instruction(name="lost", messages=1, hang=True))
    same("index", next(replies).index, 0)
    other.close()
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_CANCELLED])


def deadline(peer, channel):
    left = peer.Unary(Instruction(), timeout=3600).milliseconds_left
    # This gRPC rounds up what it sends: an hour by as much as ten seconds.
    same(f"whether {left} ms are about an hour", 3_000_000 < left < 3_660_000, True)
    same("time left without a deadline", peer.Unary(Instruction()).milliseconds_left, 0)
    stages = watch(peer, "late")
    fails(lambda: peer.Unary(Instruction(name="late", hang=True), timeout=1), grpc.StatusCode.DEADLINE_EXCEEDED)
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_CANCELLED])


def server_deadline(peer, channel):
    # Metadata, and not a deadline of this client's own: only the server can end the call.
    stages = watch(peer, "late")
    late = [("grpc-timeout", "100m")]
    error = fails(
        lambda: peer.Unary(Instruction(name="late", hang=True), metadata=late), grpc.StatusCode.DEADLINE_EXCEEDED)
    same("whether the text is the server's", error.details() not in ("", "Deadline Exceeded"), True)
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_CANCELLED])


def good_end(peer, channel):
    stages = watch(peer, "good")
    peer.Unary(Instruction(name="good"), timeout=3600)
    same("stages", list(stages), [peer_pb2.STAGE_STARTED, peer_pb2.STAGE_FINISHED])


def drained(peer, channel):
    requests = Requests(Instruction(messages=1))
    replies = peer.Chat(requests)
    same("index", next(replies).index, 0)
    left = threading.Event()
    channel.subscribe(lambda state: state is not grpc.ChannelConnectivity.READY and left.set())
    print("the server may stop", flush=True)
    # It has said GOAWAY: calls in flight go on, new ones find nobody.
    left.wait()
    requests.write(Instruction(messages=1))
    same("index", next(replies).index, 1)
    requests.close()
    same("rest", list(replies), [])
    fails(lambda: peer.Unary(Instruction()), grpc.StatusCode.UNAVAILABLE)


# What goes wrong.


def unknown_names(peer, channel):
    for path in ["/apus.test.peer.Peer/Nothing", "/apus.test.peer.Nobody/Unary", "/unary", "/apus.test.peer.peer/Unary"]:
        call = channel.unary_unary(path)
        fails(lambda: call(b""), grpc.StatusCode.UNIMPLEMENTED)
    same("the next call", peer.Unary(Instruction()).received_messages, 1)


def garbage(peer, channel):
    for name, bytes in [("a cut field", b"\x0a\xff"), ("a number of 11 bytes", b"\x20" + b"\xff" * 11), ("no tag", b"\x00")]:
        call = channel.unary_unary("/apus.test.peer.Peer/Unary")
        error = fails(lambda: call(bytes), grpc.StatusCode.INTERNAL)
        same(f"whether {name} gets a text", bool(error.details()), True)
        stream = channel.stream_stream("/apus.test.peer.Peer/Chat")
        fails(lambda: list(stream(iter([bytes]))), grpc.StatusCode.INTERNAL)
    same("the next call", peer.Unary(Instruction()).received_messages, 1)


def too_big(peer, channel):
    fails(lambda: peer.Unary(Instruction(payload=bytes(5 * MEGABYTE))), grpc.StatusCode.RESOURCE_EXHAUSTED)
    endless = iter(lambda: Instruction(payload=bytes(5 * MEGABYTE)), None)
    fails(lambda: peer.ClientStream(endless), grpc.StatusCode.RESOURCE_EXHAUSTED)
    for _ in range(4):
        reply = peer.Unary(Instruction(payload=bytes(3 * MEGABYTE)))
        same("the next call", reply.received_bytes, 3 * MEGABYTE)


def no_message(peer, channel):
    call = channel.stream_unary("/apus.test.peer.Peer/Unary")
    fails(lambda: call(iter(())), grpc.StatusCode.UNIMPLEMENTED)
    fails(lambda: call(iter([b"", b""])), grpc.StatusCode.UNIMPLEMENTED)


def compressed(peer, channel):
    for name, compression in [("gzip", grpc.Compression.Gzip), ("deflate", grpc.Compression.Deflate)]:
        options = {"compression": compression, "metadata": (("answer-with", name),)}
        instruction = Instruction(payload=bytes(10_000), messages=1, size=20_000)
        same("reply", peer.Unary(instruction, **options).received_bytes, 10_000)
        same("count", peer.ClientStream(iter([instruction] * 3), **options).received_bytes, 30_000)
        for replies in [peer.ServerStream(instruction, **options), peer.Chat(iter([instruction] * 3), **options)]:
            same("sizes", {len(reply.payload) for reply in replies}, {20_000})


def compressed_too_big(peer, channel):
    def call():
        return peer.Unary(Instruction(payload=bytes(5 * MEGABYTE)), compression=grpc.Compression.Gzip)

    fails(call, grpc.StatusCode.RESOURCE_EXHAUSTED, "a message is above the limit of 4194304 bytes when decompressed")
    same("the next call", peer.Unary(Instruction()).received_messages, 1)


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    address, *cases = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        for case in cases:
            globals()[case](peer_pb2_grpc.PeerStub(channel), channel)


main()
