# SPDX-License-Identifier: Apache-2.0
"""The protos of gRPC's interop cases as Python has them. They live in the package `grpc`, as the installed gRPC does."""

import sys
from pathlib import Path

GENERATED = Path(__file__).parents[2] / ".peers" / "gen"
sys.path.insert(0, str(GENERATED))

import grpc

grpc.__path__.append(str(GENERATED / "grpc"))

from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc

INITIAL_KEY = "x-grpc-test-echo-initial"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"


def zeros(size):
    return messages_pb2.Payload(body=bytes(size))
