# SPDX-License-Identifier: Apache-2.0
"""Memory, start-up and size of servers."""

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import List

from .matrix import say
from .processes import Failure, Server, run_client
from .programs import CLIENTS, Program, Workload

IDLE_CONNECTIONS = 1000


def footprint(program: Program, repeats: int, seconds: float) -> dict:
    """RSS idle, with idle connections, after them and after load; start to first answer; stripped size."""
    say(f"memory and start-up of {program.name}")
    row = {"server": program.name}
    try:
        starts = []
        for _ in range(repeats):
            with Server(program) as server:
                server.answer_once()
                starts.append(server.start_seconds)
        row["first_answer_ms"] = round(statistics.median(starts) * 1000, 1)
        with Server(program) as server:
            server.answer_once()
            time.sleep(0.5)
            row["idle_kib"] = server.resident_kib
            row.update(_with_connections(server))
            run_client(CLIENTS["limit"], server, Workload("", "", "unary", 64, 4).flags(), seconds)
            row["after_calls_kib"] = server.resident_kib
    except Failure as failure:
        row["failure"] = str(failure)
    row["stripped_mib"] = stripped_mib(program.binary)
    return row


def _with_connections(server: Server) -> dict:
    # Each connection has made one call.
    flags = ["--mode", "idle", "--connections", str(IDLE_CONNECTIONS), "--concurrency", str(IDLE_CONNECTIONS)]
    line = run_client(CLIENTS["limit"], server, flags, 1)
    # Some servers give memory back once no more connections come or go.
    time.sleep(4)
    return {
        "connections_kib": line["rss_after_kb"],
        "kib_per_connection": round((line["rss_after_kb"] - line["rss_before_kb"]) / IDLE_CONNECTIONS, 2),
        "after_connections_kib": server.resident_kib,
    }


def stripped_mib(binary: Path) -> float:
    """The size of a program without symbols; 0 for a script."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "program"
        shutil.copy(binary, copy)
        stripped = subprocess.run(["strip", str(copy)], capture_output=True).returncode == 0
        return round(copy.stat().st_size / (1 << 20), 2) if stripped and binary.suffix == "" else 0


def footprints(programs: List[Program], repeats: int, seconds: float) -> List[dict]:
    return [footprint(program, repeats, seconds) for program in programs]
