# SPDX-License-Identifier: Apache-2.0
"""Runs gRPC's interop cases with Python's gRPC: interop_client.py <address> [--roots=<file>] <case>..., over TLS with
the file. Prints each case's name, and fails with a text when a case does.

This gRPC does not tell whether a response came compressed, and compresses all messages of a stream or none.

The cases are the functions of this file. Source: gRPC, Interoperability Test Case Descriptions, Client.
"""

import functools
import os
import queue
import sys
import threading
from pathlib import Path

from interop_protos import INITIAL_KEY, TRAILING_KEY, empty_pb2, grpc, messages_pb2, test_pb2_grpc, zeros
from grpc.testing.messages_pb2 import (
    BoolValue, EchoStatus, ResponseParameters, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest)

LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
REQUEST_SIZES = [27182, 8, 1828, 45904]
RESPONSE_SIZES = [31415, 9, 2653, 58979]
METADATA = [(INITIAL_KEY, "test_initial_metadata_value"), (TRAILING_KEY, b"\xab\xab\xab")]
SPECIAL_TEXT = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"


def same(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, came {actual!r}")


def fails(call, code, text=None):
    try:
        result = call()
    except grpc.RpcError as error:
        same("code", error.code(), code)
        if text is not None:
            same("text", error.details(), text)
        return
    sys.exit(f"expected {code}, came {result!r}")


def large():
    return SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST))


def wanting(response, request):
    return StreamingOutputCallRequest(response_parameters=[ResponseParameters(size=response)], payload=zeros(request))


class Requests:
    """Requests that are written one by one."""

    def __init__(self):
        self.queue = queue.SimpleQueue()
        self.write = self.queue.put

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


def empty_unary(test, connect):
    same("response", test.EmptyCall(empty_pb2.Empty()), empty_pb2.Empty())


def large_unary(test, connect):
    same("payload", test.UnaryCall(large()).payload, zeros(LARGE_RESPONSE))


def client_streaming(test, connect):
    response = test.StreamingInputCall(StreamingInputCallRequest(payload=zeros(size)) for size in REQUEST_SIZES)
    same("size", response.aggregated_payload_size, 74922)


def server_streaming(test, connect):
    wanted = [ResponseParameters(size=size) for size in RESPONSE_SIZES]
    responses = test.StreamingOutputCall(StreamingOutputCallRequest(response_parameters=wanted))
    same("payloads", [response.payload for response in responses], [zeros(size) for size in RESPONSE_SIZES])


def ping_pong(test, connect):
    requests = Requests()
    responses = test.FullDuplexCall(iter(requests))
    for request, response in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.write(wanting(response, request))
        same("payload", next(responses).payload, zeros(response))
    requests.close()
    same("rest", list(responses), [])


def empty_stream(test, connect):
    same("responses", list(test.FullDuplexCall(iter(()))), [])


def client_compressed_unary(test, connect):
    request = large()
    request.expect_compressed.value = True
    fails(lambda: test.UnaryCall(request), grpc.StatusCode.INVALID_ARGUMENT)
    for compressed in (True, False):
        request.expect_compressed.value = compressed
        compression = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
        same("payload", test.UnaryCall(request, compression=compression).payload, zeros(LARGE_RESPONSE))


def server_compressed_unary(test, connect):
    for compressed in (True, False):
        request = large()
        request.response_compressed.value = compressed
        same("payload", test.UnaryCall(request).payload, zeros(LARGE_RESPONSE))


def client_compressed_streaming(test, connect):
    request = StreamingInputCallRequest(payload=zeros(27182), expect_compressed=BoolValue(value=True))
    fails(lambda: test.StreamingInputCall(iter([request])), grpc.StatusCode.INVALID_ARGUMENT)
    response = test.StreamingInputCall(iter([request]), compression=grpc.Compression.Gzip)
    same("size", response.aggregated_payload_size, 27182)


def server_compressed_streaming(test, connect):
    wanted = {31415: True, 92653: False}
    parameters = [ResponseParameters(size=size, compressed=BoolValue(value=value)) for size, value in wanted.items()]
    responses = test.StreamingOutputCall(StreamingOutputCallRequest(response_parameters=parameters))
    same("payloads", [response.payload for response in responses], [zeros(size) for size in wanted])


def custom_metadata(test, connect):
    response, call = test.UnaryCall.with_call(large(), metadata=METADATA)
    same("payload", response.payload, zeros(LARGE_RESPONSE))
    responses = test.FullDuplexCall(iter([wanting(LARGE_RESPONSE, LARGE_REQUEST)]), metadata=METADATA)
    same("responses", [response.payload for response in responses], [zeros(LARGE_RESPONSE)])
    for ended in (call, responses):
        same("initial metadata", dict(ended.initial_metadata()).get(INITIAL_KEY), METADATA[0][1])
        same("trailing metadata", dict(ended.trailing_metadata()).get(TRAILING_KEY), METADATA[1][1])


def status_code_and_message(test, connect):
    status = EchoStatus(code=2, message="test status message")
    fails(lambda: test.UnaryCall(SimpleRequest(response_status=status)), grpc.StatusCode.UNKNOWN, status.message)
    requests = iter([StreamingOutputCallRequest(response_status=status)])
    fails(lambda: list(test.FullDuplexCall(requests)), grpc.StatusCode.UNKNOWN, status.message)


def special_status_message(test, connect):
    request = SimpleRequest(response_status=EchoStatus(code=2, message=SPECIAL_TEXT))
    fails(lambda: test.UnaryCall(request), grpc.StatusCode.UNKNOWN, SPECIAL_TEXT)


def unimplemented_method(test, connect):
    fails(lambda: test.UnimplementedCall(empty_pb2.Empty()), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(test, connect):
    with connect() as channel:
        stub = test_pb2_grpc.UnimplementedServiceStub(channel)
        fails(lambda: stub.UnimplementedCall(empty_pb2.Empty()), grpc.StatusCode.UNIMPLEMENTED)


def cancel_after_begin(test, connect):
    requests = Requests()
    call = test.StreamingInputCall.future(iter(requests))
    call.cancel()
    requests.close()
    same("cancelled", (call.cancelled(), call.code()), (True, grpc.StatusCode.CANCELLED))


def cancel_after_first_response(test, connect):
    requests = Requests()
    requests.write(wanting(31415, 27182))
    responses = test.FullDuplexCall(iter(requests))
    same("payload", next(responses).payload, zeros(31415))
    responses.cancel()
    fails(lambda: next(responses), grpc.StatusCode.CANCELLED)
    requests.close()


def timeout_on_sleeping_server(test, connect):
    requests = Requests()
    requests.write(StreamingOutputCallRequest(payload=zeros(27182)))
    fails(lambda: list(test.FullDuplexCall(iter(requests), timeout=0.001)), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.close()


def rpc_soak(test, connect):
    for _ in range(10):
        large_unary(test, connect)


def channel_soak(test, connect):
    for _ in range(10):
        with connect() as channel:
            large_unary(test_pb2_grpc.TestServiceStub(channel), connect)


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    address, *cases = sys.argv[1:]
    options = [("grpc.use_local_subchannel_pool", 1)]
    connect = functools.partial(grpc.insecure_channel, address, options=options)
    if cases[0].startswith("--roots="):
        roots = Path(cases.pop(0).removeprefix("--roots=")).read_bytes()
        connect = functools.partial(grpc.secure_channel, address, grpc.ssl_channel_credentials(roots), options=options)
    with connect() as channel:
        for case in cases:
            print(case, flush=True)
            globals()[case](test_pb2_grpc.TestServiceStub(channel), connect)


main()
