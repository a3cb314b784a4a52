# SPDX-License-Identifier: Apache-2.0
"""Pairs of servers and clients, each measured several times, all in turn.

What disturbs the machine for a while disturbs every pair alike.
"""

import statistics
import sys
from dataclasses import dataclass, field
from typing import List

from .processes import Failure, measure
from .programs import Program, Workload

FIGURES = [
    "rps", "p50_us", "p90_us", "p99_us", "p999_us", "client_cpu_us_per_op", "server_cpu_us_per_op", "server_rss_kib",
]  # fmt: skip


@dataclass
class Cell:
    """One server, client and workload, with what was measured."""

    server: Program
    client: Program
    workload: Workload
    runs: List[dict] = field(default_factory=list)
    failure: str = ""

    @property
    def key(self) -> tuple:
        return self.server.name, self.client.name, self.workload.name

    def summary(self) -> dict:
        summary = {"server": self.server.name, "client": self.client.name, "workload": self.workload.name}
        if self.failure:
            summary["failure"] = self.failure
        summary["errors"] = sum(run["errors"] for run in self.runs)
        for figure in FIGURES:
            values = [run[figure] for run in self.runs if run.get(figure) is not None]
            if values:
                summary[figure] = round(statistics.median(values), 3)
                summary[figure + "_range"] = [min(values), max(values)]
        return summary


def pairs(servers: List[Program], clients: List[Program], workloads: List[Workload]) -> List[Cell]:
    return [Cell(server, client, workload) for workload in workloads for client in clients for server in servers]


def run(cells: List[Cell], seconds: float, repeats: int) -> List[dict]:
    """The medians and ranges of all cells."""
    for repeat in range(repeats):
        for cell in cells:
            say(f"{repeat + 1}/{repeats} {cell.server.name} <- {cell.client.name}: {cell.workload.title}")
            try:
                cell.runs.append(measure(cell.server, cell.client, cell.workload, seconds))
            except Failure as failure:
                cell.failure = str(failure)
                say(cell.failure)
    return [cell.summary() for cell in cells]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
