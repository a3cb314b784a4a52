# SPDX-License-Identifier: Apache-2.0
"""The command line: what is measured, for how long, and where the results go."""

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import List

from . import chart, machine, matrix, memory, own, tables
from .programs import CLIENTS, PEERS, ROOT, SERVERS, WORKLOADS

QUICK_SERVERS = ["limit", "apus", "grpc-c++", "grpc-go"]
QUICK_CLIENTS = ["limit", "apus", "grpc-c++"]
QUICK_WORKLOADS = ["unary", "chat", "download", "unary-64k"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures servers and clients of bench.Echo side by side.")
    parser.add_argument("--quick", action="store_true", help="the main rows only, in under two minutes")
    parser.add_argument("--own", action="store_true", help="what concerns Apus alone: TLS, connections, loops, stacks")
    parser.add_argument("--servers", help=f"of {', '.join(SERVERS)}; with --clients: every pair of them")
    parser.add_argument("--clients", help=f"of {', '.join(CLIENTS)}")
    parser.add_argument("--workloads", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--seconds", type=float, help="of each run")
    parser.add_argument("--repeats", type=int, help="runs of each pair, all in turn")
    parser.add_argument("--output", type=Path, help="folder for results.json, table.md and chart.svg")
    return parser.parse_args()


def chosen(names: str, known: dict) -> List:
    """Those of the known programs or workloads that are named and built."""
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        sys.exit(f"bench.py: no {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def built(names: List[str], known: dict) -> List:
    missing = [name for name in names if not known[name].there]
    if missing:
        matrix.say(f"not built, left out: {', '.join(missing)}")
    return [known[name] for name in names if name not in missing]


def all_pairs(options: argparse.Namespace, results: dict) -> None:
    workloads = chosen(options.workloads or ",".join(QUICK_WORKLOADS), WORKLOADS)
    servers = chosen(options.servers or ",".join(SERVERS), SERVERS)
    clients = chosen(options.clients or "limit", CLIENTS)
    cells = matrix.pairs(servers, clients, workloads)
    results["pairs"] = matrix.run(cells, options.seconds, options.repeats)


def whole(options: argparse.Namespace, results: dict) -> None:
    """The sections of the table."""
    servers = built(QUICK_SERVERS if options.quick else list(SERVERS), SERVERS)
    clients = built(QUICK_CLIENTS if options.quick else list(CLIENTS), CLIENTS)
    names = QUICK_WORKLOADS if options.quick else list(WORKLOADS)
    workloads = [WORKLOADS[name] for name in names if name != "single"]
    both = [WORKLOADS["single"]] if options.quick else [WORKLOADS["single"], WORKLOADS["unary"]]
    plan = {
        "servers": matrix.pairs(servers, [CLIENTS["limit"]], workloads),
        "clients": matrix.pairs([SERVERS["limit"]], clients, workloads[:3] if options.quick else workloads),
        "both": [
            matrix.Cell(server, CLIENTS[server.name], workload)
            for workload in both
            for server in servers
            if server.name in CLIENTS and CLIENTS[server.name].there
        ],
    }
    # A pair that stands in two sections is measured once.
    measured = {cell.key: cell for section in plan.values() for cell in section}
    matrix.run(list(measured.values()), options.seconds, options.repeats)
    for section, own in plan.items():
        results[section] = [measured[cell.key].summary() for cell in own]
    results["footprints"] = memory.footprints(servers, 1 if options.quick else 5, options.seconds)
    if not options.quick:
        results["own"] = own.measures(options.seconds, options.repeats, builds=True)


def main() -> int:
    options = arguments()
    options.seconds = options.seconds or (0.8 if options.quick else 3)
    options.repeats = options.repeats or (1 if options.quick else 5)
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "settings": {
            "command": " ".join(["bench.py"] + sys.argv[1:]),
            "seconds": options.seconds,
            "repeats": options.repeats,
        },
    }
    if options.own:
        results["own"] = own.measures(options.seconds, options.repeats, builds=False)
    else:
        (all_pairs if options.servers or options.clients else whole)(options, results)
    write(results, options.output or default_folder(options))
    return 1 if errors(results) else 0


def default_folder(options: argparse.Namespace) -> Path:
    """A whole run is for the repository."""
    part = options.quick or options.own or options.servers or options.clients
    return PEERS / "results" if part else ROOT / "Benchmarks" / "Results"


def errors(results: dict) -> int:
    cells = [row for section in results.values() if isinstance(section, list) for row in section]
    return sum(1 for cell in cells if cell.get("errors") or cell.get("failure"))


def write(results: dict, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    page = tables.page(results)
    (folder / "table.md").write_text(page)
    chart.write(results, folder)
    print(page)
    print(f"written to {folder}", file=sys.stderr)
