# SPDX-License-Identifier: Apache-2.0
"""Processes that are measured: their start, their end, and what the kernel says of them."""

import json
import os
import signal
import socket
import subprocess
import time
from typing import List, Optional

from .first_answer import first_answer
from .programs import Program, Workload

READY_SECONDS = 30


class Failure(Exception):
    """A program that does not do what it should."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def pin(role: str) -> Optional[set]:
    """The processor of servers or clients; none where there are not two to choose from."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None
    return {allowed[0]} if role == "server" else {allowed[1]}


def start(command: List[str], processors: Optional[set], **options) -> subprocess.Popen:
    def bind() -> None:
        if processors:
            os.sched_setaffinity(0, processors)

    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=bind, **options)


class Server:
    """A server for as long as the `with` lasts, on a processor of its own."""

    def __init__(self, program: Program, flags: List[str] = [], pinned: bool = True):
        self.port = free_port()
        self.began = time.monotonic()
        self.process = start(
            program.command + ["--port", str(self.port)] + flags, pin("server") if pinned else None,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.program = program
        self.start_seconds = 0.0

    def __enter__(self) -> "Server":
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        while time.monotonic() - self.began < READY_SECONDS:
            if self.process.poll() is not None:
                raise Failure(f"{self.program.name} ended: {self.process.stderr.read().decode()[-400:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.001)
        raise Failure(f"{self.program.name} does not listen")

    def answer_once(self) -> None:
        """Makes a first call by hand and notes when its answer came, seen from the process' start."""
        first_answer(self.port)
        self.start_seconds = time.monotonic() - self.began

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def status(self, key: str) -> int:
        """A number of /proc/PID/status, such as VmRSS in KiB."""
        with open(f"/proc/{self.process.pid}/status") as lines:
            for line in lines:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        return 0

    @property
    def resident_kib(self) -> int:
        return self.status("VmRSS")

    def forget_peak(self) -> None:
        """Makes VmHWM begin anew."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")


def run_client(client: Program, server: Server, flags: List[str], seconds: float, pinned: bool = True) -> dict:
    """Runs a client to its end: the line that it prints."""
    command = client.command + ["--port", str(server.port), "--seconds", str(seconds)] + flags
    command += ["--pid", str(server.process.pid)]
    processors = pin("client") if pinned else None
    process = start(command, processors, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=seconds + 90)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failure(f"{client.name} against {server.program.name} does not end")
    try:
        return json.loads(output.decode().strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Failure(f"{client.name} against {server.program.name}: {errors.decode().strip()[-400:]}")


def measure(server: Program, client: Program, workload: Workload, seconds: float) -> dict:
    """One run of a client against a server that is started for it."""
    with Server(server) as running:
        line = run_client(client, running, workload.flags(), seconds)
        line["server_rss_kib"] = running.resident_kib
        return line
