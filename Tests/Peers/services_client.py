# SPDX-License-Identifier: Apache-2.0
"""Asks a server's standard services with the clients of grpcio-health-checking and grpcio-reflection.

services_client.py <address>: the server has the interop service and its health. Fails with a text for a wrong answer.
"""

import os
import sys
import threading

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICES = [
    "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
    "grpc.testing.TestService", "xds.service.orca.v3.OpenRcaService",
]


def same(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, came {actual!r}")


def health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ["", "grpc.testing.TestService"]:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
        same(f"health of {service!r}", answer.status, health_pb2.HealthCheckResponse.SERVING)
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
        sys.exit("the health of nobody is known")
    except grpc.RpcError as error:
        same("code", error.code(), grpc.StatusCode.NOT_FOUND)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
    same("watch of nobody", next(watch).status, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
    watch.cancel()
    listed = stub.List(health_pb2.HealthListRequest()).statuses
    same("list", sorted(listed), ["", "grpc.testing.TestService"])


def reflection(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    same("services", sorted(database.get_services()), SERVICES)
    pool = DescriptorPool(database)
    service = pool.FindServiceByName("grpc.testing.TestService")
    methods = {method.name: method for method in service.methods}
    same("methods", len(methods), 8)
    same("input", methods["UnaryCall"].input_type.full_name, "grpc.testing.SimpleRequest")
    same("streams", (methods["FullDuplexCall"].client_streaming, methods["EmptyCall"].server_streaming), (True, False))
    same("enum", pool.FindEnumTypeByName("grpc.testing.PayloadType").values_by_name["COMPRESSABLE"].number, 0)
    try:
        database.FindFileByName("nothing.proto")
        sys.exit("nothing.proto is known")
    except KeyError:
        pass
    return methods["UnaryCall"]


def call(channel, method):
    """Calls a method of which only reflection told."""
    request = GetMessageClass(method.input_type)(response_size=7)
    answer = channel.unary_unary(
        "/grpc.testing.TestService/UnaryCall", request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString)(request)
    same("payload", answer.payload.body, bytes(7))


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    with grpc.insecure_channel(sys.argv[1]) as channel:
        health(channel)
        call(channel, reflection(channel))


main()
