# SPDX-License-Identifier: Apache-2.0
"""What concerns Apus alone: TLS, many idle connections, large messages, more loops, the price of interceptors."""

import contextlib
import os
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List

from . import hello
from .matrix import say
from .processes import Failure, Server, measure, run_client
from .programs import CLIENTS, SERVERS, WORKLOADS, Program, Workload

IDLE = 10_000
OPENSSL = """openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
Ciphersuites = TLS_AES_128_GCM_SHA256
"""


def medians(repeats: int, variants: Dict[str, Callable[[], dict]]) -> Dict[str, dict]:
    """The median processor times of variants that are measured in turn."""
    lines: Dict[str, List[dict]] = {name: [] for name in variants}
    for _ in range(repeats):
        for name, variant in variants.items():
            lines[name].append(variant())
    return {
        name: {side: statistics.median(line[f"{side}_cpu_us_per_op"] for line in own) for side in ["server", "client"]}
        for name, own in lines.items()
    }


@contextlib.contextmanager
def tls_flags() -> Iterator[List[str]]:
    """A server's flags for a certificate of its own; AES-128-GCM for all processes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key, settings = (str(Path(folder) / name) for name in ["server.pem", "server.key", "openssl.cnf"])
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
            check=True, capture_output=True,
        )  # fmt: skip
        Path(settings).write_text(OPENSSL)
        os.environ["OPENSSL_CONF"] = settings
        try:
            yield ["--tls-cert", certificate, "--tls-key", key]
        finally:
            del os.environ["OPENSSL_CONF"]


def variant(
    program: Program, server_flags: List[str], client_flags: List[str], workload: Workload, seconds: float
) -> Callable[[], dict]:
    """A server that Apus calls."""
    client = Program("apus", CLIENTS["apus"].command + client_flags)

    def once() -> dict:
        with Server(program, server_flags) as server:
            return run_client(client, server, workload.flags(), seconds)

    return once


def tls(flags: List[str], seconds: float, repeats: int) -> List[dict]:
    rows = []
    for name in ["unary", "unary-64k", "unary-1m"]:
        workload = WORKLOADS[name]
        variants = {
            "cleartext": variant(SERVERS["apus"], [], [], workload, seconds),
            "TLS, AES-128-GCM": variant(SERVERS["apus"], flags, ["--tls"], workload, seconds),
            "TLS, by the limit's server": variant(SERVERS["limit"], flags, ["--tls"], workload, seconds),
        }
        found = medians(repeats, variants)
        clear, encrypted, limit = found.values()
        for side in ["server", "client"]:
            for kind in list(variants)[: 3 if side == "server" else 2]:
                rows.append(row(f"{side}, {workload.title}, {kind}", found[kind][side], "µs of CPU"))
            rows.append(row(f"{side}, {workload.title}, TLS to cleartext", ratio(encrypted[side], clear[side]), "×"))
        beside = ratio(encrypted["server"], limit["server"])
        rows.append(row(f"server, {workload.title}, TLS to the limit's TLS", beside, "×"))
    return rows


def idle(flags: List[str], client_flags: List[str], kind: str, seconds: float) -> List[dict]:
    """Ten thousand connections in which nothing happens, calls on others beside them, and what is left."""
    client = Program("apus", CLIENTS["apus"].command + client_flags)
    workload = Workload("", "", "unary", 16, 2)
    with Server(SERVERS["apus"], flags) as server:
        run_client(client, server, workload.flags(), 0.5)
        before = server.resident_kib
        held: Dict[str, dict] = {}
        hold = ["--mode", "idle", "--connections", str(IDLE)]
        holder = threading.Thread(target=lambda: held.update(line=run_client(client, server, hold, 8 + seconds)))
        holder.start()
        wait_for_connections(server)
        calls = run_client(client, server, workload.flags(), seconds)
        holder.join()
        if "line" not in held or calls["errors"]:
            raise Failure(f"{IDLE} idle connections, {kind}: {held} {calls}")
        time.sleep(10)
        after = server.resident_kib
    return [
        row(f"{IDLE} idle connections, {kind}, each", (held["line"]["rss_after_kb"] - before) / IDLE, "KiB"),
        row(f"{IDLE} idle connections, {kind}: calls on others meanwhile", calls["rps"], "a second"),
        row(f"{IDLE} idle connections, {kind}: left 10 s after their end", (after - before) / 1024, "MiB"),
    ]


def wait_for_connections(server: Server) -> None:
    folder = f"/proc/{server.process.pid}/fd"
    for _ in range(600):
        if len(os.listdir(folder)) > IDLE:
            return
        time.sleep(0.1)
    raise Failure(f"{IDLE} connections do not come to be")


def peak() -> List[dict]:
    """The most memory, above that of a server that has answered small calls, while messages of 1 MiB pass."""
    with Server(SERVERS["apus"]) as server:
        run_client(CLIENTS["limit"], server, ["--calls", "100"], 1)
        server.forget_peak()
        before = server.resident_kib
        run_client(CLIENTS["limit"], server, ["--calls", "20", "--payload", str(1 << 20)], 1)
        return [row("1 MiB there and back, peak above idle", (server.status("VmHWM") - before) / 1024, "MiB")]


def loops(seconds: float, repeats: int) -> List[dict]:
    def with_loops(count: int) -> Callable[[], dict]:
        def once() -> dict:
            with Server(SERVERS["apus"], ["--threads", str(count)], pinned=False) as server:
                return run_client(CLIENTS["limit"], server, WORKLOADS["unary-256"].flags(), seconds, pinned=False)

        return once

    found = medians(repeats, {"one": with_loops(1), "two": with_loops(2)})
    one, two = found["one"]["server"], found["two"]["server"]
    return [
        row("server, unary, 256 in flight, 1 loop", one, "µs of CPU"),
        row("server, unary, 256 in flight, 2 loops", two, "µs of CPU"),
        row("2 loops to 1, CPU a call", ratio(two, one), "×"),
    ]


def stacks(seconds: float, repeats: int) -> List[dict]:
    def with_client(client: str) -> Callable[[], dict]:
        return lambda: measure(SERVERS["limit"], CLIENTS[client], WORKLOADS["unary"], seconds)

    found = medians(repeats, {"bare": with_client("apus-bare"), "default": with_client("apus")})
    bare, default = found["bare"]["client"], found["default"]["client"]
    return [
        row("client, unary, bare stack", bare, "µs of CPU"),
        row("client, unary, default stack", default, "µs of CPU"),
        row("the default interceptors", default - bare, "µs of CPU"),
    ]


def telemetry(seconds: float, repeats: int) -> List[dict]:
    """What watching costs either side: traces and logs go to a collector that takes all."""
    kinds = {"metrics": "metrics", "traces": "traces, 1 % sampled", "all": "metrics, logs and all traces"}
    workload = WORKLOADS["unary"]
    with Server(SERVERS["apus"], ["--stack", "collector"]) as collector:

        def watched(kind: str) -> List[str]:
            return ["--telemetry", kind, "--collector", str(collector.port)]

        def server(kind: str) -> Callable[[], dict]:
            def once() -> dict:
                with Server(SERVERS["apus"], watched(kind)) as server:
                    return run_client(CLIENTS["limit"], server, workload.flags(), seconds)

            return once

        def client(kind: str) -> Callable[[], dict]:
            return variant(SERVERS["limit"], [], watched(kind), workload, seconds)

        rows = []
        for side, make in {"server": server, "client": client}.items():
            found = medians(repeats, {kind: make(kind) for kind in ["off", *kinds]})
            for kind, title in kinds.items():
                rows.append(row(f"{side}, unary, {title}", found[kind][side] - found["off"][side], "µs of CPU more"))
        return rows


def ratio(one: float, other: float) -> float:
    if other == 0:
        raise Failure("no processor time was seen: measure for longer")
    return one / other


def row(what: str, value: float, unit: str) -> dict:
    return {"what": what, "value": round(value, 3), "unit": unit}


def measures(seconds: float, repeats: int, builds: bool) -> List[dict]:
    """All of it; with `builds` also a clean build, which takes minutes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows: List[dict] = []
    with tls_flags() as flags:
        sections = {
            "TLS": lambda: tls(flags, seconds, repeats),
            "idle connections, cleartext": lambda: idle([], [], "cleartext", seconds),
            "idle connections, TLS": lambda: idle(flags, ["--tls"], "TLS", seconds),
            "1 MiB": peak,
            "loops": lambda: loops(seconds, repeats),
            "interceptors": lambda: stacks(seconds, repeats),
            "telemetry": lambda: telemetry(seconds, repeats),
        }
        if builds:
            sections["hello-world"] = hello.build
        for name, section in sections.items():
            say(name)
            try:
                rows += section()
            except Failure as failure:
                rows.append({"what": name, "failure": str(failure)})
                say(str(failure))
    return rows
