# SPDX-License-Identifier: Apache-2.0
"""Serves bench.Echo with grpcio's asyncio API: server.py --port P."""

import argparse
import asyncio
import sys
from pathlib import Path

import grpc

sys.path.append(str(Path(__file__).resolve().parents[3] / ".peers" / "gen"))

from bench import echo_pb2, echo_pb2_grpc  # noqa: E402

LARGEST = [("grpc.max_receive_message_length", 65 << 20), ("grpc.max_send_message_length", 65 << 20)]


def answer(request):
    return echo_pb2.EchoResponse(payload=request.payload, name=request.name, id=request.id)


class Echo(echo_pb2_grpc.EchoServicer):
    async def Echo(self, request, context):
        return answer(request)

    async def Download(self, request, context):
        message = echo_pb2.EchoResponse(payload=bytes(request.size))
        for _ in range(request.count):
            yield message

    async def Upload(self, requests, context):
        summary = echo_pb2.UploadSummary()
        async for request in requests:
            summary.messages += 1
            summary.bytes += len(request.payload)
        return summary

    async def Chat(self, requests, context):
        async for request in requests:
            yield answer(request)


async def serve(port: int) -> None:
    server = grpc.aio.server(options=LARGEST)
    echo_pb2_grpc.add_EchoServicer_to_server(Echo(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
