# SPDX-License-Identifier: Apache-2.0
"""The results as tables in Markdown."""

from typing import Callable, List, Optional

from .programs import WORKLOADS

SPREAD = "Median (lowest–highest)."


def number(value: Optional[float]) -> str:
    """Three significant places: 0.042, 1.23, 23.4, 656k."""
    if value is None:
        return "–"
    if value >= 100_000:
        return f"{value / 1000:.0f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.{3 if value < 0.1 else 2 if value < 10 else 1}f}"


def table(heads: List[str], rows: List[List[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def matrix(cells: List[dict], by: str, figure: str, divisor: float = 1) -> str:
    """Rows are servers or clients (`by`), columns are workloads."""
    workloads = _unique(cell["workload"] for cell in cells)
    rows = []
    for name in _unique(cell[by] for cell in cells):
        own = {cell["workload"]: cell for cell in cells if cell[by] == name}
        rows.append([name] + [_entry(own.get(workload), figure, divisor) for workload in workloads])
    return table([by] + [WORKLOADS[workload].title for workload in workloads], rows)


def _entry(cell: Optional[dict], figure: str, divisor: float) -> str:
    if cell is None or figure not in cell:
        return "failed" if cell and "failure" in cell else "–"
    low, high = cell[figure + "_range"]
    text = number(cell[figure] / divisor)
    if low != high:
        text += f" ({number(low / divisor)}–{number(high / divisor)})"
    return text + (f", {cell['errors']} errors" if cell["errors"] else "")


def _unique(names) -> List[str]:
    return list(dict.fromkeys(names))


def footprints(rows: List[dict]) -> str:
    def mib(key: str) -> Callable[[dict], str]:
        return lambda row: number(row[key] / 1024) if key in row else "–"

    columns = [
        ("server", lambda row: row["server"]),
        ("RSS idle, MiB", mib("idle_kib")),
        ("1,000 idle connections", mib("connections_kib")),
        ("KiB each", lambda row: number(row.get("kib_per_connection"))),
        ("after they closed", mib("after_connections_kib")),
        ("after calls", mib("after_calls_kib")),
        ("start to first answer, ms", lambda row: number(row.get("first_answer_ms"))),
        ("stripped, MiB", lambda row: number(row["stripped_mib"] or None)),
    ]
    return table([head for head, _ in columns], [[entry(row) for _, entry in columns] for row in rows])


def own(rows: List[dict]) -> str:
    def value(row: dict) -> str:
        return "failed" if "failure" in row else f"{number(row['value'])} {row['unit']}".strip()

    return table(["what", "figure"], [[row["what"], value(row)] for row in rows])


def pairs(cells: List[dict]) -> str:
    """One row for each server, client and workload."""
    columns = {
        "thousands a second": ("rps", 1000), "p50, µs": ("p50_us", 1), "p99, µs": ("p99_us", 1),
        "server, µs of CPU": ("server_cpu_us_per_op", 1), "client, µs of CPU": ("client_cpu_us_per_op", 1),
    }  # fmt: skip
    rows = [
        [cell["server"], cell["client"], WORKLOADS[cell["workload"]].title]
        + [_entry(cell, figure, divisor) for figure, divisor in columns.values()]
        for cell in cells
    ]
    return table(["server", "client", "calls", *columns], rows)


def machine(facts: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['processor']}, {facts['processors']} processors, {facts['memory_gib']} GiB, {facts['system']}, "
        f"Linux {facts['kernel']}; {facts['swift']}; {versions}. Load average before: {facts['load_average']}."
    )


def page(results: dict) -> str:
    """All tables, one after the other."""
    settings = results["settings"]
    parts = [
        "# Benchmark",
        f"`{settings['command']}` at commit {results['machine']['commit']}, {results['date']}. "
        + f"{settings['repeats']} interleaved runs of {settings['seconds']} s for each figure. {SPREAD}",
        machine(results["machine"]),
    ]
    for title, by, cells in [
        ("Servers, called by the limit's load generator", "server", results.get("servers", [])),
        ("Clients, against the limit's server", "client", results.get("clients", [])),
        ("The same library on both sides", "server", results.get("both", [])),
    ]:
        if not cells:
            continue
        parts.append(f"## {title}")
        if by == "server":
            parts += ["Processor time of the server, µs a call or message:", matrix(cells, by, "server_cpu_us_per_op")]
        if by == "client" or cells is results.get("both"):
            parts += ["Processor time of the client, µs a call or message:", matrix(cells, by, "client_cpu_us_per_op")]
        parts += ["Calls or messages a second, thousands:", matrix(cells, by, "rps", 1000)]
        parts += ["Latency, median, µs:", matrix(cells, by, "p50_us")]
        parts += ["Latency, 99th percentile, µs:", matrix(cells, by, "p99_us")]
    if results.get("pairs"):
        parts += ["## Pairs", pairs(results["pairs"])]
    if results.get("footprints"):
        parts += ["## Memory, start-up, size", footprints(results["footprints"])]
    if results.get("own"):
        parts += ["## Apus alone", own(results["own"])]
    return "\n\n".join(parts) + "\n"
