# SPDX-License-Identifier: Apache-2.0
"""The servers and clients that can be measured, and the calls that they are measured with."""

from dataclasses import dataclass
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers" / "bench"
APUS = ROOT / "Benchmarks" / ".build" / "release"
PYTHON = ROOT / ".peers" / "bin" / "python"
SWIFT = ROOT / "Benchmarks" / "Peers" / "grpc-swift" / ".build" / "release"


@dataclass(frozen=True)
class Program:
    """A server or client: what it is called in tables, and how it starts."""

    name: str
    command: List[str]

    @property
    def there(self) -> bool:
        return all(Path(part).exists() for part in self.command if part.startswith("/"))

    @property
    def binary(self) -> Path:
        return Path(self.command[0])


@dataclass(frozen=True)
class Workload:
    """Calls of one kind."""

    name: str
    title: str
    mode: str
    concurrency: int
    connections: int
    payload: int = 16

    def flags(self) -> List[str]:
        return [
            "--mode", self.mode, "--concurrency", str(self.concurrency), "--connections", str(self.connections),
            "--payload", str(self.payload),
        ]  # fmt: skip


def _python(script: str) -> List[str]:
    return [str(PYTHON), str(ROOT / "Benchmarks" / "Peers" / "python" / script)]


def _named(programs: List[Program]) -> dict:
    return {program.name: program for program in programs}


SERVERS = _named(
    [
        Program("limit", [str(PEERS / "limit" / "limit-server")]),
        Program("apus", [str(APUS / "apus-bench-server")]),
        Program("grpc-c++", [str(PEERS / "cpp" / "server")]),
        Program("grpc-c++-cq", [str(PEERS / "cpp" / "queue_server")]),
        Program("grpc-go", [str(PEERS / "go" / "server")]),
        Program("grpcio", _python("server.py")),
        Program("grpc-swift-2", [str(SWIFT / "grpc-swift-bench-server")]),
    ]
)

CLIENTS = _named(
    [
        Program("limit", [str(PEERS / "limit" / "limit-rawclient")]),
        Program("nghttp2", [str(PEERS / "limit" / "limit-client")]),
        Program("apus", [str(APUS / "apus-bench-client")]),
        Program("apus-bare", [str(APUS / "apus-bench-client"), "--stack", "bare"]),
        Program("apus-pool", [str(APUS / "apus-bench-client"), "--tasks", "pool"]),
        Program("grpc-c++", [str(PEERS / "cpp" / "client")]),
        Program("grpc-go", [str(PEERS / "go" / "client")]),
        Program("grpcio", _python("client.py")),
        Program("grpc-swift-2", [str(SWIFT / "grpc-swift-bench-client")]),
    ]
)

WORKLOADS = {
    workload.name: workload
    for workload in [
        Workload("unary", "unary, 64 in flight", "unary", 64, 4),
        Workload("unary-256", "unary, 256 in flight", "unary", 256, 8),
        Workload("chat", "chat, 64 streams", "chat", 64, 4),
        Workload("download", "download, 64 streams", "download", 64, 4),
        Workload("upload", "upload, 8 streams", "upload", 8, 4),
        Workload("unary-64k", "unary of 64 KiB, 16 in flight", "unary", 16, 4, 65536),
        Workload("single", "unary, one at a time", "unary", 1, 1),
        Workload("unary-1m", "unary of 1 MiB, 4 in flight", "unary", 4, 2, 1 << 20),
    ]
}
