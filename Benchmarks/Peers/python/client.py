# SPDX-License-Identifier: Apache-2.0
"""A closed loop of calls of bench.Echo with grpcio's asyncio API. Flags and output are those of Limit/loadgen.h."""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

import grpc

sys.path.append(str(Path(__file__).resolve().parents[3] / ".peers" / "gen"))

from bench import echo_pb2, echo_pb2_grpc  # noqa: E402

STREAM_MESSAGES = 1000
NAME = "benchmark"
WARM_UP, MEASUREMENT, OVER = range(3)


class WrongReply(Exception):
    """An answer that is none."""


class Load:
    """All lanes, with what they have seen."""

    def __init__(self, options):
        self.options = options
        self.phase = WARM_UP
        self.latencies, self.operations, self.errors = [], 0, 0
        self.payload = b"x" * options.payload

    async def lane(self, stub, first: int) -> None:
        turn = getattr(self, self.options.mode)
        number = first
        while self.phase != OVER and self.errors < 1000:
            try:
                number = await turn(stub, number)
            except (grpc.RpcError, WrongReply) as error:
                if self.phase != OVER:
                    self.errors += 1
                    print(error, file=sys.stderr)

    def finish(self, start: float, operations: int) -> None:
        if self.phase == MEASUREMENT:
            self.operations += operations
            self.latencies.append(time.perf_counter() - start)

    def request(self, number: int):
        return echo_pb2.EchoRequest(payload=self.payload, name=NAME, id=number)

    def check(self, reply, number: int) -> None:
        if reply.id != number or reply.name != NAME or len(reply.payload) != len(self.payload):
            raise WrongReply("not what was sent")

    async def unary(self, stub, number: int) -> int:
        start = time.perf_counter()
        self.check(await stub.Echo(self.request(number)), number)
        self.finish(start, 1)
        return number + 1

    async def chat(self, stub, number: int) -> int:
        call = stub.Chat()
        while self.phase != OVER:
            start = time.perf_counter()
            await call.write(self.request(number))
            reply = await call.read()
            if reply is grpc.aio.EOF:
                raise WrongReply("the chat ended early")
            self.check(reply, number)
            self.finish(start, 1)
            number += 1
        call.cancel()
        return number

    async def download(self, stub, number: int) -> int:
        start, messages = time.perf_counter(), 0
        wanted = echo_pb2.DownloadRequest(count=STREAM_MESSAGES, size=len(self.payload))
        async for reply in stub.Download(wanted):
            if len(reply.payload) != len(self.payload):
                raise WrongReply("a payload of another length")
            messages += 1
            self.operations += self.phase == MEASUREMENT
        if messages != STREAM_MESSAGES:
            raise WrongReply(f"{messages} messages")
        self.finish(start, 0)
        return number

    async def upload(self, stub, number: int) -> int:
        start, call, message = time.perf_counter(), stub.Upload(), self.request(number)
        for _ in range(STREAM_MESSAGES):
            await call.write(message)
        await call.done_writing()
        summary = await call
        if summary.messages != STREAM_MESSAGES or summary.bytes != STREAM_MESSAGES * len(self.payload):
            raise WrongReply("another summary")
        self.finish(start, STREAM_MESSAGES)
        return number

    def microseconds(self, share: float):
        if not self.latencies:
            return None
        return sorted(self.latencies)[min(int(share * len(self.latencies)), len(self.latencies) - 1)] * 1e6


def processor(pid: int):
    """Microseconds of processor time of a process, None if it is unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
    except OSError:
        return None


def moment(pid: int):
    return time.perf_counter(), time.process_time() * 1e6, processor(pid)


def report(load: Load, start, end) -> dict:
    def each(start, end):
        return (end - start) / load.operations if load.operations and start is not None else None

    shares = {"p50_us": 0.5, "p90_us": 0.9, "p99_us": 0.99, "p999_us": 0.999}
    return {
        "rps": load.operations / (end[0] - start[0]),
        **{name: load.microseconds(share) for name, share in shares.items()},
        "client_cpu_us_per_op": each(start[1], end[1]),
        "server_cpu_us_per_op": each(start[2], end[2]),
        "ops": load.operations,
        "errors": load.errors,
    }


async def measure(options) -> None:
    load = Load(options)
    # Else all channels would share one connection.
    settings = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 65 << 20)]
    channels = [
        grpc.aio.insecure_channel(f"127.0.0.1:{options.port}", settings) for _ in range(options.connections)
    ]
    stubs = [echo_pb2_grpc.EchoStub(channel) for channel in channels]
    lanes = [
        asyncio.create_task(load.lane(stubs[number % len(stubs)], (1 << 28) + (number << 32)))
        for number in range(options.concurrency)
    ]
    await asyncio.sleep(1)
    start = moment(options.pid)
    load.phase = MEASUREMENT
    await asyncio.sleep(options.seconds)
    end = moment(options.pid)
    load.phase = OVER
    await asyncio.wait(lanes, timeout=10)
    line = report(load, start, end)
    # The calls in flight end with the process.
    print(json.dumps(line), flush=True)
    os._exit(1 if load.errors else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", default="unary", choices=["unary", "chat", "download", "upload"])
    for flag, default in [("concurrency", 1), ("connections", 1), ("payload", 16), ("pid", 0)]:
        parser.add_argument(f"--{flag}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=5)
    asyncio.run(measure(parser.parse_args()))
