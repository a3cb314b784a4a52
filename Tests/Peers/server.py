# SPDX-License-Identifier: Apache-2.0
"""Serves apus.test.peer.Peer with Python's gRPC until standard input ends. Its first line of output is its port."""

import collections
import contextlib
import sys
import threading
from concurrent import futures
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / ".peers" / "gen"))

import grpc
from test import peer_pb2, peer_pb2_grpc


A_YEAR = 365 * 24 * 3600
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}


class Stages:
    """The stages of all named calls. Safe from any thread."""

    def __init__(self):
        self.changed = threading.Condition()
        self.by_name = collections.defaultdict(list)

    def reach(self, name, stage):
        with self.changed:
            self.by_name[name].append(stage)
            self.changed.notify_all()

    def wait(self, name, index, context):
        """The stage with this index, when it is reached; None when the watcher is gone."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.by_name[name]) > index or not context.is_active())
            return self.by_name[name][index] if len(self.by_name[name]) > index else None

    def wake(self):
        with self.changed:
            self.changed.notify_all()


class Course:
    """One call: what it has received until now, and what it does next."""

    def __init__(self, stages, context):
        self.stages = stages
        self.context = context
        self.name = None
        self.messages = 0
        self.bytes = 0
        self.sent = 0
        # Without a deadline this gRPC tells some hundreds of years.
        left = context.time_remaining()
        self.milliseconds_left = int(left * 1000) if left is not None and left < A_YEAR else 0
        self.gone = threading.Event()
        if not context.add_callback(self.gone.set):
            self.gone.set()
        self.head = self.echoed("echo-initial-")
        context.set_trailing_metadata(self.echoed("echo-trailing-"))
        for key, value in context.invocation_metadata():
            if key == "answer-with":
                context.set_compression(COMPRESSIONS[value])

    def echoed(self, prefix):
        return tuple((key, value) for key, value in self.context.invocation_metadata() if key.startswith(prefix))

    def receive(self, instruction):
        self.messages += 1
        self.bytes += len(instruction.payload)
        if self.name is None:
            self.name = instruction.name
            self.stages.reach(self.name, peer_pb2.STAGE_STARTED)
        if instruction.early_head:
            self.send_head()

    def send_head(self):
        head, self.head = self.head, None
        if head is not None:
            self.context.send_initial_metadata(head)

    def obey(self, instruction):
        if instruction.hang:
            self.gone.wait()
        if instruction.code:
            code = next(code for code in grpc.StatusCode if code.value[0] == instruction.code)
            self.context.abort(code, instruction.text)

    def reply(self, size):
        self.send_head()
        self.sent += 1
        return peer_pb2.Reply(
            payload=bytes(size), index=self.sent - 1, received_messages=self.messages, received_bytes=self.bytes,
            milliseconds_left=self.milliseconds_left)

    def replies(self, instruction):
        for _ in range(instruction.messages):
            yield self.reply(instruction.size)

    def end(self):
        if self.name is not None:
            cancelled = self.gone.is_set()
            self.stages.reach(self.name, peer_pb2.STAGE_CANCELLED if cancelled else peer_pb2.STAGE_FINISHED)


class Peer(peer_pb2_grpc.PeerServicer):
    def __init__(self):
        self.stages = Stages()

    @contextlib.contextmanager
    def course(self, context):
        course = Course(self.stages, context)
        try:
            yield course
        finally:
            course.end()

    def Unary(self, request, context):
        with self.course(context) as course:
            course.receive(request)
            course.obey(request)
            return course.reply(request.size)

    def ClientStream(self, requests, context):
        with self.course(context) as course:
            size = 0
            for request in requests:
                course.receive(request)
                course.obey(request)
                size = request.size
                if request.stop:
                    break
            return course.reply(size)

    def ServerStream(self, request, context):
        with self.course(context) as course:
            course.receive(request)
            yield from course.replies(request)
            course.obey(request)

    def Chat(self, requests, context):
        with self.course(context) as course:
            for request in requests:
                course.receive(request)
                yield from course.replies(request)
                course.obey(request)
                if request.stop:
                    return

    def Watch(self, request, context):
        context.add_callback(self.stages.wake)
        yield peer_pb2.WatchReply(stage=peer_pb2.STAGE_WATCHED)
        index = 0
        while (stage := self.stages.wait(request.name, index, context)) is not None:
            yield peer_pb2.WatchReply(stage=stage)
            if stage in (peer_pb2.STAGE_FINISHED, peer_pb2.STAGE_CANCELLED):
                return
            index += 1


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
    peer_pb2_grpc.add_PeerServicer_to_server(Peer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(grace=None)


main()
